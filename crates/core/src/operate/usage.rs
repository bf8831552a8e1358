//! CPU and memory of the pods.

use serde::Serialize;
use serde_json::Value;

use super::RunRow;
use crate::names::CONTAINER;

/// One pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageRow {
    /// The run.
    #[serde(flatten)]
    pub run: RunRow,
    /// What the container uses, where the cluster measures it.
    pub used: Option<Measured>,
    /// What it asked for.
    pub requests: Measured,
    /// What it may use.
    pub limits: Measured,
}

/// Quantities as Kubernetes writes them, for example `250m` and `512Mi`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Measured {
    /// CPU.
    pub cpu: Option<String>,
    /// Memory.
    pub memory: Option<String>,
}

impl Measured {
    fn read(resources: &Value) -> Self {
        let quantity = |name: &str| resources[name].as_str().map(str::to_owned);
        Self { cpu: quantity("cpu"), memory: quantity("memory") }
    }
}

/// The live runs with what their pods use. `pods` and `metrics` are objects of the API.
#[must_use]
pub fn usage_rows(rows: Vec<RunRow>, pods: &[Value], metrics: &[Value]) -> Vec<UsageRow> {
    let named = |objects: &[Value], name: &str| -> Option<Value> {
        objects.iter().find(|object| object["metadata"]["name"] == name).cloned()
    };
    let container = |object: &Value, list: &str| -> Value {
        let all = object.pointer(list).and_then(Value::as_array).into_iter().flatten();
        all.into_iter().find(|one| one["name"] == CONTAINER).cloned().unwrap_or_default()
    };
    let live = rows.into_iter().filter(|row| row.state.is_live());
    live.map(|run| {
        let pod = run.pod.as_deref().and_then(|name| named(pods, name)).unwrap_or_default();
        let measured = run.pod.as_deref().and_then(|name| named(metrics, name));
        let claude = container(&pod, "/spec/containers");
        UsageRow {
            used: measured.map(|object| Measured::read(&container(&object, "/containers")["usage"])),
            requests: Measured::read(&claude["resources"]["requests"]),
            limits: Measured::read(&claude["resources"]["limits"]),
            run,
        }
    })
    .collect()
}

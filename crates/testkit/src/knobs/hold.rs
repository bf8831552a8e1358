//! Parts of the cluster that stop doing their work until released.

use serde::Deserialize;
use serde_json::Value;

use crate::objects::json::text;

/// What is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HoldKind {
    /// The job controller does nothing at all: no pod, no suspension, no conditions.
    JobController,
    /// The job controller sets no finishing condition (`SuccessCriteriaMet`, `FailureTarget`, `Complete`, `Failed`).
    JobConditions,
    /// The scheduler assigns no node; the pod shows `Unschedulable` with the hold's message.
    Scheduling,
    /// The kubelet accepts the pod but starts no container (`ContainerCreating`).
    ContainerStart,
    /// The kubelet does not post that a container terminated; phase and Job go on without it.
    ContainerState,
}

/// One hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hold {
    /// What is held.
    pub kind: HoldKind,
    /// Name of a Job (its pods are meant too) or of a pod; everything when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Message of the `PodScheduled` condition for [`HoldKind::Scheduling`].
    #[serde(default)]
    pub message: Option<String>,
}

impl Hold {
    pub(crate) fn applies_to(&self, names: &[&str]) -> bool {
        self.name.as_deref().is_none_or(|name| names.contains(&name))
    }
}

/// The names under which holds find a pod: its own and that of its Job.
pub(crate) fn names_of(pod: &Value) -> [&str; 2] {
    let job = pod.pointer("/metadata/labels").and_then(|labels| labels.get("batch.kubernetes.io/job-name"));
    [text(pod, "/metadata/name"), job.and_then(Value::as_str).unwrap_or_default()]
}

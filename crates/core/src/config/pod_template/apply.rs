//! The merge as a whole: what is checked, in which order.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{api_types, deep_merge, protected, risks, structure};
use crate::config::{Rejection, Warning};
use crate::names::{ADAPTER_TYPE, CONTAINER, key};

/// Largest Job as JSON, in bytes: etcd takes at most 1.5 MiB per object, and the status still grows.
pub const MAX_JOB_BYTES: usize = 1_048_576;

/// A pod template with the operator's overrides in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// `{metadata, spec}`. Members unknown to the compiled API types are still in it.
    pub template: Value,
    /// Risky or unknown fields that were accepted.
    pub warnings: Vec<Warning>,
}

/// Merges `podTemplate` over the `{metadata, spec}` that the adapter built.
///
/// `reserved_env` names the variables of the container `claude` that are set from the owned Secret; those of
/// [`crate::config::env::is_reserved`] are protected in any case.
///
/// # Errors
/// Every malformed part and every change of a protected field, with its path as the key.
pub fn merge(
    pod_template_spec: &Value,
    overrides: &Map<String, Value>,
    reserved_env: &BTreeSet<String>,
) -> Result<Merged, Vec<Rejection>> {
    let malformed = structure::problems(overrides);
    if !malformed.is_empty() {
        return Err(malformed);
    }
    let mut template = pod_template_spec.clone();
    if let Value::Object(members) = &mut template {
        deep_merge::object(members, &deep_merge::with_quantities_as_text(overrides));
    }
    let mut rejections = protected::changes(pod_template_spec, &template, reserved_env);
    let mut warnings = risks::added(pod_template_spec, &template);
    match api_types::unknown_members(&template) {
        Ok(unknown) => warnings.extend(unknown),
        Err(rejection) => rejections.push(rejection),
    }
    rejections.extend(too_large(&template));
    if rejections.is_empty() { Ok(Merged { template, warnings }) } else { Err(rejections) }
}

/// What is wrong with the overrides whatever pod they are merged into.
///
/// Finds everything that [`merge`] finds except what depends on the run: names in the owned Secret, inherited
/// volumes and their mount paths.
#[must_use]
pub fn check(overrides: &Map<String, Value>) -> Vec<Rejection> {
    let smallest = json!({
        "metadata": { "labels": { (key::ADAPTER_TYPE): ADAPTER_TYPE } },
        "spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": CONTAINER,
                "command": ["sh"],
                "args": ["--print"],
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "volumeMounts": [
                    { "name": "paperclip-run", "mountPath": "/opt/paperclip/run", "readOnly": true },
                    { "name": "paperclip-scratch", "mountPath": "/opt/paperclip/scratch" },
                ],
            }],
            "volumes": [
                { "name": "data", "emptyDir": {} },
                { "name": "paperclip-run", "projected": { "sources": [] } },
                { "name": "paperclip-scratch", "emptyDir": {} },
            ],
        },
    });
    merge(&smallest, overrides, &BTreeSet::new()).err().unwrap_or_default()
}

/// Refuses an object (the merged template, and later the whole Job) that the API server could not store.
#[must_use]
pub fn too_large(object: &Value) -> Option<Rejection> {
    let length = object.to_string().len();
    (length >= MAX_JOB_BYTES).then(|| Rejection {
        key: "podTemplate".to_owned(),
        reason: format!(
            "makes the Job {length} bytes long, it must stay below {MAX_JOB_BYTES}; move data into a ConfigMap"
        ),
    })
}

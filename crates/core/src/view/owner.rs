//! Which Job a pod belongs to.

use k8s_openapi::api::core::v1::Pod;

use super::JobFacts;
use super::kept::{known, text};

/// The Job that made a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Its uid. Pods belong to a Job by uid, never by name.
    pub uid: &'a str,
    /// Its name, for messages.
    pub name: &'a str,
}

/// By the owner reference; a pod that was cut loose from its Job still has the controller's labels.
#[must_use]
pub fn owner(pod: &Pod) -> Option<Owner<'_>> {
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    if let Some(job) = owners.iter().find(|owner| owner.kind == "Job") {
        return Some(Owner { uid: &job.uid, name: &job.name });
    }
    let labels = pod.metadata.labels.as_ref()?;
    let label = |name: &str| labels.get(&format!("batch.kubernetes.io/{name}")).or_else(|| labels.get(name));
    Some(Owner { uid: label("controller-uid")?, name: label("job-name").map_or("", String::as_str) })
}

impl JobFacts {
    /// What a pod tells about its Job when the Job object itself may be gone.
    #[must_use]
    pub fn told_by(pod: &Pod) -> Option<Self> {
        let owner = owner(pod)?;
        Some(Self {
            name: text(Some(owner.name)),
            namespace: text(pod.metadata.namespace.as_deref()),
            uid: text(Some(owner.uid)),
            created_at: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            labels: known(pod.metadata.labels.as_ref()),
            annotations: known(pod.metadata.annotations.as_ref()),
            absent: true,
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(metadata: &Value) -> Pod {
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn pods_belong_to_a_job_by_uid_and_strangers_to_nobody() {
        let reference = |kind: &str| json!({ "apiVersion": "v1", "kind": kind, "name": "n", "uid": "a" });
        for (metadata, uid, name) in [
            (json!({ "ownerReferences": [reference("Job")], "labels": { "controller-uid": "b" } }), Some("a"), "n"),
            (
                json!({ "labels": { "batch.kubernetes.io/controller-uid": "a", "batch.kubernetes.io/job-name": "n" } }),
                Some("a"),
                "n",
            ),
            (json!({ "ownerReferences": [reference("Other")], "labels": { "controller-uid": "a" } }), Some("a"), ""),
            (json!({ "labels": { "job-name": "n" } }), None, ""),
        ] {
            let pod = pod(&metadata);
            assert_eq!(owner(&pod), uid.map(|uid| Owner { uid, name }), "{metadata}");
            assert_eq!(JobFacts::told_by(&pod).map(|job| (job.uid, job.absent)), uid.map(|uid| (uid.to_owned(), true)));
        }
    }
}

//! Objects for tests: `pod("host").running("paperclip")`, `job("run-1").image("claude").suspended()`.
//!
//! A builder holds JSON; take it with `.value()` (seeding) or `.build::<Pod>()` (typed).

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::objects::json::{array, set, set_condition};

/// A Kubernetes object under construction.
#[derive(Debug, Clone)]
pub struct ObjectBuilder(Value);

/// A pod with one container `claude`, phase `Pending`.
#[must_use]
pub fn pod(name: &str) -> ObjectBuilder {
    ObjectBuilder(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "claude", "image": "claude:test"}]},
        "status": {"phase": "Pending"},
    }))
}

/// A Job as the adapter makes them: one pod, no retries, container `claude` with image `claude:test`, not suspended.
#[must_use]
pub fn job(name: &str) -> ObjectBuilder {
    ObjectBuilder(json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {
            "suspend": false, "backoffLimit": 0, "completions": 1, "parallelism": 1,
            "template": {
                "metadata": {},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "claude", "image": "claude:test"}]},
            },
        },
    }))
}

/// A Secret with text values.
#[must_use]
pub fn secret(name: &str, data: &[(&str, &str)]) -> ObjectBuilder {
    use base64::Engine;
    let encode = |value: &str| Value::from(base64::engine::general_purpose::STANDARD.encode(value));
    let data: serde_json::Map<_, _> = data.iter().map(|(key, value)| ((*key).to_owned(), encode(value))).collect();
    ObjectBuilder(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data,
    }))
}

/// A bound `PersistentVolumeClaim`.
#[must_use]
pub fn claim(name: &str) -> ObjectBuilder {
    ObjectBuilder(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound"},
    }))
}

impl ObjectBuilder {
    /// The object as JSON.
    #[must_use]
    pub fn value(self) -> Value {
        self.0
    }

    /// The object as a k8s-openapi type.
    ///
    /// # Errors
    /// A member that was set does not fit the type.
    pub fn build<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        serde_json::from_value(self.0)
    }

    /// Sets any member by its path.
    #[must_use]
    pub fn with(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        set(&mut self.0, path, value);
        self
    }

    /// Namespace.
    #[must_use]
    pub fn namespace(self, namespace: &str) -> Self {
        self.with(&["metadata", "namespace"], namespace)
    }

    /// Uid.
    #[must_use]
    pub fn uid(self, uid: &str) -> Self {
        self.with(&["metadata", "uid"], uid)
    }

    /// A label.
    #[must_use]
    pub fn label(self, key: &str, value: &str) -> Self {
        self.with(&["metadata", "labels", key], value)
    }

    /// An annotation.
    #[must_use]
    pub fn annotation(self, key: &str, value: &str) -> Self {
        self.with(&["metadata", "annotations", key], value)
    }

    /// Owned by a Job, which is its controller for pods.
    #[must_use]
    pub fn owned_by_job(self, name: &str, uid: &str) -> Self {
        let is_pod = self.0["kind"] == "Pod";
        let owner = json!([{
            "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid,
            "controller": is_pod, "blockOwnerDeletion": is_pod,
        }]);
        let object = self.with(&["metadata", "ownerReferences"], owner);
        if !is_pod {
            return object;
        }
        object.label("batch.kubernetes.io/job-name", name).label("batch.kubernetes.io/controller-uid", uid)
    }

    /// A member of the first container, for example `image`, `command`, `env` or `volumeMounts`.
    #[must_use]
    pub fn container(mut self, field: &str, value: impl Into<Value>) -> Self {
        let spec = self.pod_spec_path();
        let path: Vec<&str> = spec.iter().copied().chain(["containers"]).collect();
        if let Some(container) = array(&mut self.0, &path).first_mut() {
            container[field] = value.into();
        }
        self
    }

    /// A member of the pod spec, for example `volumes` or `activeDeadlineSeconds`.
    #[must_use]
    pub fn pod_spec(mut self, field: &str, value: impl Into<Value>) -> Self {
        let spec = self.pod_spec_path();
        let path: Vec<&str> = spec.iter().copied().chain([field]).collect();
        set(&mut self.0, &path, value);
        self
    }

    /// Image of the first container.
    #[must_use]
    pub fn image(self, image: &str) -> Self {
        self.container("image", image)
    }

    /// `spec.suspend: true`.
    #[must_use]
    pub fn suspended(self) -> Self {
        self.with(&["spec", "suspend"], true)
    }

    /// `metadata.deletionTimestamp`.
    #[must_use]
    pub fn deleting(self, time: &str) -> Self {
        self.with(&["metadata", "deletionTimestamp"], time)
    }

    /// A condition with status `True`.
    #[must_use]
    pub fn condition(mut self, kind: &str, reason: &str, message: &str) -> Self {
        set_condition(&mut self.0, kind, "True", reason, message, "2026-01-05T10:00:00Z");
        self
    }

    /// The pod runs on a node, container and all.
    #[must_use]
    pub fn running(self) -> Self {
        self.with(&["spec", "nodeName"], "sim-node")
            .with(&["status", "phase"], "Running")
            .with(&["status", "startTime"], "2026-01-05T10:00:00Z")
            .state(&json!({"running": {"startedAt": "2026-01-05T10:00:00Z"}}))
    }

    /// The container ended with this code; the phase follows from it.
    #[must_use]
    pub fn terminated(self, code: i32, reason: &str) -> Self {
        let phase = if code == 0 { "Succeeded" } else { "Failed" };
        self.with(&["spec", "nodeName"], "sim-node").with(&["status", "phase"], phase).state(&json!({"terminated": {
            "exitCode": code, "reason": reason,
            "startedAt": "2026-01-05T10:00:00Z", "finishedAt": "2026-01-05T10:00:01Z",
        }}))
    }

    /// The container waits for this reason.
    #[must_use]
    pub fn waiting(self, reason: &str, message: &str) -> Self {
        self.with(&["spec", "nodeName"], "sim-node").state(&json!({"waiting": {"reason": reason, "message": message}}))
    }

    fn state(self, state: &Value) -> Self {
        let containers = self.0["spec"]["containers"].as_array().cloned().unwrap_or_default();
        let statuses: Vec<Value> = containers
            .iter()
            .map(|container| {
                json!({
                    "name": container["name"], "image": container["image"], "imageID": "",
                    "ready": state.get("running").is_some(), "restartCount": 0, "state": state,
                })
            })
            .collect();
        self.with(&["status", "containerStatuses"], statuses)
    }

    fn pod_spec_path(&self) -> &'static [&'static str] {
        if self.0["kind"] == "Pod" { &["spec"] } else { &["spec", "template", "spec"] }
    }
}

//! Objects for tests: `pod("host").running()`, `job("run-1").image("claude").suspended()`.
//!
//! A builder holds JSON; take it with `.value()` (seeding) or `.build::<Pod>()` (typed).

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A Kubernetes object under construction.
#[derive(Debug, Clone)]
pub(crate) struct ObjectBuilder(Value);

/// A pod with one container `claude`, phase `Pending`.
pub(crate) fn pod(name: &str) -> ObjectBuilder {
    ObjectBuilder(json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "claude", "image": "claude:test"}]},
        "status": {"phase": "Pending"},
    }))
}

/// A Job as the adapter makes them: one pod, no retries, container `claude` with image `claude:test`, not suspended.
pub(crate) fn job(name: &str) -> ObjectBuilder {
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
pub(crate) fn secret(name: &str, data: &[(&str, &str)]) -> ObjectBuilder {
    use base64::Engine;
    let encode = |value: &str| Value::from(base64::engine::general_purpose::STANDARD.encode(value));
    let data: serde_json::Map<_, _> = data.iter().map(|(key, value)| ((*key).to_owned(), encode(value))).collect();
    ObjectBuilder(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data,
    }))
}

/// A bound `PersistentVolumeClaim`.
pub(crate) fn claim(name: &str) -> ObjectBuilder {
    ObjectBuilder(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
        "status": {"phase": "Bound"},
    }))
}

impl ObjectBuilder {
    /// The object as JSON.
    pub(crate) fn value(self) -> Value {
        self.0
    }

    /// The object as a k8s-openapi type.
    pub(crate) fn build<T: DeserializeOwned>(self) -> serde_json::Result<T> {
        serde_json::from_value(self.0)
    }

    /// Sets any member by its path.
    pub(crate) fn with(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        *path.iter().fold(&mut self.0, |here, key| &mut here[*key]) = value.into();
        self
    }

    /// Namespace.
    pub(crate) fn namespace(self, namespace: &str) -> Self {
        self.with(&["metadata", "namespace"], namespace)
    }

    /// A label.
    pub(crate) fn label(self, key: &str, value: &str) -> Self {
        self.with(&["metadata", "labels", key], value)
    }

    /// Owned by a Job that is not its controller.
    pub(crate) fn owned_by_job(self, name: &str, uid: &str) -> Self {
        let owner = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}]);
        self.with(&["metadata", "ownerReferences"], owner)
    }

    /// A member of the first container, for example `image`, `command`, `env` or `volumeMounts`.
    pub(crate) fn container(mut self, field: &str, value: impl Into<Value>) -> Self {
        let spec = self.pod_spec_path();
        let path: Vec<&str> = spec.iter().copied().chain(["containers"]).collect();
        path.iter().fold(&mut self.0, |here, key| &mut here[*key])[0][field] = value.into();
        self
    }

    /// A member of the pod spec, for example `volumes` or `activeDeadlineSeconds`.
    pub(crate) fn pod_spec(self, field: &str, value: impl Into<Value>) -> Self {
        let path: Vec<&str> = self.pod_spec_path().iter().copied().chain([field]).collect();
        self.with(&path, value)
    }

    /// Image of the first container.
    pub(crate) fn image(self, image: &str) -> Self {
        self.container("image", image)
    }

    /// `spec.suspend: true`.
    pub(crate) fn suspended(self) -> Self {
        self.with(&["spec", "suspend"], true)
    }

    /// The pod runs on a node.
    pub(crate) fn running(self) -> Self {
        self.with(&["spec", "nodeName"], "sim-node").with(&["status", "phase"], "Running")
    }

    fn pod_spec_path(&self) -> &'static [&'static str] {
        if self.0["kind"] == "Pod" { &["spec"] } else { &["spec", "template", "spec"] }
    }
}

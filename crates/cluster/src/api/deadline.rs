//! Deadlines that are set while a pod runs: how it ends although its Job stays (`docs/internals/kubernetes.md` 4.2).

use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Resource;
use kube::api::{Patch, PatchParams};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{CALL, Namespace};

/// The least that the API takes, and already over when it is set.
const LEAST: u64 = 1;

impl Namespace {
    /// The kubelet ends the pod as one whose deadline has passed, so long after its start: object and log stay.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn end_pod(&self, name: &str, uid: &str, after: Duration) -> Result<(), ApiFailure> {
        self.end::<Pod>("pod", "pods", name, uid, after).await
    }

    /// The controller fails the Job at once and deletes its pod; the Job stays.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn end_job(&self, name: &str, uid: &str) -> Result<(), ApiFailure> {
        self.end::<Job>("Job", "jobs", name, uid, Duration::ZERO).await
    }

    async fn end<K>(&self, kind: &str, resource: &str, name: &str, uid: &str, after: Duration) -> Result<(), ApiFailure>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
    {
        let (api, params) = (self.api::<K>(), PatchParams::default());
        let patch =
            json!({ "metadata": { "uid": uid }, "spec": { "activeDeadlineSeconds": after.as_secs().max(LEAST) } });
        let patch = Patch::Merge(&patch);
        self.limited(CALL, self.what("Ending", kind, name), resource, api.patch(name, &params, &patch)).await.map(drop)
    }
}

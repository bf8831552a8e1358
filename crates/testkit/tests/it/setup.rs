//! Shared by all tests.

use std::time::Duration;

use crate::builders::{self, ObjectBuilder};
use claude_k8s_testkit::{Script, Simulator};
use futures_util::AsyncReadExt;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::PostParams;
use serde_json::Value;

pub(crate) const NAMESPACE: &str = "agents";
pub(crate) const IMAGE: &str = "claude:test";

/// A simulator with one scripted image, and its APIs.
pub(crate) struct Setup {
    pub(crate) simulator: Simulator,
    pub(crate) jobs: Api<Job>,
    pub(crate) pods: Api<Pod>,
    pub(crate) client: kube::Client,
}

pub(crate) fn setup(script: Script) -> Setup {
    let start: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
    from(Simulator::starting_at(start).image(IMAGE, script))
}

pub(crate) fn from(simulator: Simulator) -> Setup {
    let client = simulator.client(NAMESPACE);
    let (jobs, pods) = (Api::default_namespaced(client.clone()), Api::default_namespaced(client.clone()));
    Setup { simulator, jobs, pods, client }
}

impl Setup {
    pub(crate) async fn create(&self, job: ObjectBuilder) -> Job {
        self.jobs.create(&PostParams::default(), &job.build().unwrap()).await.unwrap()
    }

    /// Creates the Job and waits for its pod's container to reach this state.
    pub(crate) async fn start(&self, job: ObjectBuilder, state: &str) -> String {
        self.create(job).await;
        self.pod_in(state).await
    }

    pub(crate) async fn pod_in(&self, state: &str) -> String {
        let pointer = format!("/status/containerStatuses/0/state/{state}");
        let pod = self.simulator.knobs().wait_for("pods", |pod| pod.pointer(&pointer).is_some()).await;
        pod["metadata"]["name"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn job_with(&self, condition: &str) -> Value {
        self.simulator.knobs().wait_for("jobs", |job| has_condition(job, condition)).await
    }

    /// The raw log body.
    pub(crate) async fn log(&self, pod: &str, query: &str) -> Result<Vec<u8>, kube::Error> {
        let mut body = self.open_log(pod, query).await?;
        let mut all = Vec::new();
        body.read_to_end(&mut all).await.map_err(|error| kube::Error::Service(Box::new(error)))?;
        Ok(all)
    }

    pub(crate) async fn open_log(
        &self,
        pod: &str,
        query: &str,
    ) -> Result<impl futures_util::AsyncBufRead + Unpin + use<>, kube::Error> {
        let uri = format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}/log?container=claude{query}");
        let request = http::Request::get(uri).body(Vec::new()).unwrap();
        Ok(Box::pin(self.client.request_stream(request).await?))
    }
}

pub(crate) fn has_condition(job: &Value, kind: &str) -> bool {
    let conditions = job.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|all| all.iter().any(|c| c["type"] == kind && c["status"] == "True"))
}

pub(crate) fn condition<'a>(job: &'a Value, kind: &str) -> &'a Value {
    let conditions = job["status"]["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == kind).unwrap()
}

pub(crate) fn job() -> ObjectBuilder {
    builders::job("run-1").label("app.kubernetes.io/managed-by", "paperclip")
}

pub(crate) fn status_of(error: kube::Error) -> kube::core::Status {
    match error {
        kube::Error::Api(status) => *status,
        other => panic!("no status: {other:?}"),
    }
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(crate) const fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

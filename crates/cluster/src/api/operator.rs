//! Calls that only an operator's commands make.

use claude_k8s_core::api_failure::ApiFailure;
use http_body_util::{BodyExt as _, Limited};
use k8s_openapi::api::core::v1::Pod;
use kube::Resource as _;
use kube::api::{ListParams, LogParams};
use kube::client::Body;
use kube::core::Request;
use serde_json::Value;

use super::{CALL, Namespace, named};

/// Most of a log's end that is read.
const LOG_TAIL: usize = 1 << 20;

impl Namespace {
    /// The last lines of a container's log, with times.
    ///
    /// # Errors
    /// Any failed call.
    pub async fn log_tail(&self, pod: &str, container: &str, lines: i64, bytes: i64) -> Result<String, ApiFailure> {
        let params = LogParams {
            container: Some(container.to_owned()),
            tail_lines: Some(lines),
            limit_bytes: Some(bytes),
            timestamps: true,
            ..LogParams::default()
        };
        let get = async {
            let request = Request::new(Pod::url_path(&(), Some(&self.name)));
            let request = request.logs(pod, &params).map_err(kube::Error::BuildRequest)?;
            let response = self.client.send(request.map(Body::from)).await?;
            // What an agent printed need not be UTF-8, and an answer need not keep to what was asked.
            let body = Limited::new(response.into_body(), LOG_TAIL).collect().await;
            let bytes = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        self.answered(CALL, self.what(named::READING_THE_LOG, "pod", pod), "pods/log", get).await
    }

    /// What the pods of a selector use, by `metrics.k8s.io`: objects of the API.
    ///
    /// # Errors
    /// Any failed call; 404 where the cluster measures nothing.
    pub async fn pod_metrics(&self, selector: &str) -> Result<Vec<Value>, ApiFailure> {
        let place = if self.name.is_empty() { String::new() } else { format!("/namespaces/{}", self.name) };
        let request = Request::new(format!("/apis/metrics.k8s.io/v1beta1{place}/pods"));
        let get = async {
            let request = request.list(&ListParams::default().labels(selector)).map_err(kube::Error::BuildRequest)?;
            self.client.request::<Value>(request).await
        };
        let what = self.reading_metrics();
        let mut list = self.answered(CALL, what, "pods.metrics.k8s.io", get).await?;
        Ok(list["items"].as_array_mut().map(std::mem::take).unwrap_or_default())
    }
}

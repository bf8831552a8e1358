//! Logs of a real cluster, through the Kubernetes API.

use std::time::Duration;

use bytes::Bytes;
use claude_k8s_core::log::PAGE_INSTEAD;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use kube::core::Status;

use super::gather::Gathered;
use super::{LogBody, LogQuery, LogSource, LogTarget, OpenError, ReadError};
use crate::api::explain;
use crate::connect::Connection;

/// An error body is read up to this size. Unit: bytes.
const ERROR_BODY: usize = 64 << 10;
/// Part of a foreign error text that is shown. Unit: characters.
const ERROR_TEXT: usize = 300;

/// Opens logs of a cluster.
#[derive(Clone)]
pub struct ClusterLogs {
    follows: kube::Client,
    reads: kube::Client,
}

impl ClusterLogs {
    /// A follow has no read timeout: the idle watchdog of [`super::follow`] replaces it
    /// (`docs/internals/kubernetes.md` 5.2). Plain reads end by themselves.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { follows: connection.follows.clone(), reads: connection.requests.clone() }
    }

    async fn send(&self, query: LogQuery, target: &LogTarget) -> Result<LogBody, OpenError> {
        let failed = |message: String| OpenError::Failed { message, retry_after: None };
        let request = Request::get(query.path_and_query(target));
        let request = request.body(Body::empty()).map_err(|error| failed(error.to_string()))?;
        let client = if query.follow { &self.follows } else { &self.reads };
        // `send` hands over the body as it arrives; every other call of the client copies or collects it.
        let response = client.send(request).await.map_err(|error| failed(explain(&error)))?;
        match response.status() {
            // A log is plain text. A proxy's page is no output of the container, whatever its status says (FLD-01).
            StatusCode::OK if is_page(&response) => Err(failed(PAGE_INSTEAD.to_owned())),
            StatusCode::OK => {
                let frames = response.into_body().into_data_stream();
                Ok(Gathered::new(frames.map_err(|error| ReadError(explain(&error)))).boxed())
            }
            _ => Err(refusal(response).await),
        }
    }
}

impl LogSource for ClusterLogs {
    fn open<'a>(&'a self, target: &'a LogTarget, query: LogQuery) -> BoxFuture<'a, Result<LogBody, OpenError>> {
        Box::pin(self.send(query, target))
    }
}

fn is_page(response: &Response<Body>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// Judges an answer without a log. The only place that sees status and body together.
async fn refusal(response: Response<Body>) -> OpenError {
    let status = response.status();
    let header = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = header.and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let body = Limited::new(response.into_body(), ERROR_BODY).collect().await;
    let text = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let message = format!("HTTP {}: {}", status.as_u16(), reason(status, &text));
    match status {
        // A pod that is not assigned to a node: 204 without a body (kubernetes.md 1.4).
        StatusCode::NO_CONTENT | StatusCode::BAD_REQUEST => OpenError::NoLog(message),
        StatusCode::FORBIDDEN => OpenError::Forbidden(message),
        StatusCode::NOT_FOUND => OpenError::NotFound(message),
        _ => OpenError::Failed { message, retry_after },
    }
}

/// The server's own words, also when a proxy answered with something else than a `Status`.
fn reason(status: StatusCode, body: &Bytes) -> String {
    match serde_json::from_slice::<Status>(body) {
        Ok(status) if !status.message.is_empty() => status.message,
        _ if body.is_empty() => status.canonical_reason().unwrap_or("no text").to_owned(),
        _ => String::from_utf8_lossy(body).trim().chars().take(ERROR_TEXT).collect(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::ready;
    use http_body_util::Full;

    use super::*;

    type Answer = fn() -> http::response::Builder;

    /// A cluster that gives every request the same answer.
    fn cluster(answer: Answer, body: &'static str) -> ClusterLogs {
        let service = tower::service_fn(move |request: Request<Body>| {
            assert_eq!(request.uri(), "/api/v1/namespaces/n/pods/p/log?container=c&timestamps=true&follow=true");
            ready(answer().body(Full::new(Bytes::from_static(body.as_bytes()))))
        });
        ClusterLogs::new(&Connection::from_client(kube::Client::new(service, "n")))
    }

    async fn open(cluster: ClusterLogs) -> Result<LogBody, OpenError> {
        let target = LogTarget {
            namespace: "n".into(),
            pod: "p".into(),
            container: "c".into(),
            first_line: None,
            announces_end: false,
        };
        cluster.open(&target, LogQuery { follow: true, ..LogQuery::default() }).await
    }

    #[tokio::test]
    async fn a_body_arrives_as_frames() {
        let body = open(cluster(Response::builder, "one\ntwo")).await.ok().unwrap();
        let chunks: Vec<Bytes> = body.map(Result::unwrap).collect().await;
        assert_eq!(chunks, ["one\ntwo"]);
    }

    #[tokio::test]
    async fn every_answer_without_a_log_is_judged_once() {
        let status = r#"{"kind":"Status","message":"the server says so","code":1}"#;
        let failed = |message: &str, seconds: Option<u64>| OpenError::Failed {
            message: message.into(),
            retry_after: seconds.map(Duration::from_secs),
        };
        let cases: [(Answer, &'static str, OpenError); 7] = [
            (|| Response::builder().status(204), "", OpenError::NoLog("HTTP 204: No Content".into())),
            (|| Response::builder().status(400), status, OpenError::NoLog("HTTP 400: the server says so".into())),
            (|| Response::builder().status(403), status, OpenError::Forbidden("HTTP 403: the server says so".into())),
            (|| Response::builder().status(404), status, OpenError::NotFound("HTTP 404: the server says so".into())),
            (|| Response::builder().status(500), "<html>\n", failed("HTTP 500: <html>", None)),
            (|| Response::builder().status(502), "", failed("HTTP 502: Bad Gateway", None)),
            (
                || Response::builder().status(429).header("Retry-After", "7"),
                status,
                failed("HTTP 429: the server says so", Some(7)),
            ),
        ];
        for (answer, body, expected) in cases {
            assert_eq!(open(cluster(answer, body)).await.err(), Some(expected));
        }
    }
}

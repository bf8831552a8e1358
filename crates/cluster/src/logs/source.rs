//! Where log bytes come from: one request, its body and its failures.

use std::time::Duration;

use bytes::Bytes;
pub use claude_k8s_core::log::ContainerPhase;
use claude_k8s_core::log::LogTime;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

/// The container whose log is read. One instance of it: a restarted container is another log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTarget {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container. Always given: the default is refused when there are several.
    pub container: String,
    /// How its log begins, if that is known.
    pub first_line: Option<&'static str>,
    /// Its log ends with an end line, unless the container is killed.
    pub announces_end: bool,
}

/// What a request asks for, apart from the target. `timestamps=true` always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// Keep the connection open for new lines.
    pub follow: bool,
    /// A whole second; `None` reads from the start of the current file.
    pub since: Option<LogTime>,
}

impl LogQuery {
    /// Path and query of the request. Written here because kube rounds `sinceTime` to the nearest second (LOG-05).
    #[must_use]
    pub fn path_and_query(&self, target: &LogTarget) -> String {
        let LogTarget { namespace, pod, container, .. } = target;
        let mut uri = format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}&timestamps=true");
        if self.follow {
            uri.push_str("&follow=true");
        }
        if let Some(since) = self.since {
            uri.push_str("&sinceTime=");
            uri.push_str(&since.floor_second().to_string());
        }
        uri
    }
}

/// The body of an answer, chunk by chunk as it arrives. Dropping it closes the connection.
pub type LogBody = BoxStream<'static, Result<Bytes, ReadError>>;

/// The connection broke while the body was read. Means nothing for the run.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// Why a request brought no body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// 204 or 400: the container has no log yet (or, once terminated, never had one).
    #[error("{0}")]
    NoLog(String),
    /// 403.
    #[error("{0}")]
    Forbidden(String),
    /// 404: the pod is gone, or the kubelet does not know it (yet, or any more).
    #[error("{0}")]
    NotFound(String),
    /// Everything else: another status, or no answer at all.
    #[error("{message}")]
    Failed {
        /// Status or cause, and the server's text.
        message: String,
        /// The server's `Retry-After`.
        retry_after: Option<Duration>,
    },
}

/// Opens container logs. Production uses [`super::ClusterLogs`]; tests script one.
pub trait LogSource: Send + Sync {
    /// Sends the request and waits for the headers of the answer. The caller bounds the time.
    fn open<'a>(&'a self, target: &'a LogTarget, query: LogQuery) -> BoxFuture<'a, Result<LogBody, OpenError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_05_the_request_carries_a_whole_second() {
        let target = LogTarget {
            namespace: "agents".into(),
            pod: "run-1".into(),
            container: "claude".into(),
            first_line: None,
            announces_end: false,
        };
        let (since, _) = LogTime::parse_prefix(b"2026-01-02T03:03:58.700000000Z").unwrap();
        let base = "/api/v1/namespaces/agents/pods/run-1/log?container=claude&timestamps=true";
        for (query, suffix) in [
            (LogQuery { follow: true, ..LogQuery::default() }, "&follow=true"),
            (LogQuery { follow: true, since: Some(since) }, "&follow=true&sinceTime=2026-01-02T03:03:58Z"),
            (LogQuery { follow: false, since: Some(since) }, "&sinceTime=2026-01-02T03:03:58Z"),
            (LogQuery::default(), ""),
        ] {
            assert_eq!(query.path_and_query(&target), format!("{base}{suffix}"));
        }
    }
}

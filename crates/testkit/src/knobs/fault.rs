//! Requests that go wrong on purpose.

use std::time::Duration;

/// Which requests are meant. Absent members match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMatch {
    /// HTTP method.
    pub method: Option<String>,
    /// Regular expression over the path.
    pub path: Option<String>,
    /// Regular expression over the raw query string.
    pub query: Option<String>,
    /// Kubernetes verb: `get`, `list`, `watch`, `create`, `patch`, `delete`.
    pub verb: Option<String>,
    /// `jobs`, `pods`, `pods/log`, `selfsubjectaccessreviews`, …
    pub resource: Option<String>,
    /// Object name. Of a create: what its body says.
    pub name: Option<String>,
}

impl RequestMatch {
    /// Every request.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this verb for this resource.
    #[must_use]
    pub fn of(verb: &str, resource: &str) -> Self {
        Self { verb: Some(verb.to_owned()), resource: Some(resource.to_owned()), ..Self::default() }
    }

    /// Log requests that follow.
    #[must_use]
    pub fn follows() -> Self {
        Self { query: Some("follow=true".to_owned()), ..Self::of("get", "pods/log") }
    }

    /// Only requests for the object of this name.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }
}

/// How a body ends that is cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CutEnd {
    /// A correctly terminated body: what a client sees when the kubelet dies.
    #[default]
    Clean,
    /// A broken connection.
    Reset,
    /// No end and no more bytes: a half-open connection.
    Stall,
}

/// What happens to the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// A `Status` of failure.
    Status {
        /// HTTP status.
        code: u16,
        /// Message; a fitting one when absent.
        message: Option<String>,
        /// Reason; a fitting one when absent.
        reason: Option<String>,
        /// `details.kind`, for example `pods/log` when the kubelet does not know the pod.
        details_kind: Option<String>,
        /// Header `Retry-After`, in seconds.
        retry_after_seconds: Option<u64>,
        /// The request is carried out first; only its answer is replaced.
        after_write: bool,
    },
    /// An HTML page, as a proxy sends it.
    Html {
        /// HTTP status.
        code: u16,
        /// The request is carried out first.
        after_write: bool,
    },
    /// The connection breaks before an answer.
    Reset {
        /// The request is carried out first.
        after_write: bool,
    },
    /// No answer, ever.
    Hang {
        /// The request is carried out first.
        after_write: bool,
    },
    /// The answer comes later.
    Delay {
        /// Delay in milliseconds.
        ms: u64,
    },
    /// The body of the answer is cut.
    CutBody {
        /// Bytes that still pass.
        after_bytes: usize,
        /// How the body ends then.
        end: CutEnd,
    },
}

impl FaultAction {
    /// A `Status` with this code and the usual texts.
    #[must_use]
    pub fn status(code: u16) -> Self {
        let (message, reason, details_kind) = (None, None, None);
        Self::Status { code, message, reason, details_kind, retry_after_seconds: None, after_write: false }
    }

    /// 429 with `Retry-After`.
    #[must_use]
    pub fn too_many_requests(retry_after: Duration) -> Self {
        let (message, reason, details_kind) = (None, None, None);
        let retry_after_seconds = Some(retry_after.as_secs());
        Self::Status { code: 429, message, reason, details_kind, retry_after_seconds, after_write: false }
    }

    /// The write happens, the answer is a 504.
    #[must_use]
    pub fn timeout_after_write() -> Self {
        let (message, reason, details_kind) = (None, None, None);
        Self::Status { code: 504, message, reason, details_kind, retry_after_seconds: None, after_write: true }
    }

    /// 404 of the kubelet for a pod it does not know (yet or any more): no proof that the pod is gone (kubernetes.md 1.4).
    #[must_use]
    pub fn kubelet_does_not_know_the_pod() -> Self {
        Self::Status {
            code: 404,
            message: Some("the server could not find the requested resource ( pods/log )".to_owned()),
            reason: Some("NotFound".to_owned()),
            details_kind: Some("pods/log".to_owned()),
            retry_after_seconds: None,
            after_write: false,
        }
    }

    /// Cuts the body after so many bytes.
    #[must_use]
    pub fn cut(after_bytes: usize, end: CutEnd) -> Self {
        Self::CutBody { after_bytes, end }
    }

    pub(crate) fn is_after_write(&self) -> bool {
        match self {
            Self::Status { after_write, .. }
            | Self::Html { after_write, .. }
            | Self::Reset { after_write }
            | Self::Hang { after_write } => *after_write,
            Self::Delay { .. } | Self::CutBody { .. } => true,
        }
    }
}

/// A rule: which requests, how many of them, and what happens.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Which requests.
    pub matching: RequestMatch,
    /// How many matching requests pass unharmed first. Default 0.
    pub skip: u32,
    /// How many are hit; all when absent.
    pub times: Option<u32>,
    /// What happens to them.
    pub action: FaultAction,
}

impl Fault {
    /// Hits every matching request.
    #[must_use]
    pub fn new(matching: RequestMatch, action: FaultAction) -> Self {
        Self { matching, skip: 0, times: None, action }
    }

    /// Hits only so many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }
}

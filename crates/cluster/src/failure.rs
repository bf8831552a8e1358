//! An API call that failed, judged where the answer was seen.

use std::time::Duration;

use kube::core::Status;

/// What kind of failure it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// 401: the credential is refused.
    Unauthorized,
    /// 403 for want of a permission.
    Forbidden,
    /// 403 or 422 because of the object itself: quota, admission, Pod Security, validation.
    Rejected,
    /// Status `NotFound` for the very kind that was asked for.
    NotFound,
    /// The object exists already.
    AlreadyExists,
    /// A precondition failed, or somebody else changed the object.
    Conflict,
    /// 429, 5xx, a proxy's answer: may work when tried again.
    Server,
    /// No answer within the limit: whether the call had an effect is unknown.
    Timeout,
    /// No connection, or it broke: whether the call had an effect is unknown.
    Transport,
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} failed: {cause}")]
pub struct ApiFailure {
    /// What was tried, for example ``Creating Job `x` in namespace `y` ``.
    pub what: String,
    /// `HTTP <code> <Status message>`, or what happened to the connection.
    pub cause: String,
    /// What kind.
    pub kind: FailureKind,
    /// HTTP status, 0 without one.
    pub code: u16,
    /// Reason word of the Status.
    pub reason: String,
    /// The server asked for this pause.
    pub retry_after: Option<Duration>,
}

impl ApiFailure {
    /// Judges an error of the client library. `resource` is the plural that was asked for, such as `jobs`.
    #[must_use]
    pub fn new(what: impl Into<String>, resource: &str, error: &kube::Error) -> Self {
        let what = what.into();
        match error {
            kube::Error::Api(status) => Self::from_status(what, resource, status),
            other => Self {
                what,
                cause: explain(other),
                kind: FailureKind::Transport,
                code: 0,
                reason: String::new(),
                retry_after: None,
            },
        }
    }

    /// The call got no answer in time.
    #[must_use]
    pub fn timed_out(what: impl Into<String>, limit: Duration) -> Self {
        Self {
            what: what.into(),
            cause: format!("no answer within {} s", limit.as_secs()),
            kind: FailureKind::Timeout,
            code: 0,
            reason: String::new(),
            retry_after: None,
        }
    }

    fn from_status(what: String, resource: &str, status: &Status) -> Self {
        let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
        Self {
            what,
            cause: format!("HTTP {} {}", status.code, status.message.trim()),
            kind: judge(resource, status),
            code: status.code,
            reason: status.reason.clone(),
            retry_after: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
        }
    }

    /// Trying the same call again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.kind, FailureKind::Server | FailureKind::Timeout | FailureKind::Transport)
    }

    /// Whether the call had an effect is unknown.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.is_transient()
    }
}

/// A proxy's HTML 404 and `namespaces "x" not found` are no proof about the object (END-07).
fn judge(resource: &str, status: &Status) -> FailureKind {
    let kind = status.details.as_ref().map_or("", |details| details.kind.as_str());
    match (status.code, status.reason.as_str()) {
        (401, _) => FailureKind::Unauthorized,
        (403, "Forbidden") if is_admission(&status.message) => FailureKind::Rejected,
        (403, _) => FailureKind::Forbidden,
        (404, "NotFound") if kind == resource => FailureKind::NotFound,
        (409, "AlreadyExists") => FailureKind::AlreadyExists,
        (409, _) => FailureKind::Conflict,
        (400 | 405 | 406 | 413 | 415 | 422, _) => FailureKind::Rejected,
        _ => FailureKind::Server,
    }
}

/// Authorisation says "User … cannot …"; quota and Pod Security use 403 for the object itself.
fn is_admission(message: &str) -> bool {
    !message.split_once("User \"").is_some_and(|(_, rest)| rest.contains("\" cannot "))
}

/// The innermost cause, which names the network or certificate problem.
fn explain(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let next = cause.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16, reason: &str, kind: &str, message: &str) -> kube::Error {
        let details = serde_json::json!({ "kind": kind, "retryAfterSeconds": 3 });
        let status = serde_json::json!({ "code": code, "reason": reason, "message": message, "details": details });
        kube::Error::Api(Box::new(serde_json::from_value(status).unwrap()))
    }

    #[test]
    fn end_07_only_a_status_for_the_very_kind_proves_absence() {
        let kind = |error| ApiFailure::new("Reading Job `x`", "jobs", &error).kind;
        assert_eq!(kind(status(404, "NotFound", "jobs", "jobs \"x\" not found")), FailureKind::NotFound);
        assert_eq!(kind(status(404, "NotFound", "namespaces", "namespaces \"n\" not found")), FailureKind::Server);
        assert_eq!(kind(status(404, "Failed to parse error data", "", "<html>")), FailureKind::Server);
        assert_eq!(kind(status(404, "NotFound", "", "404 page not found")), FailureKind::Server);
    }

    #[test]
    fn a_missing_permission_differs_from_a_rejected_object() {
        let kind =
            |message| ApiFailure::new("Creating Job `x`", "jobs", &status(403, "Forbidden", "jobs", message)).kind;
        let denied = "jobs.batch is forbidden: User \"u\" cannot create resource \"jobs\" in API group \"batch\"";
        assert_eq!(kind(denied), FailureKind::Forbidden);
        for rejected in
            ["pods \"x\" is forbidden: exceeded quota: q", "admission webhook \"w\" denied: it cannot run as root"]
        {
            assert_eq!(kind(rejected), FailureKind::Rejected, "{rejected}");
        }
    }

    #[test]
    fn a_failure_reads_as_what_happened_and_why() {
        let failure = ApiFailure::new("Listing Jobs", "jobs", &status(429, "TooManyRequests", "", "slow down"));
        assert_eq!(failure.to_string(), "Listing Jobs failed: HTTP 429 slow down");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
        assert!(failure.is_transient());
    }
}

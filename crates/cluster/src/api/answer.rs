//! Answers of the client library, read into failures where they were seen.

use std::time::Duration;

use claude_k8s_core::answers::TooMuch;
use claude_k8s_core::api_failure::{ApiFailure, FailureKind};
use kube::core::Status;

/// Reads an error of the client library. `resource` is the plural that was asked for, such as `jobs`.
#[must_use]
pub(super) fn read(what: impl Into<String>, resource: &str, judge: Judge, error: &kube::Error) -> ApiFailure {
    match error {
        kube::Error::Api(status) => read_status(what.into(), judge(resource, status), status),
        kube::Error::SerdeError(_) => ApiFailure::new(what, explain(error), FailureKind::Unreadable),
        _ if is_too_much(error) => ApiFailure::new(what, explain(error), FailureKind::Unreadable),
        _ => ApiFailure::new(what, explain(error), FailureKind::Network),
    }
}

/// The answer was longer than any may be.
fn is_too_much(error: &kube::Error) -> bool {
    let mut causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.any(<dyn std::error::Error>::is::<TooMuch>)
}

fn read_status(what: String, kind: FailureKind, status: &Status) -> ApiFailure {
    let cause = format!("HTTP {} {}", status.code, status.message.trim());
    let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
    let retry_after = (seconds > 0).then(|| Duration::from_secs(seconds.into()));
    ApiFailure { retry_after, ..ApiFailure::new(what, cause, kind) }
}

/// From the plural that was asked for and the answer to the kind of failure.
pub(crate) type Judge = fn(&str, &Status) -> FailureKind;

/// Nothing about an object can be refused where none is sent: every 403 is the authorisation's, in whatever words.
pub(crate) fn judge_read(resource: &str, status: &Status) -> FailureKind {
    if status.code == 403 { FailureKind::Forbidden } else { judge(resource, status) }
}

/// A proxy's HTML 404 and `namespaces "x" not found` are no proof about the object (END-07).
pub(crate) fn judge(resource: &str, status: &Status) -> FailureKind {
    let kind = status.details.as_ref().map_or("", |details| details.kind.as_str());
    match (status.code, status.reason.as_str()) {
        (401, _) => FailureKind::Unauthorized,
        (403, "Forbidden") if status.message.contains("exceeded quota") => FailureKind::OverQuota,
        (403, "Forbidden") if is_admission(&status.message) => FailureKind::Rejected,
        (403, _) => FailureKind::Forbidden,
        (404, "NotFound") if kind == resource => FailureKind::NotFound,
        (404, _) => FailureKind::AbsenceUnproven,
        (409, "AlreadyExists") => FailureKind::AlreadyExists,
        (409, _) => FailureKind::Conflict,
        (410, _) => FailureKind::Expired,
        (429, _) => FailureKind::TooManyRequests,
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
        let kind = |error| read("Reading Job `x`", "jobs", judge, &error).kind;
        assert_eq!(kind(status(404, "NotFound", "jobs", "jobs \"x\" not found")), FailureKind::NotFound);
        assert_eq!(
            kind(status(404, "NotFound", "namespaces", "namespaces \"n\" not found")),
            FailureKind::AbsenceUnproven
        );
        assert_eq!(kind(status(404, "Failed to parse error data", "", "<html>")), FailureKind::AbsenceUnproven);
        assert_eq!(kind(status(404, "NotFound", "", "404 page not found")), FailureKind::AbsenceUnproven);
    }

    #[test]
    fn a_missing_permission_differs_from_a_rejected_object() {
        let kind = |message| read("Creating Job `x`", "jobs", judge, &status(403, "Forbidden", "jobs", message)).kind;
        let denied = "jobs.batch is forbidden: User \"u\" cannot create resource \"jobs\" in API group \"batch\"";
        assert_eq!(kind(denied), FailureKind::Forbidden);
        assert_eq!(kind("pods \"x\" is forbidden: exceeded quota: q"), FailureKind::OverQuota);
        assert_eq!(kind("admission webhook \"w\" denied: it cannot run as root"), FailureKind::Rejected);
    }

    #[test]
    fn a_failure_reads_as_what_happened_and_why() {
        let failure = read("Listing Jobs", "jobs", judge, &status(429, "TooManyRequests", "", "slow down"));
        assert_eq!(failure.to_string(), "Listing Jobs failed: HTTP 429 slow down");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
        assert!(failure.kind.is_passing());
    }

    #[test]
    fn fld_01_each_kind_of_answer_is_told_apart() {
        let kind = |code, reason: &str| read("x", "jobs", judge, &status(code, reason, "jobs", "m")).kind;
        for (code, reason, expected) in [
            (401, "Unauthorized", FailureKind::Unauthorized),
            (409, "AlreadyExists", FailureKind::AlreadyExists),
            (409, "Conflict", FailureKind::Conflict),
            (410, "Expired", FailureKind::Expired),
            (422, "Invalid", FailureKind::Rejected),
            (429, "TooManyRequests", FailureKind::TooManyRequests),
            (500, "InternalError", FailureKind::Server),
            (502, "Failed to parse error data", FailureKind::Server),
            (503, "ServiceUnavailable", FailureKind::Server),
            (504, "Timeout", FailureKind::Server),
        ] {
            assert_eq!(kind(code, reason), expected, "{code} {reason}");
        }
        let page = kube::Error::SerdeError(serde_json::from_str::<u8>("<html>").unwrap_err());
        assert_eq!(read("x", "jobs", judge, &page).kind, FailureKind::Unreadable);
    }
}

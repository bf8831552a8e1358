//! Answers of the client library, read into failures where they were seen.

use std::time::Duration;

use claude_k8s_core::answers::TooMuch;
use claude_k8s_core::api_failure::{Answer, ApiFailure, FailureKind, Purpose};
use kube::core::Status;

/// Reads an error of the client library. `resource` is the plural that was asked for, such as `jobs`.
#[must_use]
pub(super) fn read(what: impl Into<String>, resource: &str, purpose: Purpose, error: &kube::Error) -> ApiFailure {
    match error {
        kube::Error::Api(status) => read_status(what.into(), answer(status).kind(purpose, resource), status),
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

/// What the core judges of a `Status`.
pub(crate) fn answer(status: &Status) -> Answer<'_> {
    Answer {
        code: status.code,
        reason: &status.reason,
        about: status.details.as_ref().map_or("", |details| details.kind.as_str()),
        message: &status.message,
    }
}

/// An error with everything it was caused by: the innermost names the network or certificate problem.
pub(crate) fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
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
    fn a_failure_reads_as_what_happened_and_why() {
        let failure = read("Listing Jobs", "jobs", Purpose::Act, &status(429, "TooManyRequests", "", "slow down"));
        assert_eq!(failure.to_string(), "Listing Jobs failed: HTTP 429 slow down");
        assert_eq!(failure.retry_after, Some(Duration::from_secs(3)));
        assert!(failure.kind.is_passing());
    }

    #[test]
    fn end_07_the_kind_that_a_status_is_about_is_read() {
        let kind = |about: &str| read("x", "jobs", Purpose::Act, &status(404, "NotFound", about, "m")).kind;
        assert_eq!((kind("jobs"), kind("pods")), (FailureKind::NotFound, FailureKind::AbsenceUnproven));
    }

    #[test]
    fn fld_01_a_page_instead_of_an_answer_is_unreadable() {
        let page = kube::Error::SerdeError(serde_json::from_str::<u8>("<html>").unwrap_err());
        assert_eq!(read("x", "jobs", Purpose::Act, &page).kind, FailureKind::Unreadable);
    }
}

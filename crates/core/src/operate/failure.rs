//! Why an operator's command was not carried out.

use super::RunRow;
use crate::api_failure::{ApiFailure, FailureKind};
use crate::failure::{ErrorCode, Refusal};
use crate::permissions::Access;

/// Names of candidates that are shown.
const SHOWN: usize = 5;

/// A call failed.
#[must_use]
pub fn not_done(failure: &ApiFailure) -> Refusal {
    match failure.kind {
        FailureKind::Forbidden => Refusal::new(
            ErrorCode::RbacInsufficient,
            format!("{failure}; `rbac` prints the permissions that are needed"),
        ),
        _ => Refusal::new(ErrorCode::ApiUnreachable, format!("{failure}; `doctor` checks the connection")),
    }
}

/// What is missing for Secrets that nobody owns to be found.
#[must_use]
pub fn secrets_not_readable() -> String {
    format!("that needs {}", Access::LIST_SECRETS)
}

/// No Job is named so.
#[must_use]
pub fn unknown(word: &str, namespace: &str) -> Refusal {
    let place = if namespace.is_empty() { "any namespace".to_owned() } else { format!("namespace `{namespace}`") };
    usage(format!(
        "No Job, run or pod of the adapter in {place} begins with `{word}`; `ps` lists them, `-n` names another namespace"
    ))
}

/// Several are.
#[must_use]
pub fn ambiguous(word: &str, rows: &[&RunRow]) -> Refusal {
    let mut names: Vec<&str> = rows.iter().take(SHOWN).map(|row| row.job.as_str()).collect();
    if rows.len() > SHOWN {
        names.push("…");
    }
    usage(format!("`{word}` is the beginning of {} names ({}); write more of it", rows.len(), names.join(", ")))
}

/// It has no log yet.
#[must_use]
pub fn not_started(row: &RunRow) -> Refusal {
    usage(format!("Job {} has not started, so it has no log yet; `-f` waits for it", row.job))
}

/// The disk refused.
#[must_use]
pub fn homes_unread(what: &impl std::fmt::Display) -> Refusal {
    usage(format!(
        "The homes cannot be looked at: {what}; `--homes` takes the directory `k8s-homes` as this machine sees it"
    ))
}

pub(super) fn usage(message: String) -> Refusal {
    Refusal::new(ErrorCode::ConfigurationIncomplete, message)
}

//! A Job as a run sees it.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The facts of one Job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobFacts {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.creationTimestamp`.
    pub created_at: Option<Timestamp>,
    /// `metadata.deletionTimestamp`.
    pub deletion_timestamp: Option<Timestamp>,
    /// `spec.suspend`.
    pub suspended: bool,
    /// `status.startTime`.
    pub start_time: Option<Timestamp>,
    /// Conditions that are `True`.
    pub conditions: Vec<JobCondition>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// The Job left the index: a `DELETED` event or absence in a list. A claim, not yet a proof.
    pub absent: bool,
}

/// A condition that is `True`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCondition {
    /// `Complete`, `Failed`, `FailureTarget`, `SuccessCriteriaMet`, `Suspended`, …
    pub kind: String,
    /// For example `BackoffLimitExceeded`, `DeadlineExceeded`.
    pub reason: String,
    /// Text.
    pub message: String,
}

impl JobFacts {
    /// The Job is finished: `Complete` or `Failed`. `FailureTarget` and `SuccessCriteriaMet` only mean *decided*.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.conditions.iter().any(|condition| matches!(condition.kind.as_str(), "Complete" | "Failed"))
    }

    /// The reason of the condition that decided the Job's failure, if any.
    #[must_use]
    pub fn failure_reason(&self) -> Option<&str> {
        let failed = |condition: &&JobCondition| matches!(condition.kind.as_str(), "Failed" | "FailureTarget");
        self.conditions.iter().find(failed).map(|condition| condition.reason.as_str())
    }
}

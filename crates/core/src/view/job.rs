//! A Job as a run sees it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::kept::{ENTRIES_MAX, known, text};

/// The facts of one Job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobFacts {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`: a write that names it fails when anything has changed since.
    pub resource_version: String,
    /// `metadata.generation`: counts changes of the spec from 1. A Job that still has 1 was never released.
    pub generation: i64,
    /// `spec.template.spec.activeDeadlineSeconds`: when the kubelet stops the pod, counted from its start.
    pub pod_deadline: Option<Duration>,
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
    /// `metadata.labels` that are ours.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations` that are ours.
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

fn pod_deadline(job: &Job) -> Option<Duration> {
    let pod = job.spec.as_ref()?.template.spec.as_ref()?;
    pod.active_deadline_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
}

impl JobFacts {
    /// Reads one object.
    #[must_use]
    pub fn read(job: &Job) -> Self {
        let metadata = &job.metadata;
        let status = job.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        Self {
            name: text(metadata.name.as_deref()),
            namespace: text(metadata.namespace.as_deref()),
            uid: text(metadata.uid.as_deref()),
            resource_version: text(metadata.resource_version.as_deref()),
            generation: metadata.generation.unwrap_or_default(),
            pod_deadline: pod_deadline(job),
            created_at: metadata.creation_timestamp.as_ref().map(|time| time.0),
            deletion_timestamp: metadata.deletion_timestamp.as_ref().map(|time| time.0),
            suspended: job.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false),
            start_time: status.and_then(|status| status.start_time.as_ref()).map(|time| time.0),
            conditions: conditions
                .iter()
                .filter(|condition| condition.status == "True")
                .take(ENTRIES_MAX)
                .map(|condition| JobCondition {
                    kind: text(Some(&condition.type_)),
                    reason: text(condition.reason.as_deref()),
                    message: text(condition.message.as_deref()),
                })
                .collect(),
            labels: known(metadata.labels.as_ref()),
            annotations: known(metadata.annotations.as_ref()),
            absent: false,
        }
    }

    /// Takes over a newer read of the same Job. What was finished or being deleted stays so (END-12).
    #[must_use]
    pub fn fold(self, newer: Self) -> Self {
        debug_assert_eq!(self.uid, newer.uid, "a Job is folded into itself only");
        let keep_conditions = self.is_finished() && !newer.is_finished();
        // A read that was overtaken must not look like "suspended again" (END-14).
        let overtaken = newer.generation < self.generation;
        Self {
            suspended: if overtaken { self.suspended } else { newer.suspended },
            generation: self.generation.max(newer.generation),
            deletion_timestamp: self.deletion_timestamp.or(newer.deletion_timestamp),
            conditions: if keep_conditions { self.conditions } else { newer.conditions },
            ..newer
        }
    }

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

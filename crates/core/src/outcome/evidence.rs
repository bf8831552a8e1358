//! What was observed about the end of a run. Only facts: nothing here is concluded.

use jiff::Timestamp;
use serde_json::Value;

use crate::request::StoredSession;
use crate::transcript::{Transcript, Usage};
use crate::view::Terminated;

/// Everything the verdict is based on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Identity and circumstances of the run.
    pub run: &'a RunFacts,
    /// Session and billing circumstances.
    pub session: &'a SessionFacts,
    /// The parsed output.
    pub transcript: &'a Transcript,
    /// Why the adapter itself stopped the run, if it did.
    pub stop: Option<Stop>,
    /// How the container `claude` ended.
    pub container: ContainerEnd,
    /// The pod never started: bound or fatal reason.
    pub start_failure: Option<StartFailure>,
    /// A real deadline passed (pod or Job `DeadlineExceeded`, or the adapter's own limit).
    pub deadline_passed: bool,
    /// After a deadline or cancel: the container's end was seen.
    pub termination_verified: bool,
    /// The platform took the pod away, or the node went silent.
    pub platform: Option<PlatformLoss>,
    /// Somebody else deleted the Job or pod.
    pub deletion: Option<Deletion>,
    /// State of the log capture.
    pub log: LogSummary,
    /// A second attempt without `--resume` was made, or is not possible for a reason outside the transcript.
    pub fresh_attempt_used: bool,
    /// What the first attempt spent, when this is the second. The usage of [`RunFacts::adopted_run`] is booked by
    /// itself and must not be part of it.
    pub earlier: Option<Usage>,
    /// Now, for `retryNotBefore`.
    pub now: Timestamp,
}

/// Why the adapter stopped the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Operator cancel, before the Job was released.
    CancelledBeforeRelease,
    /// Operator cancel after release. `forced`: the container had to be killed (exit code 137).
    Cancelled {
        /// SIGKILL was needed.
        forced: bool,
    },
    /// The host lost ownership; the Job was left alone.
    LeaseLost,
}

/// How the container ended, as far as it is known. The cases have different messages on purpose.
#[derive(Debug, Clone, PartialEq)]
pub enum ContainerEnd {
    /// It never ran.
    NeverStarted,
    /// The kubelet reported the end.
    Exited(Terminated),
    /// The pod is terminal but the kubelet posted no container state within the grace.
    NotReported {
        /// `status.phase` of the pod.
        pod_phase: String,
    },
    /// The pod is gone and no state was seen.
    PodGone,
    /// Still running as far as anybody knows.
    Running,
}

/// Why the pod did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFailure {
    /// The schedule bound was over (`scheduleTimeoutSec`): worth a retry. Otherwise start-up bound or fatal reason.
    pub schedule_bound: bool,
    /// `Pod did not start within <n>s (<key>): …; events: …` or the fatal reason with its events.
    pub message: String,
}

/// The platform took the pod away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlatformLoss {
    /// Eviction, pre-emption, drain, node shutdown: reason and message.
    Evicted {
        /// For example `EvictionByEvictionAPI`.
        reason: String,
        /// Text, possibly empty.
        message: String,
    },
    /// The Job was suspended again or its pod replaced after the start.
    Replaced {
        /// What was seen.
        detail: String,
    },
    /// The node stopped reporting.
    NodeLost {
        /// Node name.
        node: String,
    },
}

/// A deletion by somebody else, proven.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deletion {
    /// `job_404`, `pod_404` or `other_uid`.
    pub detected_via: String,
    /// Last conditions of the Job.
    pub job_conditions: Vec<String>,
    /// Seconds since the pod was first seen running.
    pub elapsed_since_running: Option<i64>,
}

/// Counters of the log capture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSummary {
    /// The tail was read and confirmed to its end.
    pub complete: bool,
    /// At least one byte or a clean empty log was read.
    pub readable: bool,
    /// Reconnects of the follow.
    pub reconnects: u64,
    /// Lines that connections repeated.
    pub replayed_lines: u64,
    /// Reported gaps, as `{ after, before, reason }` objects.
    pub gaps: Vec<Value>,
    /// Bytes of container output that were delivered.
    pub bytes: u64,
}

/// Identity and circumstances for `resultJson.k8s` and messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFacts {
    /// Job name, empty before it exists.
    pub job: String,
    /// Job uid.
    pub uid: String,
    /// Namespace.
    pub namespace: String,
    /// Pod name.
    pub pod: Option<String>,
    /// Node name.
    pub node: Option<String>,
    /// 1 or 2.
    pub attempts: u32,
    /// An orphaned Job was adopted as this run's own.
    pub adopted: bool,
    /// An orphan of another run that was followed first.
    pub adopted_run: Option<AdoptedRun>,
    /// Warnings of the configuration and the launch.
    pub warnings: Vec<String>,
    /// Degraded modes (`polling`, `created unsuspended`, `staging`, …).
    pub degraded: Vec<String>,
    /// `timeoutSec`, for the message.
    pub timeout_seconds: Option<u64>,
}

/// Another run's Job that was followed to its end before this run's own.
#[derive(Debug, Clone, PartialEq)]
pub struct AdoptedRun {
    /// The other run's id.
    pub run_id: String,
    /// Its Job.
    pub job: String,
    /// Its result, complete, as [`super::RunResult`] serializes it.
    pub result: Value,
}

/// Session circumstances: what was asked for, what may be stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionFacts {
    /// `HOME` is a persistent volume: sessions survive the pod.
    pub persistent: bool,
    /// The id given to `--resume`, if any.
    pub resumed: Option<String>,
    /// What to store beside the new session id.
    pub stored: StoredSession,
    /// The configured model.
    pub configured_model: Option<String>,
    /// Who bills.
    pub billing: Billing,
}

/// Billing circumstances, from the pod's environment.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about an environment")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Billing {
    /// `CLAUDE_CODE_USE_BEDROCK`.
    pub bedrock: bool,
    /// `CLAUDE_CODE_USE_VERTEX`.
    pub vertex: bool,
    /// An API key or auth token is in the environment.
    pub api_key: bool,
    /// An OAuth token is in the environment.
    pub oauth_token: bool,
}

//! What was observed about the end of a Job.

use std::time::Duration;

use serde_json::Value;

use super::StartFailure;
use crate::log::EndLine;
use crate::paths::SCRATCH_VOLUME;
use crate::view::Terminated;

/// Everything observed about the end of one Job. [`crate::run`] gathers it, [`super::decide`] judges it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// Why the adapter itself stopped the run, if it did.
    pub stop: Option<Stop>,
    /// How the container `claude` ended.
    pub container: ContainerEnd,
    /// The pod never started: bound or fatal reason.
    pub start_failure: Option<StartFailure>,
    /// A real deadline passed (pod or Job `DeadlineExceeded`, or the adapter's own limit).
    pub deadline_passed: bool,
    /// After a deadline or cancel: the end of the pods was seen.
    pub termination_verified: bool,
    /// The platform took the pod away, or the node went silent.
    pub platform: Option<PlatformLoss>,
    /// Somebody else deleted the Job or pod, proven.
    pub deletion: Option<Deletion>,
    /// State of the log capture.
    pub log: LogSummary,
}

impl PlatformLoss {
    /// What an eviction means: a limit of the pod's own, or want of room on the node.
    #[must_use]
    pub fn of_eviction(reason: &str, message: &str) -> Self {
        match own_limit(message).filter(|_| reason == "Evicted") {
            Some(key) => Self::OverLimit { message: message.to_owned(), key },
            None => Self::Evicted { reason: reason.to_owned(), message: message.to_owned() },
        }
    }
}

/// The key whose limit the kubelet's text says was passed. Its texts since 1.10: `Usage of EmptyDir volume "v" exceeds the
/// limit "1Mi"`, `Container c exceeded its local ephemeral storage limit "1Mi"`, `Pod ephemeral local storage usage exceeds
/// the total limit of containers 1Mi`.
fn own_limit(message: &str) -> Option<&'static str> {
    let volume = message.split_once("Usage of EmptyDir volume").map(|(_, rest)| rest);
    match volume {
        Some(rest) if rest.contains(&format!("\"{SCRATCH_VOLUME}\"")) => Some("cacheSizeLimit"),
        Some(_) => Some("podTemplate"),
        None => {
            let text = message.to_lowercase();
            let own = ["exceeded its local ephemeral storage limit", "ephemeral local storage usage exceeds"];
            own.iter().any(|words| text.contains(words)).then_some("resources.limits.ephemeral-storage")
        }
    }
}

impl Ending {
    /// A stop from outside ended the run.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.stop.as_ref().is_some_and(Stop::is_ordered)
    }

    /// The kernel killed the container at its memory limit: then the size of what it had to read explains something.
    #[must_use]
    pub fn ran_out_of_memory(&self) -> bool {
        self.container.exit().and_then(|end| end.reason.as_deref()) == Some("OOMKilled")
    }

    /// Changes every text that somebody else wrote, before any of them is shortened or joined.
    pub fn map_texts(&mut self, change: &dyn Fn(&str) -> String) {
        let mut texts: Vec<&mut String> = Vec::new();
        texts.extend(&mut self.log.stderr);
        if let ContainerEnd::Exited(end) | ContainerEnd::Said(end) = &mut self.container {
            texts.extend(&mut end.message);
            texts.extend(&mut end.reason);
        }
        if let Some(failure) = &mut self.start_failure {
            texts.extend(&mut failure.events);
            texts.extend(failure.cause.texts_mut());
        }
        match &mut self.platform {
            Some(PlatformLoss::Evicted { reason, message } | PlatformLoss::ContainerLost { reason, message }) => {
                texts.extend([reason, message]);
            }
            Some(PlatformLoss::OverLimit { message, .. }) => texts.push(message),
            Some(PlatformLoss::Replaced { detail }) => texts.push(detail),
            Some(PlatformLoss::NodeLost { .. }) | None => {}
        }
        if let Some(deletion) = &mut self.deletion {
            texts.extend(&mut deletion.job_conditions);
        }
        for text in texts {
            *text = change(text);
        }
    }

    /// The container's end, seen, and nothing else that matters. No log was read.
    #[must_use]
    pub fn seen(container: ContainerEnd) -> Self {
        Self {
            stop: None,
            container,
            start_failure: None,
            deadline_passed: false,
            termination_verified: true,
            platform: None,
            deletion: None,
            log: LogSummary::default(),
        }
    }
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
    /// The final result was in and the process stayed: nothing was lost by the stop.
    AfterResult,
    /// Nothing was heard for so long while the container ran.
    Silent {
        /// `silenceTimeoutSec`.
        bound: Duration,
    },
}

impl Stop {
    /// Somebody outside of the run wanted it to end, or to be left alone.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::AfterResult | Self::Silent { .. })
    }
}

/// How the container ended, as far as it is known. The cases have different messages on purpose.
#[derive(Debug, Clone, PartialEq)]
pub enum ContainerEnd {
    /// It never ran.
    NeverStarted,
    /// The kubelet reported the end.
    Exited(Terminated),
    /// The container said so in the last line of its log, and the kubelet had not reported it when the run was decided.
    /// The exit code and the start are true, the time of the end is when its word was heard; a reason is not known.
    Said(Terminated),
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

impl ContainerEnd {
    /// How it ended, whoever said so.
    #[must_use]
    pub fn exit(&self) -> Option<&Terminated> {
        match self {
            Self::Exited(end) | Self::Said(end) => Some(end),
            _ => None,
        }
    }
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
    /// The node's runtime lost the container: a reboot, a crash of the runtime, a shutdown of the node.
    ContainerLost {
        /// `Unknown`, `ContainerStatusUnknown`, or the pod's.
        reason: String,
        /// Text, possibly empty.
        message: String,
    },
    /// The pod went over a limit of its own.
    OverLimit {
        /// The text of the eviction.
        message: String,
        /// The key that sets the limit.
        key: &'static str,
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
    /// The output that was read ends with a result that is good by itself ([`super::is_good`]).
    pub good_result: bool,
    /// The container's own word that it ended, which nothing followed.
    pub end: Option<EndLine>,
    /// The end of stderr, as the container said it.
    pub stderr: Option<String>,
}

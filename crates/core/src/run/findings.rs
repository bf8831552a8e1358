//! What a run has found out about its end, and how that becomes the [`Ending`] that is judged.

use super::RunState;
use super::state::LogEnd;
use crate::outcome::{ContainerEnd, Deletion, Ending, PlatformLoss, StartFailure, Stop};
use crate::view::{ContainerState, PodFacts, RunView, Terminated};

/// What the ending will say beyond what the newest facts say by themselves. Everything here was observed once and
/// stays true, whatever the facts say later.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Findings {
    /// Who asked us to stop.
    pub(super) stop: Option<Stop>,
    /// The wait for the container was given up. Taken back if the container did start after all.
    pub(super) start_failure: Option<StartFailure>,
    /// The pod's own deadline, the Job's, or our limit.
    pub(super) deadline_passed: bool,
    /// The platform took the pod.
    pub(super) platform: Option<PlatformLoss>,
    /// Somebody else's deletion, proven.
    pub(super) deletion: Option<Deletion>,
}

impl Findings {
    /// A real deadline: the pod's own, or the Job's backstop.
    pub(super) fn note_deadline(&mut self, view: &RunView) {
        let pod = view.pod().and_then(|pod| pod.reason.as_deref()) == Some("DeadlineExceeded");
        let job = view.job.as_ref().and_then(|job| job.failure_reason()) == Some("DeadlineExceeded");
        self.deadline_passed |= pod || job;
    }
}

impl RunState {
    /// The ending, when nothing more will happen.
    pub(super) fn conclude(&self, log: Option<&LogEnd>) -> Ending {
        let mut findings = self.findings.clone();
        findings.note_deadline(&self.view);
        // A deadline that was made to pass, or passed while the pod was being stopped, is not why it ended.
        findings.deadline_passed &= findings.stop.as_ref().is_none_or(Stop::is_ordered);
        let ordered = self.phase.order().is_some();
        let container = self.container_end(log);
        // The pod did start while its deletion was on the way: then it is not a failure to start.
        let start_failure = findings.start_failure.filter(|_| container == ContainerEnd::NeverStarted);
        let platform = match findings.platform {
            // A node that reports after all was not lost.
            Some(PlatformLoss::NodeLost { .. }) if container.exit().is_some() => None,
            platform => platform,
        };
        let platform = platform.or_else(|| evicted(self.view.pod()?));
        let platform = platform.or_else(|| self.container_lost(log, findings.deletion.is_some()));
        // Our own deletion, and the platform's, are not somebody else's.
        let somebody_else = !ordered && findings.stop.is_none() && platform.is_none();
        let mut deletion = findings.deletion;
        if deletion.is_none() && somebody_else {
            deletion = self.deletion_observed();
        }
        if let (Some(deletion), Some(job)) = (&mut deletion, &self.view.job) {
            deletion.job_conditions = job.conditions.iter().map(|one| format!("{}={}", one.kind, one.reason)).collect();
        }
        // A cancel and our deletion ask for the end of the pods; a deadline of the pod itself stops it without us.
        let cancelled = matches!(findings.stop, Some(Stop::Cancelled { .. }));
        let to_verify = ordered || cancelled || findings.deadline_passed;
        Ending {
            stop: findings.stop.map(|stop| self.with_force(stop)),
            container,
            start_failure,
            deadline_passed: findings.deadline_passed,
            termination_verified: to_verify && self.nothing_runs(),
            platform,
            deletion,
            log: log.map(|log| log.summary.clone()).unwrap_or_default(),
        }
    }

    /// A container that was to end and did not had to be killed.
    fn with_force(&self, stop: Stop) -> Stop {
        let killed = self.view.pod().and_then(PodFacts::terminated).is_some_and(|end| end.exit_code == 137);
        match stop {
            Stop::Cancelled { .. } => Stop::Cancelled { forced: killed && self.phase.order().is_some() },
            other => other,
        }
    }

    /// The kubelet does not know how the container ended, and the container did not say so either. After a deletion that is
    /// what a deletion looks like.
    fn container_lost(&self, log: Option<&LogEnd>, deleted: bool) -> Option<PlatformLoss> {
        let pod = self.view.pod().filter(|pod| pod.claude.started)?;
        let end = pod.terminated()?;
        let spoke = log.is_some_and(|log| log.summary.end.is_some());
        let deleted = deleted || self.phase.order().is_some() || self.deletion_observed().is_some();
        (end.was_lost() && !spoke && !deleted).then(|| PlatformLoss::ContainerLost {
            reason: pod.reason.clone().or_else(|| end.reason.clone()).unwrap_or_default(),
            message: pod.message.clone().or_else(|| end.message.clone()).unwrap_or_default(),
        })
    }

    /// Somebody asked for the deletion of the Job or its pod, and it was not us: the objects say so themselves.
    fn deletion_observed(&self) -> Option<Deletion> {
        let job = self.view.job.as_ref().and_then(|job| job.deletion_timestamp).map(|_| "job_deletion");
        let pod = self.view.pod().and_then(|pod| pod.deletion_timestamp).map(|_| "pod_deletion");
        let detected_via = job.or(pod)?.to_owned();
        // Both by the node's clock; the sight of the start is by ours.
        let times = self.view.pod().and_then(|pod| pod.terminated()).map(|end| (end.started_at, end.finished_at));
        let elapsed = match times {
            Some((Some(start), Some(end))) => Some(end.duration_since(start).as_secs()),
            _ => None,
        };
        Some(Deletion { detected_via, job_conditions: vec![], elapsed_since_running: elapsed })
    }

    /// What is known about the container's end.
    fn container_end(&self, log: Option<&LogEnd>) -> ContainerEnd {
        let Some(pod) = self.view.pod() else {
            // A Job that finished, or was found after a restart, may have run in a pod that nobody here saw.
            let may_have_run = self.bounds.adopted || self.job_is_finished();
            return if may_have_run { ContainerEnd::PodGone } else { ContainerEnd::NeverStarted };
        };
        let gone = self.proofs.pod_gone || pod.absent;
        match &pod.claude.state {
            ContainerState::Terminated(_) if !pod.claude.started => ContainerEnd::NeverStarted,
            ContainerState::Terminated(end) => ContainerEnd::Exited(end.clone()),
            _ if self.findings.start_failure.is_some() && !pod.claude.started => ContainerEnd::NeverStarted,
            state if let Some(said) = log.and_then(|log| said(state, log)) => ContainerEnd::Said(said),
            _ if gone && pod.claude.started => ContainerEnd::PodGone,
            // A terminal pod without a container state may have run: "not posted" is no proof of "never" (END-11).
            _ if pod.phase.is_terminal() => ContainerEnd::NotReported { pod_phase: format!("{:?}", pod.phase) },
            _ if pod.claude.started => ContainerEnd::Running,
            _ => ContainerEnd::NeverStarted,
        }
    }
}

/// The container's own word for its end. The clock of its node may be off, so it did not end before it started.
fn said(state: &ContainerState, log: &LogEnd) -> Option<Terminated> {
    let exit_code = log.summary.end?.exit_code.into();
    let started_at = if let ContainerState::Running { started_at } = state { *started_at } else { None };
    let finished_at = started_at.map_or(log.heard, |started_at| started_at.max(log.heard));
    Some(Terminated { exit_code, started_at, finished_at: Some(finished_at), ..Terminated::default() })
}

/// Eviction, drain, pre-emption, node shutdown: the pod says so itself.
fn evicted(pod: &PodFacts) -> Option<PlatformLoss> {
    if let Some(disruption) = &pod.disruption {
        return Some(PlatformLoss::Evicted { reason: disruption.reason.clone(), message: disruption.message.clone() });
    }
    let reason = pod.reason.as_deref()?;
    let taken = matches!(reason, "Evicted" | "NodeShutdown" | "Terminated" | "Preempting" | "Shutdown");
    taken.then(|| PlatformLoss::of_eviction(reason, pod.message.as_deref().unwrap_or_default()))
}

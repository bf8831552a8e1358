//! What the state machine hands over when nothing more will happen.

use crate::outcome::{ContainerEnd, Deletion, Ending, LogSummary, PlatformLoss, Stop};
use crate::view::ContainerState;

use super::state::RunState;

impl RunState {
    pub(super) fn build_ending(&mut self, log: LogSummary) -> Ending {
        self.note_deadline();
        let container = self.container_end();
        // The end of a stop may be seen while the log is drained; a deadline of the pod itself stops it without us.
        self.termination_verified |= (self.delete_ordered || self.deadline_passed) && self.nothing_runs();
        // The pod did start while its deletion was on the way: then it is not a failure to start.
        if container != ContainerEnd::NeverStarted {
            self.start_failure = None;
        }
        // A node that reports after all was not lost.
        if matches!(container, ContainerEnd::Exited(_)) {
            self.platform.take_if(|loss| matches!(loss, PlatformLoss::NodeLost { .. }));
        }
        if self.platform.is_none() {
            self.platform = self.evicted();
        }
        // Our own deletion, and the platform's, are not somebody else's.
        if !self.delete_ordered && self.stop.is_none() && self.platform.is_none() && self.deletion.is_none() {
            self.deletion = self.deletion_observed();
        }
        if let (Some(deletion), Some(job)) = (&mut self.deletion, &self.view.job) {
            deletion.job_conditions = job.conditions.iter().map(|one| format!("{}={}", one.kind, one.reason)).collect();
        }
        Ending {
            stop: self.stop.clone(),
            container,
            start_failure: self.start_failure.take(),
            deadline_passed: self.deadline_passed,
            termination_verified: self.termination_verified,
            platform: self.platform.take(),
            deletion: self.deletion.take(),
            log,
        }
    }

    /// Somebody asked for the deletion of the Job or its pod, and it was not us: the objects say so themselves.
    fn deletion_observed(&self) -> Option<Deletion> {
        let job = self.view.job.as_ref().and_then(|job| job.deletion_timestamp).map(|_| "job_deletion");
        let pod = self.view.pod().and_then(|pod| pod.deletion_timestamp).map(|_| "pod_deletion");
        let detected_via = job.or(pod)?.to_owned();
        let end = self.view.pod().and_then(|pod| pod.terminated()).and_then(|end| end.finished_at);
        let elapsed = self.running_since.zip(end).map(|(since, end)| end.duration_since(since).as_secs());
        Some(Deletion { detected_via, job_conditions: vec![], elapsed_since_running: elapsed })
    }

    /// Eviction, drain, pre-emption, node shutdown: the pod says so itself.
    fn evicted(&self) -> Option<PlatformLoss> {
        let pod = self.view.pod()?;
        if let Some(disruption) = &pod.disruption {
            return Some(PlatformLoss::Evicted {
                reason: disruption.reason.clone(),
                message: disruption.message.clone(),
            });
        }
        let reason = pod.reason.as_deref()?;
        let taken = matches!(reason, "Evicted" | "NodeShutdown" | "Terminated" | "Preempting" | "Shutdown");
        taken.then(|| PlatformLoss::Evicted {
            reason: reason.to_owned(),
            message: pod.message.clone().unwrap_or_default(),
        })
    }

    /// What is known about the container's end.
    fn container_end(&self) -> ContainerEnd {
        let Some(pod) = self.view.pod() else {
            // A Job that finished, or was found after a restart, may have run in a pod that nobody here saw.
            let may_have_run = self.bounds.adopted || self.job_is_finished();
            return if may_have_run { ContainerEnd::PodGone } else { ContainerEnd::NeverStarted };
        };
        let gone = self.pod_gone || pod.absent;
        match &pod.claude.state {
            ContainerState::Terminated(_) if !pod.claude.started => ContainerEnd::NeverStarted,
            ContainerState::Terminated(end) => ContainerEnd::Exited(end.clone()),
            _ if self.start_failure.is_some() && !pod.claude.started => ContainerEnd::NeverStarted,
            _ if gone && pod.claude.started => ContainerEnd::PodGone,
            // A terminal pod without a container state may have run: "not posted" is no proof of "never" (END-11).
            _ if pod.phase.is_terminal() => ContainerEnd::NotReported { pod_phase: format!("{:?}", pod.phase) },
            _ if pod.claude.started => ContainerEnd::Running,
            _ => ContainerEnd::NeverStarted,
        }
    }
}

/// What becomes of a Job after its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Deleted; its Secrets go with it.
    Delete,
    /// Kept for the operator; only its payload goes.
    Retain,
    /// Not touched: its state is unknown, or it still runs.
    Leave,
}

impl Ending {
    /// A Job goes only if it is terminal, cancelled, past a deadline or bound (END-09).
    #[must_use]
    pub fn fate(&self, retain: bool) -> Fate {
        if self.stop == Some(Stop::LeaseLost) {
            return Fate::Leave;
        }
        let stopped = self.stop.is_some() || self.start_failure.is_some() || self.was_deleted_past_deadline();
        match (&self.platform, &self.container) {
            _ if stopped => Fate::Delete,
            (Some(PlatformLoss::Replaced { .. }), _) => Fate::Delete,
            (Some(PlatformLoss::NodeLost { .. }), _) | (_, ContainerEnd::Running) => Fate::Leave,
            (_, ContainerEnd::Exited(_) | ContainerEnd::NotReported { .. }) if retain => Fate::Retain,
            (_, ContainerEnd::Exited(_) | ContainerEnd::NotReported { .. }) => Fate::Delete,
            // The pod is gone and nothing says why: an unknown state, unless the Job itself was proven gone.
            (_, ContainerEnd::PodGone | ContainerEnd::NeverStarted) if self.deletion.is_some() => Fate::Delete,
            (_, ContainerEnd::PodGone | ContainerEnd::NeverStarted) => Fate::Leave,
        }
    }

    fn was_deleted_past_deadline(&self) -> bool {
        self.deadline_passed && self.termination_verified
    }
}

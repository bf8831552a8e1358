//! While the container runs, or ran and does not say how it ended.

use jiff::Timestamp;

use super::constants::{DEFAULT_GRACE, NODE_LOST_AFTER, STOP_VERIFICATION, UNKNOWN_OUTCOME_GRACE};
use super::state::{Command, DeleteReason, Phase, RunState, after};
use crate::outcome::PlatformLoss;

impl RunState {
    pub(super) fn advance_running(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        self.note_deadline();
        if self.container_ended() {
            self.phase = Phase::Draining;
        } else if self.pod_cannot_run() {
            self.phase = Phase::AwaitingState { since: now };
        } else if self.limit_is_over(now) {
            self.deadline_passed = true;
            if self.in_sync() {
                self.begin_stop(DeleteReason::PastDeadline, now, commands);
            } else {
                // Nobody can be asked: the Job is left to its own deadline (END-05).
                self.phase = Phase::Draining;
            }
        } else {
            self.give_up_when_lost(now);
        }
    }

    pub(super) fn advance_awaiting(&mut self, since: Timestamp, now: Timestamp) {
        self.note_deadline();
        let grace_over = self.in_sync() && now >= after(since, UNKNOWN_OUTCOME_GRACE);
        // A pod that is gone cannot report any more; only a pod that is still there may be late (END-11).
        let gone = self.pod_gone || self.view.pod().is_none_or(|pod| pod.absent);
        let nothing_to_wait_for = gone && (self.job_gone.is_some() || self.job_is_finished());
        if self.container_ended() || grace_over || nothing_to_wait_for {
            self.phase = Phase::Draining;
        }
    }

    /// The pod is gone or terminal, or its Job finished, although the container's end was never posted.
    pub(super) fn pod_cannot_run(&self) -> bool {
        let Some(pod) = self.view.pod() else { return false };
        let deleting = pod.deletion_timestamp.is_some() && !pod.absent;
        // Old servers finish a Job while its deleted pod still has its grace period.
        self.pod_gone || pod.phase.is_terminal() || (self.job_is_finished() && !deleting)
    }

    /// Two ends that nobody will report: the node went silent, or the Job is gone and left its pod behind.
    pub(super) fn give_up_when_lost(&mut self, now: Timestamp) -> bool {
        if !self.may_be_given_up() {
            return false;
        }
        if self.node_lost_at().is_some_and(|at| now >= at) {
            let node = self.view.pod().and_then(|pod| pod.node.clone()).unwrap_or_default();
            self.platform = Some(PlatformLoss::NodeLost { node });
            self.phase = Phase::Draining;
        } else if self.job_gone_until().is_some_and(|at| now >= at) {
            self.phase = Phase::Draining;
        }
        matches!(self.phase, Phase::Draining)
    }

    pub(super) fn may_be_given_up(&self) -> bool {
        self.in_sync() && matches!(self.phase, Phase::Scheduling(_) | Phase::Starting(_) | Phase::Running)
    }

    /// By our clock from the first sight of the deletion: a node's or server's clock may be off.
    pub(super) fn node_lost_at(&self) -> Option<Timestamp> {
        let pod = self.view.pod().filter(|pod| !pod.absent && pod.terminated().is_none())?;
        let grace = pod.deletion_grace_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let grace = grace.map_or(DEFAULT_GRACE, std::time::Duration::from_secs);
        Some(after(after(self.deleting_since?, grace), NODE_LOST_AFTER))
    }

    pub(super) fn job_gone_until(&self) -> Option<Timestamp> {
        Some(after(self.job_gone?, STOP_VERIFICATION))
    }

    pub(super) fn say_that_it_runs(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if matches!(self.phase, Phase::Running) {
            let job = self.view.job.as_ref().map_or("", |job| job.name.as_str());
            commands.extend(self.keepalive.line(job, self.view.stale_since, now).map(Command::Say));
        }
    }
}

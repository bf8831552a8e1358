//! While the container runs, or ran and does not say how it ended.

use jiff::Timestamp;

use super::command::{Command, DeleteReason};
use super::constants::{
    DEFAULT_GRACE, NODE_LOST_AFTER, SAID_WITHOUT_CONTACT, STOP_VERIFICATION, UNKNOWN_OUTCOME_GRACE,
};
use super::input::{Bounds, Heard};
use super::keepalive::Keepalive;
use super::phase::Phase;
use super::state::{RunState, after, earliest};
use crate::outcome::PlatformLoss;

/// The container was seen running.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub(super) keepalive: Keepalive,
    pub(super) heard: Heard,
    /// When the container could be heard again after a time in which it could not.
    pub(super) listening: Option<Timestamp>,
    /// The waiting for the end after the result was mentioned.
    pub(super) told_of_result: bool,
    /// `timeoutSec + graceSec` after the pod's start. `None`: no timer ends the run (END-03).
    deadline: Option<Timestamp>,
}

impl Running {
    /// By when the deadline is acted upon. Without contact nobody can be asked to delete the Job, but its own deadline
    /// works without us: what really happened is then waited for a while longer (END-05).
    fn limit(&self, in_sync: bool) -> Option<Timestamp> {
        self.deadline.map(|at| if in_sync { at } else { after(at, STOP_VERIFICATION) })
    }

    pub(super) fn next_wake(&self, bounds: &Bounds, in_sync: bool) -> Option<Timestamp> {
        let overdue = [self.exit_by(bounds), self.silent_by(bounds)].map(|at| at.filter(|_| in_sync));
        earliest([self.limit(in_sync), Some(self.keepalive.next_at()), self.told_by(), overdue[0], overdue[1]])
    }
}

impl RunState {
    /// The container was seen to have started, now or before.
    pub(super) fn begin_running(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let deadline = self.sights.pod_started.zip(self.bounds.limit).map(|(start, limit)| after(start, limit));
        self.sights.running = Some(now);
        commands.push(Command::Started);
        let (keepalive, heard) = (Keepalive::new(now), Heard::default());
        self.phase = Phase::Running(Running { keepalive, heard, listening: None, told_of_result: false, deadline });
    }

    pub(super) fn advance_running(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let Phase::Running(running) = &self.phase else { return };
        let limit_is_over = running.limit(self.in_sync()).is_some_and(|at| now >= at);
        self.findings.note_deadline(&self.view);
        if self.container_ended() {
            self.drain(now);
        } else if self.pod_cannot_run() || self.log.end().is_some() {
            self.phase = Phase::AwaitingState { since: now };
        } else if limit_is_over && !self.has_looked(now, commands) {
            // The container may have ended without anybody here having seen it.
        } else if limit_is_over {
            self.findings.deadline_passed = true;
            if self.in_sync() {
                self.begin_stop(DeleteReason::PastDeadline, now, commands);
            } else {
                // Nobody can be asked: the Job is left to its own deadline (END-05).
                self.drain(now);
            }
        } else {
            self.give_up_when_lost(now, commands);
        }
    }

    pub(super) fn advance_awaiting(&mut self, since: Timestamp, now: Timestamp, commands: &mut Vec<Command>) {
        self.findings.note_deadline(&self.view);
        if self.log.settles() {
            return self.decide();
        }
        let grace_over = self.awaited_until(since).is_some_and(|until| now >= until);
        // A pod that is gone cannot report any more; only a pod that is still there may be late (END-11).
        let gone = self.proofs.pod_gone || self.view.pod().is_none_or(|pod| pod.absent);
        let nothing_to_wait_for = gone && (self.proofs.job_gone.is_some() || self.job_is_finished());
        let unseen_for_good = grace_over || nothing_to_wait_for;
        if self.container_ended() || (unseen_for_good && self.has_looked(now, commands)) {
            self.drain(now);
        }
    }

    /// Until when the container's state may come. Without contact it cannot, so nothing is over then; but a container
    /// that said its end is not asked about for ever.
    pub(super) fn awaited_until(&self, since: Timestamp) -> Option<Timestamp> {
        if self.in_sync() {
            return Some(after(since, UNKNOWN_OUTCOME_GRACE));
        }
        self.log.end().map(|_| after(since, SAID_WITHOUT_CONTACT))
    }

    /// The pod is gone or terminal, or its Job finished, although the container's end was never posted.
    pub(super) fn pod_cannot_run(&self) -> bool {
        let Some(pod) = self.view.pod() else { return false };
        let deleting = pod.deletion_timestamp.is_some() && !pod.absent;
        // Old servers finish a Job while its deleted pod still has its grace period.
        self.proofs.pod_gone || pod.phase.is_terminal() || (self.job_is_finished() && !deleting)
    }

    /// Two ends that nobody will report: the node went silent, or the Job is gone and left its pod behind.
    pub(super) fn give_up_when_lost(&mut self, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        let due = self.given_up_at().is_some_and(|at| now >= at);
        if !due || !self.has_looked(now, commands) {
            return false;
        }
        if self.node_lost_at().is_some_and(|at| now >= at) {
            let node = self.view.pod().and_then(|pod| pod.node.clone()).unwrap_or_default();
            self.findings.platform = Some(PlatformLoss::NodeLost { node });
            self.drain(now);
        } else if self.job_gone_until().is_some_and(|at| now >= at) {
            self.drain(now);
        }
        matches!(self.phase, Phase::Draining(_))
    }

    /// When one of the two is given up, unless something happens before.
    pub(super) fn given_up_at(&self) -> Option<Timestamp> {
        if self.may_be_given_up() { earliest([self.node_lost_at(), self.job_gone_until()]) } else { None }
    }

    fn may_be_given_up(&self) -> bool {
        self.in_sync() && matches!(self.phase, Phase::Scheduling(_) | Phase::Starting(_) | Phase::Running(_))
    }

    /// By our clock from the first sight of the deletion: a node's or server's clock may be off.
    fn node_lost_at(&self) -> Option<Timestamp> {
        let pod = self.view.pod().filter(|pod| !pod.absent && pod.terminated().is_none())?;
        let grace = pod.deletion_grace_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let grace = grace.map_or(DEFAULT_GRACE, std::time::Duration::from_secs);
        Some(after(after(self.sights.deletion?, grace), NODE_LOST_AFTER))
    }

    fn job_gone_until(&self) -> Option<Timestamp> {
        Some(after(self.proofs.job_gone?, STOP_VERIFICATION))
    }

    pub(super) fn say_that_it_runs(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if let Phase::Running(running) = &mut self.phase {
            let job = self.view.job.as_ref().map_or("", |job| job.name.as_str());
            running.keepalive.speak(job, self.view.stale_since, now, commands);
            running.speak_of_result(now, commands);
        }
    }
}

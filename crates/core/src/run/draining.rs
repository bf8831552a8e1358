//! The container ended: what is left to wait for is its log, and why it was killed if it was.

use jiff::Timestamp;

use super::RunState;
use super::command::Command;
use super::constants::JOB_CONDITION_LOOK_UP;
use super::phase::Phase;
use super::state::after;
use super::stop::Order;

/// The container ended, or its end was given up.
#[derive(Debug, Clone, PartialEq)]
pub struct Draining {
    since: Timestamp,
    /// A run that was stopped on purpose, or whose pod was replaced after its end.
    pub(super) order: Option<Order>,
}

impl RunState {
    pub(super) fn drain(&mut self, now: Timestamp) {
        self.phase = Phase::Draining(Draining { since: now, order: self.phase.order() });
    }

    pub(super) fn decide_when_drained(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let Phase::Draining(draining) = &self.phase else { return };
        if self.look_up_until(draining).is_some_and(|until| now < until) {
            return;
        }
        if self.log.ended.is_some() && (!self.ends_unseen() || self.has_looked(now, commands)) {
            self.decide();
        }
    }

    /// Nothing but the reason of a kill is waited for, and it is worth so long.
    pub(super) fn drained_at(&self, draining: &Draining) -> Option<Timestamp> {
        self.look_up_until(draining).filter(|_| self.log.ended.is_some())
    }

    /// Until when the reason of a kill may come: the kubelet posts the pod's phase and reason about a second after
    /// the container's end, and the Job controller is later still (`docs/internals/kubernetes.md` 4.2). END-05.
    fn look_up_until(&self, draining: &Draining) -> Option<Timestamp> {
        let pod = self.view.pod()?;
        let killed =
            pod.terminated().is_some_and(|end| end.was_signalled() && end.reason.as_deref() != Some("OOMKilled"));
        let explained = draining.order.is_some()
            || self.findings.deadline_passed
            || self.findings.platform.is_some()
            || pod.disruption.is_some();
        let deleted = pod.absent || pod.deletion_timestamp.is_some();
        let undecided = match &self.view.job {
            Some(job) if deleted => job.failure_reason().is_none() && !job.absent && job.deletion_timestamp.is_none(),
            _ => !pod.phase.is_terminal(),
        };
        (killed && !explained && undecided).then_some(after(draining.since, JOB_CONDITION_LOOK_UP))
    }
}

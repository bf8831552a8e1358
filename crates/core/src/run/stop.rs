//! Ending a run on purpose: delete by uid, keep reading, verify that nothing runs any more.

use jiff::Timestamp;

use super::constants::STOP_VERIFICATION;
use super::state::{Command, DeleteReason, Phase, RunState, after};
use crate::outcome::{PlatformLoss, Stop};
use crate::view::{JobFacts, PodFacts, Terminated};

/// A deletion under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopping {
    since: Timestamp,
}

impl Stopping {
    /// When the verification is given up.
    pub(super) fn until(&self) -> Timestamp {
        after(self.since, STOP_VERIFICATION)
    }
}

impl RunState {
    pub(super) fn begin_stop(&mut self, reason: DeleteReason, now: Timestamp, commands: &mut Vec<Command>) {
        self.phase = Phase::Stopping(Stopping { since: now });
        self.order_deletion(reason, commands);
    }

    fn order_deletion(&mut self, reason: DeleteReason, commands: &mut Vec<Command>) {
        if !self.delete_ordered {
            self.delete_ordered = true;
            commands.push(Command::Delete(reason));
        }
    }

    /// An operator cancelled. Whatever is going on: the host gets its answer, and only what was observed (CAN-02).
    pub(super) fn cancel(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        self.stop.get_or_insert(Stop::Cancelled { forced: false });
        match self.phase {
            Phase::Stopping(_) | Phase::Decided(_) => {}
            Phase::Draining => self.termination_verified |= self.nothing_runs(),
            _ => self.begin_stop(DeleteReason::Cancelled, now, commands),
        }
    }

    pub(super) fn advance_stopping(&mut self, now: Timestamp) {
        let Phase::Stopping(stopping) = &self.phase else { return };
        let until = stopping.until();
        self.termination_verified = self.nothing_runs();
        if let (Some(Stop::Cancelled { forced }), Some(end)) =
            (&mut self.stop, self.view.pods.first().and_then(PodFacts::terminated))
        {
            *forced = end.exit_code == 137;
        }
        // A Job without a pod is gone sooner than its events are read, and they alone say why (POD-05).
        if (self.termination_verified && !self.awaits_causes) || now >= until {
            self.phase = Phase::Draining;
        }
    }

    /// Every pod of the Job ended or left, and no further one can come. A replaced Job may have more than one.
    pub(super) fn nothing_runs(&self) -> bool {
        let left = |absent: bool| absent && self.deletion_accepted;
        match self.view.pods.split_first() {
            None => self.job_gone.is_some() || self.view.job.as_ref().is_some_and(|job| left(job.absent)),
            Some((first, others)) => {
                (first.terminated().is_some() || self.pod_gone || left(first.absent))
                    && others.iter().all(|pod| left(pod.absent) || pod.is_over())
            }
        }
    }

    /// The prompt must not run twice: a replaced pod stops the run, and the second pod with it (END-14).
    pub(super) fn stop_when_replaced(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.delete_ordered || matches!(self.phase, Phase::Decided(_)) {
            return;
        }
        let Some(detail) = self.replaced() else { return };
        // A container that had already ended by itself was not taken away.
        if self.view.pod().and_then(PodFacts::terminated).is_none_or(Terminated::was_signalled) {
            self.platform = Some(PlatformLoss::Replaced { detail });
        }
        if matches!(self.phase, Phase::Draining) {
            self.order_deletion(DeleteReason::Replaced, commands);
        } else {
            self.begin_stop(DeleteReason::Replaced, now, commands);
        }
    }

    fn replaced(&self) -> Option<String> {
        let again = |job: &JobFacts| job.suspended && self.seen_released && !job.absent && !job.is_finished();
        match self.view.pods.as_slice() {
            [first, second, ..] => Some(format!("pod `{}` was replaced by `{}`", first.name, second.name)),
            [_] if self.view.job.as_ref().is_some_and(again) => Some("the Job was suspended again".to_owned()),
            _ => None,
        }
    }
}

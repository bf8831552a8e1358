//! Ending a run on purpose: delete by uid, keep reading, verify that nothing runs any more.

use jiff::Timestamp;

use super::command::{Command, DeleteReason};
use super::constants::STOP_VERIFICATION;
use super::phase::Phase;
use super::state::{RunState, after};
use crate::outcome::{PlatformLoss, Stop};
use crate::view::{JobFacts, PodFacts, Terminated};

/// Our own order to delete the Job. It is given at most once; from then on the deletion is ours, whatever the objects
/// say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// The API server took it: from now on what the watch claims to be gone is gone.
    pub(super) accepted: bool,
}

/// A deletion under way.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopping {
    since: Timestamp,
    pub(super) order: Order,
    /// The events of a failed start are being read: a Job without a pod is gone sooner, and they alone say why.
    pub(super) awaits_causes: bool,
}

impl Stopping {
    /// When the verification is given up.
    pub(super) fn until(&self) -> Timestamp {
        after(self.since, STOP_VERIFICATION)
    }
}

impl RunState {
    pub(super) fn begin_stop(&mut self, reason: DeleteReason, now: Timestamp, commands: &mut Vec<Command>) {
        let awaits_causes = reason == DeleteReason::CannotStart;
        self.phase = Phase::Stopping(Stopping { since: now, order: Order::default(), awaits_causes });
        commands.push(Command::Delete(reason));
    }

    /// An operator cancelled. Whatever is going on: the host gets its answer, and only what was observed (CAN-02).
    pub(super) fn cancel(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        // It also outranks what this run decided by itself: the operator waits for the answer.
        let decided = matches!(self.findings.stop, Some(Stop::Cancelled { .. }));
        if !decided {
            self.findings.stop = Some(Stop::Cancelled { forced: false });
        }
        match self.phase {
            // A deletion is on its way, or the container has ended: there is nothing to delete it for.
            Phase::Stopping(_) | Phase::Draining(_) | Phase::Decided(_) => {}
            _ => self.begin_stop(DeleteReason::Cancelled, now, commands),
        }
    }

    pub(super) fn advance_stopping(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let Phase::Stopping(stopping) = &self.phase else { return };
        // A Job without a pod is gone sooner than its events are read, and they alone say why (POD-05).
        let over = self.nothing_runs() && !stopping.awaits_causes;
        let given_up = now >= stopping.until();
        if over || (given_up && self.has_looked(now, commands)) {
            self.drain(now);
        }
    }

    /// Every pod of the Job ended or left, and no further one can come. A replaced Job may have more than one.
    pub(super) fn nothing_runs(&self) -> bool {
        let accepted = self.phase.order().is_some_and(|order| order.accepted);
        let left = |absent: bool| absent && accepted;
        match self.view.pods.split_first() {
            None => self.proofs.job_gone.is_some() || self.view.job.as_ref().is_some_and(|job| left(job.absent)),
            Some((first, others)) => {
                (first.terminated().is_some() || self.proofs.pod_gone || left(first.absent))
                    && others.iter().all(|pod| left(pod.absent) || pod.is_over())
            }
        }
    }

    /// The prompt must not run twice: a replaced pod stops the run, and the second pod with it (END-14).
    pub(super) fn stop_when_replaced(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.phase.order().is_some() || matches!(self.phase, Phase::Decided(_)) {
            return;
        }
        let Some(detail) = self.replaced() else { return };
        // A container that had already ended by itself was not taken away.
        let reported = self.view.pod().and_then(PodFacts::terminated).map(Terminated::was_signalled);
        let signalled = reported.or_else(|| self.log.end().map(|end| end.exit_code > 128));
        if signalled.unwrap_or(true) {
            self.findings.platform = Some(PlatformLoss::Replaced { detail });
        }
        if let Phase::Draining(draining) = &mut self.phase {
            draining.order = Some(Order::default());
            commands.push(Command::Delete(DeleteReason::Replaced));
        } else {
            self.begin_stop(DeleteReason::Replaced, now, commands);
        }
    }

    fn replaced(&self) -> Option<String> {
        let again = |job: &JobFacts| job.suspended && self.sights.released && !job.absent && !job.is_finished();
        match self.view.pods.as_slice() {
            [first, second, ..] => Some(format!("pod `{}` was replaced by `{}`", first.name, second.name)),
            [one] if one.claude.again.is_some() => one.claude.again.clone(),
            [_] if self.view.job.as_ref().is_some_and(again) => Some("the Job was suspended again".to_owned()),
            _ => None,
        }
    }
}

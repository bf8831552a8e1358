//! Ending a run on purpose: delete by uid, keep reading, verify that nothing runs any more.

use jiff::Timestamp;

use super::constants::STOP_VERIFICATION;
use super::state::{Command, DeleteReason, Phase, RunState, after};
use crate::outcome::Stop;

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
        if reason == DeleteReason::Cancelled {
            self.stop = Some(Stop::Cancelled { forced: false });
        }
        self.phase = Phase::Stopping(Stopping { since: now });
        commands.push(Command::Delete(reason));
    }

    pub(super) fn advance_stopping(&mut self, now: Timestamp) {
        let Phase::Stopping(stopping) = &self.phase else { return };
        let until = stopping.until();
        self.termination_verified = self.nothing_runs();
        if self.termination_verified || now >= until {
            self.phase = Phase::Draining;
        }
        if let (Some(Stop::Cancelled { forced }), Some(end)) =
            (&mut self.stop, self.view.pods.first().and_then(|pod| pod.terminated()))
        {
            *forced = end.exit_code == 137;
        }
    }

    /// Every pod of the Job ended or left, and no further one can come. A replaced Job may have more than one.
    fn nothing_runs(&self) -> bool {
        let left = |absent: bool| absent && self.deletion_accepted;
        match self.view.pods.split_first() {
            None => self.job_gone || self.view.job.as_ref().is_some_and(|job| left(job.absent)),
            Some((first, others)) => {
                (first.terminated().is_some() || self.pod_gone || left(first.absent))
                    && others.iter().all(|pod| pod.absent || pod.is_over())
            }
        }
    }

    /// The container ended before the cancel arrived: nothing is left to stop, the host still gets its answer.
    pub(super) fn cancel_while_draining(&mut self) {
        if self.stop.is_none() {
            self.stop = Some(Stop::Cancelled { forced: false });
            self.termination_verified = self.container_ended() || self.pod_gone;
        }
    }
}

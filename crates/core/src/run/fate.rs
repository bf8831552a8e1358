//! What becomes of a Job after its run.

use crate::outcome::{ContainerEnd, Ending, PlatformLoss, Stop};

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
    /// A Job goes only if it is terminal, cancelled, past a deadline or bound (END-09). One whose container said its
    /// end is terminal but for the kubelet's word.
    #[must_use]
    pub fn fate(&self, retain: bool) -> Fate {
        if self.stop == Some(Stop::LeaseLost) {
            return Fate::Leave;
        }
        let stopped = self.is_ordered() || self.start_failure.is_some() || self.was_deleted_past_deadline();
        match (&self.platform, &self.container) {
            _ if stopped => Fate::Delete,
            (_, ContainerEnd::Running) if self.stop.is_some() => Fate::Delete,
            (Some(PlatformLoss::Replaced { .. }), _) => Fate::Delete,
            (Some(PlatformLoss::NodeLost { .. }), _) | (_, ContainerEnd::Running) => Fate::Leave,
            (_, ContainerEnd::Exited(_) | ContainerEnd::Said(_) | ContainerEnd::NotReported { .. }) => {
                if retain {
                    Fate::Retain
                } else {
                    Fate::Delete
                }
            }
            // The pod is gone and nothing says why: an unknown state, unless the Job itself was proven gone.
            (_, ContainerEnd::PodGone | ContainerEnd::NeverStarted) if self.deletion.is_some() => Fate::Delete,
            (_, ContainerEnd::PodGone | ContainerEnd::NeverStarted) => Fate::Leave,
        }
    }

    fn was_deleted_past_deadline(&self) -> bool {
        self.deadline_passed && self.termination_verified
    }
}

//! What becomes of a Job after its run.

use std::time::Duration;

use jiff::Timestamp;

use super::command::DeleteReason;
use crate::outcome::{ContainerEnd, Ending, PlatformLoss, Stop};
use crate::view::{JobFacts, PodFacts};

/// A pod of a Job that stays and whose end nobody saw may run for so long after the run.
pub const ENDS_WITHIN: Duration = Duration::from_secs(600);

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
            // We ended it; only the Job is left, and there is nothing to wait for.
            (_, ContainerEnd::PodGone) if self.stop.is_some() && retain => Fate::Retain,
            // The pod is gone and nothing says why: an unknown state, unless the Job itself was proven gone.
            (_, ContainerEnd::PodGone | ContainerEnd::NeverStarted) if self.deletion.is_some() => Fate::Delete,
            (_, ContainerEnd::PodGone | ContainerEnd::NeverStarted) => Fate::Leave,
        }
    }

    fn was_deleted_past_deadline(&self) -> bool {
        self.deadline_passed && self.termination_verified
    }
}

impl DeleteReason {
    /// The Job stays although its pod has to end: its log is what somebody wants to look at. What an operator cancelled,
    /// what ran into its own deadline and what never ran is deleted also with `retainJobs`.
    #[must_use]
    pub fn keeps_the_job(self, retain: bool) -> bool {
        retain && matches!(self, Self::AfterResult | Self::Silent)
    }
}

impl JobFacts {
    /// `activeDeadlineSeconds` for a Job that stays and has not finished, so that no pod of it runs for ever (FLD-26).
    /// `now` is a time of the clock that stamps Jobs.
    #[must_use]
    pub fn last_deadline(&self, now: Timestamp) -> Option<u64> {
        if self.is_finished() {
            return None;
        }
        let age = now.duration_since(self.start_time.or(self.created_at)?).as_secs();
        Some(u64::try_from(age).unwrap_or(0) + ENDS_WITHIN.as_secs())
    }
}

impl PodFacts {
    /// Its run is over, and another container of it keeps it: nobody will end that one.
    #[must_use]
    pub fn outlives_its_run(&self) -> bool {
        !self.phase.is_terminal()
            && !self.absent
            && self.deletion_timestamp.is_none()
            && !self.others_running.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::JobCondition;

    #[test]
    fn fld_26_a_job_that_stays_gets_a_deadline_by_the_clock_that_stamped_it() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let job = JobFacts { created_at: Some(at(100)), start_time: Some(at(160)), ..JobFacts::default() };
        assert_eq!(job.last_deadline(at(200)), Some(640));
        assert_eq!(job.last_deadline(at(100)), Some(600), "a clock that steps back");
        assert_eq!(JobFacts { start_time: None, ..job.clone() }.last_deadline(at(200)), Some(700));
        assert_eq!(JobFacts::default().last_deadline(at(200)), None);
        let complete = JobCondition { kind: "Complete".to_owned(), reason: String::new(), message: String::new() };
        assert_eq!(JobFacts { conditions: vec![complete], ..job }.last_deadline(at(200)), None);
    }

    #[test]
    fn fld_26_and_fld_12_only_a_stop_by_the_run_itself_keeps_a_retained_job() {
        use DeleteReason::{AfterResult, Cancelled, CannotStart, PastDeadline, Replaced, Silent};
        for reason in [Cancelled, PastDeadline, AfterResult, Silent, CannotStart, Replaced] {
            assert_eq!(reason.keeps_the_job(true), matches!(reason, AfterResult | Silent), "{reason:?}");
            assert!(!reason.keeps_the_job(false), "{reason:?}");
        }
    }
}

//! The calls of a run, and the questions that are asked about a failed one.

use std::time::Duration;

use super::Pace;
use super::rows::ROWS;
use crate::api_failure::FailureKind;
use crate::failure::ErrorCode;

/// A call to the API server and what it is made for. The same request for another purpose is another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The first access review: is there an API server that accepts us?
    Reach,
    /// The access reviews after it.
    Review,
    /// The pod the host runs in, by one of the names it may have.
    OwnPod,
    /// The pods of the host's namespace: which one has the host's address?
    FindOwnPod,
    /// A claim that the server's pod and the Job both mount.
    ClaimInCommon,
    /// The Jobs of the agent, before and after the creation.
    ListJobs,
    /// Their pods.
    ListPods,
    /// The pods of the host's namespace: does the process that followed a Job still live?
    ListHostPods,
    /// Delete a Job that was created and never started, before the launch.
    RemoveLeftover,
    /// Create the Job.
    CreateJob,
    /// Get the Job after an answer that was lost.
    ReadBack,
    /// Create a payload Secret.
    CreateSecret,
    /// Create one whose name a leftover still has.
    ReplaceSecret,
    /// Patch the Job so that its pod may start.
    Release,
    /// Patch the Job of somebody gone, so that others see who follows it.
    Adopt,
    /// Delete the Job of a launch that failed.
    Withdraw,
    /// Get the Job of a launch that failed, when nobody knows whether it was created.
    FindUncertain,
    /// Get the Job of a staged payload that lies on the data volume.
    FindStaged,
    /// Watch the Jobs of the namespace.
    WatchJobs,
    /// Watch its pods.
    WatchPods,
    /// The container's log.
    Log,
    /// Events that explain a start that takes long.
    Events,
    /// Get the Job to prove that it is gone.
    ProveJob,
    /// Get the pod to prove that it is gone.
    ProvePod,
    /// Get Job and pod by name once more, before a verdict that rests on something that was not seen.
    Look,
    /// Delete the Job to stop its pod.
    StopJob,
    /// Suspend the Job, which stops its pod as well.
    Suspend,
    /// Patch the pod of a Job that stays so that its node ends it, and keeps its log.
    EndPod,
    /// Patch a Job that stays so that its pod is ended.
    EndJob,
    /// Delete the Job after the verdict.
    CleanUpJob,
    /// Patch a Job that stays: its result was returned.
    MarkDelivered,
    /// Get an adopted Job, for the names of its payload Secrets.
    FindSecrets,
    /// Delete a payload Secret of a Job that stays.
    DeleteSecret,
    /// The data claim, in the environment test.
    Claim,
    /// Anything else that the environment test or an operator's command asks.
    Check,
}

/// What a kind of failure means for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// It is the answer: gone, or changed by somebody else. No failure.
    Known,
    /// The same call again, in the row's pace. When that is over, the row's end; worth a retry by the host, unless the
    /// server has judged.
    Again,
    /// The row's end at once; worth a retry by the host, not before some seconds.
    Later(Option<u32>),
    /// The row's end at once.
    Final,
    /// A refusal at once, with another code than the row's.
    FinalAs(ErrorCode),
    /// The run goes on without it.
    Without,
}

/// What giving up means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The run is refused with a code. Where a retry by the host is worth it, not before these seconds.
    Refuse(ErrorCode, Option<u32>),
    /// A warning says what is left behind; the run goes on.
    Warn,
    /// The run goes on.
    GoOn,
}

/// What is left of a run when one call fails like this for a while, and everything else goes right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// The run goes on, and ends as it would have.
    GoesOn,
    /// The run is refused with this code.
    Refused(ErrorCode),
}

/// A row of the table.
#[derive(Debug)]
pub struct Row {
    /// The call.
    pub call: Call,
    /// Request and purpose.
    pub what: &'static str,
    /// How it is repeated.
    pub pace: Pace,
    /// One reaction per kind, in the order of [`FailureKind::ALL`].
    pub reactions: [Reaction; FailureKind::COUNT],
    /// What giving up means.
    pub end: End,
    /// What is known by [`Reaction::Known`], and how the run goes on by [`Reaction::Without`] or [`End::GoOn`].
    pub note: &'static str,
}

impl Call {
    /// The table.
    #[must_use]
    pub fn rows() -> &'static [Row] {
        &ROWS
    }

    /// Its row.
    #[must_use]
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// How it is repeated.
    #[must_use]
    pub fn pace(self) -> Pace {
        self.row().pace
    }

    /// What a failure of this kind means.
    #[must_use]
    pub fn reaction(self, kind: FailureKind) -> Reaction {
        self.row().reactions[kind.column()]
    }

    /// Worth the same call again.
    #[must_use]
    pub fn repeats(self, kind: FailureKind) -> bool {
        self.reaction(kind) == Reaction::Again
    }

    /// The failure is the answer.
    #[must_use]
    pub fn knows_by(self, kind: FailureKind) -> bool {
        self.reaction(kind) == Reaction::Known
    }

    /// What becomes of the run when this call fails like this for so long. Zero: once.
    #[must_use]
    pub fn consequence(self, kind: FailureKind, lasts: Duration) -> Consequence {
        let outlasted = match self.pace() {
            Pace::Once => false,
            Pace::For { lasts: patience, .. } => patience > lasts,
            Pace::WhileNeeded { .. } => true,
        };
        match (self.reaction(kind), self.row().end) {
            (Reaction::FinalAs(code), _) => Consequence::Refused(code),
            // In the way: an orphan that may not be claimed, and a leftover that the server calls gone and still lists.
            (Reaction::Without, _) if self == Self::Adopt => Consequence::Refused(ErrorCode::ConcurrentRunBlocked),
            (Reaction::Known, _) if self == Self::RemoveLeftover => {
                Consequence::Refused(ErrorCode::ConcurrentRunBlocked)
            }
            (Reaction::Again, _) if outlasted => Consequence::GoesOn,
            (Reaction::Again | Reaction::Later(_) | Reaction::Final, End::Refuse(code, _)) => {
                Consequence::Refused(code)
            }
            _ => Consequence::GoesOn,
        }
    }

    /// The run goes on without it.
    #[must_use]
    pub fn goes_without(self, kind: FailureKind) -> bool {
        self.reaction(kind) == Reaction::Without
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fld_01_every_call_has_its_row() {
        for (index, row) in Call::rows().iter().enumerate() {
            assert_eq!(row.call as usize, index, "{:?}", row.call);
        }
        assert_eq!(Call::Check as usize + 1, Call::rows().len());
    }

    #[test]
    fn end_07_absence_is_known_from_a_status_of_that_very_kind_only() {
        for row in Call::rows() {
            let reaction = row.call.reaction(FailureKind::AbsenceUnproven);
            assert_ne!(reaction, Reaction::Known, "{:?}", row.call);
        }
    }

    #[test]
    fn fld_01_only_a_judgement_of_the_server_counts_as_knowledge() {
        for row in Call::rows() {
            for kind in FailureKind::ALL.into_iter().filter(|kind| kind.is_passing()) {
                let reaction = row.call.reaction(kind);
                let known = matches!(reaction, Reaction::Known | Reaction::Final | Reaction::FinalAs(_));
                assert!(!known, "{:?} takes {kind:?} for an answer", row.call);
            }
        }
    }

    #[test]
    fn a_call_that_is_repeated_has_a_pace() {
        for row in Call::rows() {
            let repeats = row.reactions.contains(&Reaction::Again);
            assert_eq!(repeats, row.pace != Pace::Once, "{:?}", row.call);
        }
    }
}

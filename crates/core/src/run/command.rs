//! What a run wants done.

use super::ProofOf;
use crate::log::ContainerPhase;

/// Something to do. Results come back as inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Tell the log follower what the container does.
    LogPhase(ContainerPhase),
    /// Delete the Job by uid, propagation `Background`.
    Delete(DeleteReason),
    /// Read the object by name, twice.
    Prove(ProofOf),
    /// Read Job and pod by name once more, before a verdict that rests on something that was not seen.
    Look,
    /// Read the causes from events.
    ReadEvents,
    /// Write `[paperclip] <text>` to the transcript's progress stream.
    Say(String),
    /// Write `[paperclip] <text>` to the transcript's warning stream.
    Warn(String),
    /// The container was seen running for the first time.
    Started,
    /// Progress while waiting, for the host's status line.
    Progress(String),
    /// The container is alive and says nothing, for the host's status line: it must not count as output of the run.
    Alive(String),
}

/// Why a Job is deleted. The only reasons there are (END-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// Operator cancel.
    Cancelled,
    /// `timeoutSec` and `graceSec` are over.
    PastDeadline,
    /// Its result is in and `exitGraceSec` is over.
    AfterResult,
    /// `silenceTimeoutSec` is over.
    Silent,
    /// A start-up bound is over, or the pod cannot start.
    CannotStart,
    /// Suspended again or replaced: the prompt must not run twice (END-14).
    Replaced,
}

//! What a run is told: its bounds, facts, answers and orders.

use std::time::Duration;

use jiff::Timestamp;

use super::causes::Cause;
use crate::outcome::LogSummary;
use crate::plan::ClaimsInUse;
use crate::view::RunView;

/// Time limits of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// From release to the admission by a queue.
    pub queue: Option<Duration>,
    /// From release (or queue admission) to a node.
    pub schedule: Option<Duration>,
    /// From a node to a running container.
    pub startup: Option<Duration>,
    /// `timeoutSec + graceSec`, counted from the pod's start. `None`: no timer can end the run (END-03).
    pub limit: Option<Duration>,
    /// From the line that says so to the stop of a process that stays after its final result.
    pub exit_grace: Option<Duration>,
    /// Without a line of output while the container runs.
    pub silence: Option<Duration>,
    /// A queue admits the Job: it stays suspended after release.
    pub queued: bool,
    /// The Job was found running: its deadline counts from the pod's own start, not from when it was found.
    pub adopted: bool,
    /// Claims of the pod that the server's pod keeps on its node.
    pub in_use: Option<ClaimsInUse>,
}

/// What is known of the container's output. Times are of our clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Heard {
    /// When it last wrote a line; `None` before the first one.
    pub last_output: Option<Timestamp>,
    /// Since when its last result is final ([`crate::outcome::is_final`]).
    pub result: Option<Timestamp>,
    /// Its log cannot be read now: that nothing is heard proves nothing.
    pub is_deaf: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The newest facts about the Job and its pods.
    View(RunView),
    /// Time passed; carries what is known of the container's output.
    Tick(Heard),
    /// Causes from pod and Job events, oldest first.
    Events(Vec<Cause>),
    /// The API server accepted our deletion: what the watch then says to be gone needs no further proof.
    Deleted,
    /// [`Command::Look`] was carried out. What it brought is in the newest facts.
    Looked,
    /// The answer to [`Command::Prove`].
    Proven(ProofOf, Proof),
    /// The log was read to its end: to the container's own end line, or after the cluster said that it terminated, or
    /// given up at a bound.
    LogEnded(LogSummary),
    /// An operator cancelled.
    Cancel,
    /// The host lost ownership of the run.
    LeaseLost,
}

/// Which object a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofOf {
    /// The Job.
    Job,
    /// Its first pod.
    Pod,
}

/// What two reads by name, a second apart, said. A watch event alone is a claim (END-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Status `NotFound` for that kind, twice.
    Gone,
    /// Another object of the same name.
    OtherUid,
    /// It is there.
    Present,
    /// Could not be asked.
    Unknown,
}

//! One released (or adopted) Job, from release to its proven end, as a pure state machine.
//!
//! ```text
//!   Queued ──unsuspended──▶ Scheduling ──node──▶ Starting ──running──▶ Running
//!                               │ bound              │ bound, fatal      │ deadline, replaced
//!      cancel at any state ─────┴──────▶ Stopping ◀──┴───────────────────┘
//!                                           │ container ended, pods gone, or 45 s over
//!   Running ──container terminated──▶ Draining ◀─┘
//!      │                                 ▲  │ log read to its end
//!      └─end line, pod over─▶ Awaiting ──┘  ▼
//!                              State ──▶ Decided(Ending)
//!                                 good result, exit 0
//! ```
//! Facts end a run, nothing else: silence, API errors and a log that merely ends are never an input that decides. The
//! last line of a log is a fact: the container says its exit code there. With exit code 0 behind a good result it decides
//! the run at once; with anything else the run awaits the cluster's word for a while, because a reason may explain it.
//! [`RunState::on`] is the only transition; `crates/cluster` carries facts in and commands out.
//!
//! What is known only while the run is somewhere lives in that [`Phase`] and goes with it: clocks, bounds, the order to
//! delete. Beside the phase stands what is true everywhere: the newest facts, what was once seen or proven, the end of
//! the log, and the findings that become the [`Ending`](crate::outcome::Ending).

mod attach;
mod causes;
mod command;
mod draining;
mod fate;
mod findings;
mod heard;
mod input;
mod keepalive;
mod live;
mod look;
mod phase;
mod planned;
mod proof;
mod queue;
mod running;
mod start;
mod state;
mod stop;
mod told;

pub use causes::{Cause, causes, is_of_workload};
pub use command::{Command, DeleteReason};
pub use fate::{ENDS_WITHIN, Fate};
pub use input::{Bounds, Heard, Input, Proof, ProofOf};
pub use live::{Live, LiveProgress};
pub use phase::Phase;
pub use state::RunState;
pub use told::*;

use std::time::Duration;

/// Fixed times of a run; changing one is a documented change.
pub mod constants {
    use super::Duration;

    /// Cancel or deadline: how long the end of the pods may take to be seen.
    pub const STOP_VERIFICATION: Duration = Duration::from_secs(45);
    /// Pod terminal or gone without a container state: after this the outcome is unknown.
    pub const UNKNOWN_OUTCOME_GRACE: Duration = Duration::from_secs(30);
    /// The container said how it ended, and nobody can be asked why: after this its own word has to do.
    pub const SAID_WITHOUT_CONTACT: Duration = Duration::from_secs(600);
    /// Waiting reasons that may heal because our own objects may be on their way.
    pub const CONFIG_ERROR_GRACE: Duration = Duration::from_secs(30);
    /// Deadline, eviction: why a container was killed may come this much later than that it was.
    pub const JOB_CONDITION_LOOK_UP: Duration = Duration::from_secs(5);
    /// Grace period of a deleted pod that does not name one.
    pub const DEFAULT_GRACE: Duration = Duration::from_secs(30);
    /// A deleted pod whose grace period passed by this much without a container state: its node is lost.
    pub const NODE_LOST_AFTER: Duration = Duration::from_secs(60);
    /// Silence after which a status line says that the pod is still running.
    pub const KEEPALIVE: Duration = Duration::from_secs(15);
    /// The same after two minutes of silence.
    pub const KEEPALIVE_LATER: Duration = Duration::from_secs(60);
    /// When the rarer interval begins.
    pub const KEEPALIVE_SWITCH: Duration = Duration::from_secs(120);
    /// A process that stays so long after its final result is mentioned.
    pub const RESULT_IS_IN: Duration = Duration::from_secs(60);
    /// Start-up that takes longer is explained by the pod's and Job's events.
    pub const FIRST_EVENTS: Duration = Duration::from_secs(15);
    /// Interval of further looks at the events.
    pub const NEXT_EVENTS: Duration = Duration::from_secs(60);
    /// So long a look by name is new enough for a verdict.
    pub const LOOK_KEPT: Duration = Duration::from_secs(5);
    /// A queue that takes longer is mentioned, and then every minute.
    pub const QUEUE_SAID: Duration = Duration::from_secs(10);
    /// A queue that does not exist is known soon after the Job was created.
    pub const QUEUE_EVENTS: Duration = Duration::from_secs(5);
    /// How often admission has to refuse a pod with the same words until that is its last word.
    pub const REFUSED_TIMES: u32 = 3;
    /// A volume of another node may be detached from it within this time after that was first told.
    pub const ATTACHED_ELSEWHERE: Duration = Duration::from_secs(60);
    /// Between two looks at an object that the watch says is gone.
    pub const PROOF_INTERVAL: Duration = Duration::from_secs(5);
}

#[cfg(test)]
mod tests;

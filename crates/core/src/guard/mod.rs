//! Who else is running: which existing Jobs block this run, which may be adopted, which are in the way for a moment.
//!
//! ```text
//!  listed Jobs and pods ─▶ Neighbour (what it is) ─▶ decide ─▶ Clear | Settling | Adopt | Blocked
//! ```
//! Listing and asking whether a supervisor still lives are effects of `crates/cluster`; a competitor is never touched.

mod decision;
mod neighbour;
mod supervisor;

pub use decision::{Adoption, Claimant, Decision, decide, may_release};
pub use neighbour::{Liveness, Neighbour, group};
pub use supervisor::{Supervisor, SupervisorId};

/// Annotation and label keys that the guard reads back from a Job. Written by [`crate::manifest`].
pub mod keys {
    /// Raw id of the agent.
    pub const AGENT_ID: &str = "paperclip.io/agent-id";
    /// Raw id of the run.
    pub const RUN_ID: &str = "paperclip.io/run-id";
    /// Raw id of the task.
    pub const TASK_ID: &str = "paperclip.io/task-id";
    /// The session given to `--resume`.
    pub const SESSION_ID: &str = "paperclip.io/session-id";
    /// Manifest layout version; absent on Jobs of v0.1.54.
    pub const LAYOUT: &str = "paperclip.io/layout";
    /// Which process follows the Job.
    pub const SUPERVISOR: &str = "paperclip.io/supervisor";
    /// SHA-256 of the rendered prompt.
    pub const PROMPT_DIGEST: &str = "paperclip.io/prompt-digest";
    /// `true` once the result of a kept Job has been returned.
    pub const DELIVERED: &str = "paperclip.io/delivered";
    /// Kueue's queue label.
    pub const QUEUE_NAME: &str = "kueue.x-k8s.io/queue-name";
}

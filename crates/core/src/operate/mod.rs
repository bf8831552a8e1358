//! What an operator asks about the runs of a namespace: which there are, which one is meant, what is left over.
//!
//! ```text
//!  Jobs, pods ──guard::group──▶ rows ──find──▶ one row ─▶ its log, its end
//!                                └──leftovers, left_homes──▶ what nobody needs any more
//! ```

mod failure;
mod find;
mod homes;
mod leftovers;
mod row;
mod tail;
mod usage;

pub use failure::{ambiguous, homes_unread, not_done, not_started, secrets_not_readable, unknown};
pub use find::{Found, find};
pub use homes::{AgentHome, LeftHome, LeftHomes, left_homes, listed_agents, still_left};
pub use leftovers::{Kind, Leftover, Owned, Reason, leftovers};
pub use row::{RunRow, RunStatus, rows};
pub use tail::Heard;
pub use usage::{Measured, UsageRow, usage_rows};

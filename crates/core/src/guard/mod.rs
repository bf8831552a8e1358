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

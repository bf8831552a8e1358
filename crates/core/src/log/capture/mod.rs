//! Which connection follows which, and when the log is complete.

mod finish;
mod follow_end;
mod phase;
mod whole_file;

pub use finish::{Finish, FinishStep, Proof};
pub use follow_end::FollowEnds;
pub use phase::ContainerPhase;
pub use whole_file::{WholeFile, WholeFileVerdict};

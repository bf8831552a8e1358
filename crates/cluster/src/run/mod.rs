//! One run on the cluster: what all its steps share, its output, and the loop that supervises a Job.

mod context;
mod log_task;
mod output;
mod supervise;
mod supervisor;

pub(crate) use context::{Progress, RunContext};
pub(crate) use output::Output;
pub(crate) use supervise::{Supervised, supervise};
pub(crate) use supervisor::{FollowGuard, Following, Supervisors};

//! One run on the cluster: what all its steps share, its output, and the loop that supervises a Job.

mod context;
mod following;
mod log_task;
mod output;
mod retained;
mod supervise;

pub(crate) use context::{Progress, RunContext};
pub(crate) use following::{FollowGuard, Following, Supervisors};
pub(crate) use output::Output;
pub(crate) use retained::{bound_pod, end_pod};
pub(crate) use supervise::{Supervised, supervise};

//! From a resolved run to a released Job, or to the Job of somebody gone that is worth following.
//!
//! ```text
//!  guard (list) ─▶ create suspended ─▶ payload Secrets ─▶ re-check (list) ─▶ dispatch ─▶ release
//!     │ competitor                                            │ rival
//!     └─▶ wait, refuse or adopt                               └─▶ withdraw (delete own Job)
//! ```
//! Straight code, because each step has one successor; what is decided at a step is asked from the core.
//! The pod never starts before its inputs exist, and of simultaneous launches at most one is released (GRD-03).
//! Without `jobs/patch` the Job is created unsuspended and the order changes: its mandatory Secrets are the release.

mod create;
mod guard;
mod payload;
mod release;

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::guard::{Adoption, keys};
use claude_k8s_core::spec::Attempt;
use claude_k8s_core::view::JobFacts;
use serde_json::json;

use self::guard::{Guard, Way};
use crate::host::StopOrder;
use crate::run::{FollowGuard, RunContext};

/// A Job to follow.
pub(crate) struct Launched {
    pub(crate) job: JobFacts,
    /// It was released before. `None`: made, or its launch finished, by this call.
    pub(crate) adopted: Option<Adoption>,
    /// Set while the launch lock is held: no other run of this process takes the Job for an orphan.
    pub(crate) following: FollowGuard,
}

/// Why there is nothing to follow. The cluster is as it was before.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NotLaunched {
    /// With a code and a message.
    Refused(Refusal),
    /// A stop was ordered before the release.
    Stopped(StopOrder),
}

impl From<Refusal> for NotLaunched {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StopOrder> for NotLaunched {
    fn from(order: StopOrder) -> Self {
        Self::Stopped(order)
    }
}

/// Launches an attempt, or finds the Job to follow instead.
///
/// # Errors
/// A refusal or a stop order; nothing is left on the cluster then.
pub(crate) async fn launch(run: &RunContext, attempt: &Attempt) -> Result<Launched, NotLaunched> {
    let mut guard = Guard::new(run);
    loop {
        // One launch per agent at a time: held from a look to the release, never while waiting for somebody (GRD-02).
        let lock = run.unless_stopped(run.launch_lock.lock()).await?;
        let why = match run.unless_stopped(guard.look()).await?? {
            Way::Clear => return create::create_and_release(run, attempt).await,
            Way::Adopt(Adoption::Own, job) if job.suspended && !job.is_finished() && !run.spec.is_queued(&job) => {
                return create::finish_found(run, attempt, *job).await;
            }
            Way::Adopt(adoption, job) => return Ok(adopt(run, adoption, *job).await),
            Way::Occupied(why) => why,
        };
        drop(lock);
        guard.pause(why).await?;
    }
}

/// From now on this process follows the Job. Only its supervisor annotation changes (GRD-08).
async fn adopt(run: &RunContext, adoption: Adoption, job: JobFacts) -> Launched {
    let following = run.supervisors.following.follow(&job.uid);
    let patch = json!({ "metadata": {
        "uid": job.uid,
        "annotations": { keys::SUPERVISOR: run.spec.supervisor() },
    }});
    if run.may_patch() {
        // Refused or gone: following works without it, and what is gone will be noticed. A stop is noticed there too.
        let _unchanged = run.unless_stopped(run.namespace.patch_job(&job.name, &patch)).await;
    }
    Launched { job, adopted: Some(adoption), following }
}

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
mod created;
mod guard;
mod payload;
mod release;

use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::guard::Adoption;
use claude_k8s_core::launch::{Call, Look, NotLaunched, changed_before_adoption, not_adopted};
use claude_k8s_core::view::JobFacts;

use self::guard::Guard;
use crate::api::patiently;
use crate::run::{FollowGuard, RunContext};

/// A Job to follow.
pub(crate) struct Launched {
    pub(crate) job: JobFacts,
    /// It was released before. `None`: made, or its launch finished, by this call.
    pub(crate) adopted: Option<Adoption>,
    /// Set while the launch lock is held: no other run of this process takes the Job for an orphan.
    pub(crate) following: FollowGuard,
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
            Look::Clear => return create::create_and_release(run, attempt).await,
            Look::Remove(leftovers) => {
                run.unless_stopped(guard.remove(&leftovers)).await??;
                return create::create_and_release(run, attempt).await;
            }
            Look::Adopt(Adoption::Own, job) if job.suspended && !job.is_finished() && !run.plan.is_queued(&job) => {
                return create::finish_found(run, attempt, *job).await;
            }
            Look::Adopt(adoption, job) => match adopt(run, adoption, *job).await? {
                Adopted::Yes(launched) => return Ok(launched),
                Adopted::LookAgain(why) => why,
            },
            Look::Wait(why) => why,
            Look::Ending(ending) => {
                drop(lock);
                guard.until_ended(&ending).await?;
                continue;
            }
        };
        drop(lock);
        guard.pause(&why).await?;
    }
}

/// What came of an adoption.
enum Adopted {
    Yes(Launched),
    /// The Job is not what it was when it was listed, or nobody would see whose it is.
    LookAgain(String),
}

/// From now on this process follows the Job. Only its supervisor annotation changes (GRD-08).
///
/// The annotation is the claim: of several processes that want the same orphan, the server lets one write it. A run's
/// own Job needs no claim, because the host gives a run to one process: it is followed whatever the patch does.
async fn adopt(run: &RunContext, adoption: Adoption, job: JobFacts) -> Result<Adopted, NotLaunched> {
    let following = run.supervisors.following.follow(&job.uid);
    let follow = |job| Adopted::Yes(Launched { job, adopted: Some(adoption), following });
    if !run.may_patch() {
        return Ok(follow(job));
    }
    let patch = run.plan.adoption_patch(&job);
    let claim = patiently(Call::Adopt, || run.namespace.patch_job(&job.name, &patch));
    let failure = match run.unless_stopped(claim).await {
        Ok(Ok(adopted)) => return Ok(follow(JobFacts::read(&adopted))),
        // Its supervision begins with a look at the stop order.
        _ if adoption == Adoption::Own => return Ok(follow(job)),
        Err(order) => return Err(order.into()),
        Ok(Err(failure)) => failure,
    };
    if Call::Adopt.goes_without(failure.kind) {
        run.patch_is_denied();
    } else if !Call::Adopt.knows_by(failure.kind) {
        return Err(not_adopted(&job.name, &failure).into());
    }
    Ok(Adopted::LookAgain(changed_before_adoption(&job.name)))
}

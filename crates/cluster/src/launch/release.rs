//! The last steps before a pod can start: nobody else, the host agrees, unsuspend.

use std::time::Duration;

use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::guard::may_release;
use claude_k8s_core::view::JobFacts;
use tokio::time::Instant;

use super::NotLaunched;
use super::guard::rivals;
use crate::host::{Notice, StopOrder};
use crate::run::RunContext;
use claude_k8s_core::api_failure::{ApiFailure, FailureKind};

/// Simultaneous launches settle among themselves within this time.
const SETTLE: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(500);
/// The release is repeated for this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a created Job was not released.
pub(super) enum Unreleased {
    /// The permission to patch was lost since it was asked for.
    PatchDenied(Refusal),
    /// Anything else.
    Because(NotLaunched),
}

impl From<Refusal> for Unreleased {
    fn from(refusal: Refusal) -> Self {
        Self::Because(refusal.into())
    }
}

impl From<StopOrder> for Unreleased {
    fn from(order: StopOrder) -> Self {
        Self::Because(order.into())
    }
}

impl From<Unreleased> for NotLaunched {
    fn from(unreleased: Unreleased) -> Self {
        match unreleased {
            Unreleased::PatchDenied(refusal) => refusal.into(),
            Unreleased::Because(reason) => reason,
        }
    }
}

/// Every participant lists after its own create, so two can never both find themselves alone (GRD-03).
pub(super) async fn be_alone(run: &RunContext, job: &JobFacts) -> Result<(), Refusal> {
    let started = Instant::now();
    loop {
        let Some(neighbours) = rivals(run, &job.uid).await? else { return Ok(()) };
        if may_release(&run.claimant(), &job.uid, &neighbours, run.clock.now())? {
            return Ok(());
        }
        if started.elapsed() >= SETTLE {
            let message =
                format!("Another launch of this agent did not settle within {} s; run again", SETTLE.as_secs());
            return Err(Refusal::new(ErrorCode::ConcurrentRunBlocked, message).transient(Some(60)));
        }
        tokio::time::sleep(STEP).await;
    }
}

/// The host is told exactly once, immediately before the release; only its launch acknowledgement can object (HST-08).
pub(super) async fn announce(run: &RunContext, job: &JobFacts) -> Result<(), Refusal> {
    if run.is_first_dispatch() {
        run.output.notice(Notice::Dispatch).await;
    }
    let launched = Notice::Launched {
        job_name: job.name.clone(),
        job_uid: job.uid.clone(),
        namespace: run.namespace.name.clone(),
        run_id: run.claimant().run_id,
    };
    run.output.acknowledged(launched).await.map_err(|cause| {
        let message = format!("The host did not acknowledge the launch of Job `{}`: {cause}", job.name);
        Refusal::new(ErrorCode::JobIdentityUnacknowledged, message)
    })
}

/// Releases the Job. What may have been released counts as released: it is followed, and stopped by being deleted.
pub(super) async fn unsuspend(run: &RunContext, job: &JobFacts) -> Result<JobFacts, Unreleased> {
    let patch = run.spec.release_patch(&job.uid);
    let started = Instant::now();
    let mut pause = Duration::from_millis(500);
    let mut maybe_released = false;
    loop {
        let failure = match run.namespace.patch_job(&job.name, &patch).await {
            Ok(released) => return Ok(JobFacts::read(&released)),
            Err(failure) => failure,
        };
        if failure.is_ambiguous() {
            let found = run.namespace.get_job(&job.name).await.map(|found| JobFacts::read(&found));
            match found {
                Ok(found) if found.uid == job.uid && run.spec.is_released(&found) => return Ok(found),
                Ok(_) => maybe_released = false,
                Err(_) => maybe_released = true,
            }
        }
        let stopped = if failure.kind.is_passing() && started.elapsed() < PATIENCE {
            let wait = failure.retry_after.map_or(pause, |asked| asked.clamp(pause, PATIENCE));
            pause = (pause * 2).min(Duration::from_secs(10));
            match run.unless_stopped(tokio::time::sleep(wait)).await {
                Ok(()) => continue,
                Err(order) => Some(order),
            }
        } else {
            None
        };
        return match stopped {
            _ if maybe_released => Ok(job.clone()),
            Some(order) => Err(order.into()),
            None => Err(not_released(&failure)),
        };
    }
}

fn not_released(failure: &ApiFailure) -> Unreleased {
    match failure.kind {
        FailureKind::NotFound | FailureKind::Conflict => {
            let message = format!("The Job was deleted before it was started: {failure}");
            Refusal::new(ErrorCode::JobDeletedExternally, message).into()
        }
        FailureKind::Forbidden => {
            let message = format!("{failure}; grant `patch` on `jobs`, see `deploy/`");
            Unreleased::PatchDenied(Refusal::new(ErrorCode::RbacInsufficient, message))
        }
        _ if failure.kind.is_passing() => {
            Refusal::new(ErrorCode::JobCreateFailed, failure.to_string()).transient(None).into()
        }
        _ => Refusal::new(ErrorCode::JobCreateFailed, failure.to_string()).into(),
    }
}

//! The last steps before a pod can start: nobody else, the host agrees, unsuspend.

use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::guard::may_release;
use claude_k8s_core::launch::{
    Call, NotLaunched, NotReleased, UNSETTLED, Unanswered, Whether, not_acknowledged, not_released, not_settled,
    release_unknown,
};
use claude_k8s_core::view::JobFacts;
use tokio::time::Instant;

use super::guard::rivals;
use crate::api::{Patience, patiently, pauses};
use crate::host::{Notice, StopOrder};
use crate::run::RunContext;

/// Between two looks at the other launches.
const STEP: Duration = Duration::from_millis(500);

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

impl From<NotReleased> for Unreleased {
    fn from(reason: NotReleased) -> Self {
        match reason {
            NotReleased::PatchDenied(refusal) => Self::PatchDenied(refusal),
            NotReleased::Refused(refusal) => Self::Because(refusal.into()),
        }
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
        if may_release(&run.claimant(), &job.uid, &neighbours, run.server_time())? {
            return Ok(());
        }
        if started.elapsed() >= UNSETTLED {
            return Err(not_settled());
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
    run.output.acknowledged(launched).await.map_err(|cause| not_acknowledged(&job.name, &cause.to_string()))
}

/// Releases the Job. What may have been released is never reported as not started.
pub(super) async fn unsuspend(run: &RunContext, job: &JobFacts) -> Result<JobFacts, Unreleased> {
    // A policy put it into a queue, which admits it when its turn comes: taken out of it, it would be stopped again.
    if job.suspended && run.plan.is_queued(job) {
        return Ok(job.clone());
    }
    let patch = run.plan.release_patch(&job.uid);
    let mut patience = Patience::of(Call::Release);
    let mut maybe_released = false;
    loop {
        let failure = match run.namespace.patch_job(&job.name, &patch).await {
            Ok(released) => return Ok(JobFacts::read(&released)),
            Err(failure) => failure,
        };
        if failure.is_ambiguous() {
            let found = patiently(Call::ReadBack, || run.namespace.get_job(&job.name)).await;
            match found.map(|found| JobFacts::read(&found)) {
                Ok(found) if found.uid == job.uid && run.plan.is_released(&found) => return Ok(found),
                Ok(_) => maybe_released = false,
                Err(_) => maybe_released = true,
            }
        }
        let stopped = match patience.pause(&failure) {
            Some(pause) => match run.unless_stopped(tokio::time::sleep(pause)).await {
                Ok(()) => continue,
                Err(order) => Some(order),
            },
            None => None,
        };
        return match stopped {
            Some(_) if maybe_released => Ok(job.clone()),
            Some(order) => Err(order.into()),
            None if maybe_released => find_out(run, job, &failure).await,
            None => Err(not_released(&failure).into()),
        };
    }
}

/// Nobody could say whether the Job was released, and the time for that is over: it is read until it is known.
async fn find_out(run: &RunContext, job: &JobFacts, failure: &ApiFailure) -> Result<JobFacts, Unreleased> {
    run.output.say(&release_unknown(failure));
    let is_released = |found: &JobFacts| found.uid == job.uid && run.plan.is_released(found);
    let mut unanswered = Unanswered::default();
    let mut pauses = pauses(Call::Release);
    loop {
        let found = match run.unless_stopped(run.namespace.get_job(&job.name)).await {
            Ok(found) => found.map(|found| JobFacts::read(&found)),
            // It is followed, and stopped by being deleted.
            Err(_) => return Ok(job.clone()),
        };
        match unanswered.hears(found.as_ref().map(is_released).map_err(|failure| failure.kind)) {
            Whether::Follow => return Ok(found.unwrap_or_else(|_| job.clone())),
            Whether::NotReleased => return Err(not_released(found.as_ref().err().unwrap_or(failure)).into()),
            Whether::AskAgain => {}
        }
        if run.unless_stopped(tokio::time::sleep(pauses.next().unwrap_or(STEP))).await.is_err() {
            return Ok(job.clone());
        }
    }
}

//! The Job: created once, under one name, whatever the answers do, and withdrawn when its launch fails.

use std::time::Duration;

use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::view::JobFacts;
use futures_util::future::try_join;
use tokio::time::Instant;

use super::release::{Unreleased, announce, be_alone, unsuspend};
use super::{Launched, NotLaunched, payload};
use crate::api::retried;
use crate::run::RunContext;
use claude_k8s_core::api_failure::{ApiFailure, FailureKind};

/// A server that is briefly away, or an answer that was lost, is worth this long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(10);
/// What a withdrawal may take.
const WITHDRAWAL: Duration = Duration::from_secs(10);

/// A Job whose launch is under way.
pub(super) struct Created {
    pub(super) job: JobFacts,
    /// Made by this launch: nothing that is named after it can be its payload yet.
    pub(super) fresh: bool,
}

/// Creates the attempt's Job and releases it.
pub(super) async fn create_and_release(run: &RunContext, attempt: &Attempt) -> Result<Launched, NotLaunched> {
    // A Job that is created unsuspended does not wait for files.
    payload::stage(run, attempt).await?;
    let launched = create_until_released(run, attempt).await;
    if launched.is_err() {
        payload::unstage(run, attempt).await;
    }
    launched
}

async fn create_until_released(run: &RunContext, attempt: &Attempt) -> Result<Launched, NotLaunched> {
    loop {
        let created = create_job(run, attempt).await?;
        let following = run.supervisors.following.follow(&created.job.uid);
        match finish_launch(run, attempt, &created).await {
            Ok(job) => return Ok(Launched { job, adopted: None, following }),
            // Known better than before: once more, unsuspended. A queue needs the patch.
            Err(Unreleased::PatchDenied(_)) if run.spec.config().queue_name.is_none() => run.patch_is_denied(),
            Err(Unreleased::PatchDenied(refusal)) => return Err(refusal.into()),
            Err(Unreleased::Because(reason)) => return Err(reason),
        }
    }
}

/// Continues the launch of this run's own Job that an earlier process began.
pub(super) async fn finish_found(run: &RunContext, attempt: &Attempt, job: JobFacts) -> Result<Launched, NotLaunched> {
    let following = run.supervisors.following.follow(&job.uid);
    payload::stage(run, attempt).await?;
    match finish_launch(run, attempt, &Created { job, fresh: false }).await {
        Ok(job) => Ok(Launched { job, adopted: None, following }),
        Err(unreleased) => {
            payload::unstage(run, attempt).await;
            Err(unreleased.into())
        }
    }
}

/// From a created Job to a released one. Whatever goes wrong, the Job is withdrawn: its Secrets go with it.
async fn finish_launch(run: &RunContext, attempt: &Attempt, created: &Created) -> Result<JobFacts, Unreleased> {
    let job = &created.job;
    let launched = async {
        if run.may_patch() {
            // Both only have to follow the creation and to precede the release.
            let ready = try_join(payload::store(run, attempt, created), be_alone(run, job));
            run.unless_stopped(ready).await??;
        } else {
            run.unless_stopped(be_alone(run, job)).await??;
        }
        run.unless_stopped(announce(run, job)).await??;
        if let Some(order) = run.stop.get() {
            return Err(order.into());
        }
        if run.may_patch() {
            return unsuspend(run, job).await;
        }
        // Its mandatory Secrets held the pod so far.
        run.unless_stopped(payload::store(run, attempt, created)).await??;
        Ok(job.clone())
    };
    let launched = Box::pin(launched).await;
    if launched.is_err() {
        withdraw(run, job).await;
    }
    launched
}

async fn withdraw(run: &RunContext, job: &JobFacts) {
    let deleted = retried(WITHDRAWAL, || run.namespace.delete_job(&job.name, &job.uid)).await;
    if let Err(failure) = deleted {
        let next = if job.suspended { "it is suspended and never starts" } else { "its pod may run: delete it" };
        run.output.warn(&format!("{failure}; Job {} is left: {next}", job.name));
    }
}

/// Creates the Job. A lost answer is resolved by reading back, then by the same name again (GRD-11).
async fn create_job(run: &RunContext, attempt: &Attempt) -> Result<Created, NotLaunched> {
    let job = run.spec.job(attempt, run.may_patch())?;
    let name = attempt.job_name.as_str();
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut maybe_created = false;
    loop {
        let failure = match run.namespace.create_job(&job).await {
            Ok(created) => return Ok(Created { job: JobFacts::read(&created), fresh: true }),
            Err(failure) => failure,
        };
        maybe_created |= failure.is_ambiguous();
        let worth_another = failure.kind.is_passing() || failure.kind == FailureKind::AlreadyExists;
        if worth_another && let Ok(found) = run.namespace.get_job(name).await {
            let found = JobFacts::read(&found);
            if !run.owns(&found) {
                return Err(taken(&found).into());
            }
            // One that is being deleted makes room soon.
            if found.deletion_timestamp.is_none() {
                return Ok(Created { job: found, fresh: maybe_created });
            }
        }
        let reason = if !worth_another || started.elapsed() >= PATIENCE {
            NotLaunched::Refused(not_created(&failure))
        } else {
            let wait = failure.retry_after.map_or(pause, |asked| asked.clamp(pause, PATIENCE));
            pause = (pause * 2).min(LAST_PAUSE);
            match run.unless_stopped(tokio::time::sleep(wait)).await {
                Ok(()) => continue,
                Err(order) => order.into(),
            }
        };
        if maybe_created {
            withdraw_by_name(run, name).await;
        }
        return Err(reason);
    }
}

/// Whether the Job exists was never known.
async fn withdraw_by_name(run: &RunContext, name: &str) {
    match retried(WITHDRAWAL, || run.namespace.get_job(name)).await.map(|found| JobFacts::read(&found)) {
        Ok(found) if run.owns(&found) => withdraw(run, &found).await,
        Err(failure) if failure.kind != FailureKind::NotFound => {
            run.output.warn(&format!("{failure}; if Job {name} exists, the next run removes it"));
        }
        _ => {}
    }
}

fn taken(found: &JobFacts) -> Refusal {
    let message = format!("Job `{}` exists and belongs to another run; delete it or run again", found.name);
    Refusal::new(ErrorCode::JobCreateFailed, message)
}

fn not_created(failure: &ApiFailure) -> Refusal {
    let next = if failure.kind == FailureKind::Forbidden { "; grant `create` on `jobs`, see `deploy/`" } else { "" };
    let refusal = Refusal::new(ErrorCode::JobCreateFailed, format!("{failure}{next}"));
    let quota = failure.cause.contains("exceeded quota");
    if failure.kind.is_passing() || quota { refusal.transient(quota.then_some(60)) } else { refusal }
}

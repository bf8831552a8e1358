//! The Job: created once, under one name, whatever the answers do, and withdrawn when its launch fails.

use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::launch::{
    Call, NotLaunched, job_not_created, name_taken, not_releasable, not_withdrawn, perhaps_created,
};
use claude_k8s_core::view::JobFacts;
use futures_util::future::try_join;

use super::created::Created;
use super::release::{Unreleased, announce, be_alone, unsuspend};
use super::{Launched, payload};
use crate::api::{Patience, Stored, patiently};
use crate::run::RunContext;

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
            Err(Unreleased::PatchDenied(_)) if run.plan.config().queue_name.is_none() => run.patch_is_denied(),
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
        // One that an earlier try left would be waited for in vain.
        if run.plan.is_released(job) { Ok(job.clone()) } else { Err(not_releasable(&job.name).into()) }
    };
    let launched = Box::pin(launched).await;
    if launched.is_err() {
        withdraw(run, job).await;
    }
    launched
}

async fn withdraw(run: &RunContext, job: &JobFacts) {
    let delete = || run.namespace.delete_job(Call::Withdraw, &job.name, &job.uid);
    if let Err(failure) = patiently(Call::Withdraw, delete).await {
        run.output.warn(&not_withdrawn(&failure, job));
    }
}

/// Creates the Job. A lost answer is resolved by reading back, then by the same name again (GRD-11).
async fn create_job(run: &RunContext, attempt: &Attempt) -> Result<Created, NotLaunched> {
    let job = run.plan.job(attempt, run.may_patch())?;
    let name = attempt.job_name.as_str();
    let mut patience = Patience::of(Call::CreateJob);
    let mut maybe_created = false;
    loop {
        let failure = match run.namespace.create_job(&job).await {
            Ok(Stored { job: created, object, warnings }) => {
                run.plan.remarks(&job, &object, &warnings).into_iter().for_each(|text| run.remark(text));
                return Ok(Created { job: JobFacts::read(&created), fresh: true });
            }
            Err(failure) => failure,
        };
        maybe_created |= failure.is_ambiguous();
        if Call::CreateJob.repeats(failure.kind)
            && let Ok(found) = patiently(Call::ReadBack, || run.namespace.get_job(name)).await
        {
            let found = JobFacts::read(&found);
            if !run.owns(&found) {
                return Err(name_taken(&found).into());
            }
            // One that is being deleted makes room soon.
            if found.deletion_timestamp.is_none() {
                return Ok(Created { job: found, fresh: maybe_created });
            }
        }
        let reason = match patience.pause(&failure) {
            Some(pause) => match run.unless_stopped(tokio::time::sleep(pause)).await {
                Ok(()) => continue,
                Err(order) => order.into(),
            },
            None => NotLaunched::Refused(job_not_created(&failure)),
        };
        if maybe_created {
            withdraw_by_name(run, name).await;
        }
        return Err(reason);
    }
}

/// Whether the Job exists was never known.
async fn withdraw_by_name(run: &RunContext, name: &str) {
    let found = patiently(Call::FindUncertain, || run.namespace.get_job(name)).await;
    match found.map(|found| JobFacts::read(&found)) {
        Ok(found) if run.owns(&found) => withdraw(run, &found).await,
        Err(failure) if !Call::FindUncertain.knows_by(failure.kind) => {
            run.output.warn(&perhaps_created(&failure, name));
        }
        _ => {}
    }
}

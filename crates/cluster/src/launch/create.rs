//! The Job and its payload: created once, under one name, whatever the answers do.

use std::time::Duration;

use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::spec::Attempt;
use claude_k8s_core::view::JobFacts;
use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::Secret;
use tokio::time::Instant;

use super::NotLaunched;
use super::release::release;
use crate::api::retried;
use crate::failure::{ApiFailure, FailureKind};
use crate::run::RunContext;
use crate::staging;

/// A server that is briefly away, or an answer that was lost, is worth this long.
const PATIENCE: Duration = Duration::from_secs(60);
/// A Secret of a deleted Job with the same name goes within this time.
const SECRET_PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn create_and_release(run: &RunContext, attempt: &Attempt) -> Result<JobFacts, NotLaunched> {
    let job = create_job(run, attempt).await?;
    finish_launch(run, attempt, job).await
}

/// From a created Job to a released one. Whatever goes wrong, the Job is withdrawn: its Secrets go with it.
pub(super) async fn finish_launch(run: &RunContext, attempt: &Attempt, job: JobFacts) -> Result<JobFacts, NotLaunched> {
    let launched = async {
        store_payload(run, attempt, &job).await?;
        release(run, &job).await
    };
    match launched.await {
        Ok(job) => Ok(job),
        Err(reason) => {
            withdraw(run, &job).await;
            Err(reason)
        }
    }
}

async fn withdraw(run: &RunContext, job: &JobFacts) {
    let deleted = retried(SECRET_PATIENCE, || run.namespace.delete_job(&job.name, &job.uid)).await;
    if let Err(failure) = deleted {
        run.output.warn(&format!("{failure}; Job {} is suspended and never starts", job.name));
    }
}

/// Creates the Job. A lost answer is resolved by reading back, then by the same name again (GRD-11).
async fn create_job(run: &RunContext, attempt: &Attempt) -> Result<JobFacts, Refusal> {
    let job = run.spec.job(attempt, run.may_patch())?;
    let started = Instant::now();
    let mut pause = Duration::from_millis(500);
    loop {
        let failure = match run.namespace.create_job(&job).await {
            Ok(created) => return Ok(JobFacts::read(&created)),
            Err(failure) => failure,
        };
        if failure.kind == FailureKind::AlreadyExists || failure.is_ambiguous() {
            match run.namespace.get_job(attempt.job_name.as_str()).await.map(|found| JobFacts::read(&found)) {
                Ok(found) if run.owns(&found) => return Ok(found),
                Ok(found) => return Err(taken(&found)),
                Err(_) => {}
            }
        }
        if !failure.is_transient() || started.elapsed() >= PATIENCE || run.stop.get().is_some() {
            return Err(not_created(&failure));
        }
        tokio::time::sleep(failure.retry_after.unwrap_or(pause)).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

async fn store_payload(run: &RunContext, attempt: &Attempt, job: &JobFacts) -> Result<(), Refusal> {
    if let Some((directory, files)) = run.spec.staging(attempt) {
        return staging::stage(&directory, &files, run.spec.run_as_user()).await;
    }
    let secrets = run.spec.payload(attempt, &job.uid);
    try_join_all(secrets.iter().map(|secret| store(run, secret))).await.map_err(|failure| not_stored(&failure))?;
    Ok(())
}

/// Secrets are immutable and named after their Job, so one that exists was made by an earlier try of this very launch,
/// or belongs to a deleted Job of the same name and is about to go.
async fn store(run: &RunContext, secret: &Secret) -> Result<(), ApiFailure> {
    let started = Instant::now();
    let mut maybe_stored = false;
    loop {
        let Err(failure) = run.namespace.create_secret(secret).await else { return Ok(()) };
        let exists = failure.kind == FailureKind::AlreadyExists;
        let patience = if exists { SECRET_PATIENCE } else { PATIENCE };
        if exists && (maybe_stored || started.elapsed() >= patience) {
            return Ok(());
        }
        if !(exists || failure.is_transient()) || started.elapsed() >= patience {
            return Err(failure);
        }
        maybe_stored |= failure.is_ambiguous();
        tokio::time::sleep(failure.retry_after.unwrap_or(Duration::from_secs(1))).await;
    }
}

fn taken(found: &JobFacts) -> Refusal {
    let message = format!("Job `{}` exists and belongs to another run; delete it or run again", found.name);
    Refusal::new(ErrorCode::JobCreateFailed, message)
}

fn not_created(failure: &ApiFailure) -> Refusal {
    let refusal = Refusal::new(ErrorCode::JobCreateFailed, failure.to_string());
    let quota = failure.cause.contains("exceeded quota");
    if failure.is_transient() || quota { refusal.transient(quota.then_some(60)) } else { refusal }
}

fn not_stored(failure: &ApiFailure) -> Refusal {
    let next = if failure.kind == FailureKind::Forbidden { "; grant `create` on `secrets`, see `deploy/`" } else { "" };
    let refusal = Refusal::new(ErrorCode::PromptSecretCreateFailed, format!("{failure}{next}"));
    if failure.is_transient() { refusal.transient(None) } else { refusal }
}

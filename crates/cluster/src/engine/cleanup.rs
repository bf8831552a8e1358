//! After the verdict: remove what the policy says, mark what stays. Bounded, and never changes the outcome (END-15).

use std::collections::BTreeSet;
use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::{Call, not_cleaned_up, payload_stays};
use claude_k8s_core::manifest::Staging;
use claude_k8s_core::names::key;
use claude_k8s_core::permissions::Permission;
use claude_k8s_core::run::{ENDS_WITHIN, Fate, pod_goes_on};
use claude_k8s_core::view::JobFacts;
use futures_util::future::{try_join, try_join_all};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use crate::api::patiently;
use crate::run::{RunContext, Supervised, bound_pod};
use crate::staging;

/// For all calls together.
const BUDGET: Duration = Duration::from_secs(10);

/// Cleans up after one Job. False: it is still there and nothing says that its result was returned.
///
/// The answer of the run waits for this, while the host takes the last output. One round trip in parallel is all that
/// an undisturbed clean-up costs; a failure has to be told before the run resolves.
///
/// `secrets`: the names of the payload; `None` for a Job that another process made.
pub(super) async fn clean_up(
    run: &RunContext,
    job: &JobFacts,
    supervised: &Supervised,
    secrets: Option<Vec<String>>,
    fate: Fate,
) -> bool {
    if fate == Fate::Leave {
        return true;
    }
    if let Some(place) = staged(run, job) {
        staging::remove(&place).await;
    }
    let work = async {
        let deleted = match fate {
            Fate::Delete if run.permissions.allow(Permission::DeleteJobs) => {
                let delete = || run.namespace.delete_job(Call::CleanUpJob, &job.name, &job.uid);
                Some(patiently(Call::CleanUpJob, delete).await)
            }
            _ => None,
        };
        match deleted {
            Some(Err(failure)) if !Call::CleanUpJob.goes_without(failure.kind) => Err(failure),
            Some(Ok(())) => Ok(()),
            // Kept by policy, or for want of the permission to delete: the TTL removes it.
            _ => retain(run, job, supervised, secrets).await,
        }
    };
    let over_budget = |_| Err(ApiFailure::timed_out(run.namespace.what("Removing", "Job", &job.name), BUDGET));
    let cleaned = tokio::time::timeout(BUDGET, work).await.unwrap_or_else(over_budget);
    if let Err(failure) = &cleaned {
        run.output.warn(&not_cleaned_up(failure, &job.name));
    }
    cleaned.is_ok()
}

/// A kept Job is marked as delivered, so that the next run of the task does not take it for an orphan (GRD-06). The same
/// call may give it a deadline, in seconds, so that its pod does not run for ever (FLD-26).
pub(super) async fn mark_delivered(run: &RunContext, job: &JobFacts, deadline: Option<u64>) -> Result<(), ApiFailure> {
    let plain = json!({ "metadata": { "uid": job.uid, "annotations": { key::DELIVERED: "true" } } });
    if !run.may_patch() {
        return Ok(());
    }
    let mark = async |patch: &Value| patiently(Call::MarkDelivered, || run.namespace.patch_job(&job.name, patch)).await;
    let mut marked = match deadline {
        Some(deadline) => {
            let mut patch = plain.clone();
            patch["spec"] = json!({ "activeDeadlineSeconds": deadline });
            mark(&patch).await
        }
        None => mark(&plain).await,
    };
    // Whoever refuses to change what the Job is may take the mark, which matters more.
    let refused = |failure: &ApiFailure| !failure.kind.is_passing() && !Call::MarkDelivered.knows_by(failure.kind);
    if deadline.is_some() && marked.as_ref().is_err_and(refused) {
        marked = mark(&plain).await;
    }
    match marked {
        Err(failure) if !Call::MarkDelivered.knows_by(failure.kind) => Err(failure),
        _ => Ok(()),
    }
}

async fn retain(
    run: &RunContext,
    job: &JobFacts,
    supervised: &Supervised,
    secrets: Option<Vec<String>>,
) -> Result<(), ApiFailure> {
    let deadline = bounded(run, job, supervised).await;
    if run.permissions.allow(Permission::DeleteSecrets) {
        let secrets = match secrets {
            Some(secrets) => secrets,
            None => payload_secrets(&patiently(Call::FindSecrets, || run.namespace.get_job(&job.name)).await?),
        };
        let removed = secrets.iter();
        let removed = removed.map(|name| patiently(Call::DeleteSecret, || run.namespace.delete_secret(name, None)));
        try_join(mark_delivered(run, job, deadline), try_join_all(removed)).await.map(drop)
    } else {
        if staged(run, job).is_none() {
            run.output.warn(&payload_stays(&job.name));
        }
        mark_delivered(run, job, deadline).await
    }
}

/// No pod of a Job that stays runs for ever. The deadline that the Job has to have for that: it costs the pod's log, so
/// where another container goes on the pod gets one of its own, if that is possible.
async fn bounded(run: &RunContext, job: &JobFacts, supervised: &Supervised) -> Option<u64> {
    let view = &supervised.view;
    let deadline = view.job.as_ref().and_then(|job| job.last_deadline(run.server_time()));
    if let Some(pod) = view.pod().filter(|pod| pod.outlives_its_run()) {
        match bound_pod(run, pod, supervised.ran_for(run.clock.now()) + ENDS_WITHIN).await {
            Ok(()) => return None,
            Err(failure) => {
                let by_job = deadline.is_some() && run.may_patch();
                run.output.warn(&pod_goes_on(&failure, job, pod, by_job));
            }
        }
    }
    deadline
}

/// Where the payload of a Job lies on the host's disk.
fn staged(run: &RunContext, job: &JobFacts) -> Option<Staging> {
    let is_staged = job.annotations.get(key::PAYLOAD).is_some_and(|payload| payload == "volume");
    run.plan.staging_place(&job.name).filter(|_| is_staged)
}

/// The Secrets that are named after a Job and used by it.
fn payload_secrets(job: &Job) -> Vec<String> {
    let prefix = format!("{}-", job.metadata.name.as_deref().unwrap_or_default());
    let Some(pod) = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()) else { return Vec::new() };
    let projections = pod.volumes.iter().flatten().filter_map(|volume| volume.projected.as_ref()?.sources.as_ref());
    let mounted = projections.flatten().filter_map(|source| Some(source.secret.as_ref()?.name.clone()));
    let entries = pod.containers.iter().flat_map(|container| container.env.iter().flatten());
    let values = entries.filter_map(|entry| Some(entry.value_from.as_ref()?.secret_key_ref.as_ref()?.name.clone()));
    let names: BTreeSet<String> = mounted.chain(values).filter(|name| name.starts_with(&prefix)).collect();
    names.into_iter().collect()
}

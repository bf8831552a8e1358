//! The Job.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Map, Value, json};

use super::{Parts, labels, pod, pod_template};
use crate::config::{Config, Rejection, Warning};
use crate::names::key;
use crate::spec::Attempt;
use crate::view::JobFacts;

/// Seconds a finished Job stays when nobody says otherwise.
const DEFAULT_TTL_SECONDS: i32 = 300;

/// Stands in for a bound of 0 ("no bound") in the Job's own backstop.
const NO_BOUND: Duration = Duration::from_secs(3600);

/// Builds the Job of one attempt, `podTemplate` merged last.
///
/// # Errors
/// Rejected parts of `podTemplate`, or a Job above 1 MiB.
pub(crate) fn build(parts: &Parts, attempt: &Attempt, suspend: bool) -> Result<(Job, Vec<Warning>), Vec<Rejection>> {
    let config = &parts.config;
    let mut template = pod::template(parts, attempt);
    let mut warnings = Vec::new();
    if let Some(patch) = &config.pod_template {
        (template, warnings) = merge(parts, &template, patch)?;
    }
    if let Some(spec) = &mut template.spec {
        spec.active_deadline_seconds = attempt.timeout.map(seconds);
    }
    let job = Job {
        metadata: ObjectMeta {
            name: Some(attempt.job_name.to_string()),
            namespace: Some(parts.namespace.clone()),
            labels: Some(labels::labels(parts, attempt)),
            annotations: Some(labels::job_annotations(parts, attempt)),
            ..ObjectMeta::default()
        },
        spec: Some(JobSpec {
            suspend: Some(suspend),
            backoff_limit: Some(0),
            completions: Some(1),
            parallelism: Some(1),
            // A pod that is still terminating is not replaced: the prompt must not run twice.
            pod_replacement_policy: Some("Failed".to_owned()),
            ttl_seconds_after_finished: ttl(config),
            active_deadline_seconds: attempt.timeout.map(|timeout| seconds(backstop(timeout, config))),
            template,
            ..JobSpec::default()
        }),
        status: None,
    };
    check_size(&job)?;
    Ok((job, warnings))
}

/// The merge patch that lets the pod start. With a queue only its label is set: Kueue unsuspends on admission.
pub(crate) fn release_patch(uid: &str, queue_name: Option<&str>) -> Value {
    match queue_name {
        None => json!({ "metadata": { "uid": uid }, "spec": { "suspend": false } }),
        Some(queue) => json!({ "metadata": { "uid": uid, "labels": { key::QUEUE_NAME: queue } } }),
    }
}

/// The merge patch of an adoption: the supervisor annotation only (GRD-08).
///
/// The server refuses it with 409 when anything about the Job has changed since it was read. So of two processes that
/// saw the same orphan one adopts it, and the other sees at its next look whose it is (GRD-05).
pub(crate) fn adoption_patch(job: &JobFacts, supervisor: &str) -> Value {
    json!({ "metadata": {
        "uid": job.uid,
        "resourceVersion": job.resource_version,
        "annotations": { key::SUPERVISOR: supervisor },
    }})
}

fn merge(
    parts: &Parts,
    template: &PodTemplateSpec,
    patch: &Map<String, Value>,
) -> Result<(PodTemplateSpec, Vec<Warning>), Vec<Rejection>> {
    let from_secret: BTreeSet<String> = parts.environment.secrets().map(|(name, _)| name.to_owned()).collect();
    let rejected = |error: serde_json::Error| vec![rejection("podTemplate", format!("is not a pod template: {error}"))];
    let template = serde_json::to_value(template).map_err(rejected)?;
    let merged = pod_template::merge(&template, patch, &from_secret)?;
    let template = pod_template::read(&merged.template).map_err(|rejection| vec![rejection])?;
    Ok((template, merged.warnings))
}

/// Without `podTemplate` only a bundle of very many files could make a Job that large.
fn check_size(job: &Job) -> Result<(), Vec<Rejection>> {
    let too_large = serde_json::to_value(job).ok().and_then(|job| pod_template::too_large(&job));
    too_large.map_or(Ok(()), |rejection| Err(vec![rejection]))
}

fn rejection(key: &str, reason: String) -> Rejection {
    Rejection { key: key.to_owned(), reason }
}

fn ttl(config: &Config) -> Option<i32> {
    config.ttl_seconds_after_finished.or((!config.retain_jobs).then_some(DEFAULT_TTL_SECONDS))
}

/// The Job's own deadline, for a host that is gone. It deletes the pod and the last lines with it, so it comes late.
fn backstop(timeout: Duration, config: &Config) -> Duration {
    let schedule = config.schedule_timeout.unwrap_or(NO_BOUND);
    let startup = config.startup_timeout.unwrap_or(NO_BOUND);
    timeout + config.grace + schedule + startup + Duration::from_secs(60)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX).max(1)
}

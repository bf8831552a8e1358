//! The Job.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::{Value, json};

use super::{labels, own_pod_rules, pod};
use crate::attempt::Attempt;
use crate::config::{Config, Rejection, Warning, pod_template};
use crate::names::key;
use crate::plan::Parts;
use crate::view::JobFacts;

/// Seconds a finished Job stays when nobody says otherwise.
const DEFAULT_TTL_SECONDS: i32 = 300;

/// Stands in for a bound of 0 ("no bound") in the Job's own backstop.
const NO_BOUND: Duration = Duration::from_secs(3600);

/// Builds the Job of one attempt, `podTemplate` merged last.
///
/// It is JSON because `podTemplate` may use members that are newer than the compiled API types.
///
/// # Errors
/// Rejected parts of `podTemplate`, or a Job above 1 MiB.
pub(crate) fn build(parts: &Parts, attempt: &Attempt, suspend: bool) -> Result<(Value, Vec<Warning>), Vec<Rejection>> {
    let config = &parts.config;
    let (template, warnings) = template(parts, attempt)?;
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
            ..JobSpec::default()
        }),
        status: None,
    };
    let mut job = json_of(&job)?;
    job["spec"]["template"] = template;
    // Without `podTemplate` only a bundle of very many files could make a Job that large.
    pod_template::too_large(&job).map_or(Ok((job, warnings)), |rejection| Err(vec![rejection]))
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

fn template(parts: &Parts, attempt: &Attempt) -> Result<(Value, Vec<Warning>), Vec<Rejection>> {
    let template = json_of(&pod::template(parts, attempt))?;
    let (template, warnings) = overridden(parts, template)?;
    let violations = own_pod_rules::violations(parts, &template);
    if violations.is_empty() { Ok((template, warnings)) } else { Err(violations) }
}

fn overridden(parts: &Parts, template: Value) -> Result<(Value, Vec<Warning>), Vec<Rejection>> {
    let Some(overrides) = &parts.config.pod_template else { return Ok((template, Vec::new())) };
    let from_secret: BTreeSet<String> = parts.environment.secrets().map(|(name, _)| name.to_owned()).collect();
    let merged = pod_template::merge(&template, overrides, &from_secret)?;
    Ok((merged.template, merged.warnings))
}

fn json_of(object: &impl Serialize) -> Result<Value, Vec<Rejection>> {
    let rejection = |error: serde_json::Error| Rejection { key: "podTemplate".to_owned(), reason: error.to_string() };
    serde_json::to_value(object).map_err(|error| vec![rejection(error)])
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

pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX).max(1)
}

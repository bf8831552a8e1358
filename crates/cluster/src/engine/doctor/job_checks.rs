//! Checks of the Job that a run of this agent would create.

use claude_k8s_core::config::Config;
use claude_k8s_core::doctor::{Check, Level};
use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::plan::RunPlan;
use claude_k8s_core::request::{Prompt, RunRequest};
use serde_json::Value;

use crate::api::Namespace;
use crate::engine::own_pod::OwnPlace;
use crate::engine::surroundings::surroundings;
use crate::permissions::Permissions;
use claude_k8s_core::api_failure::FailureKind;

/// Stands for an image that nobody named, so that the rest can be checked.
const SOME_IMAGE: &str = "image-is-not-configured";

/// A Job like those of a run, and why there would be none.
pub(super) struct Resolved {
    pub(super) job: Option<Value>,
    /// No image is known.
    pub(super) image: Option<Check>,
    /// Any other refusal.
    pub(super) refused: Option<Check>,
}

pub(super) async fn resolve(
    mut request: RunRequest,
    mut config: Config,
    namespace: &str,
    own: &OwnPlace,
    permissions: &Permissions,
) -> Resolved {
    complete(&mut request);
    let mut refused = None;
    let surroundings = match surroundings(&request, &config, namespace, own, permissions).await {
        Ok(surroundings) => Ok(surroundings),
        Err(refusal) => {
            // A missing permission has a check of its own.
            refused = (refusal.code == ErrorCode::ConfigurationIncomplete).then(|| unresolved(&refusal));
            config.queue_name = None;
            surroundings(&request, &config, namespace, own, &Permissions::without([])).await
        }
    };
    let job = |config: Config| {
        let spec = RunPlan::resolve(&request, config, surroundings.clone()?)?;
        spec.job(&spec.first_attempt(), true)
    };
    match job(config.clone()) {
        Ok(job) => Resolved { job: Some(job), image: None, refused },
        Err(refusal) if refusal.reason == Some("k8s_image_unresolved") => {
            config.image = Some(SOME_IMAGE.to_owned());
            let (job, other) = match job(config) {
                Ok(job) => (Some(job), None),
                Err(refusal) => (None, Some(unresolved(&refusal))),
            };
            Resolved { job, image: Some(unresolved(&refusal)), refused: refused.or(other) }
        }
        Err(refusal) => Resolved { job: None, image: None, refused: Some(unresolved(&refusal)) },
    }
}

/// What a run would bring along: ids and a prompt.
fn complete(request: &mut RunRequest) {
    const ID: &str = "environment-test";
    ID.clone_into(&mut request.run_id);
    ID.clone_into(&mut request.agent.id);
    if request.agent.company_id.is_empty() {
        ID.clone_into(&mut request.agent.company_id);
    }
    request.prompts.fresh = Prompt { text: "environment test".to_owned(), ..Prompt::default() };
    request.prompts.resumed = request.prompts.fresh.clone();
    request.execution_target = None; // has a check of its own
    request.context.remove("paperclipEnvironment");
}

fn unresolved(refusal: &Refusal) -> Check {
    let code = match (refusal.code, refusal.reason) {
        (ErrorCode::ConfigurationIncomplete, Some("k8s_image_unresolved")) => "k8s_image_unresolved",
        (ErrorCode::ConfigurationIncomplete, _) => "k8s_config_invalid",
        _ => "k8s_job_dry_run_rejected",
    };
    Check::new(code, Level::Error, refusal.message.clone()).hint(refusal.code.meaning().1)
}

/// `may_read`: as far as is known, claims may be read.
pub(super) async fn claim(namespace: &Namespace, job: &Value, config: &Config, may_read: bool) -> Check {
    const GRANT: &str = "Grant `get` on `persistentvolumeclaims` to have the claim checked";
    let Some(claim) = data_claim(job) else {
        let text = "No data claim: sessions cannot be resumed and no workspace is shared";
        return Check::new("k8s_pvc_not_detected", Level::Warn, text).hint("Set `workspaceVolumeClaim`");
    };
    if !may_read {
        let text = format!("Claim `{claim}` may not be read: whether several nodes can mount it is not known");
        return Check::new("k8s_pvc_check_failed", Level::Warn, text).hint(GRANT);
    }
    match namespace.get_claim(claim).await {
        Ok(found) => {
            let modes = found.spec.and_then(|spec| spec.access_modes).unwrap_or_default();
            if modes.iter().any(|mode| mode == "ReadWriteMany") {
                Check::new("k8s_pvc_rwx", Level::Info, format!("Claim `{claim}` can be mounted on every node"))
            } else {
                let text = format!("Claim `{claim}` is not ReadWriteMany: pods on other nodes cannot mount it");
                Check::new("k8s_pvc_not_rwx", Level::Warn, text)
                    .hint("Use a ReadWriteMany claim, or a `nodeSelector` that keeps pods on one node")
            }
        }
        Err(failure) if failure.kind == FailureKind::NotFound && config.workspace_volume_claim.is_some() => {
            let text = format!("Claim `{claim}` does not exist in namespace `{}`", namespace.name);
            Check::new("k8s_pvc_missing", Level::Error, text).hint("Create it or change `workspaceVolumeClaim`")
        }
        Err(failure) => Check::new("k8s_pvc_check_failed", Level::Warn, failure.to_string()).hint(GRANT),
    }
}

fn data_claim(job: &Value) -> Option<&str> {
    let volumes = job.pointer("/spec/template/spec/volumes")?.as_array()?;
    let data = volumes.iter().find(|volume| volume["name"] == "data")?;
    data.pointer("/persistentVolumeClaim/claimName")?.as_str()
}

pub(super) fn api_url(job: &Value) -> Option<Check> {
    let claude = job.pointer("/spec/template/spec/containers/0")?;
    let filled = |list: &str| claude[list].as_array().into_iter().flatten();
    let named = filled("env").any(|entry| entry["name"] == "PAPERCLIP_API_URL");
    let may_be_inherited = filled("envFrom").next().is_some();
    let text = "No Paperclip URL is known that a pod can reach: agents cannot report back";
    let check = Check::new("k8s_api_url_unreachable", Level::Warn, text);
    (!named && !may_be_inherited).then(|| check.hint("Set `PAPERCLIP_API_URL` on the host or in `env`"))
}

pub(super) async fn dry_run(namespace: &Namespace, job: &Value) -> Check {
    match namespace.dry_run_job(job).await {
        // The controller creates the pod later: no dry run of a Job asks what is judged then.
        Ok(_) => Check::new("k8s_job_dry_run_ok", Level::Info, "The API server accepts a Job like those of a run")
            .detail("Not asked: what is judged with the pod (Pod Security, quota of pods, priority and runtime class)"),
        Err(failure) => {
            let hint = match failure.kind {
                // Quota refuses with the same status as a missing permission, in other words.
                FailureKind::Forbidden if failure.cause.contains("cannot create resource") => {
                    "Grant `create` on `jobs`, see `deploy/`"
                }
                _ => "The message names the quota, admission rule or class that rejects it",
            };
            Check::new("k8s_job_dry_run_rejected", Level::Error, failure.to_string()).hint(hint)
        }
    }
}

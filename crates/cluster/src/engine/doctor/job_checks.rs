//! Checks of the Job that a run of this agent would create.

use claude_k8s_core::config::Config;
use claude_k8s_core::doctor::{self, Check, findings};
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::launch::Call;
use claude_k8s_core::permissions::Permissions;
use claude_k8s_core::plan::{ClaimFacts, RunPlan};
use claude_k8s_core::request::{Prompt, RunRequest};
use serde_json::Value;

use crate::api::{Namespace, patiently};
use crate::engine::own_pod::OwnPlace;
use crate::engine::surroundings::surroundings;

/// Stands for an image that nobody named, so that the rest can be checked.
const SOME_IMAGE: &str = "image-is-not-configured";

/// A Job like those of a run, and why there would be none.
pub(super) struct Resolved {
    pub(super) job: Option<Value>,
    /// What it does not inherit.
    pub(super) left_behind: Option<Check>,
    /// What its pod would see of the data volume.
    pub(super) isolation: Vec<Check>,
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
    claims: &[ClaimFacts],
    permissions: &Permissions,
) -> Resolved {
    complete(&mut request);
    let resolve = async |config: &Config, permissions: &Permissions| {
        let surroundings = surroundings(&request, config, namespace, own, claims, permissions).await;
        let plan = RunPlan::resolve(&request, config.clone(), surroundings)?;
        let job = plan.job(&plan.first_attempt(), true)?;
        let isolation = plan.isolation_report().map(|report| doctor::isolation(&report, &job, plan.host_claim()));
        let left_behind = plan.left_behind().map(findings::left_behind);
        Ok::<_, Refusal>((job, left_behind, isolation.unwrap_or_default()))
    };
    let mut resolved = Resolved { job: None, left_behind: None, isolation: Vec::new(), image: None, refused: None };
    let everything = Permissions::default();
    let mut granted = permissions;
    loop {
        match resolve(&config, granted).await {
            Ok((job, left_behind, isolation)) => {
                (resolved.job, resolved.left_behind, resolved.isolation) = (Some(job), left_behind, isolation);
                return resolved;
            }
            Err(refusal) if refusal.reason == Some("k8s_image_unresolved") && resolved.image.is_none() => {
                resolved.image = Some(Check::of_refusal(&refusal));
                config.image = Some(SOME_IMAGE.to_owned());
            }
            Err(refusal) if granted.lack_any() => {
                // A missing permission has a check of its own; what it forbids to configure has not.
                resolved.refused = refusal.code.is_configuration().then(|| Check::of_refusal(&refusal));
                config.queue_name = None;
                granted = &everything;
            }
            Err(refusal) => {
                resolved.refused = Some(Check::of_refusal(&refusal));
                return resolved;
            }
        }
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

/// `may_read`: as far as is known, claims may be read.
pub(super) async fn claim(namespace: &Namespace, job: &Value, config: &Config, may_read: bool) -> Check {
    let Some(claim) = data_claim(job) else { return findings::no_claim() };
    if !may_read {
        return findings::claim_not_readable(claim);
    }
    let found = patiently(Call::Claim, || namespace.get_claim(claim)).await;
    let modes = found.map(|found| found.spec.and_then(|spec| spec.access_modes).unwrap_or_default());
    findings::claim(claim, &namespace.name, config, &modes)
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
    (!named && !may_be_inherited).then(findings::no_api_url)
}

/// First strictly: a member that the server does not know would vanish from a run's Job without a word.
pub(super) async fn dry_run(namespace: &Namespace, job: &Value) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut answer = patiently(Call::Check, || namespace.dry_run_job(job, true)).await;
    if let Some(unknown) = answer.as_ref().err().and_then(findings::unknown_to_the_server) {
        checks.push(unknown);
        answer = patiently(Call::Check, || namespace.dry_run_job(job, false)).await;
    }
    checks.push(findings::dry_run(&answer.as_ref().map(drop).map_err(Clone::clone)));
    checks.extend(answer.iter().flat_map(|stored| findings::warnings(&stored.warnings)));
    checks
}

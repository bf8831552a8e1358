//! The decisions of a [`RunPlan`], in their order.

use super::attempts::Attempts;
use super::{ClaimsInUse, Parts, RunPlan, Surroundings, assemble, check, redactions, refusal, resumption};
use crate::config::Config;
use crate::config::env::{MAX_ENTRY_BYTES, MAX_TOTAL_BYTES};
use crate::failure::Refusal;
use crate::names::label_value;
use crate::request::RunRequest;

impl RunPlan {
    /// Decides everything about a run. [`Self::resolve`] also builds its Job once.
    pub(crate) fn decide(request: &RunRequest, config: Config, surroundings: Surroundings) -> Result<Self, Refusal> {
        check(request)?;
        check_permissions(&config, &surroundings)?;
        let mut warnings = known_warnings(request, &config, &surroundings);
        let skills = skill_list(&surroundings);
        let degraded = surroundings.degraded.clone();

        let parts = assemble::parts(request, config, surroundings, &mut warnings)?;
        let session = resumption::decide(request, &parts);
        let attempts = Attempts::plan(&parts, &request.prompts, session.resume)?;
        check_exec_size(&parts, &attempts)?;

        Ok(Self {
            session_to_store: resumption::to_store(request, &parts),
            redactions: redactions::redactions(request, &parts.config, &parts.environment),
            warnings,
            degraded,
            status_lines: std::iter::once(format!("Skills bundled {skills}"))
                .chain(session.refused)
                .chain(parts.left_behind.clone())
                .chain(parts.binding_claims().map(ClaimsInUse::told))
                .collect(),
            notes: notes(&parts, &skills),
            attempts,
            parts,
        })
    }
}

fn check_permissions(config: &Config, surroundings: &Surroundings) -> Result<(), Refusal> {
    if config.queue_name.is_some() && !surroundings.may_patch_jobs {
        return Err(refusal::reject("queueName", "needs the permission to `patch` `jobs` in the target namespace"));
    }
    Ok(())
}

fn known_warnings(request: &RunRequest, config: &Config, surroundings: &Surroundings) -> Vec<String> {
    let configuration = config.warnings.iter().map(ToString::to_string);
    let skills = request.skill_warnings.iter().chain(&surroundings.bundle.warnings).cloned();
    let run = label_value(&request.run_id).is_none();
    let run = run.then(|| "the run id cannot be a label: a Job of this run will not be adopted later".to_owned());
    configuration.chain(surroundings.warnings.iter().cloned()).chain(skills).chain(run).collect()
}

/// PRM-03: one string the kernel refuses, or too much of them, and the container does not start.
fn check_exec_size(parts: &Parts, attempts: &Attempts) -> Result<(), Refusal> {
    let args = &attempts.first.args;
    if let Some(arg) = args.iter().find(|arg| arg.len() > MAX_ENTRY_BYTES) {
        let reason = format!("an item has {} bytes, at most {MAX_ENTRY_BYTES} are possible", arg.len());
        return Err(refusal::reject("extraArgs", reason));
    }
    let environment: usize = parts.environment.entries().map(|(name, value)| name.len() + value.size() + 2).sum();
    let total = environment + args.iter().map(|arg| arg.len() + 1).sum::<usize>();
    if total > MAX_TOTAL_BYTES {
        let reason = format!("environment and arguments have {total} bytes, at most {MAX_TOTAL_BYTES} are possible");
        return Err(refusal::reject("env", reason));
    }
    Ok(())
}

fn notes(parts: &Parts, skills: &str) -> Vec<String> {
    vec![
        format!("Image: {}", parts.image),
        format!("Namespace: {}", parts.namespace),
        format!("Timeout: {}s", parts.config.timeout.map_or(0, |timeout| timeout.as_secs())),
        format!("Skills {skills}"),
    ]
}

/// `(<n>): <names|none>`.
fn skill_list(surroundings: &Surroundings) -> String {
    let names: Vec<&str> = surroundings.bundle.skills.iter().map(|skill| skill.runtime_name.as_str()).collect();
    format!("({}): {}", names.len(), if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}

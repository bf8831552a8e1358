//! Arguments of `claude`. No shell quotes them; `$` is escaped when the container is built.

use super::environment::Environment;
use crate::config::Config;
use crate::paths::RUN_MOUNT;
use crate::plan::BundlePlan;

/// What the arguments depend on.
pub(crate) struct ArgumentInputs<'a> {
    pub(crate) config: &'a Config,
    pub(crate) environment: &'a Environment,
    pub(crate) bundle: Option<&'a BundlePlan>,
    pub(crate) settings_file: &'a str,
    pub(crate) has_mcp: bool,
}

/// All arguments of one attempt, in their order.
pub(crate) fn cli_arguments(from: &ArgumentInputs<'_>, resume: Option<&str>) -> Vec<String> {
    let config = from.config;
    let mut args = Vec::new();
    // No `-`: the CLI would prepend it to the prompt (PRM-10).
    push(&mut args, &["--print", "--output-format", "stream-json", "--verbose"]);
    if let Some(id) = resume {
        push(&mut args, &["--resume", id]);
    }
    if config.skip_permissions {
        push(&mut args, &["--dangerously-skip-permissions"]);
    }
    if let Some(model) = config.model.as_deref().filter(|model| model_fits_provider(model, from.environment)) {
        push(&mut args, &["--model", model]);
    }
    if let Some(effort) = &config.effort {
        push(&mut args, &["--effort", effort]);
    }
    if config.max_turns_per_run > 0 {
        push(&mut args, &["--max-turns", &config.max_turns_per_run.to_string()]);
    }
    if let Some(bundle) = from.bundle.filter(|bundle| bundle.content.has_instructions()) {
        // Also on resume: older CLIs lose the instructions without it (PRM-08).
        push(&mut args, &["--append-system-prompt-file", &format!("{}/agent-instructions.md", bundle.pod_path())]);
    }
    if from.has_mcp {
        push(&mut args, &["--mcp-config", &format!("{RUN_MOUNT}/mcp.json")]);
        if config.strict_mcp_config {
            push(&mut args, &["--strict-mcp-config"]);
        }
    }
    push(&mut args, &["--settings", from.settings_file]);
    if let Some(bundle) = from.bundle {
        push(&mut args, &["--add-dir", bundle.pod_path()]);
    }
    args.extend(config.extra_args.iter().cloned());
    args
}

/// Bedrock knows other model ids than the public endpoint; a wrong one fails every request.
pub(crate) fn model_fits_provider(model: &str, environment: &Environment) -> bool {
    if !environment.is_on("CLAUDE_CODE_USE_BEDROCK") {
        return true;
    }
    let after_region = model.split_once('.').map_or("", |(_, rest)| rest);
    model.starts_with("arn:aws:bedrock:") || model.starts_with("anthropic.") || after_region.starts_with("anthropic.")
}

fn push(args: &mut Vec<String>, items: &[&str]) {
    args.extend(items.iter().map(|item| (*item).to_owned()));
}

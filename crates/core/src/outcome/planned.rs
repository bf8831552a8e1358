//! What the plan of a run already says about its outcome.

use super::{Billing, RunFacts, SessionFacts};
use crate::attempt::Attempt;
use crate::config::Config;
use crate::names::CONTAINER;
use crate::plan::settings::BASE_URL;
use crate::plan::{Parts, RunPlan};

impl RunPlan {
    /// The part of the run's facts that is known before anything exists.
    #[must_use]
    pub fn facts(&self) -> RunFacts {
        RunFacts {
            namespace: self.parts.namespace.clone(),
            warnings: self.warnings.clone(),
            degraded: self.degraded.clone(),
            timeout_seconds: self.parts.config.timeout.map(|timeout| timeout.as_secs()),
            ..RunFacts::default()
        }
    }

    /// Session and billing circumstances of an attempt, for its outcome.
    #[must_use]
    pub fn session_facts(&self, attempt: &Attempt) -> SessionFacts {
        SessionFacts {
            persistent: self.parts.data.is_persistent(),
            resumed: attempt.resume.clone(),
            transcript_bytes: None, // the file is looked at when it matters: `Ending::ran_out_of_memory`
            memory_limit: memory_limit(&self.parts.config),
            stored: self.session_to_store.clone(),
            configured_model: self.parts.config.model.clone(),
            mcp_servers: self.parts.mcp.as_ref().map(|mcp| mcp.names.clone()).unwrap_or_default(),
            billing: billing(&self.parts),
        }
    }
}

/// Of the container, as the Job has it: a template wins over the key.
fn memory_limit(config: &Config) -> Option<String> {
    let in_template = config.pod_template.as_ref().and_then(|template| {
        let mut containers = template.get("spec")?.get("containers")?.as_array()?.iter();
        let claude = containers.find(|container| container["name"] == CONTAINER)?;
        claude.pointer("/resources/limits/memory")?.as_str().map(str::to_owned)
    });
    in_template.or_else(|| config.resources.limits.get("memory").cloned())
}

fn billing(parts: &Parts) -> Billing {
    let environment = &parts.environment;
    Billing {
        bedrock: environment.is_on("CLAUDE_CODE_USE_BEDROCK") || environment.is_on("CLAUDE_CODE_USE_MANTLE"),
        vertex: environment.is_on("CLAUDE_CODE_USE_VERTEX"),
        foundry: environment.is_on("CLAUDE_CODE_USE_FOUNDRY"),
        // Behind a reference of its own stands a value that somebody chose.
        gateway: parts.settings.names_a_gateway() || environment.is_reference(BASE_URL),
        configured: parts.config.billing_type.as_str(),
        api_key: environment.brings("ANTHROPIC_API_KEY") || environment.brings("ANTHROPIC_AUTH_TOKEN"),
        oauth_token: environment.brings("CLAUDE_CODE_OAUTH_TOKEN"),
    }
}

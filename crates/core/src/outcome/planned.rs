//! What the plan of a run already says about its outcome.

use super::{Billing, RunFacts, SessionFacts};
use crate::attempt::Attempt;
use crate::config::Config;
use crate::names::CONTAINER;
use crate::plan::RunPlan;
use crate::plan::environment::Environment;

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
            transcript_bytes: None, // the file is looked at when it matters
            memory_limit: memory_limit(&self.parts.config),
            stored: self.session_to_store.clone(),
            configured_model: self.parts.config.model.clone(),
            billing: billing(&self.parts.environment),
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

fn billing(environment: &Environment) -> Billing {
    Billing {
        bedrock: environment.is_on("CLAUDE_CODE_USE_BEDROCK"),
        vertex: environment.is_on("CLAUDE_CODE_USE_VERTEX"),
        api_key: environment.is_set("ANTHROPIC_API_KEY") || environment.is_set("ANTHROPIC_AUTH_TOKEN"),
        oauth_token: environment.is_set("CLAUDE_CODE_OAUTH_TOKEN"),
    }
}

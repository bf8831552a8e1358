//! The attempts of a run: the first one, one that continues an adopted Job's session, and the fresh retry.

use super::args::{ArgumentInputs, cli_arguments};
use super::{Parts, RunPlan, prompt};
use crate::attempt::Attempt;
use crate::failure::Refusal;
use crate::names::{JobName, is_uuid, sha256_hex};
use crate::request::{Prompt, Prompts};

/// The planned attempts, and the prompt of one that continues an adopted session.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    pub(super) first: Attempt,
    pub(super) fresh: Option<Attempt>,
    resumed_prompt: Option<Prompt>,
}

impl Attempts {
    /// `resume` is the one decision: it chooses the text and the flag (PRM-11).
    ///
    /// # Errors
    /// The chosen prompt is empty or too large.
    pub(super) fn plan(parts: &Parts, prompts: &Prompts, resume: Option<String>) -> Result<Self, Refusal> {
        let chosen = if resume.is_some() { &prompts.resumed } else { &prompts.fresh };
        let resumed = prompt::usable(&prompts.resumed).ok();
        let resumed_prompt = resumed.map(|text| Prompt { text, metrics: prompts.resumed.metrics.clone() });
        Ok(Self {
            first: attempt(parts, 1, &usable(chosen)?, resume),
            fresh: usable(&prompts.fresh).ok().map(|prompt| attempt(parts, 2, &prompt, None)),
            resumed_prompt,
        })
    }
}

impl RunPlan {
    /// The first attempt.
    #[must_use]
    pub fn first_attempt(&self) -> Attempt {
        self.attempts.first.clone()
    }

    /// The second attempt: never resumes, and uses the fresh prompt (SES-03). `None` when that prompt is unusable.
    #[must_use]
    pub fn fresh_attempt(&self) -> Option<Attempt> {
        self.attempts.fresh.clone()
    }

    /// The first attempt, resuming the session that an adopted Job of the same task ended with.
    ///
    /// `None` when that session may not be resumed; the first attempt then stays as it is.
    #[must_use]
    pub fn continuing_attempt(&self, session_id: &str) -> Option<Attempt> {
        let allowed = self.parts.config.resume_last_session && self.parts.data.is_persistent() && is_uuid(session_id);
        let prompt = self.attempts.resumed_prompt.as_ref().filter(|_| allowed)?;
        Some(attempt(&self.parts, 1, prompt, Some(session_id.to_owned())))
    }
}

fn usable(source: &Prompt) -> Result<Prompt, Refusal> {
    Ok(Prompt { text: prompt::usable(source)?, metrics: source.metrics.clone() })
}

fn attempt(parts: &Parts, number: u32, prompt: &Prompt, resume: Option<String>) -> Attempt {
    let inputs = ArgumentInputs {
        config: &parts.config,
        environment: &parts.environment,
        bundle: parts.bundle.as_ref(),
        settings_file: &parts.settings.path(),
        has_mcp: parts.mcp.is_some(),
    };
    Attempt {
        number,
        job_name: JobName::new(&parts.identity.agent_id, &parts.identity.run_id, number),
        prompt: prompt.text.clone(),
        prompt_digest: sha256_hex(prompt.text.as_bytes()),
        prompt_metrics: prompt.metrics.clone(),
        args: cli_arguments(&inputs, resume.as_deref()),
        resume,
        timeout: parts.config.timeout,
    }
}

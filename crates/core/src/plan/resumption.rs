//! What a run may resume, and what its outcome may store.

use super::{Parts, RunPlan};
use crate::attempt::Attempt;
use crate::outcome::{Billing, SessionFacts};
use crate::plan::environment::{Environment, context_text};
use crate::request::{RunRequest, StoredSession};
use crate::session::{self, Circumstances, SessionDecision};

/// The one decision about the stored session.
pub(super) fn decide(request: &RunRequest, parts: &Parts) -> SessionDecision {
    let now = Circumstances {
        resume_last_session: parts.config.resume_last_session,
        persistent: parts.data.is_persistent(),
        run_directory: &parts.run_directory,
        prompt_bundle_key: parts.bundle.as_ref().map(|bundle| bundle.content.key.as_str()),
        mcp_server_identity: parts.mcp.as_ref().map(|mcp| mcp.identity.as_str()),
    };
    session::decide(request.session.as_ref(), &now)
}

/// What belongs to a session of this run besides its id.
pub(super) fn to_store(request: &RunRequest, parts: &Parts) -> StoredSession {
    let workspace = request.context.get("paperclipWorkspace").and_then(|workspace| workspace.as_object());
    let member = |name| context_text(workspace?, &[name]);
    StoredSession {
        session_id: String::new(), // known at the end only
        cwd: Some(parts.run_directory.clone()),
        workspace_id: member("workspaceId"),
        repo_url: member("repoUrl"),
        repo_ref: member("repoRef"),
        prompt_bundle_key: parts.bundle.as_ref().map(|bundle| bundle.content.key.clone()),
        mcp_server_identity: parts.mcp.as_ref().map(|mcp| mcp.identity.clone()),
    }
}

impl RunPlan {
    /// Session and billing circumstances of an attempt, for its outcome.
    #[must_use]
    pub fn session_facts(&self, attempt: &Attempt) -> SessionFacts {
        SessionFacts {
            persistent: self.parts.data.is_persistent(),
            resumed: attempt.resume.clone(),
            stored: self.session_to_store.clone(),
            configured_model: self.parts.config.model.clone(),
            billing: billing(&self.parts.environment),
        }
    }
}

fn billing(environment: &Environment) -> Billing {
    Billing {
        bedrock: environment.is_on("CLAUDE_CODE_USE_BEDROCK"),
        vertex: environment.is_on("CLAUDE_CODE_USE_VERTEX"),
        api_key: environment.is_set("ANTHROPIC_API_KEY") || environment.is_set("ANTHROPIC_AUTH_TOKEN"),
        oauth_token: environment.is_set("CLAUDE_CODE_OAUTH_TOKEN"),
    }
}

//! What a run may resume, and what its outcome may store.

use super::Parts;
use crate::plan::environment::context_text;
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

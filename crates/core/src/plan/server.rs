//! What the server says of itself: where its home is, and which files are its own.

use super::check::instance_id;
use super::environment::context_text;
use crate::own_pod::OwnPod;
use crate::request::{HostProcess, RunRequest};

/// Variables of the server that name files of its own.
const FILES: [&str; 2] = ["PAPERCLIP_SECRETS_MASTER_KEY_FILE", "PAPERCLIP_CONFIG"];

/// `PAPERCLIP_HOME`; a server that does not tell it has it where it says the agent's workspace is.
pub(super) fn home(request: &RunRequest) -> Option<String> {
    let named = request.host.env("PAPERCLIP_HOME").filter(|home| home.starts_with('/'));
    named.map(str::to_owned).or_else(|| {
        let workspace = request.context.get("paperclipWorkspace")?.as_object()?;
        let path = context_text(workspace, &["agentHome"])?;
        let below = format!("/instances/{}/workspaces/{}", instance_id(request), request.agent.id);
        path.strip_suffix(&below).map(str::to_owned)
    })
}

/// Files that stay with the server, wherever they lie: by the process's environment, and by that of its pod.
pub(super) fn files<'a>(host: &'a HostProcess, own: Option<&'a OwnPod>) -> Vec<&'a str> {
    let told = FILES.iter().filter_map(|name| host.env(name));
    told.chain(FILES.iter().filter_map(|name| own?.literal(name))).collect()
}

//! MCP servers that a run should have had and did not (FLD-28): the CLI goes on without them and says nothing.

use std::collections::BTreeSet;

use super::evidence::SessionFacts;
use super::plain_text::{first, plain};
use crate::transcript::Transcript;

/// One warning for each server that does not work, by what the CLI printed at its start.
#[must_use]
pub fn mcp_warnings(transcript: &Transcript, session: &SessionFacts) -> Vec<String> {
    let Some(servers) = transcript.mcp_servers() else { return Vec::new() };
    let shown = |name: &str| first(&plain(name), 100);
    let broken = servers.iter().filter_map(|(name, status)| match status.as_str() {
        "failed" => Some(format!(
            "MCP server `{}` failed to start or to connect, so its tools do not exist in this run: check its definition and whether pods reach it",
            shown(name)
        )),
        "needs-auth" => Some(format!(
            "MCP server `{}` wants a login, so its tools do not exist in this run: give it a token in its `headers`",
            shown(name)
        )),
        _ => None,
    });
    let missing = session.mcp_servers.iter().filter(|name| !servers.iter().any(|(known, _)| known == *name));
    let missing = missing.map(|name| {
        format!("MCP server `{}` was given to Claude Code and is missing in it: check its definition", shown(name))
    });
    let mut seen = BTreeSet::new();
    broken.chain(missing).filter(|warning| seen.insert(warning.clone())).collect()
}

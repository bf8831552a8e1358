//! Values that must not appear in anything the host stores (PRM-07).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::config::Config;
use crate::request::RunRequest;

/// The API key, MCP tokens and the values of secret bindings, longest first: one may contain another.
pub(super) fn redactions(request: &RunRequest, config: &Config) -> Vec<String> {
    let bound = secret_names(request);
    let configured = config.env.iter().filter(|(name, _)| bound.contains(name.as_str())).map(|(_, value)| value);
    let tokens = request.mcp_servers.iter().map(|server| &server.token);
    let all: BTreeSet<&String> = request.auth_token.iter().chain(tokens).chain(configured).collect();
    let mut all: Vec<String> = all.into_iter().filter(|value| !value.is_empty()).cloned().collect();
    all.sort_by_key(|value| std::cmp::Reverse(value.len()));
    all
}

/// Names bound to a secret: by the agent itself, or by what the host says it resolved for this run.
fn secret_names(request: &RunRequest) -> BTreeSet<&str> {
    let bindings = request.agent.adapter_config.get("env").and_then(Value::as_object).into_iter().flatten();
    let references = bindings.filter(|(_, value)| {
        let kind = value.get("type").and_then(Value::as_str);
        matches!(kind, Some("secret_ref" | "user_secret_ref"))
    });
    let manifest = request.context.get("paperclipSecrets").and_then(|secrets| secrets.get("manifest")?.as_array());
    let resolved = manifest.into_iter().flatten().filter_map(|entry| entry.get("envKey")?.as_str());
    references.map(|(name, _)| name.as_str()).chain(resolved).collect()
}

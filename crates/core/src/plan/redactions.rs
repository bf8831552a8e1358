//! Values that must not appear in anything the host stores (PRM-07).

use std::collections::BTreeSet;

use serde_json::Value;

use super::environment::Environment;
use super::environment::names::is_sensitive;
use crate::config::Config;
use crate::request::RunRequest;

/// The API key, MCP tokens, the values of secret bindings and those that the agent inherits from the server, longest
/// first: one may contain another.
pub(super) fn redactions(request: &RunRequest, config: &Config, environment: &Environment) -> Vec<String> {
    let bound = secret_names(request);
    let configured =
        config.env.iter().filter(|(name, _)| bound.contains(name.as_str())).map(|(_, value)| value.as_str());
    let tokens = request.mcp_servers.iter().map(|server| server.token.as_str());
    // What is configured without a binding is no secret by the operator's own word.
    let is_configured = |name: &str| config.env.iter().any(|(known, _)| known == name);
    let inherited = environment.secrets().filter(|(name, _)| !is_configured(name));
    // Of a reference only the pod knows the value, and the server, which has it from the same place.
    let referenced = request.host.inheritable.0.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let inherited = inherited.chain(referenced).filter(|(name, value)| is_telling(name, value)).map(|(_, value)| value);
    let all = request.auth_token.as_deref().into_iter().chain(tokens).chain(configured).chain(inherited);
    let all: BTreeSet<&str> = all.filter(|value| !value.is_empty()).collect();
    let mut all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    all.sort_by_key(|value| std::cmp::Reverse(value.len()));
    all
}

/// Names whose values stand in every transcript and are no secret.
const OPEN_NAMES: [&str; 6] = ["MODEL", "REGION", "LANG", "LC_", "GIT_AUTHOR_", "GIT_COMMITTER_"];

/// Is an inherited value worth hiding? Its name says so, or nothing about it says that it is a mere setting.
fn is_telling(name: &str, value: &str) -> bool {
    is_sensitive(name) || !(OPEN_NAMES.iter().any(|part| name.contains(part)) || is_setting(value))
}

/// A path, a URL without credentials, a number: hiding it would tear holes into transcripts.
fn is_setting(value: &str) -> bool {
    let is_plain_url = |(_, rest): (&str, &str)| !rest.contains(['@', '?', '#']);
    value.starts_with('/')
        || value.split_once("://").is_some_and(is_plain_url)
        || value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b' '))
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

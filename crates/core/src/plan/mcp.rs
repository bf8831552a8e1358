//! The MCP configuration file. Tokens stand in it, so it travels in a Secret.

use serde_json::{Map, Value, json};

use super::environment::ApiUrl;
use super::http_url::HttpUrl;
use crate::config::Config;
use crate::request::{McpServer, RunRequest};

/// The file and what identifies its servers across runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct McpConfig {
    /// Content of `mcp.json`.
    pub(crate) json: String,
    /// Sorted names and connection ids; neither addresses nor tokens, which change with every run.
    pub(crate) identity: String,
    /// Names of the servers.
    pub(crate) names: Vec<String>,
}

impl McpConfig {
    /// `None` when there is no server at all.
    pub(crate) fn build(
        request: &RunRequest,
        config: &Config,
        api_url: &ApiUrl,
        warnings: &mut Vec<String>,
    ) -> Option<Self> {
        let mut servers = Map::new();
        let mut identity: Vec<(String, String)> = Vec::new();
        for server in &request.mcp_servers {
            let Some(url) = reachable(&server.url, api_url) else {
                warnings.push(format!(
                    "MCP server `{}` is left out: its URL is a loopback address and no URL of the host is known",
                    server.name
                ));
                continue;
            };
            let name = free_name(&servers, server);
            let authorization = format!("Bearer {}", server.token);
            let entry = json!({ "type": "http", "url": url, "headers": { "Authorization": authorization } });
            identity.push((name.clone(), server.connection_id.clone()));
            servers.insert(name, entry);
        }
        for (name, definition) in &config.mcp_servers {
            if servers.contains_key(name) {
                warnings.push(format!("config.mcpServers: `{name}` is replaced by the host's server of that name"));
                continue;
            }
            identity.push((name.clone(), String::new()));
            servers.insert(name.clone(), definition.clone());
        }
        if servers.is_empty() {
            return None;
        }
        identity.sort();
        let identity: Vec<Value> =
            identity.iter().map(|(name, id)| json!({ "name": name, "connectionId": id })).collect();
        let names = servers.keys().cloned().collect();
        Some(Self {
            names,
            json: json!({ "mcpServers": servers }).to_string(),
            identity: Value::from(identity).to_string(),
        })
    }
}

/// The URL as the pod can call it. The CLI expands `${NAME}` in the file (docs/internals/claude.md 12).
fn reachable(url: &str, api_url: &ApiUrl) -> Option<String> {
    let Some(parsed) = HttpUrl::parse(url).filter(HttpUrl::is_loopback) else { return Some(url.to_owned()) };
    let origin = match api_url.known() {
        Some(known) => HttpUrl::parse(known)?.origin,
        None if *api_url == ApiUrl::Absent => return None,
        None => "${PAPERCLIP_API_URL}",
    };
    Some(format!("{origin}{}", parsed.rest))
}

/// The server's own name, else with the start of its connection id, else with a counter.
fn free_name(taken: &Map<String, Value>, server: &McpServer) -> String {
    let name = &server.name;
    if !taken.contains_key(name) {
        return name.clone();
    }
    let short: String = server.connection_id.chars().take(8).collect();
    let with_id = if short.is_empty() { name.clone() } else { format!("{name}-{short}") };
    let counted = (2..).map(|count| format!("{with_id}-{count}"));
    std::iter::once(with_id.clone()).chain(counted).find(|name| !taken.contains_key(name)).unwrap_or(with_id)
}

//! `env`: variables of the operator for the container.

use serde_json::Value;

use super::grammar::ENV_NAME;
use super::reader::{Reader, UNRESOLVED_SECRET};
use super::structured::{has_secret_reference, scalar_text, shown};
use super::types::Config;

/// Longest `NAME=value` in bytes: Linux refuses a longer string at `execve`.
pub const MAX_ENTRY_BYTES: usize = 131_071;

/// Largest sum of environment and arguments in bytes; Linux allows 2 MiB, and the run adds its own.
pub const MAX_TOTAL_BYTES: usize = 1_572_864;

/// Names the adapter sets for the run; an operator's value is dropped with a warning.
const RESERVED: [&str; 25] = [
    "HOME",
    "PAPERCLIP_AGENT_ID",
    "PAPERCLIP_API_KEY",
    "PAPERCLIP_APPROVAL_ID",
    "PAPERCLIP_APPROVAL_STATUS",
    "PAPERCLIP_COMPANY_ID",
    "PAPERCLIP_ISSUE_WORK_MODE",
    "PAPERCLIP_LINKED_ISSUE_IDS",
    "PAPERCLIP_RUN_ID",
    "PAPERCLIP_RUNTIME_PRIMARY_URL",
    "PAPERCLIP_RUNTIME_SERVICE_INTENTS_JSON",
    "PAPERCLIP_RUNTIME_SERVICES_JSON",
    "PAPERCLIP_TASK_ID",
    "PAPERCLIP_WAKE_COMMENT_ID",
    "PAPERCLIP_WAKE_PAYLOAD_JSON",
    "PAPERCLIP_WAKE_REASON",
    "PAPERCLIP_WORKSPACE_BRANCH",
    "PAPERCLIP_WORKSPACE_CWD",
    "PAPERCLIP_WORKSPACE_ID",
    "PAPERCLIP_WORKSPACE_REPO_REF",
    "PAPERCLIP_WORKSPACE_REPO_URL",
    "PAPERCLIP_WORKSPACE_SOURCE",
    "PAPERCLIP_WORKSPACE_STRATEGY",
    "PAPERCLIP_WORKSPACE_WORKTREE_PATH",
    "PAPERCLIP_WORKSPACES_JSON",
];

/// Whether the adapter sets this name itself, so that neither `env` nor `podTemplate` may.
///
/// A JSON value that is too long for the environment travels as a file named by `<NAME>_FILE`: reserved too.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let name = name.strip_suffix("_FILE").filter(|name| name.ends_with("_JSON")).unwrap_or(name);
    RESERVED.contains(&name)
}

/// The entries in the order given, without reserved names.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let entries = match reader.raw("env") {
        Some(Value::Object(entries)) => entries,
        Some(other) => {
            reader.reject("env", format!("expected an object of names and values, got {}", shown(other)));
            return Vec::new();
        }
        None => return Vec::new(),
    };
    let mut env = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        match entry_text(name, value) {
            Err(reason) => reader.reject(format!("env.{name}"), reason),
            Ok(value) => match correction(name, &value) {
                Some(text) => reader.warn(format!("env.{name}"), text),
                None => env.push((name.clone(), value)),
            },
        }
    }
    env
}

/// Refuses more than the kernel would start a process with.
pub(super) fn check_total_size(reader: &mut Reader<'_>, config: &Config) {
    let env: usize = config.env.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let args: usize = config.extra_args.iter().map(|arg| arg.len() + 1).sum();
    if env + args > MAX_TOTAL_BYTES {
        let total = env + args;
        reader.reject(
            "env",
            format!(
                "all variables and arguments together are {total} bytes long, at most {MAX_TOTAL_BYTES} are possible"
            ),
        );
    }
}

/// The value as text. Errors never show it: most values are secrets.
fn entry_text(name: &str, value: &Value) -> Result<String, String> {
    if !ENV_NAME.accepts(name) {
        return Err(format!("is not {} ({})", ENV_NAME.name, ENV_NAME.rule));
    }
    if has_secret_reference(value) {
        return Err(UNRESOLVED_SECRET.to_owned());
    }
    let plain = match value.get("type").and_then(Value::as_str) {
        Some("plain") => value.get("value").unwrap_or(&Value::Null),
        _ => value,
    };
    let text = scalar_text(plain).ok_or("expected text, a number, a boolean, or `{type: \"plain\", value}`")?;
    if text.contains('\0') {
        return Err("contains a NUL byte, which no environment variable can hold".to_owned());
    }
    let length = name.len() + 1 + text.len();
    if length > MAX_ENTRY_BYTES {
        return Err(format!("is {length} bytes long with its name, at most {MAX_ENTRY_BYTES} are possible"));
    }
    Ok(text)
}

/// Why a well-formed entry is nevertheless left out.
fn correction(name: &str, value: &str) -> Option<&'static str> {
    if is_reserved(name) {
        return Some("is set by the adapter for each run; the value is ignored");
    }
    if name == "PAPERCLIP_API_URL" && !is_reachable_url(value) {
        return Some("does not name a host that a pod can reach (an http(s) URL, not loopback); the value is ignored");
    }
    None
}

/// Whether a pod could reach this URL: absolute, http or https, neither loopback nor the wildcard address.
#[must_use]
pub fn is_reachable_url(url: &str) -> bool {
    let url = url.trim();
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => return address.parse().is_ok_and(is_reachable_address),
        None => host.split(':').next().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase(),
    };
    if host.is_empty() || host.contains(char::is_whitespace) || host == "localhost" || host.ends_with(".localhost") {
        return false;
    }
    // `127.1` and `0` are addresses for every resolver although `Ipv4Addr` does not parse them.
    let numeric = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    !(numeric && (host.starts_with("127.") || host.split('.').all(|part| part.bytes().all(|byte| byte == b'0'))))
}

fn is_reachable_address(address: std::net::Ipv6Addr) -> bool {
    let mapped = address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback() || v4.is_unspecified());
    !(address.is_loopback() || address.is_unspecified() || mapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cfg_07_only_a_url_that_a_pod_can_reach_is_usable() {
        for url in [
            "http://paperclip:3100",
            "https://a.example/x?y#z",
            "HTTP://10.0.0.7",
            "http://u:p@host",
            "http://[fd00::1]:80",
        ] {
            assert!(is_reachable_url(url), "{url}");
        }
        for url in [
            "",
            "paperclip:3100",
            "ftp://host",
            "http://",
            "http:///path",
            "http://localhost:3100",
            "http://LOCALHOST.",
            "http://a.localhost",
            "http://127.0.0.1",
            "http://127.1:80/",
            "http://0.0.0.0:3100",
            "http://0",
            "http://[::1]:1",
            "http://[::]",
            "http://[::ffff:127.0.0.1]",
            "http://u@localhost",
            "http://[nonsense]",
        ] {
            assert!(!is_reachable_url(url), "{url}");
        }
    }
}

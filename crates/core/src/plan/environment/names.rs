//! Which names come from where, and which never reach a pod.

use serde_json::{Map, Value};

/// Credentials of the server. An inherited `envFrom` cannot be filtered, so these are shadowed with empty literals.
pub(super) const SERVER_CREDENTIALS: &[&str] = &[
    "DATABASE_URL",
    "DATABASE_MIGRATION_URL",
    "BETTER_AUTH_SECRET",
    "PAPERCLIP_AGENT_JWT_SECRET",
    "PAPERCLIP_SECRETS_MASTER_KEY",
    "PAPERCLIP_TOOL_ACTION_SIGNING_SECRET",
    "PAPERCLIP_DECISION_SIGNING_SECRET",
    "PAPERCLIP_TOOL_OAUTH_CLIENT_SECRET",
];

/// Set by the host in `config.env` for processes on its own machine.
const HOST_ONLY: &[&str] = &[
    "PATH",
    "ZDOTDIR",
    "BASH_ENV",
    "GH_CONFIG_DIR",
    "SSH_AUTH_SOCK",
    "PAPERCLIP_SCRATCH_DIR",
    "PAPERCLIP_RUN_SCRATCH_DIR",
    "PAPERCLIP_TASK_SCRATCH_DIR",
    "PAPERCLIP_TMPDIR",
    "PAPERCLIP_GITHUB_HOST_HOME",
    "PAPERCLIP_GITHUB_AUTH_MODE",
    "PAPERCLIP_GITHUB_LAUNCHER_DIR",
    "PAPERCLIP_GIT_METADATA_ROOTS",
    "PAPERCLIP_RUNNER_NETWORK_ROOTS",
    "PAPERCLIP_RUNNER_NETWORK_ACCESS",
];

/// Host-only when they name a file of the host.
const HOST_ONLY_PATHS: &[&str] = &["GIT_ASKPASS", "SSH_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"];

/// Temporary directories by their usual names; host-only when the host set them.
pub(super) const TEMP_NAMES: &[&str] = &["TMPDIR", "TMP", "TEMP", "CLAUDE_CODE_TMPDIR"];

/// Address and token of the host's GitHub broker: reachable from the host's own processes only.
pub(super) const BROKER_NAMES: &[&str] = &["PAPERCLIP_GITHUB_BROKER_URL", "PAPERCLIP_GITHUB_BROKER_TOKEN"];

/// Adapter-made directories of a run, all on the scratch volume.
pub(super) const SCRATCH_NAMES: &[&str] =
    &["PAPERCLIP_SCRATCH_DIR", "PAPERCLIP_RUN_SCRATCH_DIR", "PAPERCLIP_TASK_SCRATCH_DIR", "PAPERCLIP_TMPDIR"];

/// Caches on the scratch volume: name and directory below the cache directory.
pub(super) const CACHE_NAMES: &[(&str, &str)] = &[
    ("XDG_CACHE_HOME", ""),
    ("npm_config_cache", "/npm"),
    ("PIP_CACHE_DIR", "/pip"),
    ("GOCACHE", "/go-build"),
    ("GOMODCACHE", "/go-mod"),
    ("BUN_INSTALL_CACHE_DIR", "/bun"),
];

/// Words in the name of an inherited literal that make its value a secret.
const SENSITIVE_WORDS: &[&str] =
    &["key", "token", "secret", "password", "passwd", "authorization", "cookie", "credential"];

/// Does a `config.env` entry only make sense on the host's machine?
pub(super) fn is_host_only(name: &str, value: &str, applied: &HostTemp) -> bool {
    HOST_ONLY.contains(&name)
        || (TEMP_NAMES.contains(&name) && applied.covers(name, value))
        || (HOST_ONLY_PATHS.contains(&name) && value.starts_with('/') && value != "/dev/null")
}

/// May the value of this inherited literal be read by everybody who may read Jobs?
pub(crate) fn is_sensitive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SENSITIVE_WORDS.iter().any(|word| name.contains(word))
}

/// Can this name be part of a Secret key?
pub(super) fn fits_secret_key(name: &str) -> bool {
    name.len() <= 240 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

/// The temporary directory the host made for the run: `context.paperclipScratch`.
#[derive(Debug, Default)]
pub(super) struct HostTemp {
    directory: Option<String>,
    names: Vec<String>,
}

impl HostTemp {
    pub(super) fn read(context: &Map<String, Value>) -> Self {
        let Some(scratch) = context.get("paperclipScratch").and_then(Value::as_object) else { return Self::default() };
        let names = scratch.get("tempKeysApplied").and_then(Value::as_array);
        Self {
            directory: scratch.get("dir").and_then(Value::as_str).map(str::to_owned),
            names: names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }

    /// The host says it set the name, or the value is its directory.
    fn covers(&self, name: &str, value: &str) -> bool {
        self.names.iter().any(|applied| applied == name) || self.directory.as_deref() == Some(value)
    }
}

/// Can a POSIX shell export this name?
pub(crate) fn is_shell_name(name: &str) -> bool {
    let legal = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    legal && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
}

//! What the per-run settings file says: the pinned environment and the output-limiting hook.
//!
//! A settings file of the working tree may set `env`, which overrides the pod's environment: a hostile tree could
//! redirect requests together with the credential. `--settings` is stronger (docs/internals/claude.md 13), so every name
//! that decides where a request or credential goes stands in it, the absent ones as empty. Values the adapter does not
//! know, because the pod gets them from a Secret it does not read, are pinned by the script in the pod.
//!
//! The home's own settings file is the operator's or the agent's, not the tree's: what it names is honoured where the
//! host sees it (TRU-26).

use serde_json::{Map, Value};

use super::environment::{Environment, Known};
use super::home::HomeSettings;
use crate::paths::RUN_MOUNT;

/// Names that decide where requests and credentials go. From the CLI's own lists of such names.
const PINNED: [&[&str]; 3] = [ADDRESSES, &PROVIDERS, FURTHER];

/// Each of them.
pub(super) fn pinned() -> impl Iterator<Item = &'static str> {
    PINNED.into_iter().flatten().copied()
}

const ADDRESSES: &[&str] = &[
    BASE_URL,
    "_CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
    "ANTHROPIC_VERTEX_BASE_URL",
    "ANTHROPIC_FOUNDRY_BASE_URL",
    "ANTHROPIC_FOUNDRY_RESOURCE",
    "ANTHROPIC_AWS_BASE_URL",
    "ANTHROPIC_GOOGLE_CLOUD_BASE_URL",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_UNIX_SOCKET",
    "CLAUDE_CODE_RUNNER_MODEL_SOCKET",
];

const FURTHER: &[&str] = &[
    "CLAUDE_CODE_USE_GATEWAY",
    "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
    "CLAUDE_CODE_SKIP_MANTLE_AUTH",
    "CLAUDE_CODE_SKIP_VERTEX_AUTH",
    "CLAUDE_CODE_SKIP_FOUNDRY_AUTH",
    "CLAUDE_CODE_SKIP_ANTHROPIC_AWS_AUTH",
    "CLAUDE_CODE_SKIP_ANTHROPIC_GOOGLE_CLOUD_AUTH",
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
    "CLAUDE_CODE_HOST_AUTH_ENV_VAR",
    "CLAUDE_CODE_CUSTOM_OAUTH_URL",
    "CLAUDE_CODE_API_BASE_URL",
    "CLAUDE_CODE_MEMORY_API_BASE_URL",
    "CLAUDE_CODE_ARTIFACTS_API_BASE_URL",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_BEDROCK",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_SSO",
    "AWS_ENDPOINT_URL_SSO_OIDC",
    "AWS_ENDPOINT_URL_SIGNIN",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "GCE_METADATA_HOST",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "CLAUDE_CODE_HTTP_PROXY",
    "CLAUDE_CODE_HTTPS_PROXY",
    "CLAUDE_CODE_PROXY_URL",
    "CLAUDE_CODE_PROXY_HOST",
    "CLAUDE_CODE_PROXY_RESOLVES_HOSTS",
    "CLAUDE_CODE_ENABLE_PROXY_AUTH_HELPER",
    "NODE_USE_ENV_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    CERTIFICATES,
    "SSL_CERT_DIR",
    "CLAUDE_CODE_CERT_STORE",
    "CLAUDE_CODE_CLIENT_CERT",
    "CLAUDE_CODE_CLIENT_KEY",
    "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
    "NODE_OPTIONS",
    "BUN_OPTIONS",
    "PAPERCLIP_API_URL",
];

pub(crate) const BASE_URL: &str = "ANTHROPIC_BASE_URL";
pub(crate) const CERTIFICATES: &str = "SSL_CERT_FILE";
/// What it is pinned to when it is absent: the script puts the image's own certificates there. OpenSSL takes an empty
/// value for a file of that name, and so trusts nobody: every tool built on it would fail.
pub(crate) const CERTIFICATES_FILE: &str = "/opt/paperclip/scratch/certificates";
pub(crate) const PUBLIC_ENDPOINT: &str = "https://api.anthropic.com";

/// Switches to a provider with an endpoint of its own.
pub(crate) const PROVIDERS: [&str; 6] = [
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD",
];

/// Credentials that a run can bring for the public endpoint or a gateway.
pub(crate) const CREDENTIALS: [&str; 3] = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"];

/// Where the script puts the file together when it has to pin names itself.
pub(crate) const JOINED_FILE: &str = "/opt/paperclip/scratch/settings.json";

/// Content of the settings file, and the names whose value only the pod knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Settings {
    /// Names with the value they keep.
    pub(crate) pinned: Map<String, Value>,
    /// Bytes a tool output may have; `None` without the hook.
    pub(crate) hook_limit: Option<u32>,
    /// Names whose value only the pod knows.
    pub(crate) hidden: Vec<&'static str>,
    /// Only the pod knows what is to become of the base URL.
    pub(crate) endpoint: Option<PodEndpoint>,
}

/// How the pod decides about a base URL that its environment does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodEndpoint {
    /// The public one, unless another provider is switched on.
    Public,
    /// The same, but without a credential of its own it stays open: the home may name a gateway for its token.
    OpenWithoutCredential,
}

impl Settings {
    /// `hook_limit`: bytes a tool output may have, when `enableRtk`.
    pub(crate) fn new(
        environment: &Environment,
        home: &HomeSettings,
        hook_limit: Option<u32>,
        warnings: &mut Vec<String>,
    ) -> Self {
        let mut settings = Self { hook_limit, ..Self::default() };
        for name in pinned().filter(|name| *name != BASE_URL) {
            match value(environment, home, name) {
                Known::Value(value) => settings.pin(name, value),
                Known::Hidden => settings.hidden.push(name),
                Known::Absent => settings.pin(name, &usual(environment, name)),
            }
        }
        settings.base_url(environment, home, warnings);
        settings
    }

    fn base_url(&mut self, environment: &Environment, home: &HomeSettings, warnings: &mut Vec<String>) {
        let switched = |name: &&str| self.pinned.get(*name).and_then(Value::as_str).is_some_and(is_on);
        let elsewhere = PROVIDERS.iter().any(switched);
        let unsure = PROVIDERS.iter().any(|name| self.hidden.contains(name));
        let brings_one = CREDENTIALS.iter().any(|name| environment.brings(name));
        let may_bring_one = CREDENTIALS.iter().any(|name| environment.known(name) == Known::Hidden);
        let open = *home == HomeSettings::Unseen && !brings_one;
        let in_pod = if open { PodEndpoint::OpenWithoutCredential } else { PodEndpoint::Public };
        match value(environment, home, BASE_URL) {
            Known::Value(url) => self.pin(BASE_URL, url),
            _ if elsewhere => self.pin(BASE_URL, ""),
            Known::Hidden => self.endpoint = Some(in_pod),
            Known::Absent if unsure || (open && may_bring_one) => self.endpoint = Some(in_pod),
            Known::Absent if open => warnings.push(
                "the run brings no model credential and the server does not see the agent's home: `ANTHROPIC_BASE_URL` is left to the settings of the home, and so to those of a project; set it, or a credential, in `env`"
                    .to_owned(),
            ),
            Known::Absent => self.pin(BASE_URL, PUBLIC_ENDPOINT),
        }
    }

    fn pin(&mut self, name: &str, value: &str) {
        self.pinned.insert(name.to_owned(), value.into());
    }

    /// The script in the pod completes the file.
    pub(crate) fn is_completed_in_the_pod(&self) -> bool {
        !self.hidden.is_empty() || self.endpoint.is_some()
    }

    /// The run names no certificates: those of the image are meant.
    pub(crate) fn pins_own_certificates(&self) -> bool {
        self.pinned.get(CERTIFICATES).and_then(Value::as_str) == Some(CERTIFICATES_FILE)
    }

    /// The path for `--settings`.
    pub(crate) fn path(&self) -> String {
        if self.is_completed_in_the_pod() { JOINED_FILE.to_owned() } else { format!("{RUN_MOUNT}/settings.json") }
    }

    /// Requests go somewhere else than to the public endpoint, as far as it is known.
    pub(crate) fn names_a_gateway(&self) -> bool {
        let url = self.pinned.get(BASE_URL).and_then(Value::as_str).unwrap_or_default();
        !url.is_empty() && url.trim_end_matches('/') != PUBLIC_ENDPOINT
    }
}

/// The environment's own value, else the home's, which the CLI prefers to what only the pod knows.
fn value<'a>(environment: &'a Environment, home: &'a HomeSettings, name: &str) -> Known<'a> {
    match (environment.known(name), home.get(name)) {
        (Known::Value(text), _) if !text.is_empty() => Known::Value(text),
        (_, Some(text)) => Known::Value(text),
        (Known::Value(_), None) => Known::Absent,
        (known, None) => known,
    }
}

/// What an absent name is pinned to: nothing, or where tools look without it. AWS's own library for Python takes an empty
/// name for no file at all, and would find neither profile nor region of the home.
fn usual(environment: &Environment, name: &str) -> String {
    let in_home = |file: &str| match environment.known("HOME") {
        Known::Value(home) => format!("{}/.aws/{file}", home.trim_end_matches('/')),
        Known::Hidden | Known::Absent => String::new(),
    };
    match name {
        CERTIFICATES => CERTIFICATES_FILE.to_owned(),
        "AWS_CONFIG_FILE" => in_home("config"),
        "AWS_SHARED_CREDENTIALS_FILE" => in_home("credentials"),
        _ => String::new(),
    }
}

fn is_on(text: &str) -> bool {
    !matches!(text.trim(), "" | "0" | "false")
}

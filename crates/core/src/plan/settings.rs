//! What the per-run settings file says: the pinned environment and the output-limiting hook.
//!
//! A settings file of the working tree may set `env`, which overrides the pod's environment: a hostile tree could
//! redirect requests together with the credential. `--settings` is stronger (docs/internals/claude.md 13). Values the
//! adapter does not know, because the pod gets them from a Secret it does not read, are pinned by the script in the
//! pod.

use serde_json::{Map, Value};

use super::environment::{Environment, Known};
use crate::paths::RUN_MOUNT;

/// Names that decide where credentials go.
const PINNED: [&str; 11] = [
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_BEDROCK_BASE_URL",
    "ANTHROPIC_VERTEX_BASE_URL",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "ANTHROPIC_CUSTOM_HEADERS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "PAPERCLIP_API_URL",
];

const PUBLIC_ENDPOINT: &str = "https://api.anthropic.com";

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
}

impl Settings {
    /// `hook_limit`: bytes a tool output may have, when `enableRtk`.
    pub(crate) fn new(environment: &Environment, hook_limit: Option<u32>) -> Self {
        let mut settings = Self { hook_limit, ..Self::default() };
        for name in PINNED {
            match environment.known(name) {
                Known::Value(value) => {
                    settings.pinned.insert(name.to_owned(), value.into());
                }
                Known::Hidden => settings.hidden.push(name),
                Known::Absent => {}
            }
        }
        let elsewhere = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX"];
        let is_public = environment.known(PINNED[0]) == Known::Absent
            && elsewhere.iter().all(|name| !environment.is_on(name) && environment.known(name) != Known::Hidden);
        if is_public {
            settings.pinned.insert(PINNED[0].to_owned(), PUBLIC_ENDPOINT.into());
        }
        settings
    }

    /// The path for `--settings`.
    pub(crate) fn path(&self) -> String {
        if self.hidden.is_empty() { format!("{RUN_MOUNT}/settings.json") } else { JOINED_FILE.to_owned() }
    }
}

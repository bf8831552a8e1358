//! The per-run settings file: the pinned environment and the output-limiting hook.
//!
//! A settings file of the working tree may set `env`, which overrides the pod's environment: a hostile tree could
//! redirect requests together with the credential. `--settings` is stronger (docs/internals/claude.md 13). Values the
//! adapter does not know, because the pod gets them from a Secret it does not read, are pinned by the script in the
//! pod.

use serde_json::{Map, Value, json};

use super::environment::{Environment, Known};
use crate::paths::RUN_MOUNT;

/// The hook that shortens big tool outputs.
pub(crate) const RTK: &str = include_str!("../manifest/rtk.cjs");

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
const JOINED_FILE: &str = "/opt/paperclip/scratch/settings.json";

/// Content of the settings file, and the names whose value only the pod knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Settings {
    pinned: Map<String, Value>,
    hook: Option<Value>,
    hidden: Vec<&'static str>,
}

impl Settings {
    /// `hook_limit`: bytes a tool output may have, when `enableRtk`.
    pub(crate) fn new(environment: &Environment, hook_limit: Option<u32>) -> Self {
        let mut settings = Self { hook: hook_limit.map(hook), ..Self::default() };
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

    /// Payload files: the whole file, or what stands before and after the names that the script pins.
    pub(crate) fn files(&self) -> Vec<(&'static str, String)> {
        let mut settings = Map::from_iter([("env".to_owned(), Value::Object(self.pinned.clone()))]);
        if let Some(hook) = &self.hook {
            settings.insert("hooks".to_owned(), hook.clone());
        }
        if self.hidden.is_empty() {
            return vec![("settings.json", Value::Object(settings).to_string())];
        }
        let mut head = format!("{{\"env\":{}", Value::Object(self.pinned.clone()));
        head.pop(); // the brace that closes `env`
        let hooks = self.hook.as_ref().map_or(String::new(), |hook| format!(",\"hooks\":{hook}"));
        vec![("settings.head", head), ("settings.tail", format!("}}{hooks}}}"))]
    }

    /// The lines of the script that pin what only the pod knows; empty when there is nothing.
    ///
    /// A value that would need JSON escapes is not pinned, and said so: a shell alone cannot escape it.
    pub(crate) fn script(&self) -> String {
        if self.hidden.is_empty() {
            return String::new();
        }
        let separator = if self.pinned.is_empty() { "" } else { "," };
        let pin = |name: &&str| format!("pin {name} \"${{{name}-}}\"\n");
        let pieces = [
            format!("pins=\nseparator='{separator}'\n{PIN_FUNCTION}"),
            self.hidden.iter().map(pin).collect(),
            if self.hidden.contains(&PINNED[0]) { PIN_PUBLIC_ENDPOINT.to_owned() } else { String::new() },
            format!(
                "{{ cat {RUN_MOUNT}/settings.head; echo \"$pins\"; cat {RUN_MOUNT}/settings.tail; }} >{JOINED_FILE}\n"
            ),
        ];
        pieces.concat()
    }
}

/// As [`PUBLIC_ENDPOINT`], for a pod whose environment only the pod knows.
const PIN_PUBLIC_ENDPOINT: &str = r#"if [ -z "${ANTHROPIC_BASE_URL-}${CLAUDE_CODE_USE_BEDROCK-}${CLAUDE_CODE_USE_VERTEX-}" ]; then
  pin ANTHROPIC_BASE_URL https://api.anthropic.com
fi
"#;

const PIN_FUNCTION: &str = r#"pin() {
  case $2 in
  '') ;;
  *[!A-Za-z0-9\ :/._~%?=\&+,@*-]*) echo "[paperclip] Warning: a project's settings may override $1: its value has special characters" ;;
  *) pins="$pins$separator\"$1\":\"$2\"" separator=, ;;
  esac
}
"#;

/// Guarded, because a hook that cannot start would print an error for every tool call.
fn hook(limit: u32) -> Value {
    let command = format!("if command -v node >/dev/null 2>&1; then node {RUN_MOUNT}/rtk.cjs {limit}; fi");
    json!({ "PostToolUse": [{ "matcher": "*", "hooks": [{ "type": "command", "command": command }] }] })
}

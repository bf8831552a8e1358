//! The settings file as the pod gets it, and the lines of the script that pin what only the pod knows.

use serde_json::{Map, Value, json};

use crate::paths::RUN_MOUNT;
use crate::plan::settings::{JOINED_FILE, Settings};

/// The hook that shortens big tool outputs.
pub(super) const RTK: &str = include_str!("rtk.cjs");

/// Payload files: the whole file, or what stands before and after the names that the script pins.
pub(super) fn files(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut members = Map::from_iter([("env".to_owned(), Value::Object(settings.pinned.clone()))]);
    let hook = settings.hook_limit.map(hook);
    if let Some(hook) = &hook {
        members.insert("hooks".to_owned(), hook.clone());
    }
    if settings.hidden.is_empty() {
        return vec![("settings.json", Value::Object(members).to_string())];
    }
    let mut head = format!("{{\"env\":{}", Value::Object(settings.pinned.clone()));
    head.pop(); // the brace that closes `env`
    let hooks = hook.as_ref().map_or(String::new(), |hook| format!(",\"hooks\":{hook}"));
    vec![("settings.head", head), ("settings.tail", format!("}}{hooks}}}"))]
}

/// The lines of the script that pin what only the pod knows; empty when there is nothing.
///
/// A value that would need JSON escapes is not pinned, and said so: a shell alone cannot escape it.
pub(super) fn script(settings: &Settings) -> String {
    if settings.hidden.is_empty() {
        return String::new();
    }
    let separator = if settings.pinned.is_empty() { "" } else { "," };
    let pin = |name: &&str| format!("pin {name} \"${{{name}-}}\"\n");
    let pieces = [
        format!("pins=\nseparator='{separator}'\n{PIN_FUNCTION}"),
        settings.hidden.iter().map(pin).collect(),
        if settings.hidden.contains(&"ANTHROPIC_BASE_URL") { PIN_PUBLIC_ENDPOINT.to_owned() } else { String::new() },
        format!("{{ cat {RUN_MOUNT}/settings.head; echo \"$pins\"; cat {RUN_MOUNT}/settings.tail; }} >{JOINED_FILE}\n"),
    ];
    pieces.concat()
}

/// The public endpoint is pinned too, for a pod whose environment only the pod knows.
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

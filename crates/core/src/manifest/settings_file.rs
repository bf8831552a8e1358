//! The settings file as the pod gets it, and the lines of the script that pin what only the pod knows.

use serde_json::{Map, Value, json};

use crate::paths::RUN_MOUNT;
use crate::plan::settings::{
    BASE_URL, CERTIFICATES_FILE, CREDENTIALS, JOINED_FILE, PROVIDERS, PUBLIC_ENDPOINT, PodEndpoint, Settings,
};

/// The hook that shortens big tool outputs.
pub(super) const RTK: &str = include_str!("rtk.cjs");

/// Payload files: the whole file, or what stands before and after the names that the script pins.
pub(super) fn files(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut members = Map::from_iter([("env".to_owned(), Value::Object(settings.pinned.clone()))]);
    let hook = settings.hook_limit.map(hook);
    if let Some(hook) = &hook {
        members.insert("hooks".to_owned(), hook.clone());
    }
    if !settings.is_completed_in_the_pod() {
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
    let certificates = if settings.pins_own_certificates() { own_certificates() } else { String::new() };
    if !settings.is_completed_in_the_pod() {
        return certificates;
    }
    let separator = if settings.pinned.is_empty() { "" } else { "," };
    let names = settings.hidden.join(" ");
    let hidden = if names.is_empty() { String::new() } else { PIN_HIDDEN.replace("NAMES", &names) };
    let pieces = [
        certificates,
        format!("pins=\nseparator='{separator}'\n{PIN_FUNCTION}"),
        hidden,
        settings.endpoint.map(endpoint).unwrap_or_default(),
        format!("{{ cat {RUN_MOUNT}/settings.head; echo \"$pins\"; cat {RUN_MOUNT}/settings.tail; }} >{JOINED_FILE}\n"),
    ];
    pieces.concat()
}

/// Puts the image's certificates to where the settings file says they are. The places are those of the distributions.
fn own_certificates() -> String {
    format!(
        "for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do\n  \
         if [ -r \"$file\" ]; then\n    if cat \"$file\" >{CERTIFICATES_FILE} 2>/dev/null; then :; fi\n    break\n  fi\ndone\n"
    )
}

/// The base URL, decided where the environment is known: a token of the home must not go to the public endpoint
/// because of us (TRU-26), and no project may send the pod's elsewhere.
fn endpoint(rule: PodEndpoint) -> String {
    let any = |names: &[&str]| names.iter().flat_map(|name| ["${", name, "-}"]).collect::<String>();
    let open = match rule {
        PodEndpoint::Public => String::new(),
        PodEndpoint::OpenWithoutCredential => format!(
            "elif [ -z \"{}\" ]; then\n  echo '[paperclip] Warning: the run brings no model credential: ANTHROPIC_BASE_URL is left to the settings of the home and of the project'\n",
            any(&CREDENTIALS)
        ),
    };
    format!(
        "if [ -n \"${{{BASE_URL}-}}{}\" ]; then\n  pin {BASE_URL} \"${{{BASE_URL}-}}\"\n{open}else\n  pin {BASE_URL} {PUBLIC_ENDPOINT}\nfi\n",
        any(&PROVIDERS)
    )
}

/// The names are ours; only their values come from elsewhere.
const PIN_HIDDEN: &str = r#"for name in NAMES; do
  eval "value=\${$name-}"
  pin "$name" "$value"
done
"#;

const PIN_FUNCTION: &str = r#"pin() {
  case $2 in
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

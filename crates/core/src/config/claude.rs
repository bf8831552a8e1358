//! Keys that become arguments, prompt and working directory of the CLI.

use serde_json::{Map, Value};

use super::reader::Reader;
use super::structured::{shown, shown_text};

/// `model`.
pub(super) fn model(reader: &mut Reader<'_>) -> Option<String> {
    let model = reader.text("model")?;
    if model.contains(char::is_whitespace) || model.chars().count() > 256 {
        let shown = shown_text(&model);
        reader.reject("model", format!("expected at most 256 characters without white space, got {shown}"));
        return None;
    }
    Some(model)
}

/// `effort`.
pub(super) fn effort(reader: &mut Reader<'_>) -> Option<String> {
    let effort = reader.text("effort")?;
    if !["low", "medium", "high", "xhigh", "max"].contains(&effort.as_str()) {
        let shown = shown_text(&effort);
        reader.warn("effort", format!("{shown} is none of `low medium high xhigh max`; the CLI ignores it"));
    }
    Some(effort)
}

/// `instructionsBundleMode`.
pub(super) fn instructions_external(reader: &mut Reader<'_>) -> bool {
    let key = "instructionsBundleMode";
    let Some(mode) = reader.text(key) else { return false };
    if !["external", "managed"].contains(&mode.as_str()) {
        reader.warn(key, format!("{} is neither `external` nor `managed`; taken as `managed`", shown_text(&mode)));
    }
    mode == "external"
}

/// `mcpServers`.
pub(super) fn mcp_servers(reader: &mut Reader<'_>) -> Map<String, Value> {
    let key = "mcpServers";
    let servers = match reader.json(key) {
        Some(Value::Object(servers)) => servers,
        Some(other) => {
            reader.reject(key, format!("expected an object of server definitions, got {}", shown(&other)));
            return Map::new();
        }
        None => return Map::new(),
    };
    for (name, server) in &servers {
        let has = |member: &str| server.get(member).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        if !has("command") && !has("url") {
            reader.reject(format!("{key}.{name}"), "needs a `command` (a local server) or a `url` (a remote one)");
        }
    }
    servers
}

/// `paperclipRuntimeSkills`, `paperclipSkillSync`: only their shape. Which skills can be read is found out where
/// the files are.
pub(super) fn check_skills(reader: &mut Reader<'_>) {
    let key = "paperclipRuntimeSkills";
    match reader.value(key) {
        None => {}
        Some(Value::Array(skills)) => {
            for (index, skill) in skills.iter().enumerate() {
                if skill.get("source").and_then(Value::as_str).is_none_or(|source| source.trim().is_empty()) {
                    reader.warn(format!("{key}[{index}]"), "has no `source` directory; this skill is not delivered");
                }
            }
        }
        Some(other) => reader.warn(key, format!("expected a list of skills, got {}; none is delivered", shown(other))),
    }
    let key = "paperclipSkillSync";
    if let Some(other) = reader.value(key).filter(|value| !value.is_object()) {
        reader.warn(key, format!("expected an object, got {}; the choice of skills is ignored", shown(other)));
    }
}

//! Keys that become arguments, prompt and working directory of the CLI.

use serde_json::{Map, Value};

use super::arguments::{self, ExtraArgs};
use super::parse::MOST;
use super::reader::Reader;
use super::structured::{shown, shown_text};

/// What the CLI is given; the members are those of [`Config`](super::Config).
pub(super) struct ClaudeKeys {
    pub(super) model: Option<String>,
    pub(super) effort: Option<String>,
    pub(super) max_turns_per_run: u32,
    pub(super) skip_permissions: bool,
    pub(super) extra_args: ExtraArgs,
    pub(super) prompt_template: Option<String>,
    pub(super) bootstrap_prompt_template: Option<String>,
    pub(super) resume_last_session: bool,
    pub(super) mcp_servers: Map<String, Value>,
    pub(super) strict_mcp_config: bool,
    pub(super) instructions_file_path: Option<String>,
    pub(super) instructions_root_path: Option<String>,
    pub(super) instructions_entry_file: Option<String>,
    pub(super) instructions_external: bool,
    pub(super) cwd: Option<String>,
    pub(super) enable_rtk: bool,
}

pub(super) fn read(reader: &mut Reader<'_>) -> ClaudeKeys {
    skills(reader);
    ClaudeKeys {
        model: model(reader),
        effort: effort(reader),
        max_turns_per_run: max_turns(reader),
        skip_permissions: reader.boolean("dangerouslySkipPermissions").unwrap_or(true),
        extra_args: arguments::read(reader),
        prompt_template: reader.text("promptTemplate"),
        bootstrap_prompt_template: reader.text("bootstrapPromptTemplate"),
        resume_last_session: reader.boolean("resumeLastSession").unwrap_or(true),
        mcp_servers: mcp_servers(reader),
        strict_mcp_config: reader.boolean("strictMcpConfig").unwrap_or(false),
        instructions_file_path: reader.absolute_path("instructionsFilePath"),
        instructions_root_path: reader.text("instructionsRootPath"),
        instructions_entry_file: reader.text("instructionsEntryFile"),
        instructions_external: instructions_external(reader),
        cwd: reader.absolute_path("cwd"),
        enable_rtk: reader.boolean("enableRtk").unwrap_or(false),
    }
}

fn model(reader: &mut Reader<'_>) -> Option<String> {
    let model = reader.text("model")?;
    if model.contains(char::is_whitespace) || model.chars().count() > 256 {
        let shown = shown_text(&model);
        reader.reject("model", format!("expected at most 256 characters without white space, got {shown}"));
        return None;
    }
    Some(model)
}

fn effort(reader: &mut Reader<'_>) -> Option<String> {
    let effort = reader.text("effort")?;
    if !["low", "medium", "high", "xhigh", "max"].contains(&effort.as_str()) {
        let shown = shown_text(&effort);
        reader.warn("effort", format!("{shown} is none of `low medium high xhigh max`; the CLI ignores it"));
    }
    Some(effort)
}

fn max_turns(reader: &mut Reader<'_>) -> u32 {
    reader.integer("maxTurnsPerRun", 0..=MOST).and_then(|turns| u32::try_from(turns).ok()).unwrap_or(0)
}

fn instructions_external(reader: &mut Reader<'_>) -> bool {
    let key = "instructionsBundleMode";
    let Some(mode) = reader.text(key) else { return false };
    if !["external", "managed"].contains(&mode.as_str()) {
        reader.warn(key, format!("{} is neither `external` nor `managed`; taken as `managed`", shown_text(&mode)));
    }
    mode == "external"
}

fn mcp_servers(reader: &mut Reader<'_>) -> Map<String, Value> {
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

/// The host delivers skills; which of them can be read is found out where the files are.
fn skills(reader: &mut Reader<'_>) {
    let key = "paperclipRuntimeSkills";
    match reader.value(key) {
        None => {}
        Some(Value::Array(skills)) => {
            for (index, skill) in skills.iter().enumerate() {
                if !skill.get("source").and_then(Value::as_str).is_some_and(|source| !source.trim().is_empty()) {
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

//! What the home of the agent says about where requests go: `.claude/settings.json` of an earlier run or the operator.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Surroundings;
use super::isolation::agent_home;
use super::settings::pinned;
use super::volumes::DataVolume;
use crate::config::{Config, Isolation};
use crate::request::RunRequest;

/// The file beneath the home.
pub const HOME_SETTINGS: &str = ".claude/settings.json";
/// More is no settings file.
pub const HOME_SETTINGS_MAX: u64 = 1024 * 1024;

/// Names of the home's settings that decide where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HomeSettings {
    /// The server does not see the home.
    #[default]
    Unseen,
    /// What is named there; empty when there is no such file, or none that Claude Code would read.
    Seen(BTreeMap<String, String>),
}

impl HomeSettings {
    /// From the content of the file. What is no JSON, Claude Code ignores (docs/internals/claude.md 13).
    #[must_use]
    pub fn read(content: &[u8]) -> Self {
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
        let settings: Map<String, Value> = serde_json::from_slice(content).unwrap_or_default();
        let env = settings.get("env").and_then(Value::as_object);
        let named = env.into_iter().flatten().filter(|(name, _)| pinned().any(|pinned| pinned == name.as_str()));
        Self::Seen(named.filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
    }

    /// There is no such file.
    #[must_use]
    pub fn none() -> Self {
        Self::Seen(BTreeMap::new())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        match self {
            Self::Unseen => None,
            Self::Seen(named) => named.get(name).map(String::as_str).filter(|text| !text.is_empty()),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Where the server sees the home of the pod; `None` when it does not.
#[must_use]
pub fn home_on_host(request: &RunRequest, config: &Config, surroundings: &Surroundings) -> Option<String> {
    let data = data_volume(request, config, surroundings);
    if config.isolation == Isolation::Agent {
        return agent_home(request, surroundings.own_pod.as_ref(), &data);
    }
    data.host_path().map(str::to_owned)
}

/// A home that ends with the pod holds nothing from before.
#[must_use]
pub fn home_is_new(request: &RunRequest, config: &Config, surroundings: &Surroundings) -> bool {
    !data_volume(request, config, surroundings).is_persistent()
}

fn data_volume(request: &RunRequest, config: &Config, surroundings: &Surroundings) -> DataVolume {
    let home = request.host.env("PAPERCLIP_HOME");
    DataVolume::resolve(config, surroundings.own_pod.as_ref(), surroundings.placement, home)
}

//! `inheritEnv` and `inheritVolumes`: what of the server's own pod an agent gets beyond what Claude Code needs.

use serde_json::Value;

use super::grammar::{DNS_LABEL, ENV_NAME};
use super::reader::Reader;
use super::server_env::{is_identity, is_server_only};
use super::structured::{shown, shown_text};

/// Names that are inherited by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherit {
    /// `*`.
    pub all: bool,
    /// Whole names, or beginnings of names that end with `*`.
    pub names: Vec<String>,
}

impl Inherit {
    /// Is the name among them?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.all
            || self
                .names
                .iter()
                .any(|wanted| wanted.strip_suffix('*').map_or(wanted == name, |start| name.starts_with(start)))
    }
}

/// `inheritEnv`. What is the server's alone is refused by name: a pattern may cover it and does not get it.
pub(super) fn env(reader: &mut Reader<'_>) -> Inherit {
    let names = names(reader, "inheritEnv");
    let mut inherit = Inherit::default();
    for name in names {
        let start = name.strip_suffix('*').unwrap_or(&name);
        if name == "*" {
            inherit.all = true;
        } else if !ENV_NAME.accepts(start) {
            let shown = shown_text(&name);
            reader.reject("inheritEnv", format!("{shown} is neither a name, nor the beginning of names and `*`"));
        } else if is_server_only(start) {
            reader.reject("inheritEnv", format!("`{name}` belongs to the server and is never inherited; use `env`"));
        } else if is_identity(start) {
            let reason = format!("`{name}` is part of the identity of the server's pod; set `serviceAccountName`");
            reader.reject("inheritEnv", reason);
        } else {
            inherit.names.push(name);
        }
    }
    inherit
}

/// `inheritVolumes`: names of volumes of the server's pod.
pub(super) fn volumes(reader: &mut Reader<'_>) -> Inherit {
    let names = names(reader, "inheritVolumes");
    let mut inherit = Inherit::default();
    for name in names {
        if name == "*" {
            inherit.all = true;
        } else if DNS_LABEL.accepts(&name) {
            inherit.names.push(name);
        } else {
            let shown = shown_text(&name);
            let reason = format!("{shown} is neither `*` nor the name of a volume ({})", DNS_LABEL.rule);
            reader.reject("inheritVolumes", reason);
        }
    }
    inherit
}

/// A list of texts, or one text with spaces, commas or line ends between them.
fn names(reader: &mut Reader<'_>, key: &'static str) -> Vec<String> {
    let split = |text: &str| {
        let names = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    match reader.value(key) {
        None => Vec::new(),
        Some(Value::String(text)) => split(text),
        Some(Value::Array(items)) => {
            let mut names = Vec::new();
            for item in items {
                match item.as_str() {
                    Some(name) => names.extend(split(name)),
                    None => reader.reject(key, format!("expected names, got {}", shown(item))),
                }
            }
            names
        }
        Some(other) => {
            reader.reject(key, format!("expected a list of names, got {}", shown(other)));
            Vec::new()
        }
    }
}

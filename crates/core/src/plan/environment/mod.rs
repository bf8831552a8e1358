//! The environment of the container: one entry per name, in layers, and where each value travels.
//!
//! ```text
//!  own pod ─ inherit ─┐
//!  defaults           ├─ layers (a later one replaces a name) ─▶ Environment ─▶ env, envFrom of the container
//!  run variables      │                                              │
//!  config.env ────────┘                                              └────────▶ Secret entries, payload files
//! ```

mod api_url;
mod inherit;
mod layers;
pub(crate) mod names;
mod run_variables;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVarSource};

pub(crate) use api_url::ApiUrl;
pub(crate) use layers::{Sources, build};
pub(crate) use run_variables::{context_text, task_id};

/// Longer values travel in the Secret even when nothing about them is secret: the Job has to stay small.
const INLINE_MAX: usize = 8 * 1024;

/// Where a value travels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum EnvValue {
    /// Written into the Job, `$` escaped.
    Literal(String),
    /// Travels in the payload.
    Secret(String),
    /// A `valueFrom` of the own pod; the adapter does not know the value.
    Reference(Box<EnvVarSource>),
    /// Optional references to sources that may have the value: the last one that has it counts.
    Sources(Vec<EnvVarSource>),
}

impl EnvValue {
    /// Bytes of the value, 0 when only the pod knows it.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Literal(text) | Self::Secret(text) => text.len(),
            Self::Reference(_) | Self::Sources(_) => 0,
        }
    }
}

/// What the adapter knows about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known<'a> {
    Value(&'a str),
    /// The pod gets it, or may get it, from a source the adapter does not read.
    Hidden,
    Absent,
}

/// The environment of the container. Names are unique; the order is the order in the Job.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Environment {
    entries: Vec<(String, EnvValue)>,
    /// Inherited `envFrom`; every entry above shadows it.
    pub(crate) env_from: Vec<EnvFromSource>,
    /// Values too long for an environment entry, by name: payload file `files/<NAME>`.
    pub(crate) files: Vec<(String, String)>,
}

impl Environment {
    /// Sets a name. A replaced entry keeps its place, so that `$(NAME)` in later entries still finds it.
    pub(crate) fn set(&mut self, name: &str, value: EnvValue) {
        let value = match value {
            EnvValue::Literal(text) if text.len() > INLINE_MAX => EnvValue::Secret(text),
            other => other,
        };
        match self.entries.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.entries.push((name.to_owned(), value)),
        }
    }

    /// Sets a literal.
    pub(crate) fn literal(&mut self, name: &str, value: impl Into<String>) {
        self.set(name, EnvValue::Literal(value.into()));
    }

    /// Removes a name.
    pub(crate) fn remove(&mut self, name: &str) {
        self.entries.retain(|(known, _)| known != name);
    }

    /// All entries in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &EnvValue)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// What travels in the payload: name and value.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries().filter_map(|(name, value)| match value {
            EnvValue::Secret(text) => Some((name, text.as_str())),
            _ => None,
        })
    }

    /// What is known about the value the pod will see.
    pub(crate) fn known(&self, name: &str) -> Known<'_> {
        match self.entries().find(|(known, _)| *known == name).map(|(_, value)| value) {
            Some(EnvValue::Literal(text) | EnvValue::Secret(text)) => Known::Value(text),
            None if self.env_from.is_empty() => Known::Absent,
            Some(EnvValue::Reference(_) | EnvValue::Sources(_)) | None => Known::Hidden,
        }
    }

    /// Is a name switched on (`1`, `true`, any text but `0` and `false`)? An unknown value counts as absent.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        matches!(self.known(name), Known::Value(text) if !matches!(text.trim(), "" | "0" | "false"))
    }

    /// Does the pod certainly get a value for this name: a text, or a reference of its own?
    pub(crate) fn brings(&self, name: &str) -> bool {
        self.is_reference(name) || matches!(self.known(name), Known::Value(text) if !text.is_empty())
    }

    /// Does a name get its value from a Secret or `ConfigMap` that an entry of its own names?
    pub(crate) fn is_reference(&self, name: &str) -> bool {
        self.entries().any(|(known, value)| known == name && matches!(value, EnvValue::Reference(_)))
    }

    /// Is a name set by an entry of its own, with a text or a reference?
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.entries().any(|(known, value)| {
            known == name
                && match value {
                    EnvValue::Literal(text) | EnvValue::Secret(text) => !text.is_empty(),
                    EnvValue::Reference(_) | EnvValue::Sources(_) => true,
                }
        })
    }
}

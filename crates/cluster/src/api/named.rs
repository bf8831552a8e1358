//! What a call is called in messages: which request it was, and nothing about what its failure means.

use std::time::Duration;

use claude_k8s_core::permissions::Access;

use super::Namespace;

pub(super) const DRY_RUN: &str = "Dry run of";
/// As the client library says it of an error that is none of the API server's.
pub(super) const NO_STATUS: &str = "Failed to parse error data";
pub(super) const READING_THE_LOG: &str = "Reading the log of";

impl Namespace {
    /// One object. `verb`: `Creating`, `Reading`.
    pub(crate) fn what(&self, verb: &str, kind: &str, name: &str) -> String {
        format!("{verb} {kind} `{name}` in namespace `{}`", self.name)
    }

    pub(super) fn listing(&self, kind: &str) -> String {
        format!("Listing {kind} in {}", self.place())
    }

    pub(super) fn reading_metrics(&self) -> String {
        format!("Reading the metrics of pods in {}", self.place())
    }

    pub(super) fn reading_itself(&self) -> String {
        format!("Reading namespace `{}`", self.name)
    }

    fn place(&self) -> String {
        if self.name.is_empty() { "all namespaces".to_owned() } else { format!("namespace `{}`", self.name) }
    }
}

pub(super) fn asking(access: Access) -> String {
    format!("Asking whether {access} is allowed")
}

pub(super) fn version() -> String {
    "Reading the server version".to_owned()
}

/// For the observer of a call that has ended.
pub(super) fn done(what: &str, cause: Option<&str>, took: Duration) -> String {
    format!("{what}: {} after {} ms", cause.unwrap_or("done"), took.as_millis())
}

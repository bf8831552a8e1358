//! Failures of log requests, told once: a capture that fails is never silent (LOG-06).

use std::time::Duration;

use claude_k8s_core::log::Stream;
use tokio::time::Instant;

use super::{LogTarget, OpenError, SpoolWriter};

/// A failure that lasts shorter is nobody's concern.
const WORTH_TELLING: Duration = Duration::from_secs(30);

/// The current outage, if there is one.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    since: Option<Instant>,
    told: bool,
    pub(super) forbidden: bool,
    pub(super) last_error: Option<String>,
}

impl Trouble {
    /// A request failed.
    pub(super) fn failed(&mut self, error: &OpenError, target: &LogTarget, spool: &SpoolWriter) {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.last_error = Some(error.to_string());
        if let OpenError::Forbidden(message) = error {
            if !self.forbidden {
                let namespace = &target.namespace;
                let text = format!(
                    "The container log cannot be read: the service account may not `get` `pods/log` in namespace \
                     `{namespace}`. Grant it; until then the run continues without output. ({message})"
                );
                spool.status(Stream::Stderr, &text);
                self.told = true;
            }
            self.forbidden = true;
        } else if !self.told && since.elapsed() >= WORTH_TELLING {
            let seconds = since.elapsed().as_secs();
            let text =
                format!("The container log could not be read for {seconds}s; trying on while the pod runs. ({error})");
            spool.status(Stream::Stderr, &text);
            self.told = true;
        }
    }

    /// A request was answered with a log.
    pub(super) fn over(&mut self, spool: &SpoolWriter) {
        if std::mem::take(&mut self.told) {
            spool.status(Stream::Stderr, "The container log can be read again.");
        }
        self.since = None;
        self.forbidden = false;
    }
}

//! The status line that tells a reader that a silent pod is alive. Never fed to the parser, never after the end.

use jiff::Timestamp;

use super::constants::{KEEPALIVE, KEEPALIVE_LATER, KEEPALIVE_SWITCH};
use super::state::after;

/// When the container last wrote something, and when a line was last said about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keepalive {
    output: Timestamp,
    said: Timestamp,
}

impl Keepalive {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { output: now, said: now }
    }

    pub(super) fn output_at(&mut self, last_output: Option<Timestamp>) {
        if let Some(at) = last_output.filter(|at| *at > self.output) {
            self.output = at;
            self.said = self.said.max(at);
        }
    }

    pub(super) fn next_at(&self) -> Timestamp {
        let silent = self.said.duration_since(self.output);
        let rare = silent.unsigned_abs() >= KEEPALIVE_SWITCH;
        after(self.said, if rare { KEEPALIVE_LATER } else { KEEPALIVE })
    }

    pub(super) fn line(&mut self, job: &str, stale_since: Option<Timestamp>, now: Timestamp) -> Option<String> {
        if now < self.next_at() {
            return None;
        }
        self.said = now;
        let seconds = now.duration_since(self.output).as_secs();
        Some(match stale_since {
            None => format!("keepalive — job {job} running ({seconds}s since last output)"),
            Some(since) => format!(
                "keepalive — API server not reachable for {}s, job {job} was running when last seen ({seconds}s since last output)",
                now.duration_since(since).as_secs()
            ),
        })
    }
}

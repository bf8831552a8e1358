//! What tells a reader that a silent pod is alive. Never fed to the parser, never after the end.
//!
//! The host looks for silent runs by the time of the last output, and every line of the log is output to it: so the log
//! gets the first line of a silence only, the host's status line all of them (`docs/internals/host.md` 10).

use jiff::Timestamp;

use super::command::Command;
use super::constants::{KEEPALIVE, KEEPALIVE_LATER, KEEPALIVE_SWITCH};
use super::state::after;

/// When the container last wrote something, and when a line was last said about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Keepalive {
    output: Timestamp,
    said: Timestamp,
    /// What the log was told in this silence: that the pod runs, that nobody can be asked.
    told: [bool; 2],
}

impl Keepalive {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { output: now, said: now, told: [false; 2] }
    }

    pub(super) fn output_at(&mut self, last_output: Option<Timestamp>) {
        if let Some(at) = last_output.filter(|at| *at > self.output) {
            self.output = at;
            self.said = self.said.max(at);
            self.told = [false; 2];
        }
    }

    /// When the container last wrote something, or started.
    pub(super) fn output(&self) -> Timestamp {
        self.output
    }

    pub(super) fn next_at(&self) -> Timestamp {
        let silent = self.said.duration_since(self.output);
        let rare = silent.unsigned_abs() >= KEEPALIVE_SWITCH;
        after(self.said, if rare { KEEPALIVE_LATER } else { KEEPALIVE })
    }

    pub(super) fn speak(
        &mut self,
        job: &str,
        stale_since: Option<Timestamp>,
        now: Timestamp,
        commands: &mut Vec<Command>,
    ) {
        if now < self.next_at() {
            return;
        }
        self.said = now;
        let seconds = now.duration_since(self.output).as_secs();
        let text = match stale_since {
            None => format!("keepalive — job {job} running ({seconds}s since last output)"),
            Some(since) => format!(
                "keepalive — API server not reachable for {}s, job {job} was running when last seen ({seconds}s since last output)",
                now.duration_since(since).as_secs()
            ),
        };
        let told = &mut self.told[usize::from(stale_since.is_some())];
        if !std::mem::replace(told, true) {
            commands.push(Command::Say(text.clone()));
        }
        commands.push(Command::Alive(text));
    }
}

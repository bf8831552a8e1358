//! Tool calls and background work: what was begun and not finished.
//!
//! The host resumes a cancelled run by itself only when no action is half done (CAN-07), so everything that is
//! doubtful counts as unsettled.

use std::collections::HashMap;

use super::last_result::start_of;

/// Calls that are tracked at the same time; real runs have a handful. Beyond it the answer is "unsettled".
const TRACKED_CALLS: usize = 4096;
/// Longest id that is tracked; real ones have 30 bytes.
const TRACKED_ID_BYTES: usize = 256;
/// Of a tool's name; those of MCP servers may be long.
const TRACKED_NAME_BYTES: usize = 128;

/// Tool calls and background tasks of the run, subagents included.
#[derive(Debug, Default, Clone)]
pub(super) struct ToolCalls {
    /// Calls seen.
    pub(super) count: u64,
    /// Names by id.
    open: HashMap<String, String>,
    /// A call could not be tracked.
    untracked: bool,
    /// A tool failed and the model has not answered yet: it may have been killed with the run
    /// (SIGTERM makes a running Bash tool report "Exit code 137", docs/internals/claude.md 10).
    unanswered_failure: bool,
    /// Length of the last background task list.
    background: usize,
    /// A background task was killed or stopped and no result followed.
    background_stopped: bool,
}

impl ToolCalls {
    pub(super) fn called(&mut self, id: Option<&str>, name: Option<&str>) {
        self.count += 1;
        match id {
            Some(id) if id.len() <= TRACKED_ID_BYTES && self.open.len() < TRACKED_CALLS => {
                let name = start_of(name.unwrap_or("unknown"), TRACKED_NAME_BYTES).to_owned();
                self.open.insert(id.to_owned(), name);
            }
            _ => self.untracked = true,
        }
    }

    pub(super) fn returned(&mut self, id: &str, failed: bool) {
        self.open.remove(id);
        self.unanswered_failure |= failed;
    }

    /// The model went on, so it has seen what its tools returned.
    pub(super) fn answered(&mut self) {
        self.unanswered_failure = false;
    }

    pub(super) fn background_list(&mut self, length: usize) {
        self.background = length;
    }

    pub(super) fn background_task_ended(&mut self, status: &str) {
        self.background_stopped |= matches!(status, "killed" | "stopped");
    }

    /// A result: it reports everything that ended before it.
    pub(super) fn reported(&mut self) {
        self.background_stopped = false;
        self.unanswered_failure = false;
    }

    /// Names of the calls that wait for their return, in the order of the alphabet.
    pub(super) fn open_names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<&str> = self.open.values().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// No call waits for its return; there is no need to read tool results.
    pub(super) fn none_open(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn background_cut(&self) -> bool {
        self.background > 0 || self.background_stopped
    }

    pub(super) fn unsettled(&self) -> bool {
        !self.open.is_empty() || self.untracked || self.unanswered_failure || self.background_cut()
    }
}

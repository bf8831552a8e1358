//! The answers of the reader.

use jiff::Timestamp;

use super::last_result::LastResult;
use super::reader::Transcript;
use super::usage::Usage;

impl Transcript {
    /// The session that can be continued: the last id of an `init` or `result` event, never one that a result
    /// without `init` rejects (SES-04).
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// `model` of the last `init` event.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// `apiKeySource` of the last `init` event; `none` also stands for bearer credentials.
    #[must_use]
    pub fn api_key_source(&self) -> Option<&str> {
        self.api_key_source.as_deref()
    }

    /// Name and status of each MCP server in the last `init` event; `None` when that says nothing of servers.
    #[must_use]
    pub fn mcp_servers(&self) -> Option<&[(String, String)]> {
        self.mcp_servers.as_deref()
    }

    /// Something that was claimed about cost cannot be.
    #[must_use]
    pub fn claims_odd_cost(&self) -> bool {
        self.spending.odd
    }

    /// Number of `init` events.
    #[must_use]
    pub fn inits(&self) -> u64 {
        self.inits
    }

    /// Number of `result` events.
    #[must_use]
    pub fn results(&self) -> u64 {
        self.results
    }

    /// Number of tool calls, those of subagents included.
    #[must_use]
    pub fn tool_calls(&self) -> u64 {
        self.tools.count
    }

    /// A tool call or background task was begun and not seen to its end (CAN-07).
    #[must_use]
    pub fn has_unsettled_tools(&self) -> bool {
        self.tools.unsettled()
    }

    /// What the last line was, for people; `None` before the first one.
    #[must_use]
    pub fn last_heard(&self) -> Option<&'static str> {
        self.last_heard
    }

    /// Names of the tools that were called and have not returned.
    pub fn open_tools(&self) -> impl Iterator<Item = &str> {
        self.tools.open_names()
    }

    /// The model said nothing and called no tool; messages that Claude Code made itself do not count.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        !self.model_spoke
    }

    /// The last `result` event of the main thread.
    #[must_use]
    pub fn last_result(&self) -> Option<&LastResult> {
        self.last_result.as_ref()
    }

    /// The run went on after its last result (RES-03). `killed`: the process did not end by itself, so background
    /// work and a turn without its result count too.
    #[must_use]
    pub fn is_cut(&self, killed: bool) -> bool {
        let background = self.tools.background_cut() || self.subagent_after_result || self.inits > self.results;
        self.last_result.is_some() && (self.main_after_result || (killed && background))
    }

    /// When the usage limit that stopped the run resets: the last `rate_limit_event`, if it is a rejection that
    /// names a time. A rejection without a time is an ordinary 429 (docs/internals/claude.md 8).
    #[must_use]
    pub fn quota_resets_at(&self) -> Option<Timestamp> {
        self.last_rate_limit.filter(|limit| limit.rejected)?.resets_at
    }

    /// What this run spent; `None` when no result says so.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.spending.total()
    }

    /// The texts of the main thread, joined by blank lines, at most 32 KiB of the newest.
    #[must_use]
    pub fn main_texts(&self) -> Option<String> {
        self.texts.joined()
    }

    /// The last 32 KiB of the output.
    #[must_use]
    pub fn stdout_tail(&self) -> String {
        self.tail.text(&self.redactor)
    }

    /// Bytes of the output, newlines included.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines that are not blank.
    #[must_use]
    pub fn nonempty_lines(&self) -> u64 {
        self.lines
    }
}

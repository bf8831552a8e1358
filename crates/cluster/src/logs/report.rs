//! What a finished capture says about itself.

pub use claude_k8s_core::log::Tail;
use claude_k8s_core::log::{EndLine, Gap, LogCounters};
use claude_k8s_core::outcome::LogSummary;

/// The whole story of one capture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogReport {
    /// Was the tail read to its end?
    pub tail: Tail,
    /// What the container said about its end, if nothing has followed.
    pub end: Option<EndLine>,
    /// The end of its stderr, as it said it.
    pub stderr: Option<String>,
    /// A log was opened at least once.
    pub readable: bool,
    /// Follow connections after the first one.
    pub reconnects: u64,
    /// Lines, bytes, replays, fragments.
    pub counters: LogCounters,
    /// Gaps, in the order in which they were reported.
    pub gaps: Vec<Gap>,
    /// The service account may not `get` `pods/log`.
    pub forbidden: bool,
}

impl LogReport {
    /// The part that the verdict is based on.
    #[must_use]
    pub fn summary(&self) -> LogSummary {
        LogSummary {
            complete: matches!(self.tail, Tail::Ended | Tail::Confirmed),
            readable: self.readable,
            reconnects: self.reconnects,
            replayed_lines: self.counters.replayed_lines,
            gaps: self.gaps.iter().map(Gap::to_json).collect(),
            bytes: self.counters.bytes,
            end: self.end,
            stderr: self.stderr.clone(),
            ..LogSummary::default()
        }
    }
}

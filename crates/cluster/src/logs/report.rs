//! What a finished capture says about itself.

use claude_k8s_core::log::{Gap, LogCounters};
use claude_k8s_core::outcome::LogSummary;

/// The whole story of one capture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogReport {
    /// Was the tail read to its end?
    pub tail: Tail,
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
    /// The newest failure of a log request, if any.
    pub last_error: Option<String>,
}

/// How the capture ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tail {
    /// The whole file was read and holds exactly what was delivered.
    Proven,
    /// Two reads after the container's end agree, or the follow of a deleted pod ended cleanly after it.
    Confirmed,
    /// Output may be missing at the end, for this reason.
    Unconfirmed(String),
    /// The capture was stopped before the container ended.
    #[default]
    Stopped,
}

impl LogReport {
    /// The part that the verdict is based on.
    #[must_use]
    pub fn summary(&self) -> LogSummary {
        LogSummary {
            complete: matches!(self.tail, Tail::Proven | Tail::Confirmed),
            readable: self.readable,
            reconnects: self.reconnects,
            replayed_lines: self.counters.replayed_lines,
            gaps: self.gaps.iter().map(Gap::to_json).collect(),
            bytes: self.counters.bytes,
            ..LogSummary::default()
        }
    }
}

//! What the cursor says, and its counters.

use bytes::Bytes;

use super::Gap;

/// Something that has to reach the reader of the log, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// A line that was never delivered before, with its `\n`.
    Line(Bytes),
    /// The beginning of a line that is too long to be held whole.
    Begin(Bytes),
    /// More of that line; the last piece with its `\n`.
    More(Bytes),
    /// The last output of the container, which ended without `\n`.
    Unterminated(Bytes),
    /// Lines are missing here, or that cannot be excluded.
    Gap(Gap),
}

/// What happened on the way. Only sums, so they cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogCounters {
    /// Lines delivered, raw ones included.
    pub lines: u64,
    /// Bytes delivered, newlines included.
    pub bytes: u64,
    /// Lines that a connection repeated.
    pub replayed_lines: u64,
    /// Anchors found by the last line alone.
    pub weak_anchors: u64,
    /// Lines without a timestamp that were dropped as fragments of a replay.
    pub dropped_fragments: u64,
    /// Lines without a timestamp that were passed on.
    pub raw_lines: u64,
    /// Notices of the kubelet that were dropped.
    pub notices: u64,
    /// Gaps reported.
    pub gaps: u64,
}

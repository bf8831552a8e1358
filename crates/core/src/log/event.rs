//! What the cursor says: lines, gaps and counters.

use bytes::Bytes;
use serde_json::{Value, json};

use super::LogTime;

/// Which of the host's two output streams a text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The container's stdout and the adapter's progress.
    Stdout,
    /// The container's stderr and the adapter's warnings.
    Stderr,
}

impl Stream {
    /// The host's name of the stream.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// Something that has to reach the reader of the log, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// A line that was never delivered before, with its `\n`.
    Line(Bytes),
    /// The last output of the container, which ended without `\n`.
    Unterminated(Bytes),
    /// Lines are missing here, or that cannot be excluded.
    Gap(Gap),
}

/// A loss that happened or cannot be excluded. It stands where the lines would stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Time of the last line before the gap.
    pub after: Option<LogTime>,
    /// Time of the first line behind it, if there is one.
    pub before: Option<LogTime>,
    /// How it was noticed.
    pub reason: GapReason,
}

/// How a gap was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// The delivered tail is not in the log file any more. Often nothing is missing; nobody can tell.
    Rotated,
    /// The log does not begin as every log of a run does: its first file was gone before it was read.
    RotatedUnread,
    /// The delivered tail did not come within the text that is held back.
    HeldTooLong,
    /// The whole log file does not hold what was delivered.
    FileDiffers {
        /// Lines that were delivered.
        delivered: u64,
        /// Lines that the file holds.
        present: u64,
    },
}

impl Gap {
    /// The text for the operator, without prefix and newline.
    #[must_use]
    pub fn message(&self) -> String {
        let between = match (self.after, self.before) {
            (Some(after), Some(before)) => format!(" between {after} and {before}"),
            (Some(after), None) => format!(" after {after}"),
            (None, Some(before)) => format!(" before {before}"),
            (None, None) => String::new(),
        };
        match self.reason {
            GapReason::Rotated => format!(
                "Log gap: lines{between} may be missing, because the node rotated the container log while it was not \
                 being read"
            ),
            GapReason::RotatedUnread => format!(
                "Log gap: lines{between} may be missing, because the node rotated the container log before it was \
                 first read"
            ),
            GapReason::HeldTooLong => format!(
                "Log gap: lines{between} may be missing or repeated, because the last delivered line was not found in \
                 what the node sent again"
            ),
            GapReason::FileDiffers { delivered, present } => format!(
                "Log gap: {delivered} lines were delivered but the log file holds {present}; lines are missing or \
                 repeated"
            ),
        }
    }

    /// The entry of `resultJson.k8s.logGaps`: `after`, `before` and `reason`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let time = |time: Option<LogTime>| time.map(|time| time.to_string());
        let mut entry = json!({ "after": time(self.after), "before": time(self.before) });
        match self.reason {
            GapReason::Rotated => entry["reason"] = "rotated".into(),
            GapReason::RotatedUnread => entry["reason"] = "rotated_unread".into(),
            GapReason::HeldTooLong => entry["reason"] = "held_too_long".into(),
            GapReason::FileDiffers { delivered, present } => {
                entry["reason"] = "file_differs".into();
                entry["delivered"] = delivered.into();
                entry["present"] = present.into();
            }
        }
        entry
    }
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

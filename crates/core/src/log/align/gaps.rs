//! A loss of lines, told where the lines would stand.

use serde_json::{Value, json};

use crate::log::body::LogTime;

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
    /// The node can have gone on to a later file inside of a follow, because the log grew faster than it was read.
    Outrun,
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
            GapReason::Outrun => format!(
                "Log gap: lines{between} may be missing, because the container wrote faster than its log was read and \
                 the node rotated it meanwhile"
            ),
            GapReason::HeldTooLong => format!(
                "Log gap: lines{between} may be missing or repeated, because the last delivered line was not found in \
                 what the node sent again"
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
            GapReason::Outrun => entry["reason"] = "outrun".into(),
        }
        entry
    }
}

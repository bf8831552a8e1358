//! What the last lines of a log tell.

use jiff::Timestamp;
use serde::Serialize;

use super::row::seconds_since;
use crate::log::LogTime;
use crate::transcript::Transcript;

/// When a run was last heard, and what it has spent so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Heard {
    /// Time of the last line, by the node's clock.
    pub last_output_at: Option<Timestamp>,
    /// How long ago that was, by the server's clock.
    pub silent_seconds: Option<u64>,
    /// Input and output tokens, where a result stands among the last lines.
    pub tokens: Option<u64>,
}

impl Heard {
    /// Reads the end of a log with timestamps, at a time of the server. Lines that were cut are passed over.
    #[must_use]
    pub fn read(tail: &str, now: Timestamp) -> Self {
        let mut transcript = Transcript::default();
        let mut last = None;
        for line in tail.lines() {
            if let Some((time, length)) = LogTime::parse_prefix(line.as_bytes()) {
                last = Some(time);
                transcript.line(line.get(length..).unwrap_or_default().trim_start().as_bytes());
            }
        }
        let tokens = transcript.usage().map(|usage| {
            usage.input_tokens.saturating_add(usage.cached_input_tokens).saturating_add(usage.output_tokens)
        });
        let last_output_at = last.and_then(LogTime::to_timestamp);
        Self { last_output_at, silent_seconds: last_output_at.map(|last| seconds_since(last, now)), tokens }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_gives_the_time_and_a_result_the_tokens() {
        let tail = "2026-01-01T00:00:01.5Z {\"type\":\"system\",\"subtype\":\"init\"}\n\
            2026-01-01T00:00:02Z {\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\
            \"usage\":{\"input_tokens\":10,\"output_tokens\":5}}\n2026-01-01T00:00:03Z [paperclip] x";
        let heard = Heard::read(tail, "2026-01-01T00:01:03Z".parse().unwrap());
        assert_eq!(heard.last_output_at, "2026-01-01T00:00:03Z".parse().ok());
        assert_eq!((heard.silent_seconds, heard.tokens), (Some(60), Some(15)));
        assert_eq!(Heard::read("no time\n", Timestamp::UNIX_EPOCH), Heard::default());
    }
}

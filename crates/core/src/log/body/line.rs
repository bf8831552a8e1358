//! One line of the body: time and text.

use bytes::{Buf as _, Bytes};

use super::LogTime;

/// A complete line of a log body, as read with `timestamps=true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When its first record was written. `None`: a fragment or two streams glued together
    /// (`docs/internals/kubernetes.md` 1.3).
    pub at: Option<LogTime>,
    /// What the container wrote, with the final `\n` if there was one.
    pub text: Bytes,
}

impl Line {
    /// Splits `TIME text`. The text is a slice of `raw`.
    #[must_use]
    pub fn parse(mut raw: Bytes) -> Self {
        let Some((at, length)) = LogTime::parse_prefix(&raw) else { return Self { at: None, text: raw } };
        match raw.get(length) {
            Some(b' ') => raw.advance(length + 1),
            Some(b'\n') | None => raw.advance(length),
            Some(_) => return Self { at: None, text: raw },
        }
        Self { at: Some(at), text: raw }
    }

    /// The text without its `\n`. A `\r` belongs to the text.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.text.strip_suffix(b"\n").unwrap_or(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_text_are_split_at_the_first_space() {
        let cases: [(&'static str, bool, &str); 7] = [
            ("2026-01-02T03:04:05.123456789Z {\"a\": 1}\n", true, "{\"a\": 1}"),
            ("2026-01-02T03:04:05.123456789Z \n", true, ""),
            ("2026-01-02T03:04:05.123456789Z\n", true, ""),
            ("2026-01-02T03:04:05.123456789+01:00  two spaces\r\n", true, " two spaces\r"),
            ("2026-01-02T03:04:05.123456789Zglued\n", false, "2026-01-02T03:04:05.123456789Zglued"),
            ("tail of a line\n", false, "tail of a line"),
            ("\n", false, ""),
        ];
        for (raw, timed, body) in cases {
            let line = Line::parse(Bytes::from_static(raw.as_bytes()));
            assert_eq!((line.at.is_some(), line.body()), (timed, body.as_bytes()), "{raw:?}");
        }
    }
}

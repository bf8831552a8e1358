//! Redaction of a text that arrives in pieces.

use super::{REDACTED, Redactor};

/// Replaces values across the borders of pieces (PRM-07).
///
/// An end of a piece that may be the start of a value is held back until the next piece or [`Self::finish`].
#[derive(Debug)]
pub struct StreamRedactor {
    redactor: Redactor,
    /// The start of a value, perhaps. Shorter than the longest form.
    carry: String,
}

impl StreamRedactor {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, carry: String::new() }
    }

    /// Every piece is passed on as it is: there is nothing to search.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.redactor.is_empty()
    }

    /// Adds a piece; appends to `out` what is certain.
    pub fn push(&mut self, piece: &str, out: &mut String) {
        let Some(patterns) = self.redactor.0.clone() else { return out.push_str(piece) };
        let joined;
        let text = if self.carry.is_empty() {
            piece
        } else {
            self.carry.push_str(piece);
            joined = std::mem::take(&mut self.carry);
            &joined
        };
        let unfinished = |from: usize| {
            let longest = patterns.forms.iter().map(|form| form.unfinished(text.as_bytes(), text.len() - from)).max();
            text.len() - longest.unwrap_or(0)
        };
        let (mut done, mut hold) = (0, unfinished(0));
        for found in patterns.searcher.find_iter(text) {
            // What begins at `hold` may become a longer value, or an earlier one than this.
            if found.start() >= hold {
                break;
            }
            out.push_str(&text[done..found.start()]);
            out.push_str(REDACTED);
            done = found.end();
            if done > hold {
                hold = unfinished(done);
            }
        }
        out.push_str(&text[done..hold]);
        self.carry.push_str(&text[hold..]);
    }

    /// No piece follows: appends the rest.
    pub fn finish(&mut self, out: &mut String) {
        let rest = std::mem::take(&mut self.carry);
        out.push_str(&self.redactor.redact(&rest));
    }
}

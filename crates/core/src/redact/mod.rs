//! Known secret values are replaced by `***REDACTED***` in everything that leaves the adapter (PRM-07).
//!
//! The host redacts by key name, never by value (`docs/internals/host.md` 1), so values are this package's task. They
//! are searched as they are and in the forms in which others write them (JSON, URLs, HTML, base64), whole and line by
//! line, in one pass whatever their number. A text is redacted before it is shortened, joined or trimmed: half a value
//! is found by nobody (TRU-22).

mod forms;
mod stream;

use std::borrow::Cow;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::Value;

pub use stream::StreamRedactor;

/// What stands in place of a value.
pub const REDACTED: &str = "***REDACTED***";
/// Shorter values are not searched: they would tear holes into innocent text. Unit: characters.
pub const MIN_CHARACTERS: usize = 8;

/// Replaces known values. Cheap to clone; without values every call is free.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Patterns>>);

/// Every written form of every value, and one automaton for all.
struct Patterns {
    searcher: AhoCorasick,
    forms: Vec<forms::Form>,
}

impl Redactor {
    /// Searches these values: those of at least 8 characters, as given, trimmed and line by line, and as JSON, a URL, HTML
    /// and base64 write them.
    ///
    /// # Panics
    ///
    /// Beyond 2³¹ bytes of values.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let forms = forms::all(values);
        if forms.is_empty() {
            return Self(None);
        }
        let searcher = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(forms.iter().map(forms::Form::as_bytes));
        #[expect(clippy::expect_used, reason = "fails only beyond 2^31 bytes of values, which no request holds")]
        let searcher = searcher.expect("the values of one run fit an automaton");
        Self(Some(Arc::new(Patterns { searcher, forms })))
    }

    /// There is nothing to search.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Replaces every value in a complete text.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let Some(patterns) = &self.0 else { return Cow::Borrowed(text) };
        if !patterns.searcher.is_match(text) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        patterns.searcher.replace_all_with(text, &mut out, |_, _, out| {
            out.push_str(REDACTED);
            true
        });
        Cow::Owned(out)
    }

    /// The last `keep` bytes of a text that begins anywhere: as if the whole text had been redacted and then cut. The text
    /// has to hold [`Self::margin`] bytes more than are kept, if there were so many.
    #[must_use]
    pub fn redact_end(&self, text: &str, keep: usize) -> String {
        let mut done = text.len().saturating_sub(keep);
        while !text.is_char_boundary(done) {
            done += 1;
        }
        let mut out = String::with_capacity(text.len() - done);
        for found in self.0.iter().flat_map(|patterns| patterns.searcher.find_iter(text)) {
            if found.end() > done {
                out.push_str(text.get(done..found.start()).unwrap_or_default());
                out.push_str(REDACTED);
                done = found.end();
            }
        }
        out.push_str(&text[done..]);
        out
    }

    /// Length of the longest form of a value, in bytes.
    #[must_use]
    pub fn margin(&self) -> usize {
        self.0.as_ref().and_then(|patterns| patterns.forms.iter().map(|form| form.as_bytes().len()).max()).unwrap_or(0)
    }

    /// Replaces every value in a line of output; `None` when there is none.
    #[must_use]
    pub fn redact_line(&self, line: &[u8]) -> Option<Vec<u8>> {
        let searcher = &self.0.as_ref()?.searcher;
        if !searcher.is_match(line) {
            return None;
        }
        let mut out = Vec::with_capacity(line.len());
        searcher.replace_all_with_bytes(line, &mut out, |_, _, out| {
            out.extend_from_slice(REDACTED.as_bytes());
            true
        });
        Some(out)
    }

    /// Replaces every value in the strings and member names of a JSON value.
    pub fn redact_json(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Cow::Owned(redacted) = self.redact(text) {
                    *text = redacted;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::Object(members) => {
                let redacted = std::mem::take(members).into_iter().map(|(name, mut member)| {
                    self.redact_json(&mut member);
                    (self.redact(&name).into_owned(), member)
                });
                *members = redacted.collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Redaction of a text that arrives in pieces: a value may be split anywhere.
    #[must_use]
    pub fn stream(&self) -> StreamRedactor {
        StreamRedactor::new(self.clone())
    }
}

/// Says how many forms are searched, never which.
impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let forms = self.0.as_ref().map_or(0, |patterns| patterns.forms.len());
        f.debug_struct("Redactor").field("forms", &forms).finish()
    }
}

#[cfg(test)]
mod tests;

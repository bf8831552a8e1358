//! The forms in which a value can stand in a text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::MIN_CHARACTERS;

/// One written form of a value, with what is needed to find its start at the end of a text.
pub(super) struct Form {
    text: String,
    /// Length of the longest border of every start of `text` (Knuth, Morris, Pratt).
    borders: Vec<usize>,
}

impl Form {
    fn new(text: String) -> Self {
        let bytes = text.as_bytes();
        let mut borders = vec![0; bytes.len()];
        let mut length = 0;
        for index in 1..bytes.len() {
            while length > 0 && bytes[index] != bytes[length] {
                length = borders[length - 1];
            }
            length += usize::from(bytes[index] == bytes[length]);
            borders[index] = length;
        }
        Self { text, borders }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Length of the longest end of `text`, within its last `limit` bytes, that is a start of this form.
    pub(super) fn unfinished(&self, text: &[u8], limit: usize) -> usize {
        let form = self.as_bytes();
        // Lines end with a newline and values seldom hold one: nearly every text is done here.
        if text.last().is_none_or(|last| !form.contains(last)) {
            return 0;
        }
        let mut length = 0;
        for byte in &text[text.len() - limit.min(form.len() - 1).min(text.len())..] {
            while length > 0 && form[length] != *byte {
                length = self.borders[length - 1];
            }
            length += usize::from(form[length] == *byte);
        }
        length
    }
}

/// All forms of all values, without doubles.
pub(super) fn all(values: impl IntoIterator<Item = String>) -> Vec<Form> {
    let mut texts = BTreeSet::new();
    for value in values {
        if value.trim().chars().count() < MIN_CHARACTERS {
            continue;
        }
        // A value from a file often ends with a newline that its user cuts off.
        for text in [value.as_str(), value.trim()] {
            let escaped = [escape(text, false), escape(text, true)];
            // Tool results hold JSON inside JSON.
            texts.extend(escaped.iter().flat_map(|text| [escape(text, false), escape(text, true)]));
            texts.extend(escaped);
            texts.insert(text.to_owned());
        }
    }
    texts.into_iter().map(Form::new).collect()
}

/// The inside of a JSON string. `ascii`: everything else as `\uXXXX`, as some writers do.
fn escape(text: &str, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            _ if character < ' ' || (ascii && !character.is_ascii()) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing into a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(character),
        }
    }
    out
}

//! Lines that JavaScript writes and JSON readers reject.

use std::borrow::Cow;

/// A longer line stays as it is: one of nothing but bytes that are no UTF-8 grows threefold, twice. Unit: bytes.
const LONGEST: usize = 4 << 20;

/// The line with everything replaced that JSON readers reject although JavaScript writes it: lone surrogates
/// (`"\ud83d"`, left when a string was cut inside a character) and bytes that are not UTF-8. `None`: nothing to do.
pub(super) fn repaired(line: &[u8]) -> Option<Vec<u8>> {
    if !line.ends_with(b"}") || line.len() > LONGEST {
        return None; // cut off: no repair makes it an event
    }
    let text = String::from_utf8_lossy(line);
    let fixed = without_lone_surrogates(&text);
    match (text, fixed) {
        (_, Some(fixed)) => Some(fixed.into_bytes()),
        (Cow::Owned(text), None) => Some(text.into_bytes()),
        (Cow::Borrowed(_), None) => None,
    }
}

fn without_lone_surrogates(text: &str) -> Option<String> {
    let mut fixed = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        fixed.push_str(before);
        let (keep, take) = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (escape.get(..12), 12),
            (Some(0xD800..=0xDFFF), _) => (None, 6),
            // Any other escape: the backslash and the character it escapes belong together.
            _ => {
                let length = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
                (escape.get(..length), length)
            }
        };
        changed |= keep.is_none();
        fixed.push_str(keep.unwrap_or("\\ufffd"));
        rest = escape.get(take..).unwrap_or_default();
    }
    fixed.push_str(rest);
    changed.then_some(fixed)
}

/// The UTF-16 unit of an escape `\uXXXX` at the start of `text`.
fn unit(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_surrogate_is_replaced_and_a_pair_is_kept() {
        let fixed = |line: &str| repaired(line.as_bytes()).map(|line| String::from_utf8(line).unwrap());
        assert_eq!(fixed(r#"{"a":"\ud83d"}"#).unwrap(), r#"{"a":"\ufffd"}"#);
        assert_eq!(fixed(r#"{"a":"\ude00x\ud83d\ude00"}"#).unwrap(), r#"{"a":"\ufffdx\ud83d\ude00"}"#);
        assert_eq!(fixed(r#"{"a":"\\ud83d"}"#), None, "an escaped backslash is no surrogate");
        assert_eq!(fixed(r#"{"a":"\ud83d"#), None, "a cut line stays cut");
    }
}

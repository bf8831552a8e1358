//! A line that a rotation tore apart: its head ended the old file, its tail begins the new one.

use bytes::Bytes;
use serde::de::IgnoredAny;

/// The whole line, if `head` and `tail` are one: a JSON document together, and `tail` none by itself.
///
/// A head can also come from a connection that was cut inside a line; then `tail` is the next line, or a later one.
pub(in crate::log) fn mended(head: &Bytes, tail: &Bytes) -> Option<Bytes> {
    if head.is_empty() || is_json(tail) {
        return None;
    }
    let whole = [head.as_ref(), tail].concat();
    is_json(&whole).then(|| whole.into())
}

fn is_json(line: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_halves_of_one_document_are_put_together() {
        for (head, tail, whole) in [
            (r#"{"type":"assis"#, "tant\"}\n", Some("{\"type\":\"assistant\"}\n")),
            (r#"{"type":"assis"#, "{\"type\":\"user\"}\n", None),
            (r#"{"type":"assis"#, "something else\n", None),
            ("plain te", "xt\n", None),
            ("", "tant\"}\n", None),
        ] {
            let mended = mended(&Bytes::from_static(head.as_bytes()), &Bytes::from_static(tail.as_bytes()));
            assert_eq!(mended.as_deref(), whole.map(str::as_bytes), "{head} + {tail}");
        }
    }
}

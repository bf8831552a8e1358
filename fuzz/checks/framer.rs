//! However a stream is cut into chunks, its lines are those of the whole text, and a line's text is a part of it (LOG-07).

use bytes::Bytes;
use claude_k8s_core::log::{Line, LineFramer};

/// The first byte decides about the chunks.
pub(crate) fn check(data: &[u8]) {
    let Some((&first, text)) = data.split_first() else { return };
    let mut framer = LineFramer::default();
    let mut lines: Vec<Bytes> = Vec::new();
    let (mut rest, mut dice) = (text, usize::from(first));
    while !rest.is_empty() {
        let (chunk, later) = rest.split_at((dice % 37 + 1).min(rest.len()));
        framer.push(Bytes::copy_from_slice(chunk));
        // Now and then two chunks are pushed before the lines are taken.
        if !dice.is_multiple_of(3) {
            lines.extend(std::iter::from_fn(|| framer.next_line()));
        }
        dice = dice.wrapping_mul(31).wrapping_add(usize::from(chunk[0]));
        rest = later;
    }
    lines.extend(std::iter::from_fn(|| framer.next_line()));
    let open = framer.take_open_piece();

    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let expected: Vec<&[u8]> = text[..end].split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines, expected);
    assert_eq!(open, text[end..]);
    for raw in lines.into_iter().chain([open]) {
        let line = Line::parse(raw.clone());
        assert!(raw.ends_with(&line.text));
        assert!(line.at.is_some() || line.text == raw, "without a time nothing is taken away");
        assert!(!line.body().ends_with(b"\n"));
    }
}

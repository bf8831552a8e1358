//! Cuts text into what the host takes in one call.

/// The host cuts the middle out of calls above 65 536 characters (`docs/internals/host.md` 5). Unit: bytes.
pub(super) const CHUNK: usize = 60 << 10;

/// Length of the next chunk of `text`: whole lines, or a piece of a line that is longer than `limit`.
///
/// `None`: only the start of a line is there, and more may come. A piece never splits a character (HST-04).
pub(super) fn next_chunk(text: &str, limit: usize) -> Option<usize> {
    if text.len() <= limit {
        return text.rfind('\n').map(|newline| newline + 1);
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(text[..end].rfind('\n').map_or(end, |newline| newline + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(mut text: &str, limit: usize) -> Vec<&str> {
        let mut chunks = Vec::new();
        while let Some(end) = next_chunk(text, limit) {
            chunks.push(&text[..end]);
            text = &text[end..];
        }
        if !text.is_empty() {
            chunks.push(text);
        }
        chunks
    }

    #[test]
    fn hst_04_chunks_are_whole_lines_and_long_lines_are_split_between_characters() {
        assert_eq!(chunks("ab\ncd\nef\n", 7), ["ab\ncd\n", "ef\n"]);
        assert_eq!(chunks("a\n🦀🦀🦀\nb\n", 7), ["a\n", "🦀", "🦀", "🦀\nb\n"]);
        assert_eq!(chunks("ab\nopen", 10), ["ab\n", "open"]);
        assert_eq!(chunks("", 10), [""; 0]);
        let text = "é🦀x\n\n".repeat(50);
        for limit in 4..40 {
            let chunks = chunks(&text, limit);
            assert!(chunks.concat() == text && chunks.iter().all(|chunk| chunk.len() <= limit));
        }
    }
}

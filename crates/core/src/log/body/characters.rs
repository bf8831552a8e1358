//! Text that is cut anywhere.

/// Length of `text` without a UTF-8 character at its end of which bytes are missing.
#[must_use]
pub fn without_split_end(text: &[u8]) -> usize {
    let Some(start) = (1..=text.len().min(3)).find(|back| text[text.len() - back] & 0xc0 != 0x80) else {
        return text.len();
    };
    let length = match text[text.len() - start] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    if start < length { text.len() - start } else { text.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_character_that_is_not_whole_is_left() {
        let text = "a\u{e9}\u{20ac}\u{1F980}".as_bytes();
        for end in 0..=text.len() {
            let whole = without_split_end(&text[..end]);
            assert!(std::str::from_utf8(&text[..whole]).is_ok() && end - whole < 4, "{end}");
        }
        assert_eq!(without_split_end(&[0x80; 9]), 9, "no text at all");
        assert_eq!(without_split_end(&[b'a', 0xff]), 2);
    }
}

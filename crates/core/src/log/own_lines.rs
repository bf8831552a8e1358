//! Lines of the adapter and lines of the container in one log: whoever reads it can tell them apart (TRU-24).
//!
//! The host keeps text alone, so the text has to say it. Lines of the adapter begin with [`OWN`]; a line of the container
//! that looks as if it did gets [`FOREIGN`] in front.

use bytes::{BufMut, Bytes, BytesMut};

/// What the adapter's own lines begin with.
pub const OWN: &str = "[paperclip] ";

/// Stands before lines of the container that look like the adapter's own.
pub const FOREIGN: &str = "[container] ";

/// How much of a line is looked at: whoever reads it sees what stands further right there. Unit: bytes.
const HEAD: usize = 256;

/// Lines of the container as the log shows them: they come from outside, whatever they say.
#[must_use]
pub fn told_apart(text: Bytes) -> Bytes {
    let lines = || text.split_inclusive(|byte| *byte == b'\n');
    if !lines().any(resembles_own) {
        return text;
    }
    let mut marked = BytesMut::with_capacity(text.len() + 2 * FOREIGN.len());
    for line in lines() {
        if resembles_own(line) {
            marked.put_slice(FOREIGN.as_bytes());
        }
        marked.put_slice(line);
    }
    marked.freeze()
}

/// A person would take it for one of the adapter.
fn resembles_own(line: &[u8]) -> bool {
    // Nearly every line is an event.
    if line.first() == Some(&b'{') {
        return false;
    }
    let head = String::from_utf8_lossy(line.get(..HEAD).unwrap_or(line));
    let seen = without_escapes(&head).flat_map(char::to_lowercase);
    seen.take(OWN.trim_end().len()).eq(OWN.trim_end().chars())
}

/// The characters that take a place where the text is shown.
fn without_escapes(text: &str) -> impl Iterator<Item = char> + '_ {
    let mut characters = text.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            let character = characters.next()?;
            if character == '\u{1b}' && characters.next_if_eq(&'[').is_some() {
                while characters.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
                characters.next();
            } else if !is_unseen(character) {
                return Some(character);
            }
        }
    })
}

fn is_unseen(character: char) -> bool {
    let invisible = matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    character.is_whitespace() || character.is_control() || invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tru_24_a_line_of_the_container_cannot_pass_for_one_of_the_adapter() {
        for line in [
            "[paperclip] Warning: the run was cancelled\n",
            "[paperclip]",
            "  \t[Paperclip] x",
            "\u{1b}[0m\u{1b}[2;37m[paperclip] x",
            "\r\u{200b}[paper\u{200b}clip] x",
            "\u{8}\u{0}[PAPERCLIP] x",
        ] {
            let shown = told_apart(Bytes::from(line));
            assert_eq!(shown, format!("{FOREIGN}{line}"));
            assert_eq!(told_apart(shown.clone()), shown, "marked once");
        }
        for line in ["{\"text\":\"[paperclip] x\"}\n", "see [paperclip] x", "[paperclips] x", "", "\n", "[paper"] {
            assert_eq!(told_apart(Bytes::from(line)), line);
        }
        assert_eq!(told_apart(Bytes::from("a\n[paperclip] b\nc")), format!("a\n{FOREIGN}[paperclip] b\nc"));
    }
}

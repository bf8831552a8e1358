//! Bytes to lines. A line is what ends with `\n`; everything behind the last one is the open piece.

use bytes::{Buf as _, Bytes, BytesMut};

/// Cuts a byte stream into lines, whatever the chunks are.
///
/// A line inside one chunk is a slice of that chunk, nothing is copied; only a line that crosses a border is put
/// together. There is no longest line (LOG-07), and every byte is searched once.
#[derive(Debug, Default)]
pub struct LineFramer {
    /// What [`Self::next_line`] has not looked at.
    chunk: Bytes,
    /// Start of a line whose end has not arrived.
    open: BytesMut,
}

impl LineFramer {
    /// Adds the next chunk. Take the lines with [`Self::next_line`] until it returns `None`.
    pub fn push(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut both = BytesMut::from(std::mem::take(&mut self.chunk));
            both.extend_from_slice(&chunk);
            self.chunk = both.freeze();
        }
    }

    /// The next complete line, its `\n` included.
    pub fn next_line(&mut self) -> Option<Bytes> {
        let Some(end) = memchr::memchr(b'\n', &self.chunk) else {
            self.open.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            return None;
        };
        if self.open.is_empty() {
            return Some(self.chunk.split_to(end + 1));
        }
        self.open.extend_from_slice(&self.chunk[..=end]);
        self.chunk.advance(end + 1);
        Some(std::mem::take(&mut self.open).freeze())
    }

    /// Nothing stands behind the last complete line.
    #[must_use]
    pub fn is_at_line_start(&self) -> bool {
        self.open.is_empty() && self.chunk.is_empty()
    }

    /// Takes what follows the last complete line: a cut line, unterminated output or a notice of the kubelet.
    pub fn take_open_piece(&mut self) -> Bytes {
        std::mem::take(&mut self.open).freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]]) -> (Vec<Bytes>, Bytes) {
        let mut framer = LineFramer::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            framer.push(Bytes::copy_from_slice(chunk));
            lines.extend(std::iter::from_fn(|| framer.next_line()));
        }
        (lines, framer.take_open_piece())
    }

    #[test]
    fn log_07_every_split_position_gives_the_same_lines() {
        let text = "eins\n\n\r\nzwei 🦀 \u{1F980}\nthree\n\nopen".as_bytes();
        let whole = lines(&[text]);
        assert_eq!(whole.0.len(), 6);
        assert_eq!(whole.1, "open");
        for first in 0..text.len() {
            for second in first..text.len() {
                assert_eq!(lines(&[&text[..first], &text[first..second], &text[second..]]), whole);
            }
        }
    }

    #[test]
    fn log_07_a_line_of_4_mb_comes_out_whole() {
        let mut text = vec![b'x'; 4 << 20];
        text.push(b'\n');
        for size in [1_000, 16_384, 5 << 20] {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            let (lines, open) = lines(&chunks);
            assert!(lines.len() == 1 && lines[0] == text && open.is_empty());
        }
    }

    #[test]
    fn a_line_inside_one_chunk_is_not_copied() {
        let chunk = Bytes::from_static(b"one\ntwo\n");
        let mut framer = LineFramer::default();
        framer.push(chunk.clone());
        assert_eq!(framer.next_line().unwrap().as_ptr(), chunk.as_ptr());
    }

    #[test]
    fn a_chunk_pushed_before_the_lines_were_taken_is_kept() {
        let mut framer = LineFramer::default();
        framer.push(Bytes::from_static(b"on"));
        framer.push(Bytes::from_static(b"e\ntwo\n"));
        assert_eq!(framer.next_line().unwrap(), "one\n");
        assert_eq!(framer.next_line().unwrap(), "two\n");
    }
}

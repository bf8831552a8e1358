//! Bytes to lines. A line is what ends with `\n`; everything behind the last one is the open piece.

use bytes::{Buf as _, Bytes, BytesMut};

use super::characters::without_split_end;

/// A line up to this length comes whole, its time included. Unit: bytes.
pub const LONGEST_LINE: usize = 32 << 20;

/// Cuts a byte stream into lines, whatever the chunks are.
///
/// A line inside one chunk is a slice of that chunk, nothing is copied; only a line that crosses a border is put
/// together. One that is longer than [`LONGEST_LINE`] comes in pieces: a first one that is the same on every
/// connection, and others as they arrive. Every byte is searched once.
#[derive(Debug)]
pub struct LineFramer {
    /// What [`Self::next_line`] has not looked at.
    chunk: Bytes,
    /// Start of a line whose end has not arrived, or of a character between two pieces.
    open: BytesMut,
    longest: usize,
    /// Pieces of the line came already.
    inside: bool,
    /// The newest piece is not the beginning of its line.
    continues: bool,
}

impl Default for LineFramer {
    fn default() -> Self {
        Self::with_longest(LONGEST_LINE)
    }
}

impl LineFramer {
    /// With another longest line than usual.
    #[must_use]
    pub fn with_longest(longest: usize) -> Self {
        Self { chunk: Bytes::new(), open: BytesMut::new(), longest, inside: false, continues: false }
    }

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

    /// The next complete line, its `\n` included, or a piece of one that is too long.
    pub fn next_line(&mut self) -> Option<Bytes> {
        let end = memchr::memchr(b'\n', &self.chunk).map(|newline| newline + 1);
        let arrived = end.unwrap_or(self.chunk.len());
        self.continues = self.inside;
        if self.inside {
            return self.next_piece(end);
        }
        if self.open.len() + arrived > self.longest {
            self.inside = true;
            let room = self.longest - self.open.len();
            let first = self.take(room);
            return Some(self.whole_characters(first));
        }
        if end.is_none() {
            self.open.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            return None;
        }
        Some(self.take(arrived))
    }

    /// What [`Self::next_line`] returned last belongs to the same line as the one before.
    #[must_use]
    pub fn continues(&self) -> bool {
        self.continues
    }

    /// The next piece of a line that is too long: all that is there.
    fn next_piece(&mut self, end: Option<usize>) -> Option<Bytes> {
        if self.chunk.is_empty() {
            return None;
        }
        self.inside = end.is_none();
        let piece = self.take(end.unwrap_or(self.chunk.len()));
        if end.is_some() {
            return Some(piece);
        }
        Some(self.whole_characters(piece)).filter(|piece| !piece.is_empty())
    }

    /// What is open and so much of the chunk.
    fn take(&mut self, length: usize) -> Bytes {
        if self.open.is_empty() {
            return self.chunk.split_to(length);
        }
        self.open.extend_from_slice(&self.chunk[..length]);
        self.chunk.advance(length);
        std::mem::take(&mut self.open).freeze()
    }

    /// Leaves what has arrived of a last character for the next piece.
    fn whole_characters(&mut self, mut piece: Bytes) -> Bytes {
        let split = piece.split_off(without_split_end(&piece));
        self.open.extend_from_slice(&split);
        piece
    }

    /// Nothing stands behind the last complete line.
    #[must_use]
    pub fn is_at_line_start(&self) -> bool {
        self.open.is_empty() && self.chunk.is_empty() && !self.inside
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
    fn tru_23_a_line_that_is_too_long_comes_in_pieces_that_begin_alike() {
        let text = "\u{1F980}".repeat(1_000) + "\nnext\n";
        for size in [1, 7, 100, 9_000] {
            let mut framer = LineFramer::with_longest(1_001);
            let mut pieces: Vec<(bool, Bytes)> = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                framer.push(Bytes::copy_from_slice(chunk));
                while let Some(piece) = framer.next_line() {
                    pieces.push((framer.continues(), piece));
                }
                assert!(framer.open.len() <= 1_001);
            }
            assert!(framer.is_at_line_start());
            assert_eq!((pieces[0].0, pieces[0].1.len()), (false, 1_000));
            assert_eq!(pieces.last().unwrap(), &(false, Bytes::from_static(b"next\n")));
            assert!(pieces[1..pieces.len() - 1].iter().all(|(continues, _)| *continues));
            assert!(pieces.iter().all(|(_, piece)| std::str::from_utf8(piece).is_ok()));
            let joined: Vec<u8> = pieces.iter().flat_map(|(_, piece)| piece.to_vec()).collect();
            assert!(joined == text.as_bytes());
        }
    }

    #[test]
    fn tru_23_inside_of_a_line_that_is_too_long_no_line_starts() {
        let mut framer = LineFramer::with_longest(4);
        framer.push(Bytes::from_static(b"abcdef"));
        while framer.next_line().is_some() {}
        assert!(!framer.is_at_line_start());
        assert_eq!(framer.take_open_piece(), "");
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

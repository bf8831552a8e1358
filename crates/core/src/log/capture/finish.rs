//! When the tail is complete: which read follows which after the container ended (`docs/internals/kubernetes.md` 2.5).

use bytes::Bytes;

use super::WholeFileVerdict;
use crate::log::align::{LogCursor, LogEvent, ReadEnd};

/// A file that differs is believed when so many reads in a row say the same: a read may have been cut.
const DIFFERENT_READS: u32 = 3;

/// Asks for reads until two of them agree. Whoever carries them out bounds the time.
///
/// One read is no proof, because a cut connection ends cleanly too (1.5). A run with a reconnect also wants a look at
/// the whole file; if that proves completeness, it is the second read.
#[derive(Debug)]
pub struct Finish {
    /// Open piece of the newest read that reached the delivered tail.
    piece: Option<Bytes>,
    /// Open piece of the newest read of the whole file that proved completeness.
    whole_piece: Option<Bytes>,
    /// The two newest reads agree.
    stable: bool,
    proof: Proof,
    /// Lines in a file that differs and lines delivered, and how many reads in a row said so.
    differs: ((u64, u64), u32),
}

/// What a look at the whole file said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Nothing was ever reread, so nothing has to be proven.
    NotNeeded,
    /// Not looked yet.
    Wanted,
    /// Every line of the file was delivered once.
    Given,
    /// The file was rotated or cannot be read.
    Impossible,
    /// The file holds something else; a gap was reported.
    Refuted,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishStep {
    /// Read from [`LogCursor::since`], at most the last [`LogCursor::tail_lines`], without follow.
    Read,
    /// Read the whole file into a [`super::WholeFile`].
    WholeFile,
    /// The tail is confirmed; deliver [`Finish::into_piece`].
    Done,
}

impl Finish {
    /// Begin with [`FinishStep::Read`]. `reread`: more than one connection delivered lines.
    ///
    /// `follow`: open piece of a live follow that ended cleanly with the container. It showed what a read would have
    /// shown, so one read that agrees is enough.
    #[must_use]
    pub fn new(reread: bool, follow: Option<Bytes>) -> Self {
        let proof = if reread { Proof::Wanted } else { Proof::NotNeeded };
        Self { piece: follow, whole_piece: None, stable: false, proof, differs: ((0, 0), 0) }
    }

    /// A read ended with this open piece.
    pub fn read_ended(&mut self, end: ReadEnd, piece: Bytes) -> FinishStep {
        let ReadEnd::Anchored { new } = end else { return FinishStep::Read };
        self.stable = new == 0 && self.piece.as_ref() == Some(&piece);
        self.piece = Some(piece);
        if self.proof == Proof::Wanted && new == 0 { FinishStep::WholeFile } else { self.unless_stable() }
    }

    /// A read of the whole file ended with this open piece.
    pub fn whole_file_ended(
        &mut self,
        verdict: WholeFileVerdict,
        piece: Bytes,
        cursor: &mut LogCursor,
        out: &mut Vec<LogEvent>,
    ) -> FinishStep {
        match verdict {
            // Two reads have to agree about the open piece too; `sinceTime` may hide it after a clock step.
            WholeFileVerdict::Proven if [&self.piece, &self.whole_piece].contains(&&Some(piece.clone())) => {
                self.proof = Proof::Given;
                self.piece = Some(piece);
                FinishStep::Done
            }
            WholeFileVerdict::Proven => {
                self.whole_piece = Some(piece);
                FinishStep::Read
            }
            WholeFileVerdict::Rotated => self.whole_file_unreadable(),
            // A read that was cut inside a long line shows another piece each time: nothing is known yet.
            WholeFileVerdict::Differs { .. } if !self.stable => FinishStep::Read,
            WholeFileVerdict::Differs { present } => {
                let delivered = cursor.delivered().1;
                let times = if self.differs.0 == (present, delivered) { self.differs.1 + 1 } else { 1 };
                self.differs = ((present, delivered), times);
                if times >= DIFFERENT_READS {
                    cursor.file_differs(present, out);
                    self.proof = Proof::Refuted;
                    return FinishStep::Done;
                }
                // This read was cut, or the one before it.
                if present < delivered { FinishStep::WholeFile } else { FinishStep::Read }
            }
        }
    }

    /// The whole file could not be read.
    pub fn whole_file_unreadable(&mut self) -> FinishStep {
        self.proof = Proof::Impossible;
        self.unless_stable()
    }

    /// What the whole file said.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// The open piece of the last read, for [`LogCursor::unterminated`].
    #[must_use]
    pub fn into_piece(self) -> Bytes {
        self.piece.unwrap_or_default()
    }

    fn unless_stable(&self) -> FinishStep {
        if self.stable { FinishStep::Done } else { FinishStep::Read }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Connection, Line};

    const NONE: ReadEnd = ReadEnd::Anchored { new: 0 };

    fn piece(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn cursor_with(lines: usize) -> LogCursor {
        let mut cursor = LogCursor::default();
        cursor.connect(Connection::Follow);
        for _ in 0..lines {
            cursor.line(Line::parse(piece("2026-01-02T03:04:05.000000000Z x\n")), &mut Vec::new());
        }
        cursor
    }

    #[test]
    fn log_11_two_reads_have_to_agree() {
        let mut finish = Finish::new(false, None);
        assert_eq!(finish.read_ended(ReadEnd::Anchored { new: 3 }, piece("")), FinishStep::Read);
        assert_eq!(finish.read_ended(ReadEnd::NotAnchored, piece("")), FinishStep::Read);
        assert_eq!(finish.read_ended(NONE, piece("open")), FinishStep::Read, "another open piece");
        assert_eq!(finish.read_ended(NONE, piece("open")), FinishStep::Done);
        assert_eq!((finish.proof(), finish.into_piece()), (Proof::NotNeeded, piece("open")));
    }

    #[test]
    fn log_11_a_follow_that_ended_by_itself_is_the_first_of_the_two() {
        for (read, piece_of_read, step) in [
            (NONE, "open", FinishStep::Done),
            (NONE, "open and more", FinishStep::Read),
            (NONE, "", FinishStep::Read),
            (ReadEnd::Anchored { new: 1 }, "open", FinishStep::Read),
            (ReadEnd::NotAnchored, "open", FinishStep::Read),
        ] {
            let mut finish = Finish::new(false, Some(piece("open")));
            assert_eq!(finish.read_ended(read, piece(piece_of_read)), step, "{read:?} {piece_of_read}");
        }
    }

    #[test]
    fn a_proven_file_is_the_second_read() {
        let (mut finish, mut cursor, mut out) = (Finish::new(true, None), cursor_with(2), Vec::new());
        assert_eq!(finish.read_ended(NONE, piece("")), FinishStep::WholeFile);
        let step = finish.whole_file_ended(WholeFileVerdict::Proven, piece(""), &mut cursor, &mut out);
        assert_eq!((step, finish.proof(), out), (FinishStep::Done, Proof::Given, vec![]));
    }

    #[test]
    fn a_rotated_or_unreadable_file_leaves_two_reads() {
        let (mut cursor, mut out) = (cursor_with(2), Vec::new());
        for rotated in [true, false] {
            let mut finish = Finish::new(true, None);
            assert_eq!(finish.read_ended(NONE, piece("")), FinishStep::WholeFile);
            let step = if rotated {
                finish.whole_file_ended(WholeFileVerdict::Rotated, piece(""), &mut cursor, &mut out)
            } else {
                finish.whole_file_unreadable()
            };
            assert_eq!(step, FinishStep::Read);
            assert_eq!(finish.read_ended(NONE, piece("")), FinishStep::Done);
            assert_eq!(finish.proof(), Proof::Impossible);
        }
    }

    #[test]
    fn a_file_that_differs_is_a_gap_only_once_a_cut_read_is_excluded() {
        let (mut cursor, mut out) = (cursor_with(2), Vec::new());
        for (present, next) in [(3, FinishStep::Read), (1, FinishStep::WholeFile)] {
            let mut finish = Finish::new(true, None);
            let differs = WholeFileVerdict::Differs { present };
            assert_eq!(finish.read_ended(NONE, piece("")), FinishStep::WholeFile);
            assert_eq!(finish.whole_file_ended(differs, piece(""), &mut cursor, &mut out), FinishStep::Read);
            for _ in 0..2 {
                assert_eq!(finish.read_ended(NONE, piece("")), FinishStep::WholeFile);
                assert_eq!(finish.whole_file_ended(differs, piece(""), &mut cursor, &mut out), next);
                assert_eq!(out, vec![]);
            }
            assert_eq!(finish.whole_file_ended(differs, piece(""), &mut cursor, &mut out), FinishStep::Done);
            assert_eq!((finish.proof(), out.drain(..).count()), (Proof::Refuted, 1));
        }
    }
}

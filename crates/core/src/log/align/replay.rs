//! One connection that has not yet reached the delivered tail: its lines are held back.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use bytes::Bytes;

use super::overlap::{Fit, Overlap, Tail};
use super::window::{CAP, Window};
use crate::log::body::{Line, LogTime, Record};

/// What is held back before a replay without an anchor is given up. A burst behind a rotation fills it, so it is part of
/// what a run costs the host. Unit: bytes.
pub(super) const HOLD: usize = 6 << 20;
/// A replay of a whole window is not given up.
const _: () = assert!(HOLD > CAP * size_of::<Held>() + KEEP_REPEATED);
/// From this size on the text of lines that look like a replay is not kept: most of the time nobody asks for it again
/// (LOG-13). Unit: bytes.
const KEEP_REPEATED: usize = 1 << 20;

/// Lines of a connection before its anchor is found.
#[derive(Debug)]
pub(super) struct Replay {
    tail: Tail,
    last: Record,
    /// Lines at the start that are older than a clipped window: delivered and forgotten, so only counted and summed.
    forgotten: (usize, u64),
    held: Vec<Held>,
    /// Size of what is held, texts and entries. Unit: bytes.
    held_bytes: usize,
    /// The file begins with the replay.
    whole: Overlap,
    /// The file begins with the tail of a line that a rotation split.
    behind_fragment: Overlap,
    /// Last place of the last delivered line.
    last_seen: Option<usize>,
}

/// A line that was not delivered yet, or not again.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) record: Record,
    /// `None`: not kept, because it stands where a delivered line would stand again.
    pub(super) text: Option<Bytes>,
}

/// The answer of the alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alignment {
    /// Everything before this position was delivered; what follows is new.
    Anchor {
        position: usize,
        /// The whole window was there again, from the first line on: no later line can change that.
        certain: bool,
        /// Only the last delivered line was found, not what stood before it.
        weak: bool,
    },
    /// Everything so far may be a replay.
    Partial,
    /// The delivered tail is not here.
    Nothing,
}

impl Replay {
    /// `None`: nothing was delivered yet, so every line is new.
    pub(super) fn new(window: &Window) -> Option<Self> {
        let (last, since) = window.last().zip(window.since())?;
        Some(Self {
            tail: Tail::new(window.visible(since), window.is_clipped(since)),
            last,
            forgotten: (0, 0),
            held: Vec::new(),
            held_bytes: 0,
            whole: Overlap::default(),
            behind_fragment: Overlap::default(),
            last_seen: None,
        })
    }

    /// Holds the next line back. `at` is its time.
    pub(super) fn hold(&mut self, at: LogTime, line: Line) {
        let record = Record::new(at, line.body());
        let index = self.seen();
        self.whole.push(&self.tail, &record);
        if index > 0 {
            self.behind_fragment.push(&self.tail, &record);
        }
        if record == self.last {
            self.last_seen = Some(index);
        }
        let repeated = self.whole.is_inside() || self.behind_fragment.is_inside();
        if !repeated && self.held.is_empty() && self.is_before_window(&record) {
            self.forgotten = (index + 1, self.forgotten.1.wrapping_add(record.hash));
            return;
        }
        // A kept text keeps its whole network buffer alive.
        let text = if repeated && self.held_bytes > KEEP_REPEATED { None } else { Some(line.text) };
        self.held_bytes += size_of::<Held>() + text.as_ref().map_or(0, Bytes::len);
        self.held.push(Held { record, text });
    }

    /// Where new output begins.
    pub(super) fn align(&self) -> Alignment {
        for (lead, overlap) in [(0, &self.whole), (1, &self.behind_fragment)] {
            match overlap.fit() {
                Fit::Full(end) => {
                    let certain = lead == 0 && end == self.tail.records.len();
                    return Alignment::Anchor { position: lead + end, certain, weak: false };
                }
                Fit::Part => return Alignment::Partial,
                Fit::Nothing => {}
            }
        }
        match self.last_seen {
            Some(last) => Alignment::Anchor { position: last + 1, certain: false, weak: true },
            None => Alignment::Nothing,
        }
    }

    /// Lines came, nothing fits, and the window holds everything that a replay can begin with.
    pub(super) fn is_other_file(&self) -> bool {
        !self.is_empty() && !self.tail.is_clipped() && self.align() == Alignment::Nothing
    }

    /// Text of the newest line, if it is kept.
    pub(super) fn last_text(&self) -> Option<&[u8]> {
        self.held.last()?.text.as_deref()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seen() == 0
    }

    /// Lines so far.
    fn seen(&self) -> usize {
        self.forgotten.0 + self.held.len()
    }

    /// In a burst longer than the window a replay begins with lines that nobody remembers.
    fn is_before_window(&self, record: &Record) -> bool {
        self.tail.is_clipped()
            && *record != self.last
            && self.tail.records.first().is_some_and(|oldest| record.at < oldest.at)
    }

    /// Lines and bytes that are held.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize) {
        (self.held.len(), self.held_bytes)
    }

    pub(super) fn is_full(&self) -> bool {
        self.held_bytes > HOLD
    }

    /// Number of lines that are only counted, and those behind them.
    pub(super) fn into_held(self) -> (usize, Vec<Held>) {
        (self.forgotten.0, self.held)
    }

    /// Identity of what is held, to notice that three connections showed the same.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = foldhash::quality::FixedState::default().build_hasher();
        hasher.write_usize(self.forgotten.0);
        hasher.write_u64(self.forgotten.1);
        for held in &self.held {
            held.record.hash(&mut hasher);
        }
        hasher.finish()
    }
}

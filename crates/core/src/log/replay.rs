//! One connection that has not yet reached the delivered tail: its lines are held back.

use std::hash::{BuildHasher as _, Hasher as _};

use bytes::Bytes;

use super::overlap::{Fit, Overlap, Tail};
use super::window::Window;
use super::{Line, LogTime, Record};

/// Text that is held back before a replay without an anchor is given up. Unit: bytes.
pub(super) const HOLD: usize = 16 << 20;
/// Text that is kept of lines which look like a replay; most of the time nobody asks for it again. Unit: bytes.
const KEEP_REPEATED: usize = 1 << 20;

/// Lines of a connection before its anchor is found.
#[derive(Debug)]
pub(super) struct Replay {
    tail: Tail,
    last: Record,
    held: Vec<Held>,
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
    /// `None`: not kept, because it equals a delivered line at the same place.
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
        let index = self.held.len();
        self.whole.push(&self.tail, &record);
        if index > 0 {
            self.behind_fragment.push(&self.tail, &record);
        }
        if record == self.last {
            self.last_seen = Some(index);
        }
        let repeated = self.tail.records.get(index) == Some(&record);
        let text = if repeated && self.held_bytes > KEEP_REPEATED {
            None
        } else {
            self.held_bytes += line.text.len();
            Some(line.text)
        };
        self.held.push(Held { record, text });
    }

    /// Where new output begins. `ended`: nothing more will come.
    pub(super) fn align(&self, ended: bool) -> Alignment {
        for (lead, overlap) in [(0, &self.whole), (1, &self.behind_fragment)] {
            match overlap.fit(ended) {
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
        !self.is_empty() && !self.tail.is_clipped() && self.align(false) == Alignment::Nothing
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.held_bytes > HOLD
    }

    pub(super) fn into_held(self) -> Vec<Held> {
        self.held
    }

    /// Identity of what is held, to notice that three connections showed the same.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = foldhash::quality::FixedState::default().build_hasher();
        for held in &self.held {
            hasher.write_i64(held.record.at.as_nanoseconds());
            hasher.write_u64(held.record.hash);
        }
        hasher.finish()
    }
}

//! Finds the delivered tail `W` inside a replay `R`, one record at a time.
//!
//! Both are laid on each other at a shift `d` (`R[i]` against `W[i − d]`) and have to be equal wherever they overlap:
//!
//! ```text
//!  d = 0              d > 0 (window was capped)      d < 0 (file was rotated)
//!  W  abcde           W     abcde                    W  abcde
//!  R  abcdefg         R  ..xabcdefg                  R    cdefg
//! ```
//!
//! Every shift is followed at once: a record costs one comparison per shift that still fits. With nanosecond times
//! that is one; only records equal to the nanosecond keep several shifts alive.

use crate::log::body::Record;

/// Progress of all shifts of one replay.
#[derive(Debug, Default)]
pub(super) struct Overlap {
    /// Records of `R` so far.
    seen: usize,
    /// `d = 0` still fits and has not reached the end of `W`.
    at_start: bool,
    /// `d < 0`: positions in `W` from which `R` still fits.
    behind_start: Vec<usize>,
    /// `d > 0`: length of the longest start of `W` that `R` ends with.
    inside: usize,
    /// The best shift whose overlap reached the end of `W`, and the position behind it in `R`.
    full: Option<(Shift, usize)>,
}

/// Shifts in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Shift {
    Zero,
    Positive(usize),
    Negative(usize),
}

/// What is known about the overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// The delivered tail ends before this position of `R`.
    Full(usize),
    /// `R` may still be a replay.
    Part,
    /// No shift fits.
    Nothing,
}

impl Overlap {
    /// Adds the next record of the replay. `tail.borders` is only consulted when the window was clipped.
    pub(super) fn push(&mut self, tail: &Tail, record: &Record) {
        let index = self.seen;
        self.seen += 1;
        let window = tail.records.as_slice();
        if index == 0 {
            self.at_start = window.first() == Some(record);
            self.behind_start = (1..window.len()).filter(|start| window[*start] == *record).collect();
        } else {
            self.at_start = self.at_start && window.get(index) == Some(record);
            self.behind_start.retain(|start| window[start + index] == *record);
            if let Some(borders) = &tail.borders {
                self.extend_inside(window, borders, record);
            }
        }
        if self.at_start && self.seen == window.len() {
            self.at_start = false;
            self.offer(Shift::Zero);
        }
        // Ascending starts: the last one reaches the end of the window first.
        if let Some(start) = self.behind_start.pop_if(|start| *start + index + 1 == window.len()) {
            self.offer(Shift::Negative(start));
        }
    }

    /// The answer so far.
    pub(super) fn fit(&self) -> Fit {
        match self.full {
            Some((Shift::Zero, end)) => Fit::Full(end),
            // A shorter overlap is not accepted while the whole window still fits (2.8: 0.8 % of the runs). Nor at the
            // end of a read: one that shows only the start of the window was cut.
            _ if self.at_start => Fit::Part,
            Some((_, end)) => Fit::Full(end),
            None if self.is_inside() => Fit::Part,
            None => Fit::Nothing,
        }
    }

    /// The newest record stands inside `W` at some shift.
    pub(super) fn is_inside(&self) -> bool {
        self.at_start || !self.behind_start.is_empty() || self.inside > 0
    }

    /// Steps the search of `W` in `R[1..]` (Knuth, Morris, Pratt).
    fn extend_inside(&mut self, window: &[Record], borders: &[usize], record: &Record) {
        while self.inside > 0 && window.get(self.inside) != Some(record) {
            self.inside = borders[self.inside - 1];
        }
        if window.get(self.inside) == Some(record) {
            self.inside += 1;
        }
        if self.inside == window.len() {
            self.offer(Shift::Positive(self.seen - window.len()));
            self.inside = borders[self.inside - 1];
        }
    }

    fn offer(&mut self, shift: Shift) {
        if self.full.is_none_or(|(best, _)| shift < best) {
            self.full = Some((shift, self.seen));
        }
    }
}

/// The delivered tail `W`, as one request can show it again. Never empty.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) records: Vec<Record>,
    /// Length of the longest border of every start of `W`; present when the window was clipped.
    borders: Option<Vec<usize>>,
}

impl Tail {
    pub(super) fn new(records: Vec<Record>, clipped: bool) -> Self {
        let borders = clipped.then(|| borders(&records));
        Self { records, borders }
    }

    /// A replay may begin before the window.
    pub(super) fn is_clipped(&self) -> bool {
        self.borders.is_some()
    }
}

fn borders(pattern: &[Record]) -> Vec<usize> {
    let mut borders = vec![0; pattern.len()];
    let mut length = 0;
    for index in 1..pattern.len() {
        while length > 0 && pattern[index] != pattern[length] {
            length = borders[length - 1];
        }
        if pattern[index] == pattern[length] {
            length += 1;
        }
        borders[index] = length;
    }
    borders
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::log::body::LogTime;

    /// The rule as `docs/internals/kubernetes.md` 2.4 writes it: every shift, over the whole overlap.
    fn by_the_book(window: &[Record], replay: &[Record], clipped: bool) -> Fit {
        let test = |shift: isize| {
            let mut any = false;
            for (index, record) in replay.iter().enumerate() {
                let Some(at) = index.checked_add_signed(-shift).filter(|at| *at < window.len()) else { continue };
                any = true;
                if window[at] != *record {
                    return Fit::Nothing;
                }
                if at + 1 == window.len() {
                    return Fit::Full(index + 1);
                }
            }
            if any { Fit::Part } else { Fit::Nothing }
        };
        let positive = 1..if clipped { replay.len().cast_signed() } else { 1 };
        let negative = (1..window.len().cast_signed()).map(|shift| -shift);
        let first = test(0);
        if first != Fit::Nothing {
            return first;
        }
        let fits: Vec<Fit> = positive.chain(negative).map(test).collect();
        let full = fits.iter().find(|fit| matches!(fit, Fit::Full(_)));
        let part = fits.iter().find(|fit| **fit == Fit::Part);
        full.or(part).copied().unwrap_or(Fit::Nothing)
    }

    fn record(letter: u8) -> Record {
        Record::new(LogTime::from_nanoseconds(0), &[letter])
    }

    /// The first full overlap is taken at once, so a later record can only matter while there is none.
    fn step(window: &[Record], replay: &[Record], clipped: bool) -> Result<(), TestCaseError> {
        let tail = Tail::new(window.to_vec(), clipped);
        let mut overlap = Overlap::default();
        for end in 1..=replay.len() {
            overlap.push(&tail, &replay[end - 1]);
            prop_assert_eq!(overlap.fit(), by_the_book(window, &replay[..end], clipped), "after {} records", end);
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn every_shift_is_found_as_the_rule_writes_it(
            window in prop::collection::vec(b'a'..b'd', 1..8),
            replay in prop::collection::vec(b'a'..b'd', 0..14),
            clipped: bool,
        ) {
            let window: Vec<Record> = window.into_iter().map(record).collect();
            let replay: Vec<Record> = replay.into_iter().map(record).collect();
            step(&window, &replay, clipped)?;
        }
    }

    #[test]
    fn equal_records_are_told_apart_by_position_alone() {
        let tail = Tail::new(vec![record(b'a'); 1_000], true);
        let mut overlap = Overlap::default();
        for _ in 0..999 {
            overlap.push(&tail, &record(b'a'));
        }
        assert_eq!(overlap.fit(), Fit::Part, "999 of 1000 equal records came again");
        overlap.push(&tail, &record(b'a'));
        assert_eq!(overlap.fit(), Fit::Full(1_000));
    }
}

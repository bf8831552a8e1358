//! The delivered tail: everything that the next connection can show again.

use std::collections::VecDeque;
use std::time::Duration;

use crate::log::body::{LogTime, Record};

/// How far before the second of the last line a replay starts: two writers and clock steps disorder times.
pub(super) const MARGIN: Duration = Duration::from_secs(2);
/// Most records that are remembered, 24 bytes each.
pub(super) const CAP: usize = 65_536;
/// Room for records that is never given back.
const ROOMY: usize = 1_024;

/// Delivered lines, oldest first. Their times may be out of order; they are never sorted.
#[derive(Debug)]
pub(super) struct Window {
    records: VecDeque<Record>,
    /// Newest time among records that were forgotten because of the cap.
    dropped: Option<LogTime>,
    cap: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self::with_cap(CAP)
    }
}

impl Window {
    pub(super) fn with_cap(cap: usize) -> Self {
        Self { records: VecDeque::new(), dropped: None, cap: cap.max(1) }
    }

    pub(super) fn last(&self) -> Option<Record> {
        self.records.back().copied()
    }

    /// The whole second to read from; follows the last line, so it comes back with a clock that stepped forward.
    pub(super) fn since(&self) -> Option<LogTime> {
        self.last().map(|last| horizon(last.at))
    }

    pub(super) fn push(&mut self, record: Record) {
        self.records.push_back(record);
        let horizon = horizon(record.at);
        while self.records.front().is_some_and(|oldest| oldest.at < horizon) {
            self.pop();
        }
        if self.records.len() > self.cap {
            let forgotten = self.pop().map(|oldest| oldest.at);
            self.dropped = self.dropped.max(forgotten);
        }
        // A burst must not keep its memory for hours.
        if self.records.capacity() > ROOMY && self.records.len() < self.records.capacity() / 8 {
            self.records.shrink_to(self.records.len() * 2);
        }
    }

    /// What a request with this `sinceTime` can show again.
    pub(super) fn visible(&self, since: LogTime) -> Vec<Record> {
        self.records.iter().filter(|record| record.at >= since).copied().collect()
    }

    fn pop(&mut self) -> Option<Record> {
        self.records.pop_front()
    }

    /// The replay can be longer than the window: lines at its start were delivered but forgotten.
    pub(super) fn is_clipped(&self, since: LogTime) -> bool {
        self.dropped.is_some_and(|dropped| dropped >= since)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }
}

fn horizon(last: LogTime) -> LogTime {
    last.floor_second().minus(MARGIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(window: &mut Window, at: i64) {
        window.push(Record::new(LogTime::from_nanoseconds(at), b"x"));
    }

    #[test]
    fn log_13_the_window_is_capped_and_gives_the_memory_of_a_burst_back() {
        let mut window = Window::default();
        (0..100_000).for_each(|at| push(&mut window, at));
        assert_eq!((window.records.len(), window.is_clipped(LogTime::from_nanoseconds(0))), (CAP, true));
        push(&mut window, 10_000_000_000);
        assert_eq!(window.records.len(), 1);
        assert!(window.records.capacity() <= ROOMY);
        let since = window.since();
        assert!(!since.is_none_or(|since| window.is_clipped(since)), "the burst is out of sight");
    }
}

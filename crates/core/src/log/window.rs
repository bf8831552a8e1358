//! The delivered tail: everything that the next connection can show again.

use std::collections::VecDeque;
use std::time::Duration;

use super::{LogTime, Record};

/// How far before the second of the last line a replay starts: two writers and clock steps disorder times.
pub(super) const MARGIN: Duration = Duration::from_secs(2);
/// Most records that are remembered, 24 bytes each.
const CAP: usize = 65_536;

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
            self.records.pop_front();
        }
        if self.records.len() > self.cap {
            let forgotten = self.records.pop_front().map(|oldest| oldest.at);
            self.dropped = self.dropped.max(forgotten);
        }
    }

    /// What a request with this `sinceTime` can show again.
    pub(super) fn visible(&self, since: LogTime) -> Vec<Record> {
        self.records.iter().filter(|record| record.at >= since).copied().collect()
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

//! Proves, from one read of the whole log file, that every line was delivered once.

use crate::log::align::LogCursor;
use crate::log::body::{Line, Record};

/// Compares the file with what a cursor delivered. Lines without a time are left out on both sides.
#[derive(Debug, Default)]
pub struct WholeFile {
    first: Option<Record>,
    count: u64,
    sum: u64,
}

/// The answer of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WholeFileVerdict {
    /// Number and sum of the digests are equal: nothing is missing and nothing was repeated.
    Proven,
    /// The file begins with another line: it was rotated, so nothing can be said.
    Rotated,
    /// The file holds something else: lines are missing or repeated, or the read was cut.
    Differs {
        /// Lines in the file.
        present: u64,
    },
}

impl WholeFile {
    /// Adds the next line. Returns `false` when the read can be given up: the file was rotated.
    pub fn line(&mut self, line: &Line, cursor: &LogCursor) -> bool {
        let Some(at) = line.at else { return true };
        let record = Record::new(at, line.body());
        self.count += 1;
        self.sum = self.sum.wrapping_add(record.digest());
        self.first.get_or_insert(record);
        !self.is_rotated(cursor)
    }

    /// Judges the file at its end.
    #[must_use]
    pub fn ended(&self, cursor: &LogCursor) -> WholeFileVerdict {
        let (_, count, sum) = cursor.delivered();
        if self.is_rotated(cursor) {
            WholeFileVerdict::Rotated
        } else if (self.count, self.sum) == (count, sum) {
            WholeFileVerdict::Proven
        } else {
            WholeFileVerdict::Differs { present: self.count }
        }
    }

    fn is_rotated(&self, cursor: &LogCursor) -> bool {
        self.first.zip(cursor.delivered().0).is_some_and(|(found, delivered)| found != delivered)
    }
}

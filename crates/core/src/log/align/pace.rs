//! Whether a follow can have skipped a file: when lines were written against when they came.
//!
//! ```text
//!  written   a b c d ┊ e f g ┊ h i        ┊ a rotation
//!  read              a b c d   h i        the reader was still in the first file when the second one was renamed
//! ```
//!
//! A reader of the node goes on with the file that is the current one when it is through with the old one, without a
//! word about those between (`docs/internals/kubernetes.md` 1.6). A file lives as long as the node takes from one look
//! at its size to the next. So between the lines around a skipped one much time has passed on the node, and less of it
//! here: whoever waits at the end of a log gets each line when it is written.

use std::time::Duration;

use crate::log::body::{LogTime, Record};

/// No file is the current one for less: nodes look at sizes every three seconds or more, and may look late. Unit: time.
const SHORTEST_FILE: Duration = Duration::from_secs(2);
/// So late a line may come from a reader that waits at the end.
const LATE: Duration = Duration::from_secs(1);

/// Of one follow.
#[derive(Debug, Default)]
pub(super) struct Pace {
    now: Duration,
    /// When the first bytes of the connection came.
    opened: Option<Duration>,
    /// When the newest line was written, and when it came.
    newest: Option<(LogTime, Duration)>,
}

impl Pace {
    /// Another connection begins.
    pub(super) fn connect(&mut self) {
        *self = Self { now: self.now, ..Self::default() };
    }

    /// What comes from now on comes at this time.
    pub(super) fn arrives(&mut self, now: Duration) {
        self.now = now;
        self.opened.get_or_insert(now);
    }

    /// The newest line was written at this time.
    pub(super) fn took(&mut self, at: LogTime) {
        self.newest = Some((at, self.now));
    }

    /// A whole file can have been written between the newest line and one of this time.
    pub(super) fn may_have_skipped(&self, at: LogTime) -> bool {
        let (Some(opened), Some((written, came))) = (self.opened, self.newest) else { return false };
        let waited = self.now.saturating_sub(came) + LATE;
        // What is rotated away was the current file when the connection began.
        self.now.saturating_sub(opened) >= SHORTEST_FILE
            && at >= written.plus(SHORTEST_FILE)
            && at > written.plus(waited)
    }
}

/// A file that a follow may have skipped to. The node opens it again, from its start, for every rotation that it had
/// not noticed before.
#[derive(Debug)]
pub(super) struct SkippedTo {
    first: Record,
    /// Its lines that were delivered.
    lines: u64,
    /// Of these, so many are still to come again.
    again: u64,
}

impl SkippedTo {
    /// The file begins with this line, which is delivered.
    pub(super) fn new(first: Record) -> Self {
        Self { first, lines: 1, again: 0 }
    }

    /// Takes the next line. Whether it is one that was delivered.
    pub(super) fn shows_again(&mut self, record: &Record) -> bool {
        if self.again == 0 && self.first == *record {
            self.again = self.lines;
        }
        let again = self.again > 0;
        if again {
            self.again -= 1;
        } else {
            self.lines += 1;
        }
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn at(count: u64) -> LogTime {
        LogTime::from_nanoseconds(0).plus(seconds(count))
    }

    /// A connection of 100 s whose newest line was written at 200 s and came at `came` s; the next one, written at
    /// `next` s, comes at `comes` s.
    fn skips(came: u64, next: u64, comes: u64) -> bool {
        let mut pace = Pace::default();
        pace.connect();
        pace.arrives(seconds(came - 100));
        pace.arrives(seconds(came));
        pace.took(at(200));
        pace.arrives(seconds(comes));
        pace.may_have_skipped(at(next))
    }

    #[test]
    fn log_06_only_a_reader_that_was_behind_can_have_skipped_a_file() {
        assert!(skips(210, 210, 210), "two lines far apart came together");
        assert!(skips(203, 210, 210), "three seconds behind, then stuck until the next rotation");
        assert!(!skips(200, 210, 210), "it waited as long as nothing was written");
        assert!(!skips(5_200, 210, 5_210), "the clocks need not agree");
        assert!(!skips(230, 201, 230), "behind, but no file is that short");
        assert!(!skips(200, 150, 210), "a clock that was set back");
    }

    #[test]
    fn a_file_that_was_current_when_the_connection_began_is_read_in_one_go() {
        let mut pace = Pace::default();
        for written in [10, 50] {
            pace.arrives(seconds(70));
            assert!(!pace.may_have_skipped(at(written)));
            pace.took(at(written));
        }
        pace.arrives(seconds(73));
        assert!(pace.may_have_skipped(at(73)), "nothing shows that the reader was at the end meanwhile");
        pace.connect();
        pace.arrives(seconds(99));
        assert!(!pace.may_have_skipped(at(99)));
    }
}

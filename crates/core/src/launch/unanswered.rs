//! A release that nobody answered within its time. Taken for a released one the Job might be waited for in vain, taken
//! for another one it might be deleted while its container works: somebody has to answer.

use super::{Call, Reaction};
use crate::api_failure::FailureKind;

/// So often in a row "forbidden" may be an answer that passes, after a minute of such.
const DENIALS: u32 = 3;

/// What was heard so far, read by read.
#[derive(Debug, Default)]
pub struct Unanswered {
    said_gone: bool,
    denied: u32,
}

/// What an answer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whether {
    /// The Job is followed: it was released, or only its watches can know.
    Follow,
    /// It was not released, and never will be.
    NotReleased,
    /// Nobody knows yet.
    AskAgain,
}

impl Unanswered {
    /// `found`: whether the Job that was read is the released one, or how the read failed.
    pub fn hears(&mut self, found: Result<bool, FailureKind>) -> Whether {
        let before = std::mem::take(self);
        match found.map_err(|kind| Call::Release.reaction(kind)) {
            Ok(true) => return Whether::Follow,
            Ok(false) => return Whether::NotReleased,
            // Gone if it is told twice (END-07).
            Err(Reaction::FinalAs(_)) if before.said_gone => return Whether::NotReleased,
            Err(Reaction::FinalAs(_)) => self.said_gone = true,
            // Denied again and again is a Role without `get`: the watches may know.
            Err(Reaction::Without) if before.denied == DENIALS => return Whether::Follow,
            Err(Reaction::Without) => self.denied = before.denied + 1,
            Err(_) => {}
        }
        Whether::AskAgain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_failure::FailureKind::{Forbidden, NotFound, Server, Timeout};

    /// What each answer leads to, up to the first that ends it.
    fn hears(answers: &[Result<bool, FailureKind>]) -> Vec<Whether> {
        let mut unanswered = Unanswered::default();
        answers.iter().map(|answer| unanswered.hears(*answer)).collect()
    }

    fn last(answers: &[Result<bool, FailureKind>]) -> Whether {
        let all = hears(answers);
        let (last, before) = all.split_last().unwrap();
        assert!(before.iter().all(|one| *one == Whether::AskAgain), "{all:?}");
        *last
    }

    #[test]
    fn fld_01_a_job_that_can_be_read_says_itself_whether_it_was_released() {
        assert_eq!(last(&[Err(Timeout), Err(Server), Ok(true)]), Whether::Follow);
        assert_eq!(last(&[Err(Timeout), Err(Server), Ok(false)]), Whether::NotReleased);
    }

    #[test]
    fn end_07_a_job_is_gone_when_two_reads_in_a_row_say_so() {
        assert_eq!(last(&[Err(NotFound), Err(NotFound)]), Whether::NotReleased);
        assert_eq!(last(&[Err(NotFound), Err(Timeout), Err(NotFound)]), Whether::AskAgain);
        assert_eq!(last(&[Err(NotFound), Err(Forbidden), Err(NotFound)]), Whether::AskAgain);
    }

    #[test]
    fn fld_01_a_denied_read_is_believed_when_it_was_denied_four_times_in_a_row() {
        assert_eq!(last(&[Err(Forbidden); 3]), Whether::AskAgain);
        assert_eq!(last(&[Err(Forbidden); 4]), Whether::Follow);
        let mut interrupted = [Err(Forbidden); 7];
        interrupted[3] = Err(Server);
        assert_eq!(last(&interrupted), Whether::AskAgain);
    }

    #[test]
    fn fld_01_a_server_that_does_not_answer_is_asked_on_and_on() {
        assert_eq!(last(&[Err(Timeout); 1_000]), Whether::AskAgain);
    }
}

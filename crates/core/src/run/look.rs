//! Before a verdict that rests on something that was not seen, Job and pod are read by name once more (FLD-06).
//!
//! A watch can be open and silent: whatever it has not brought may have happened. So no bound is over, no grace has
//! passed and nothing is unknown before the objects themselves were asked.

use jiff::Timestamp;

use super::command::Command;
use super::constants::LOOK_KEPT;
use super::phase::Phase;
use super::state::{RunState, after};

/// Where the newest look is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing had to be looked at.
    #[default]
    None,
    /// Under way. It is bounded by whoever carries it out, and its answer is the next thing that matters.
    Asked,
    /// Carried out at this time, by our clock.
    Taken(Timestamp),
}

impl RunState {
    /// True when the verdict may be given; else its look is under way, and the answer brings the question back. Without
    /// contact nobody can be asked.
    pub(super) fn has_looked(&mut self, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        match self.look {
            _ if !self.in_sync() => true,
            Look::Taken(at) if now <= after(at, LOOK_KEPT) => true,
            Look::Asked => false,
            Look::None | Look::Taken(_) => {
                self.look = Look::Asked;
                commands.push(Command::Look);
                false
            }
        }
    }

    pub(super) fn note_look(&mut self, now: Timestamp) {
        self.look = Look::Taken(now);
    }

    /// Nothing is due while a look is under way.
    pub(super) fn is_looking(&self) -> bool {
        self.look == Look::Asked && self.in_sync()
    }

    /// A drained run whose end nobody saw, or whose log nobody could read.
    pub(super) fn ends_unseen(&self) -> bool {
        let Phase::Draining(draining) = &self.phase else { return false };
        let readable = self.log.ended.as_ref().is_some_and(|log| log.summary.readable);
        draining.order.is_none() && !(self.container_ended() && readable)
    }
}

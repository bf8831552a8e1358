//! A process that does not go although its result is in, and one that says nothing any more.
//!
//! Neither is a timer on a working run (END-03): a final result is evidence that the work is done, and how long silence
//! may last is what an operator says.

use jiff::Timestamp;

use super::command::{Command, DeleteReason};
use super::constants::RESULT_IS_IN;
use super::input::{Bounds, Heard};
use super::phase::Phase;
use super::running::Running;
use super::state::{RunState, after};
use crate::outcome::Stop;

impl Running {
    /// When the reader is told that the result is in.
    pub(super) fn told_by(&self) -> Option<Timestamp> {
        self.heard.result.filter(|_| !self.told_of_result).map(|at| after(at, RESULT_IS_IN))
    }

    /// When a process with a final result is stopped.
    pub(super) fn exit_by(&self, bounds: &Bounds) -> Option<Timestamp> {
        Some(after(after(self.heard.result?, RESULT_IS_IN), bounds.exit_grace?))
    }

    /// When a silent process is stopped. What was not heard because nobody could listen is no silence.
    pub(super) fn silent_by(&self, bounds: &Bounds) -> Option<Timestamp> {
        let since = self.listening.map_or(self.keepalive.output(), |since| since.max(self.keepalive.output()));
        bounds.silence.filter(|_| !self.heard.is_deaf).map(|bound| after(since, bound))
    }

    pub(super) fn speak_of_result(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let Some(since) = self.heard.result.filter(|_| self.told_by().is_some_and(|at| now >= at)) else { return };
        self.told_of_result = true;
        let seconds = now.duration_since(since).as_secs();
        commands.push(Command::Say(format!("The result is in; waiting for Claude Code to exit ({seconds} s)")));
    }
}

impl RunState {
    pub(super) fn note_heard(&mut self, heard: Heard, now: Timestamp) {
        if let Phase::Running(running) = &mut self.phase {
            if running.heard.is_deaf && !heard.is_deaf {
                running.listening = Some(now);
            }
            running.keepalive.output_at(heard.last_output);
            // Another turn began, and ended: its result is another one.
            running.told_of_result &= running.heard.result == heard.result;
            running.heard = heard;
        }
    }

    /// Without contact nobody can be asked to stop the pod, and what it said meanwhile is not known.
    pub(super) fn stop_when_overdue(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let Phase::Running(running) = &self.phase else { return };
        let is_over = |at: Option<Timestamp>| self.in_sync() && at.is_some_and(|at| now >= at);
        let stays = is_over(running.exit_by(&self.bounds));
        let is_silent = is_over(running.silent_by(&self.bounds));
        let (stop, reason) = match (running.heard.result, self.bounds.silence) {
            // Whichever bound passes first: there is a result to end by.
            (Some(_), _) if stays || is_silent => (Stop::AfterResult, DeleteReason::AfterResult),
            (None, Some(bound)) if is_silent => (Stop::Silent { bound }, DeleteReason::Silent),
            _ => return,
        };
        self.findings.stop.get_or_insert(stop);
        self.begin_stop(reason, now, commands);
    }
}

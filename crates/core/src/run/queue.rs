//! A released Job that stays suspended: a queue has not admitted it, or something in the cluster suspended it.
//!
//! Nobody but the queue knows how long it takes, so only an operator bounds it; but it is never waited without a word.

use jiff::Timestamp;

use super::causes::Cause;
use super::command::Command;
use super::constants::{NEXT_EVENTS, QUEUE_EVENTS, QUEUE_SAID};
use super::input::Bounds;
use super::phase::Phase;
use super::start::StartUp;
use super::state::{RunState, after, earliest};
use crate::names::key;
use crate::outcome::StartCause;

/// Waiting for an admission.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    pub(super) since: Timestamp,
    say_at: Timestamp,
    events_at: Timestamp,
    /// What the events said last, each told once.
    pub(super) causes: Vec<Cause>,
}

impl Queued {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, say_at: after(now, QUEUE_SAID), events_at: after(now, QUEUE_EVENTS), causes: vec![] }
    }

    pub(super) fn next_wake(&self, bounds: &Bounds, in_sync: bool) -> Option<Timestamp> {
        let bound = bounds.queue.map(|bound| after(self.since, bound)).filter(|_| in_sync);
        earliest([bound, Some(self.say_at), Some(self.events_at)])
    }

    pub(super) fn note_causes(&mut self, causes: Vec<Cause>, commands: &mut Vec<Command>) {
        for cause in causes.iter().filter(|cause| !self.causes.iter().any(|told| told.text == cause.text)) {
            commands.push(Command::Say(format!("waiting for the queue: {}", cause.text)));
        }
        self.causes = causes;
    }
}

impl RunState {
    /// Suspended as far as is known, and nothing of it can run.
    pub(super) fn is_held_back(&self) -> bool {
        let suspended = self.view.job.as_ref().is_some_and(|job| job.suspended && !job.absent && !job.is_finished());
        suspended && self.view.pods.is_empty()
    }

    pub(super) fn advance_queued(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let suspended = self.view.job.as_ref().is_none_or(|job| job.suspended);
        if !suspended || !self.view.pods.is_empty() {
            self.phase = Phase::Scheduling(StartUp::new(now));
            return;
        }
        if self.proofs.job_gone.is_some() {
            if self.has_looked(now, commands) {
                self.drain(now);
            }
            return;
        }
        let (text, cause) = (self.held_back_for(now), self.queue_name());
        let (in_sync, absent) = (self.in_sync(), self.view.job.as_ref().is_some_and(|job| job.absent));
        let Phase::Queued(queued) = &mut self.phase else { return };
        if now >= queued.events_at {
            queued.events_at = after(now, NEXT_EVENTS);
            if !absent {
                commands.push(Command::ReadEvents);
            }
        }
        if let Some(bound) = self.bounds.queue.filter(|bound| in_sync && now >= after(queued.since, *bound)) {
            return self.fail_start(StartCause::QueueBound { bound, queue: cause }, now, commands);
        }
        if now >= queued.say_at {
            queued.say_at = after(now, NEXT_EVENTS);
            commands.push(Command::Progress(text.clone()));
            commands.push(Command::Say(text));
        }
    }

    /// By the Job itself: the label may be one that a policy added.
    fn queue_name(&self) -> Option<String> {
        self.view.job.as_ref()?.labels.get(key::QUEUE_NAME).cloned()
    }

    fn held_back_for(&self, now: Timestamp) -> String {
        let Phase::Queued(queued) = &self.phase else { return String::new() };
        let seconds = now.duration_since(queued.since).as_secs();
        let job = self.view.job.as_ref().map_or("", |job| job.name.as_str());
        match self.queue_name() {
            Some(queue) => format!("waiting for {seconds} s in queue `{queue}`: it has not admitted Job {job}"),
            None if self.bounds.queued => format!("waiting for {seconds} s for a queue to admit Job {job}"),
            None => format!(
                "Job {job} is suspended for {seconds} s although nobody queued it: a policy of the cluster or a person \
                 suspended it, and the run waits until it is resumed"
            ),
        }
    }
}

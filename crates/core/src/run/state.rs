//! The state of one run and its one transition.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::command::Command;
use super::findings::Findings;
use super::input::{Bounds, Input};
use super::look::Look;
use super::phase::Phase;
use super::proof::Proofs;
use super::queue::Queued;
use super::start::StartUp;
use crate::log::{ContainerPhase, EndLine};
use crate::outcome::{Ending, LogSummary, Stop};
use crate::view::RunView;

/// The state of one run: where it is, and what is true wherever it is.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub(super) bounds: Bounds,
    /// The newest facts.
    pub(super) view: RunView,
    pub(super) phase: Phase,
    pub(super) sights: Sights,
    pub(super) proofs: Proofs,
    pub(super) look: Look,
    pub(super) log: FollowedLog,
    pub(super) findings: Findings,
}

/// What was seen once. Later facts do not undo it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sights {
    /// The Job was seen released: suspended from now on means suspended *again*.
    pub(super) released: bool,
    /// When the container was first seen to have started, by our clock.
    pub(super) running: Option<Timestamp>,
    /// When the pod was first seen to have been taken by its node, by our clock. Its own time is another clock's
    /// (FLD-07).
    pub(super) pod_started: Option<Timestamp>,
    /// When the pod's deletion was first seen, by our clock.
    pub(super) deletion: Option<Timestamp>,
}

/// What was told to the log follower and what it answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FollowedLog {
    told: ContainerPhase,
    /// The log was read to its end. Kept until the run may be decided.
    pub(super) ended: Option<LogEnd>,
}

/// A log that was read to its end, or given up.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LogEnd {
    pub(super) summary: LogSummary,
    /// By our clock.
    pub(super) heard: Timestamp,
}

impl FollowedLog {
    /// What the container said about its own end.
    pub(super) fn end(&self) -> Option<EndLine> {
        self.ended.as_ref()?.summary.end
    }

    /// Nothing is left that the cluster could explain: the container exited with 0 behind a good result.
    pub(super) fn settles(&self) -> bool {
        let good = self.ended.as_ref().is_some_and(|log| log.summary.complete && log.summary.good_result);
        good && self.end().is_some_and(|end| end.exit_code == 0)
    }
}

impl RunState {
    /// A run whose Job has just been released, or adopted. `view` comes from the index.
    #[must_use]
    pub fn released(bounds: Bounds, view: RunView, now: Timestamp) -> (Self, Vec<Command>) {
        let phase = if bounds.queued { Phase::Queued(Queued::new(now)) } else { Phase::Scheduling(StartUp::new(now)) };
        let state = Self {
            bounds,
            view: RunView::default(),
            phase,
            sights: Sights::default(),
            proofs: Proofs::default(),
            look: Look::None,
            log: FollowedLog::default(),
            findings: Findings::default(),
        };
        state.on(Input::View(view), now)
    }

    /// The only transition.
    #[must_use]
    pub fn on(mut self, input: Input, now: Timestamp) -> (Self, Vec<Command>) {
        let mut commands = Vec::new();
        if matches!(self.phase, Phase::Decided(_)) {
            return (self, commands);
        }
        let tick = matches!(input, Input::Tick(_));
        match input {
            Input::View(view) => self.note_view(view, now),
            Input::Tick(heard) => self.note_heard(heard, now),
            Input::Events(causes) => self.note_events(causes, now, &mut commands),
            Input::Deleted => self.note_accepted(),
            Input::Looked => self.note_look(now),
            Input::Proven(of, proof) => self.note_proof(of, proof, now),
            Input::LogEnded(log) => self.note_log_end(log, now),
            Input::Cancel => self.cancel(now, &mut commands),
            Input::LeaseLost => {
                self.findings.stop = Some(Stop::LeaseLost);
                self.decide();
                return (self, commands);
            }
        }
        self.advance(now, &mut commands);
        // Only a tick knows of the newest output.
        if tick {
            self.stop_when_overdue(now, &mut commands);
            self.say_that_it_runs(now, &mut commands);
        }
        (self, commands)
    }

    /// When [`Input::Tick`] is due next, if nothing else happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if self.is_looking() {
            return None;
        }
        let in_sync = self.in_sync();
        let phase = match &self.phase {
            Phase::Queued(queued) => queued.next_wake(&self.bounds, in_sync),
            Phase::Scheduling(start) => start.next_wake(self.bounds.schedule, in_sync),
            Phase::Starting(starting) => starting.next_wake(self.bounds.startup, in_sync),
            Phase::Running(running) => running.next_wake(&self.bounds, in_sync),
            Phase::AwaitingState { since } => self.awaited_until(*since),
            Phase::Stopping(stopping) => Some(stopping.until()),
            Phase::Draining(draining) => self.drained_at(draining),
            Phase::Decided(_) => return None,
        };
        earliest([phase, self.given_up_at(), self.proofs.next])
    }

    /// The result, once decided.
    #[must_use]
    pub fn ending(&self) -> Option<&Ending> {
        match &self.phase {
            Phase::Decided(ending) => Some(ending),
            _ => None,
        }
    }

    /// The newest facts.
    #[must_use]
    pub fn view(&self) -> &RunView {
        &self.view
    }

    /// When the pod was first seen to have been taken by its node, by our clock.
    #[must_use]
    pub fn pod_started(&self) -> Option<Timestamp> {
        self.sights.pod_started
    }

    /// Where the run is.
    #[must_use]
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    fn note_view(&mut self, view: RunView, now: Timestamp) {
        self.sights.released |= view.job.as_ref().is_some_and(|job| !job.suspended);
        if view.pod().is_some_and(|pod| pod.deletion_timestamp.is_some()) {
            self.sights.deletion.get_or_insert(now);
        }
        if view.pod().is_some_and(|pod| pod.start_time.is_some()) {
            self.sights.pod_started.get_or_insert(now);
        }
        // A connection to the log may have died unnoticed while nothing could be reached.
        if let Phase::Running(running) = &mut self.phase
            && self.view.stale_since.is_some()
            && view.stale_since.is_none()
        {
            running.listening = Some(now);
        }
        self.view = view;
    }

    fn note_accepted(&mut self) {
        if let Some(order) = self.phase.order_mut() {
            order.accepted = true;
        }
    }

    /// A log ends only for a follower that was told of the container's end, or that has read it there (END-01).
    fn note_log_end(&mut self, summary: LogSummary, now: Timestamp) {
        if summary.end.is_some() || self.log.told.is_ended() {
            self.log.ended = Some(LogEnd { summary, heard: now });
        }
    }

    /// Follows the facts as far as they lead.
    fn advance(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        loop {
            let before = std::mem::discriminant(&self.phase);
            self.stop_when_replaced(now, commands);
            match &self.phase {
                Phase::Queued(_) => self.advance_queued(now, commands),
                Phase::Scheduling(_) => self.advance_scheduling(now, commands),
                Phase::Starting(_) => self.advance_starting(now, commands),
                Phase::Running(_) => self.advance_running(now, commands),
                Phase::AwaitingState { since } => self.advance_awaiting(*since, now, commands),
                Phase::Stopping(_) => self.advance_stopping(now, commands),
                Phase::Draining(_) | Phase::Decided(_) => {}
            }
            if std::mem::discriminant(&self.phase) == before {
                break;
            }
        }
        self.update_log_phase(commands);
        self.ask_for_proof(now, commands);
        self.decide_when_drained(now, commands);
    }

    /// The facts are current. Without contact no bound and no grace is over: what it waits for may have come (END-02).
    pub(super) fn in_sync(&self) -> bool {
        self.view.stale_since.is_none()
    }

    pub(super) fn job_is_finished(&self) -> bool {
        self.view.job.as_ref().is_some_and(crate::view::JobFacts::is_finished)
    }

    pub(super) fn container_ended(&self) -> bool {
        self.view.pod().is_some_and(|pod| pod.terminated().is_some())
    }

    fn update_log_phase(&mut self, commands: &mut Vec<Command>) {
        let draining = matches!(self.phase, Phase::Draining(_));
        let next = match self.view.pod() {
            Some(pod) if draining && pod.terminated().is_none() => ContainerPhase::Gone,
            None if draining => ContainerPhase::Gone,
            None => ContainerPhase::Waiting,
            Some(pod) => pod.log_phase(),
        };
        if next != self.log.told {
            self.log.told = next;
            commands.push(Command::LogPhase(next));
        }
    }

    pub(super) fn decide(&mut self) {
        let log = self.log.ended.take();
        self.phase = Phase::Decided(Box::new(self.conclude(log.as_ref())));
    }
}

/// `time + duration`, saturating.
pub(super) fn after(time: Timestamp, duration: Duration) -> Timestamp {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}

pub(super) fn earliest<const N: usize>(times: [Option<Timestamp>; N]) -> Option<Timestamp> {
    times.into_iter().flatten().min()
}

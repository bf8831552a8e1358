//! States, inputs, commands, and the one transition function.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::constants::{JOB_CONDITION_LOOK_UP, STOP_VERIFICATION, UNKNOWN_OUTCOME_GRACE};
use super::keepalive::Keepalive;
use super::start::StartUp;
use super::stop::Stopping;
use crate::log::ContainerPhase;
use crate::outcome::{Deletion, Ending, LogSummary, PlatformLoss, StartFailure, Stop};
use crate::view::{ContainerState, PodFacts, RunView};

/// Time limits of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// From release (or queue admission) to a node.
    pub schedule: Option<Duration>,
    /// From a node to a running container.
    pub startup: Option<Duration>,
    /// `timeoutSec + graceSec`, counted from the pod's start. `None`: no timer can end the run (END-03).
    pub limit: Option<Duration>,
    /// A queue admits the Job: it stays suspended after release.
    pub queued: bool,
    /// The Job was found running: its deadline counts from the pod's own start, not from when it was found.
    pub adopted: bool,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The newest facts about the Job and its pods.
    View(RunView),
    /// Time passed; carries when the container last wrote something.
    Tick {
        /// By our clock; `None` before the first line.
        last_output: Option<Timestamp>,
    },
    /// Causes from pod and Job events, oldest first.
    Events(Vec<String>),
    /// The API server accepted our deletion: what the watch then says to be gone needs no further proof.
    Deleted,
    /// The answer to [`Command::Prove`].
    Proven(ProofOf, Proof),
    /// The log was read to its end after the container terminated, or given up at its bound.
    LogEnded(LogSummary),
    /// An operator cancelled.
    Cancel,
    /// The host lost ownership of the run.
    LeaseLost,
}

/// Which object a proof is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofOf {
    /// The Job.
    Job,
    /// Its first pod.
    Pod,
}

/// What two reads by name, a second apart, said. A watch event alone is a claim (END-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Status `NotFound` for that kind, twice.
    Gone,
    /// Another object of the same name.
    OtherUid,
    /// It is there.
    Present,
    /// Could not be asked.
    Unknown,
}

/// Something to do. Results come back as inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Tell the log follower what the container does.
    LogPhase(ContainerPhase),
    /// Delete the Job by uid, propagation `Background`.
    Delete(DeleteReason),
    /// Read the object by name, twice.
    Prove(ProofOf),
    /// Read the causes from events.
    ReadEvents,
    /// Write `[paperclip] <text>` to the transcript's progress stream.
    Say(String),
    /// Write `[paperclip] <text>` to the transcript's warning stream.
    Warn(String),
    /// The container was seen running for the first time.
    Started,
    /// Progress while waiting, for the host's status line.
    Progress(String),
}

/// Why a Job is deleted. The only reasons there are (END-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteReason {
    /// Operator cancel.
    Cancelled,
    /// `timeoutSec` and `graceSec` are over.
    PastDeadline,
    /// A start-up bound is over, or the pod cannot start.
    CannotStart,
    /// Suspended again or replaced: the prompt must not run twice (END-14).
    Replaced,
}

/// Where the run is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// Released to a queue that has not admitted it.
    Queued,
    /// No node yet.
    Scheduling(StartUp),
    /// A node, but the container does not run yet.
    Starting(StartUp),
    /// The container runs, as far as anybody knows.
    Running,
    /// The pod is terminal or gone, but the kubelet posted no container state.
    AwaitingState {
        /// Since when.
        since: Timestamp,
    },
    /// Deletion was asked for; waiting for the pods' end.
    Stopping(Stopping),
    /// The container ended; the log's tail is being read.
    Draining,
    /// Nothing more to do.
    Decided(Box<Ending>),
}

impl Phase {
    /// For people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Scheduling(_) => "scheduling",
            Self::Starting(_) => "starting",
            Self::Running => "running",
            Self::AwaitingState { .. } => "awaiting the container's state",
            Self::Stopping(_) => "stopping",
            Self::Draining => "draining",
            Self::Decided(_) => "decided",
        }
    }
}

/// The state of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub(super) bounds: Bounds,
    pub(super) phase: Phase,
    pub(super) view: RunView,
    pub(super) log_phase: ContainerPhase,
    /// The log was read to its end; kept until the run may be decided.
    pub(super) log_ended: Option<LogSummary>,
    pub(super) keepalive: Keepalive,
    pub(super) running_since: Option<Timestamp>,
    /// When the deadline started to count, by our clock.
    pub(super) limit_from: Option<Timestamp>,
    /// The Job was seen released: suspended from now on means suspended *again*.
    pub(super) seen_released: bool,
    /// First sight of the pod's deletion, by our clock.
    pub(super) deleting_since: Option<Timestamp>,
    /// When the container's end was seen, or given up.
    pub(super) draining_since: Option<Timestamp>,
    pub(super) next_proof: Option<Timestamp>,
    /// When the Job was proven gone.
    pub(super) job_gone: Option<Timestamp>,
    pub(super) pod_gone: bool,
    /// We ask for the deletion at most once; from then on it is ours, whatever the objects say.
    pub(super) delete_ordered: bool,
    pub(super) deletion_accepted: bool,
    // What the ending will say.
    pub(super) stop: Option<Stop>,
    pub(super) start_failure: Option<StartFailure>,
    /// The causes of a failed start are being read.
    pub(super) awaits_causes: bool,
    pub(super) deadline_passed: bool,
    pub(super) platform: Option<PlatformLoss>,
    pub(super) deletion: Option<Deletion>,
    pub(super) termination_verified: bool,
}

impl RunState {
    /// A run whose Job has just been released, or adopted. `view` comes from the index.
    #[must_use]
    pub fn released(bounds: Bounds, view: RunView, now: Timestamp) -> (Self, Vec<Command>) {
        let phase = if bounds.queued { Phase::Queued } else { Phase::Scheduling(StartUp::new(now)) };
        let state = Self {
            bounds,
            phase,
            view: RunView::default(),
            log_phase: ContainerPhase::Waiting,
            log_ended: None,
            keepalive: Keepalive::new(now),
            running_since: None,
            limit_from: None,
            seen_released: false,
            deleting_since: None,
            draining_since: None,
            next_proof: None,
            job_gone: None,
            pod_gone: false,
            delete_ordered: false,
            deletion_accepted: false,
            stop: None,
            start_failure: None,
            awaits_causes: false,
            deadline_passed: false,
            platform: None,
            deletion: None,
            termination_verified: false,
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
        let tick = matches!(input, Input::Tick { .. });
        match input {
            Input::View(view) => self.note_view(view, now),
            Input::Tick { last_output } => self.keepalive.output_at(last_output),
            Input::Events(causes) => self.note_events(causes, &mut commands),
            Input::Deleted => self.deletion_accepted = true,
            Input::Proven(of, proof) => self.note_proof(of, proof, now),
            Input::LogEnded(log) => self.note_log_end(log),
            Input::Cancel => self.cancel(now, &mut commands),
            Input::LeaseLost => {
                self.stop = Some(Stop::LeaseLost);
                self.decide(LogSummary::default());
                return (self, commands);
            }
        }
        self.advance(now, &mut commands);
        if tick {
            self.say_that_it_runs(now, &mut commands);
        }
        (self, commands)
    }

    /// When [`Input::Tick`] is due next, if nothing else happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let in_sync = self.in_sync();
        let phase = match &self.phase {
            Phase::Queued => None,
            Phase::Scheduling(start) => start.next_wake(self.bounds.schedule, in_sync),
            Phase::Starting(start) => start.next_wake(self.bounds.startup, in_sync),
            Phase::Running => earliest([self.limit_acts_at(), Some(self.keepalive.next_at())]),
            Phase::AwaitingState { since } => Some(after(*since, UNKNOWN_OUTCOME_GRACE)).filter(|_| in_sync),
            Phase::Stopping(stopping) => Some(stopping.until()),
            Phase::Draining => self.look_up_until().filter(|_| self.log_ended.is_some()),
            Phase::Decided(_) => return None,
        };
        let given_up = if self.may_be_given_up() { [self.node_lost_at(), self.job_gone_until()] } else { [None, None] };
        earliest([phase, earliest(given_up), self.next_proof])
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

    /// Where the run is.
    #[must_use]
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    fn note_view(&mut self, view: RunView, now: Timestamp) {
        self.seen_released |= view.job.as_ref().is_some_and(|job| !job.suspended);
        if view.pod().is_some_and(|pod| pod.deletion_timestamp.is_some()) {
            self.deleting_since.get_or_insert(now);
        }
        self.view = view;
    }

    /// Only a follower that was told of the container's end may say that the log ended (END-01).
    fn note_log_end(&mut self, log: LogSummary) {
        if matches!(self.log_phase, ContainerPhase::Terminated { .. } | ContainerPhase::Gone) {
            self.log_ended = Some(log);
        }
    }

    /// Follows the facts as far as they lead.
    fn advance(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        loop {
            let before = std::mem::discriminant(&self.phase);
            self.stop_when_replaced(now, commands);
            match &self.phase {
                Phase::Queued => self.advance_queued(now),
                Phase::Scheduling(_) => self.advance_scheduling(now, commands),
                Phase::Starting(_) => self.advance_starting(now, commands),
                Phase::Running => self.advance_running(now, commands),
                Phase::AwaitingState { since } => self.advance_awaiting(*since, now),
                Phase::Stopping(_) => self.advance_stopping(now),
                Phase::Draining | Phase::Decided(_) => {}
            }
            if std::mem::discriminant(&self.phase) == before {
                break;
            }
        }
        self.update_log_phase(commands);
        self.ask_for_proof(now, commands);
        self.decide_when_drained(now);
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

    /// A real deadline: the pod's own, or the Job's backstop.
    pub(super) fn note_deadline(&mut self) {
        let pod = self.view.pod().and_then(|pod| pod.reason.as_deref()) == Some("DeadlineExceeded");
        let job = self.view.job.as_ref().and_then(|job| job.failure_reason()) == Some("DeadlineExceeded");
        self.deadline_passed |= pod || job;
    }

    pub(super) fn note_running(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.running_since.is_none() {
            self.running_since = Some(now);
            self.keepalive = Keepalive::new(now);
            commands.push(Command::Started);
        }
    }

    /// Start of the deadline: the first look at the started pod. A node's clock counts only for an adopted Job.
    pub(super) fn note_pod_start(&mut self, now: Timestamp) {
        let Some(started) = self.view.pod().and_then(|pod| pod.start_time) else { return };
        let from = if self.bounds.adopted { started.min(now) } else { now };
        self.limit_from.get_or_insert(from);
    }

    fn update_log_phase(&mut self, commands: &mut Vec<Command>) {
        let draining = matches!(self.phase, Phase::Draining);
        let next = match self.view.pod() {
            Some(pod) if draining && pod.terminated().is_none() => ContainerPhase::Gone,
            None if draining => ContainerPhase::Gone,
            None => ContainerPhase::Waiting,
            Some(pod) => container_phase(pod),
        };
        if next != self.log_phase {
            self.log_phase = next;
            commands.push(Command::LogPhase(next));
        }
    }

    fn decide_when_drained(&mut self, now: Timestamp) {
        if !matches!(self.phase, Phase::Draining) {
            return;
        }
        self.draining_since.get_or_insert(now);
        let look_up = self.look_up_until().is_some_and(|until| now < until);
        if let Some(log) = self.log_ended.take_if(|_| !look_up) {
            self.decide(log);
        }
    }

    /// Until when the reason of a kill may come: the kubelet posts the pod's phase and reason about a second after
    /// the container's end, and the Job controller is later still (`docs/internals/kubernetes.md` 4.2). END-05.
    fn look_up_until(&self) -> Option<Timestamp> {
        let pod = self.view.pod()?;
        let killed =
            pod.terminated().is_some_and(|end| end.was_signalled() && end.reason.as_deref() != Some("OOMKilled"));
        let explained =
            self.delete_ordered || self.deadline_passed || self.platform.is_some() || pod.disruption.is_some();
        let deleted = pod.absent || pod.deletion_timestamp.is_some();
        let undecided = match &self.view.job {
            Some(job) if deleted => job.failure_reason().is_none() && !job.absent && job.deletion_timestamp.is_none(),
            _ => !pod.phase.is_terminal(),
        };
        (killed && !explained && undecided).then_some(after(self.draining_since?, JOB_CONDITION_LOOK_UP))
    }

    fn decide(&mut self, log: LogSummary) {
        let ending = self.build_ending(log);
        self.phase = Phase::Decided(Box::new(ending));
    }

    /// The deadline, and in an outage the end of the attempts to find out how the run really ended.
    fn limit_acts_at(&self) -> Option<Timestamp> {
        let at = self.limit_at()?;
        Some(if self.in_sync() { at } else { after(at, STOP_VERIFICATION) })
    }

    fn limit_at(&self) -> Option<Timestamp> {
        Some(after(self.limit_from?, self.bounds.limit?))
    }

    /// The deadline is over by now.
    pub(super) fn limit_is_over(&self, now: Timestamp) -> bool {
        self.limit_acts_at().is_some_and(|at| now >= at)
    }
}

fn container_phase(pod: &PodFacts) -> ContainerPhase {
    let deleted = pod.absent || pod.deletion_timestamp.is_some();
    match &pod.claude.state {
        _ if !pod.claude.started && pod.terminated().is_some() => ContainerPhase::Gone,
        _ if !pod.claude.started => ContainerPhase::Waiting,
        ContainerState::Terminated(_) => ContainerPhase::Terminated { pod_deleted: deleted },
        _ if deleted => ContainerPhase::Deleting,
        _ => ContainerPhase::Running,
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

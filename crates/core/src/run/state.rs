//! States, inputs, commands, and the one transition function.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::ending::Ending;
use super::keepalive::Keepalive;
use super::start::StartUp;
use super::stop::Stopping;
use crate::log::ContainerPhase;
use crate::outcome::{ContainerEnd, Deletion, LogSummary, PlatformLoss, StartFailure, Stop};
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

/// The state of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub(super) bounds: Bounds,
    pub(super) phase: Phase,
    pub(super) view: RunView,
    pub(super) log_phase: ContainerPhase,
    pub(super) keepalive: Keepalive,
    pub(super) running_since: Option<Timestamp>,
    /// When the deadline started to count, by our clock.
    pub(super) limit_from: Option<Timestamp>,
    pub(super) next_proof: Option<Timestamp>,
    pub(super) job_gone: bool,
    pub(super) pod_gone: bool,
    pub(super) deletion_accepted: bool,
    // What the ending will say.
    pub(super) stop: Option<Stop>,
    pub(super) start_failure: Option<StartFailure>,
    pub(super) deadline_passed: bool,
    pub(super) platform: Option<PlatformLoss>,
    pub(super) deletion: Option<Deletion>,
    pub(super) termination_verified: bool,
}

impl RunState {
    /// A run whose Job has just been released, or adopted.
    #[must_use]
    pub fn released(bounds: Bounds, view: RunView, now: Timestamp) -> (Self, Vec<Command>) {
        let phase = if bounds.queued { Phase::Queued } else { Phase::Scheduling(StartUp::new(now)) };
        let state = Self {
            bounds,
            phase,
            view: RunView::default(),
            log_phase: ContainerPhase::Waiting,
            keepalive: Keepalive::new(now),
            running_since: None,
            limit_from: None,
            next_proof: None,
            job_gone: false,
            pod_gone: false,
            deletion_accepted: false,
            stop: None,
            start_failure: None,
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
        match (&self.phase, input) {
            (Phase::Decided(_), _) => return (self, commands),
            (_, Input::View(view)) => self.view = view,
            (_, Input::Tick { last_output }) => self.keepalive.output_at(last_output),
            (_, Input::Events(causes)) => self.note_events(causes, &mut commands),
            (_, Input::Deleted) => self.deletion_accepted = true,
            (_, Input::Proven(of, proof)) => self.note_proof(of, proof, now),
            (Phase::Draining, Input::LogEnded(log)) => return (self.decide(log), commands),
            (Phase::Draining, Input::Cancel) => self.cancel_while_draining(),
            // Only a terminated container lets the follower end; any other end of a log decides nothing (END-01).
            (_, Input::LogEnded(_)) | (Phase::Stopping(_), Input::Cancel) => {}
            (_, Input::Cancel) => self.begin_stop(DeleteReason::Cancelled, now, &mut commands),
            (_, Input::LeaseLost) => {
                self.stop = Some(Stop::LeaseLost);
                return (self.decide(LogSummary::default()), commands);
            }
        }
        self.advance(now, &mut commands);
        (self, commands)
    }

    /// When [`Input::Tick`] is due next, if nothing else happens.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let phase = match &self.phase {
            Phase::Queued | Phase::Draining => None,
            Phase::Scheduling(start) => start.next_wake(self.bounds.schedule),
            Phase::Starting(start) => start.next_wake(self.bounds.startup),
            Phase::Running => earliest([self.limit_at(), self.node_lost_at()]),
            Phase::AwaitingState { since } => Some(after(*since, super::constants::UNKNOWN_OUTCOME_GRACE)),
            Phase::Stopping(stopping) => Some(stopping.until()),
            Phase::Decided(_) => return None,
        };
        let keepalive = matches!(self.phase, Phase::Running).then(|| self.keepalive.next_at());
        earliest([phase, keepalive, self.next_proof])
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

    /// Follows the facts as far as they lead.
    fn advance(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        loop {
            let before = std::mem::discriminant(&self.phase);
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
    }

    fn advance_running(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        self.note_deadline();
        if self.container_ended() {
            self.phase = Phase::Draining;
        } else if let Some(detail) = self.replaced() {
            self.platform = Some(PlatformLoss::Replaced { detail });
            self.begin_stop(DeleteReason::Replaced, now, commands);
        } else if self.limit_at().is_some_and(|at| now >= at) {
            self.deadline_passed = true;
            self.begin_stop(DeleteReason::PastDeadline, now, commands);
        } else if self.node_lost_at().is_some_and(|at| now >= at) {
            let node = self.view.pod().and_then(|pod| pod.node.clone()).unwrap_or_default();
            self.platform = Some(PlatformLoss::NodeLost { node });
            self.phase = Phase::Draining;
        } else if self.pod_gone || self.pod_terminal_without_state() {
            self.phase = Phase::AwaitingState { since: now };
        } else {
            let job = self.view.job.as_ref().map_or("", |job| job.name.as_str());
            commands.extend(self.keepalive.line(job, self.view.stale_since, now).map(Command::Say));
        }
    }

    fn advance_awaiting(&mut self, since: Timestamp, now: Timestamp) {
        self.note_deadline();
        let grace_over = now >= after(since, super::constants::UNKNOWN_OUTCOME_GRACE);
        // A pod proven gone cannot report any more; only a pod that is still there may be late (END-11).
        let nothing_to_wait_for = self.pod_gone && (self.job_gone || self.job_is_finished());
        if self.container_ended() || grace_over || nothing_to_wait_for {
            self.phase = Phase::Draining;
        }
    }

    pub(super) fn job_is_finished(&self) -> bool {
        self.view.job.as_ref().is_some_and(crate::view::JobFacts::is_finished)
    }

    /// A real deadline: the pod's own, or the Job's backstop.
    pub(super) fn note_deadline(&mut self) {
        let pod = self.view.pod().and_then(|pod| pod.reason.as_deref()) == Some("DeadlineExceeded");
        let job = self.view.job.as_ref().and_then(|job| job.failure_reason()) == Some("DeadlineExceeded");
        self.deadline_passed |= pod || job;
    }

    pub(super) fn container_ended(&self) -> bool {
        self.view.pod().is_some_and(|pod| pod.terminated().is_some())
    }

    fn pod_terminal_without_state(&self) -> bool {
        self.view.pod().is_some_and(|pod| pod.phase.is_terminal() && pod.terminated().is_none())
    }

    /// The Job was suspended again, or a second pod came after the first had started.
    fn replaced(&self) -> Option<String> {
        let started = self.view.pod().is_some_and(|pod| pod.claude.started);
        let suspended = self.view.job.as_ref().is_some_and(|job| job.suspended && !job.absent);
        match self.view.pods.as_slice() {
            [first, second, ..] if started => Some(format!("pod `{}` was replaced by `{}`", first.name, second.name)),
            [_, ..] if started && suspended => Some("the Job was suspended again".to_owned()),
            _ => None,
        }
    }

    /// Start of the deadline: the first look at the started pod, never a node's clock.
    fn limit_at(&self) -> Option<Timestamp> {
        Some(after(self.limit_from?, self.bounds.limit?))
    }

    fn node_lost_at(&self) -> Option<Timestamp> {
        let pod = self.view.pod().filter(|pod| !pod.absent && pod.terminated().is_none())?;
        Some(after(pod.deletion_timestamp?, super::constants::NODE_LOST_AFTER))
    }

    pub(super) fn note_running(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.running_since.is_none() {
            self.running_since = Some(now);
            self.keepalive = Keepalive::new(now);
            commands.push(Command::Started);
        }
    }

    pub(super) fn note_pod_start(&mut self, now: Timestamp) {
        let Some(started) = self.view.pod().and_then(|pod| pod.start_time) else { return };
        let from = if self.bounds.adopted { started.min(now) } else { now };
        self.limit_from.get_or_insert(from);
    }

    fn update_log_phase(&mut self, commands: &mut Vec<Command>) {
        let next = match (&self.phase, self.view.pod()) {
            (Phase::Draining | Phase::Decided(_), pod) => match pod {
                Some(pod) if pod.terminated().is_some() => {
                    ContainerPhase::Terminated { pod_deleted: pod.deletion_timestamp.is_some() || pod.absent }
                }
                _ => ContainerPhase::Gone,
            },
            (_, None) => ContainerPhase::Waiting,
            (_, Some(pod)) => container_phase(pod),
        };
        if next != self.log_phase {
            self.log_phase = next;
            commands.push(Command::LogPhase(next));
        }
    }

    /// The watch says an object is gone: a claim that two reads have to prove.
    fn ask_for_proof(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let ended = matches!(self.phase, Phase::Draining | Phase::Decided(_));
        let in_sync = self.view.stale_since.is_none();
        let pod_claimed = self.view.pod().is_some_and(|pod| pod.absent) && !self.pod_gone;
        let job_claimed = self.view.job.as_ref().is_some_and(|job| job.absent) && !self.job_gone;
        let own_deletion = matches!(self.phase, Phase::Stopping(_)) && self.deletion_accepted;
        if ended || own_deletion || !in_sync || !(pod_claimed || job_claimed) {
            self.next_proof = None;
            return;
        }
        if self.next_proof.is_some_and(|at| now < at) {
            return;
        }
        self.next_proof = Some(after(now, super::constants::PROOF_INTERVAL));
        if pod_claimed {
            commands.push(Command::Prove(ProofOf::Pod));
        }
        if job_claimed {
            commands.push(Command::Prove(ProofOf::Job));
        }
    }

    fn note_proof(&mut self, of: ProofOf, proof: Proof, now: Timestamp) {
        let gone = matches!(proof, Proof::Gone | Proof::OtherUid);
        match of {
            ProofOf::Pod => self.pod_gone |= gone,
            ProofOf::Job => self.job_gone |= gone,
        }
        // Our own deletion explains itself; anybody else's is a finding.
        if self.stop.is_none() && !matches!(self.phase, Phase::Stopping(_)) && gone {
            self.deletion.get_or_insert_with(|| Deletion {
                detected_via: match of {
                    ProofOf::Job => "job_404".to_owned(),
                    ProofOf::Pod => "pod_404".to_owned(),
                },
                job_conditions: vec![],
                elapsed_since_running: self.running_since.map(|since| now.duration_since(since).as_secs()),
            });
        }
    }

    fn decide(mut self, log: LogSummary) -> Self {
        let ending = self.build_ending(log);
        self.phase = Phase::Decided(Box::new(ending));
        self
    }

    /// What is known about the container's end.
    pub(super) fn container_end(&self) -> ContainerEnd {
        let Some(pod) = self.view.pod() else {
            return ContainerEnd::NeverStarted;
        };
        match &pod.claude.state {
            ContainerState::Terminated(end) => ContainerEnd::Exited(end.clone()),
            _ if self.pod_gone || pod.absent => {
                if pod.claude.started {
                    ContainerEnd::PodGone
                } else {
                    ContainerEnd::NeverStarted
                }
            }
            _ if pod.phase.is_terminal() && pod.claude.started => {
                ContainerEnd::NotReported { pod_phase: format!("{:?}", pod.phase) }
            }
            _ if pod.claude.started => ContainerEnd::Running,
            _ => ContainerEnd::NeverStarted,
        }
    }
}

fn container_phase(pod: &PodFacts) -> ContainerPhase {
    match &pod.claude.state {
        ContainerState::NotReported | ContainerState::Waiting { .. } if !pod.claude.started => ContainerPhase::Waiting,
        ContainerState::Terminated(_) => {
            ContainerPhase::Terminated { pod_deleted: pod.deletion_timestamp.is_some() || pod.absent }
        }
        _ if pod.absent => ContainerPhase::Deleting,
        _ if pod.deletion_timestamp.is_some() => ContainerPhase::Deleting,
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

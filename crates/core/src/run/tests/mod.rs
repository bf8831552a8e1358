//! Every arm of the state machine: facts in, commands and an ending out.

mod end;
mod heard;
mod keepalive;
mod look;
mod said;
mod start;
mod stop;

use std::time::Duration;

use jiff::Timestamp;

use super::{Bounds, Command, DeleteReason, Heard, Input, Phase, Proof, ProofOf, RunState};
use crate::outcome::{Ending, LogSummary};
use crate::view::{ContainerState, Disruption, JobCondition, JobFacts, PodFacts, PodPhase, RunView, Terminated};

/// A run under test and what it commanded last.
struct Run {
    state: RunState,
    commands: Vec<Command>,
}

impl Run {
    /// Released at second 0, nothing seen yet.
    fn released(bounds: Bounds) -> Self {
        Self::adopted(bounds, view(job(), []))
    }

    fn adopted(bounds: Bounds, view: RunView) -> Self {
        let (state, commands) = RunState::released(bounds, view, at(0));
        Self { state, commands }.looked(0)
    }

    /// A container that has been running since second 0.
    fn running(bounds: Bounds) -> Self {
        let run = Self::adopted(bounds, view(job(), [running()]));
        assert!(matches!(run.state.phase(), Phase::Running(_)));
        run
    }

    /// A look by name is answered at once, with nothing new.
    fn on(self, second: i64, input: Input) -> Self {
        self.on_unlooked(second, input).looked(second)
    }

    fn looked(self, second: i64) -> Self {
        let mut run = self;
        if run.commands.contains(&Command::Look) {
            run.commands.retain(|command| *command != Command::Look);
            let (state, more) = run.state.on(Input::Looked, at(second));
            run = Self { state, commands: run.commands.into_iter().chain(more).collect() };
        }
        run
    }

    fn on_unlooked(self, second: i64, input: Input) -> Self {
        let (state, commands) = self.state.on(input, at(second));
        Self { state, commands }
    }

    fn sees<const N: usize>(self, second: i64, job: JobFacts, pods: [PodFacts; N]) -> Self {
        self.on(second, Input::View(view(job, pods)))
    }

    /// The same facts, but the API server cannot be reached since then.
    fn loses_contact(self, second: i64) -> Self {
        let stale = RunView { stale_since: Some(at(second)), ..self.state.view().clone() };
        self.on(second, Input::View(stale))
    }

    fn ticks(self, second: i64) -> Self {
        self.on(second, Input::Tick(Heard::default()))
    }

    fn log_ends(self, second: i64) -> Self {
        self.on(second, Input::LogEnded(log()))
    }

    fn deletes(&self) -> Vec<DeleteReason> {
        let reason = |command: &Command| if let Command::Delete(reason) = command { Some(*reason) } else { None };
        self.commands.iter().filter_map(reason).collect()
    }

    fn says(&self) -> Vec<&str> {
        self.commands.iter().filter_map(said).collect()
    }

    fn wakes(&self) -> Option<i64> {
        self.state.next_wake().map(Timestamp::as_second)
    }

    #[track_caller]
    fn ending(&self) -> &Ending {
        self.state.ending().unwrap_or_else(|| panic!("not decided: {:?}", self.state.phase()))
    }

    #[track_caller]
    fn is(&self, phase: &str) {
        let debug = format!("{:?}", self.state.phase());
        assert!(debug.starts_with(phase), "expected {phase}, found {debug}");
    }
}

/// What the host's status line says of a container that lives.
fn alive(command: &Command) -> Option<&str> {
    if let Command::Alive(text) = command { Some(text) } else { None }
}

fn said(command: &Command) -> Option<&str> {
    if let Command::Say(text) = command { Some(text) } else { None }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// No bound of any kind: `timeoutSec`, `scheduleTimeoutSec` and `startupTimeoutSec` are 0.
fn unbounded() -> Bounds {
    Bounds {
        queue: None,
        schedule: None,
        startup: None,
        limit: None,
        exit_grace: None,
        silence: None,
        queued: false,
        adopted: false,
        in_use: None,
    }
}

fn limited(limit: u64) -> Bounds {
    Bounds { limit: Some(seconds(limit)), ..unbounded() }
}

fn view<const N: usize>(job: JobFacts, pods: [PodFacts; N]) -> RunView {
    RunView { job: Some(job), pods: pods.into(), stale_since: None }
}

fn job() -> JobFacts {
    JobFacts { name: "job-1".into(), uid: "job-uid".into(), generation: 2, ..JobFacts::default() }
}

fn suspended(job: JobFacts) -> JobFacts {
    JobFacts { suspended: true, ..job }
}

fn with(mut job: JobFacts, kind: &str, reason: &str) -> JobFacts {
    job.conditions.push(JobCondition { kind: kind.into(), reason: reason.into(), message: String::new() });
    job
}

fn absent_job() -> JobFacts {
    JobFacts { absent: true, ..job() }
}

fn pod() -> PodFacts {
    PodFacts { name: "pod-1".into(), uid: "pod-uid".into(), ..PodFacts::default() }
}

fn second_pod() -> PodFacts {
    PodFacts { name: "pod-2".into(), uid: "pod-uid-2".into(), ..PodFacts::default() }
}

fn scheduled() -> PodFacts {
    PodFacts { node: Some("node-a".into()), start_time: Some(at(0)), ..pod() }
}

fn waiting(reason: &str, message: &str) -> PodFacts {
    let mut pod = scheduled();
    pod.claude.state = ContainerState::Waiting { reason: reason.into(), message: message.into() };
    pod
}

fn running() -> PodFacts {
    let mut pod = PodFacts { phase: PodPhase::Running, ..scheduled() };
    pod.claude.state = ContainerState::Running { started_at: Some(at(0)) };
    pod.claude.started = true;
    pod
}

/// The container ended; the phase follows about a second later.
fn exited(exit_code: i32) -> PodFacts {
    let mut pod = running();
    pod.claude.state = ContainerState::Terminated(Terminated { exit_code, ..Terminated::default() });
    pod
}

fn failed(pod: PodFacts, reason: &str) -> PodFacts {
    let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
    PodFacts { phase: PodPhase::Failed, reason, ..pod }
}

/// Deletion was asked for at `second`; the usual 30 s of grace.
fn deleting(pod: PodFacts, second: i64) -> PodFacts {
    PodFacts { deletion_timestamp: Some(at(second + 30)), deletion_grace_seconds: Some(30), ..pod }
}

fn absent(pod: PodFacts) -> PodFacts {
    PodFacts { absent: true, ..pod }
}

fn disrupted(pod: PodFacts, reason: &str) -> PodFacts {
    PodFacts { disruption: Some(Disruption { reason: reason.into(), message: String::new() }), ..pod }
}

fn log() -> LogSummary {
    LogSummary { complete: true, readable: true, bytes: 7, ..LogSummary::default() }
}

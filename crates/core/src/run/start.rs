//! Before the container runs: two bounds of their own, errors that heal and errors that cannot.

use std::time::Duration;

use jiff::Timestamp;

use super::causes::Cause;
use super::command::{Command, DeleteReason};
use super::constants::{CONFIG_ERROR_GRACE, FIRST_EVENTS, NEXT_EVENTS, REFUSED_TIMES};
use super::phase::Phase;
use super::queue::Queued;
use super::state::{RunState, after, earliest};
use crate::outcome::{PlatformLoss, StartCause, StartFailure, says_the_same};
use crate::view::{ContainerState, PodFacts, PodPhase};

/// A pod phase reason with which the node refused the pod: nothing of it ran.
const REFUSED_BY_NODE: [&str; 6] =
    ["OutOfcpu", "OutOfmemory", "OutOfpods", "NodeAffinity", "UnexpectedAdmissionError", "OutOfephemeral-storage"];

/// A start-up step: since when it lasts, and what was said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct StartUp {
    since: Timestamp,
    /// When the events are read next.
    events_at: Timestamp,
    /// What was told to the reader: pods, containers and events repeat each other, each cause is told once.
    told: Vec<String>,
    /// Newest causes from events, for the message of a failure.
    pub(super) causes: Vec<Cause>,
}

/// A node took the pod: the image is pulled, the volumes are mounted.
#[derive(Debug, Clone, PartialEq)]
pub struct Starting {
    pub(super) step: StartUp,
    /// Since when a volume of it is known to be attached to another node.
    pub(super) attached_elsewhere: Option<Timestamp>,
    /// Since when the container waits with an error that may heal.
    error_since: Option<Timestamp>,
}

impl StartUp {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, events_at: after(now, FIRST_EVENTS), told: vec![], causes: vec![] }
    }

    pub(super) fn next_wake(&self, bound: Option<Duration>, in_sync: bool) -> Option<Timestamp> {
        let bound = bound.map(|bound| after(self.since, bound)).filter(|_| in_sync);
        earliest([bound, Some(self.events_at)])
    }

    fn is_over(&self, bound: Duration, now: Timestamp) -> bool {
        now >= after(self.since, bound)
    }

    fn tell(&mut self, text: String, commands: &mut Vec<Command>) {
        if !text.is_empty() && !self.told.iter().any(|told| says_the_same(told, &text)) {
            commands.push(Command::Say(text.clone()));
            commands.push(Command::Progress(text.clone()));
            self.told.push(text);
        }
    }

    pub(super) fn look_again_by(&mut self, at: Timestamp) {
        self.events_at = self.events_at.min(at);
    }

    fn read_events_when_due(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if now >= self.events_at {
            self.events_at = after(now, NEXT_EVENTS);
            commands.push(Command::ReadEvents);
        }
    }
}

impl Starting {
    fn new(now: Timestamp) -> Self {
        Self { step: StartUp::new(now), attached_elsewhere: None, error_since: None }
    }

    pub(super) fn next_wake(&self, bound: Option<Duration>, in_sync: bool) -> Option<Timestamp> {
        let error = self.error_since.map(|since| after(since, CONFIG_ERROR_GRACE)).filter(|_| in_sync);
        earliest([self.step.next_wake(bound, in_sync), error])
    }
}

impl RunState {
    pub(super) fn advance_scheduling(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.start_is_over(now, commands) {
            return;
        }
        if self.is_held_back() {
            // Nobody admitted it, or the admission was taken back before a pod came: the next one starts a new clock.
            self.phase = Phase::Queued(Queued::new(now));
            return;
        }
        let in_sync = self.in_sync();
        let Phase::Scheduling(start) = &mut self.phase else { return };
        let pod = self.view.pods.first();
        if pod.is_some_and(|pod| pod.node.is_some()) {
            self.phase = Phase::Starting(Starting::new(now));
            return;
        }
        if let Some((reason, message)) = pod.and_then(|pod| pod.unscheduled.as_ref()) {
            start.tell(format!("waiting for a node: {reason}: {message}"), commands);
        }
        start.read_events_when_due(now, commands);
        if let Some(bound) = self.bounds.schedule.filter(|bound| in_sync && start.is_over(*bound, now))
            && self.has_looked(now, commands)
        {
            self.fail_start(StartCause::ScheduleBound { bound, seen: self.describe_pod() }, now, commands);
        }
    }

    pub(super) fn advance_starting(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.start_is_over(now, commands) {
            return;
        }
        let in_sync = self.in_sync();
        let Phase::Starting(Starting { step, error_since, .. }) = &mut self.phase else { return };
        match self.view.pods.first().map_or(Waiting::Progress(String::new()), waiting) {
            Waiting::Fatal(waiting) => return self.fail_start(StartCause::Unstartable { waiting }, now, commands),
            Waiting::MayHeal(waiting) => {
                let since = *error_since.get_or_insert(now);
                if in_sync && now >= after(since, CONFIG_ERROR_GRACE) {
                    return self.fail_start(StartCause::Unstartable { waiting }, now, commands);
                }
                step.tell(format!("waiting for the container: {waiting}"), commands);
            }
            Waiting::Progress(text) => {
                *error_since = None;
                step.tell(text, commands);
            }
        }
        step.read_events_when_due(now, commands);
        if let Some(bound) = self.bounds.startup.filter(|bound| in_sync && step.is_over(*bound, now))
            && self.has_looked(now, commands)
        {
            self.fail_start(StartCause::StartupBound { bound, seen: self.describe_pod() }, now, commands);
        }
    }

    /// The container started, the pod failed before, or everything is gone: then nothing is waited for any more.
    fn start_is_over(&mut self, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        self.findings.note_deadline(&self.view);
        let Some(pod) = self.view.pods.first() else {
            let over = self.proofs.job_gone.is_some() || (self.in_sync() && self.job_is_finished());
            if over && self.has_looked(now, commands) {
                self.drain(now);
            }
            return over;
        };
        // Also one that ended already: it may have run too short to be seen (POD-03).
        if pod.claude.started {
            self.begin_running(now, commands);
            return true;
        }
        if pod.phase == PodPhase::Failed && !self.proofs.pod_gone {
            let reason = pod.reason.clone().unwrap_or_default();
            let message = pod.message.clone().unwrap_or_default();
            if REFUSED_BY_NODE.contains(&reason.as_str()) {
                self.fail_start(StartCause::NodeRefused { reason, message }, now, commands);
            } else if let Some((name, end)) = pod.other_failures.first().cloned() {
                self.fail_start(StartCause::OtherContainer { name, end }, now, commands);
            } else {
                if !self.findings.deadline_passed && !reason.is_empty() {
                    self.findings.platform = Some(PlatformLoss::Evicted { reason, message });
                }
                self.phase = Phase::AwaitingState { since: now };
            }
            return true;
        }
        if self.pod_cannot_run() {
            self.phase = Phase::AwaitingState { since: now };
            return true;
        }
        self.give_up_when_lost(now, commands)
    }

    pub(super) fn fail_start(&mut self, cause: StartCause, now: Timestamp, commands: &mut Vec<Command>) {
        let events = match &self.phase {
            Phase::Scheduling(step) | Phase::Starting(Starting { step, .. }) => &*step.causes,
            Phase::Queued(queued) => &*queued.causes,
            _ => &[],
        };
        self.findings.start_failure = Some(StartFailure { cause, events: texts(events) });
        commands.push(Command::ReadEvents);
        self.begin_stop(DeleteReason::CannotStart, now, commands);
    }

    fn describe_pod(&self) -> String {
        self.view.pods.first().map_or_else(|| "no pod was created".to_owned(), describe)
    }

    /// Causes from events explain a wait, and complete the message of a failed start.
    pub(super) fn note_events(&mut self, causes: Vec<Cause>, now: Timestamp, commands: &mut Vec<Command>) {
        if let Phase::Stopping(stopping) = &mut self.phase {
            stopping.awaits_causes = false;
        }
        match (&mut self.phase, &mut self.findings.start_failure) {
            (Phase::Queued(queued), _) => queued.note_causes(causes, commands),
            (Phase::Scheduling(step) | Phase::Starting(Starting { step, .. }), _) => {
                if let Some(newest) = causes.last() {
                    step.tell(newest.text.clone(), commands);
                }
                step.causes = causes;
                self.end_when_refused(now, commands);
                self.end_when_attached_elsewhere(now, commands);
            }
            (_, Some(failure)) if !causes.is_empty() => failure.events = texts(&causes),
            _ => {}
        }
    }

    /// Admission has said the same so often that it will not say anything else.
    fn end_when_refused(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        let Phase::Scheduling(step) = &mut self.phase else { return };
        let Some(refusal) = step.causes.iter().rfind(|cause| cause.is_refusal()).cloned() else { return };
        if !self.view.pods.is_empty() {
            return;
        }
        if refusal.times >= REFUSED_TIMES {
            let words = refusal.text.trim_start_matches("FailedCreate: ").to_owned();
            self.fail_start(StartCause::Refused { times: refusal.times, words }, now, commands);
        } else {
            step.look_again_by(after(now, FIRST_EVENTS));
        }
    }
}

fn texts(causes: &[Cause]) -> Vec<String> {
    causes.iter().map(|cause| cause.text.clone()).collect()
}

enum Waiting {
    /// Normal.
    Progress(String),
    /// Retried by the kubelet; our own objects may be on their way.
    MayHeal(String),
    /// Will not heal.
    Fatal(String),
}

fn waiting(pod: &PodFacts) -> Waiting {
    let ContainerState::Waiting { reason, message } = &pod.claude.state else {
        return Waiting::Progress(String::new());
    };
    let text = if message.is_empty() { reason.clone() } else { format!("{reason}: {message}") };
    match reason.as_str() {
        "InvalidImageName" | "ErrImageNeverPull" | "SignatureValidationFailed" => Waiting::Fatal(text),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => Waiting::MayHeal(text),
        "ContainerCreating" | "PodInitializing" => Waiting::Progress(String::new()),
        // Image pulls are retried by the kubelet and often heal (POD-04): wait for the bound.
        _ => Waiting::Progress(format!("waiting for the container: {text}")),
    }
}

/// Phase and container state for the message of a bound.
fn describe(pod: &PodFacts) -> String {
    let container = match &pod.claude.state {
        ContainerState::Waiting { reason, message } if message.is_empty() => format!("container waiting: {reason}"),
        ContainerState::Waiting { reason, message } => format!("container waiting: {reason}: {message}"),
        ContainerState::Running { .. } => "container running".to_owned(),
        ContainerState::Terminated(_) => "container terminated".to_owned(),
        ContainerState::NotReported => match &pod.unscheduled {
            Some((reason, message)) => format!("{reason}: {message}"),
            None => "container state not reported".to_owned(),
        },
    };
    format!("pod {:?}, {container}", pod.phase)
}

//! Before the container runs: two bounds of their own, errors that heal and errors that cannot.

use std::time::Duration;

use jiff::Timestamp;

use super::constants::{CONFIG_ERROR_GRACE, FIRST_EVENTS, NEXT_EVENTS};
use super::state::{Command, DeleteReason, Phase, RunState, after, earliest};
use crate::outcome::{PlatformLoss, StartFailure};
use crate::view::{ContainerState, PodFacts, PodPhase};

/// A pod phase reason with which the node refused the pod: nothing of it ran.
const REFUSED_BY_NODE: [&str; 6] =
    ["OutOfcpu", "OutOfmemory", "OutOfpods", "NodeAffinity", "UnexpectedAdmissionError", "OutOfephemeral-storage"];

/// A clock of one start-up step and what was said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct StartUp {
    since: Timestamp,
    /// When the events are read next.
    events_at: Timestamp,
    /// Since when the container waits with an error that may heal.
    error_since: Option<Timestamp>,
    /// What was told to the reader: pods, containers and events repeat each other, each cause is told once.
    told: Vec<String>,
    /// Newest causes from events, for the message of a failure.
    causes: Vec<String>,
}

impl StartUp {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { since: now, events_at: after(now, FIRST_EVENTS), error_since: None, told: vec![], causes: vec![] }
    }

    pub(super) fn next_wake(&self, bound: Option<Duration>, in_sync: bool) -> Option<Timestamp> {
        let bound = bound.map(|bound| after(self.since, bound));
        let error = self.error_since.map(|since| after(since, CONFIG_ERROR_GRACE));
        earliest([earliest([bound, error]).filter(|_| in_sync), Some(self.events_at)])
    }

    fn is_over(&self, bound: Option<Duration>, now: Timestamp) -> bool {
        bound.is_some_and(|bound| now >= after(self.since, bound))
    }

    fn tell(&mut self, text: String, commands: &mut Vec<Command>) {
        if !text.is_empty() && !self.told.iter().any(|told| says_the_same(told, &text)) {
            commands.push(Command::Say(text.clone()));
            commands.push(Command::Progress(text.clone()));
            self.told.push(text);
        }
    }

    fn read_events_when_due(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if now >= self.events_at {
            self.events_at = after(now, NEXT_EVENTS);
            commands.push(Command::ReadEvents);
        }
    }
}

impl RunState {
    pub(super) fn advance_queued(&mut self, now: Timestamp) {
        if !self.is_suspended() || !self.view.pods.is_empty() {
            self.phase = Phase::Scheduling(StartUp::new(now));
        } else if self.job_gone.is_some() {
            self.phase = Phase::Draining;
        }
    }

    fn is_suspended(&self) -> bool {
        self.view.job.as_ref().is_none_or(|job| job.suspended)
    }

    pub(super) fn advance_scheduling(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        if self.start_is_over(now, commands) {
            return;
        }
        if self.bounds.queued && self.is_suspended() && self.view.pods.is_empty() {
            // The queue took its admission back before a pod came: the next one starts a new clock.
            self.phase = Phase::Queued;
            return;
        }
        let in_sync = self.in_sync();
        let Phase::Scheduling(start) = &mut self.phase else { return };
        let pod = self.view.pods.first();
        if pod.is_some_and(|pod| pod.node.is_some()) {
            self.phase = Phase::Starting(StartUp::new(now));
            return;
        }
        if let Some((reason, message)) = pod.and_then(|pod| pod.unscheduled.as_ref()) {
            start.tell(format!("waiting for a node: {reason}: {message}"), commands);
        }
        start.read_events_when_due(now, commands);
        if in_sync && start.is_over(self.bounds.schedule, now) {
            self.fail_start("scheduleTimeoutSec", self.bounds.schedule, now, commands);
        }
    }

    pub(super) fn advance_starting(&mut self, now: Timestamp, commands: &mut Vec<Command>) {
        self.note_pod_start(now);
        if self.start_is_over(now, commands) {
            return;
        }
        let in_sync = self.in_sync();
        let Phase::Starting(start) = &mut self.phase else { return };
        match self.view.pods.first().map_or(Waiting::Progress(String::new()), waiting) {
            Waiting::Fatal(text) => return self.cannot_start(&text, now, commands),
            Waiting::MayHeal(text) => {
                let since = *start.error_since.get_or_insert(now);
                if in_sync && now >= after(since, CONFIG_ERROR_GRACE) {
                    return self.cannot_start(&text, now, commands);
                }
                start.tell(format!("waiting for the container: {text}"), commands);
            }
            Waiting::Progress(text) => {
                start.error_since = None;
                start.tell(text, commands);
            }
        }
        start.read_events_when_due(now, commands);
        if in_sync && start.is_over(self.bounds.startup, now) {
            self.fail_start("startupTimeoutSec", self.bounds.startup, now, commands);
        }
    }

    /// The container started, the pod failed before, or everything is gone: then nothing is waited for any more.
    fn start_is_over(&mut self, now: Timestamp, commands: &mut Vec<Command>) -> bool {
        self.note_deadline();
        let Some(pod) = self.view.pods.first() else {
            let over = self.job_gone.is_some() || (self.in_sync() && self.job_is_finished());
            if over {
                self.phase = Phase::Draining;
            }
            return over;
        };
        // Also one that ended already: it may have run too short to be seen (POD-03).
        if pod.claude.started {
            self.note_pod_start(now);
            self.note_running(now, commands);
            self.phase = Phase::Running;
            return true;
        }
        if pod.phase == PodPhase::Failed && !self.pod_gone {
            let reason = pod.reason.clone().unwrap_or_default();
            let message = pod.message.clone().unwrap_or_default();
            if REFUSED_BY_NODE.contains(&reason.as_str()) {
                self.cannot_start(&format!("the node refused the pod: {reason}: {message}"), now, commands);
            } else if let Some((name, text)) = pod.other_failures.first().cloned() {
                self.cannot_start(&format!("container `{name}` failed: {text}"), now, commands);
            } else {
                if !self.deadline_passed && !reason.is_empty() {
                    self.platform = Some(PlatformLoss::Evicted { reason, message });
                }
                self.phase = Phase::AwaitingState { since: now };
            }
            return true;
        }
        if self.pod_cannot_run() {
            self.phase = Phase::AwaitingState { since: now };
            return true;
        }
        self.give_up_when_lost(now)
    }

    /// A bound is over.
    fn fail_start(&mut self, key: &str, bound: Option<Duration>, now: Timestamp, commands: &mut Vec<Command>) {
        let seconds = bound.unwrap_or_default().as_secs();
        let state = self.view.pods.first().map_or_else(|| "no pod was created".to_owned(), describe);
        let message = format!("Pod did not start within {seconds}s ({key}): {state}");
        self.stop_start(StartFailure { schedule_bound: key == "scheduleTimeoutSec", message }, now, commands);
    }

    /// A reason that cannot heal.
    fn cannot_start(&mut self, reason: &str, now: Timestamp, commands: &mut Vec<Command>) {
        let message = format!("Pod cannot start: {reason}");
        self.stop_start(StartFailure { schedule_bound: false, message }, now, commands);
    }

    fn stop_start(&mut self, failure: StartFailure, now: Timestamp, commands: &mut Vec<Command>) {
        let causes = match &self.phase {
            Phase::Scheduling(start) | Phase::Starting(start) => start.causes.clone(),
            _ => vec![],
        };
        self.start_failure = Some(failure);
        self.note_causes(&causes);
        commands.push(Command::ReadEvents);
        self.awaits_causes = true;
        self.begin_stop(DeleteReason::CannotStart, now, commands);
    }

    /// Causes from events explain a wait, and complete the message of a failed start.
    pub(super) fn note_events(&mut self, causes: Vec<String>, commands: &mut Vec<Command>) {
        self.awaits_causes = false;
        match &mut self.phase {
            Phase::Scheduling(start) | Phase::Starting(start) => {
                if let Some(newest) = causes.last() {
                    start.tell(newest.clone(), commands);
                }
                start.causes = causes;
            }
            _ => self.note_causes(&causes),
        }
    }

    fn note_causes(&mut self, causes: &[String]) {
        const MARK: &str = "; events: ";
        let (Some(failure), false) = (&mut self.start_failure, causes.is_empty()) else { return };
        if let Some(at) = failure.message.find(MARK) {
            failure.message.truncate(at);
        }
        let new = causes.iter().map(String::as_str).filter(|cause| !says_the_same(&failure.message, cause));
        let newest: Vec<&str> = new.rev().take(3).collect();
        if !newest.is_empty() {
            let last: Vec<&str> = newest.into_iter().rev().collect();
            failure.message.push_str(MARK);
            failure.message.push_str(&last.join(" | "));
        }
    }
}

/// Conditions, container states and events repeat each other under other reasons: `Unschedulable: 0/3 nodes …` is
/// `FailedScheduling: 0/3 nodes …`. What stands behind the reason decides.
fn says_the_same(told: &str, cause: &str) -> bool {
    let message = cause.split_once(": ").map_or("", |(_, message)| message);
    told == cause || (!message.is_empty() && told.contains(&format!(": {message}")))
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

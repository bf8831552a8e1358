//! A pod as a run sees it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerState as ApiContainerState, ContainerStatus, Pod, PodStatus};

use super::kept::{ENTRIES_MAX, maybe, text};
use crate::log::{ContainerPhase, END_LINE_BEGIN, FIRST_LINE};
use crate::names::CONTAINER;

/// Exit code of a container that signal 9 ended, so it could not say its end.
const SIGKILLED: i32 = 137;

/// `status.phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are the Kubernetes values")]
pub enum PodPhase {
    #[default]
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
}

impl PodPhase {
    /// No container of the pod will run again.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// The facts of one pod.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PodFacts {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `spec.nodeName`, once scheduled.
    pub node: Option<String>,
    /// `status.phase`.
    pub phase: PodPhase,
    /// `status.reason`, for example `Evicted`, `DeadlineExceeded`, `NodeShutdown`.
    pub reason: Option<String>,
    /// `status.message`.
    pub message: Option<String>,
    /// `status.startTime`: when the pod's node accepted it. Deadlines count from here.
    pub start_time: Option<Timestamp>,
    /// First `metadata.deletionTimestamp` seen: the moment by which the pod should be gone.
    pub deletion_timestamp: Option<Timestamp>,
    /// `metadata.deletionGracePeriodSeconds`.
    pub deletion_grace_seconds: Option<i64>,
    /// Condition `PodScheduled` is `False`: its reason and message.
    pub unscheduled: Option<(String, String)>,
    /// Condition `DisruptionTarget`: the platform takes the pod away.
    pub disruption: Option<Disruption>,
    /// The container `claude`.
    pub claude: ContainerFacts,
    /// The log of `claude` begins with [`FIRST_LINE`]: its script prints it.
    pub announces_start: bool,
    /// It ends with an end line, unless `claude` is killed: its script prints it.
    pub announces_end: bool,
    /// Other containers (init and sidecar) that ended badly or cannot start: name and state text.
    pub other_failures: Vec<(String, String)>,
    /// Other containers that were posted as running, apart from init containers: those end with the last of these.
    pub others_running: Vec<String>,
    /// The pod left the index: a `DELETED` event or absence in a list. A claim, not yet a proof.
    pub absent: bool,
}

/// Condition `DisruptionTarget`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disruption {
    /// For example `EvictionByEvictionAPI`, `PreemptionByScheduler`, `DeletionByTaintManager`.
    pub reason: String,
    /// The platform's text.
    pub message: String,
}

/// The container `claude`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContainerFacts {
    /// Runtime id, for example `containerd://…`. Another id is another instance.
    pub id: Option<String>,
    /// Newest state; `Terminated` sticks.
    pub state: ContainerState,
    /// The container was seen running or terminated at least once.
    pub started: bool,
    /// How it was seen that another instance of it was started: the command runs a second time.
    pub again: Option<String>,
}

/// State of a container.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ContainerState {
    /// The kubelet has not posted a state.
    #[default]
    NotReported,
    /// Waiting to start, with reason and message (for example `ImagePullBackOff`).
    Waiting {
        /// Machine word.
        reason: String,
        /// Text.
        message: String,
    },
    /// Running since.
    Running {
        /// Start by the node's clock.
        started_at: Option<Timestamp>,
    },
    /// Ended.
    Terminated(Terminated),
}

/// How a container ended, as the kubelet says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Terminated {
    /// Exit code. With reason `ContainerStatusUnknown` the kubelet made it up.
    pub exit_code: i32,
    /// Signal, hardly ever set; use the exit code minus 128.
    pub signal: Option<i32>,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`, …
    pub reason: Option<String>,
    /// Content of the termination log: our stderr tail, at most 4096 bytes.
    pub message: Option<String>,
    /// Start by the node's clock.
    pub started_at: Option<Timestamp>,
    /// End by the node's clock.
    pub finished_at: Option<Timestamp>,
}

impl Terminated {
    /// The kubelet made the code up: it, or the node, was restarted and the container was gone.
    #[must_use]
    pub fn was_lost(&self) -> bool {
        self.was_not_found() || self.reason.as_deref() == Some("Unknown")
    }

    /// Nothing but the absence of the container is behind this end.
    fn was_not_found(&self) -> bool {
        self.reason.as_deref() == Some("ContainerStatusUnknown")
    }

    /// It was stopped from outside: SIGKILL or SIGTERM, by the exit code, because `signal` is hardly ever set.
    #[must_use]
    pub fn was_signalled(&self) -> bool {
        matches!(self.exit_code, 137 | 143)
    }
}

impl PodFacts {
    /// Reads one object.
    #[must_use]
    pub fn read(pod: &Pod) -> Self {
        let metadata = &pod.metadata;
        let status = pod.status.clone().unwrap_or_default();
        Self {
            name: text(metadata.name.as_deref()),
            uid: text(metadata.uid.as_deref()),
            node: maybe(pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref())),
            phase: read_phase(status.phase.as_deref()),
            reason: maybe(status.reason.as_deref()),
            message: maybe(status.message.as_deref()),
            start_time: status.start_time.as_ref().map(|time| time.0),
            deletion_timestamp: metadata.deletion_timestamp.as_ref().map(|time| time.0),
            deletion_grace_seconds: metadata.deletion_grace_period_seconds,
            unscheduled: condition(&status, "PodScheduled", "False"),
            disruption: condition(&status, "DisruptionTarget", "True")
                .map(|(reason, message)| Disruption { reason, message }),
            claude: read_claude(&status),
            announces_start: command_says(pod, FIRST_LINE),
            announces_end: command_says(pod, END_LINE_BEGIN),
            other_failures: read_other_failures(&status),
            others_running: read_others_running(&status),
            absent: false,
        }
    }

    /// Takes over a newer read of the same pod. What was terminal, deleting or disrupted stays so (END-12).
    #[must_use]
    pub fn fold(self, newer: Self) -> Self {
        debug_assert_eq!(self.uid, newer.uid, "a pod is folded into itself only");
        let keep_phase = self.phase.is_terminal() && !newer.phase.is_terminal();
        Self {
            node: newer.node.or(self.node),
            phase: if keep_phase { self.phase } else { newer.phase },
            reason: newer.reason.or(self.reason),
            message: newer.message.or(self.message),
            start_time: newer.start_time.or(self.start_time),
            deletion_timestamp: self.deletion_timestamp.or(newer.deletion_timestamp),
            deletion_grace_seconds: self.deletion_grace_seconds.or(newer.deletion_grace_seconds),
            disruption: newer.disruption.or(self.disruption),
            claude: self.claude.fold(newer.claude),
            ..newer
        }
    }

    /// How `claude` ended, once the kubelet has said so.
    #[must_use]
    pub fn terminated(&self) -> Option<&Terminated> {
        match &self.claude.state {
            ContainerState::Terminated(terminated) => Some(terminated),
            _ => None,
        }
    }

    /// What the reader of its log has to know of the container.
    #[must_use]
    pub fn log_phase(&self) -> ContainerPhase {
        let deleted = self.absent || self.deletion_timestamp.is_some();
        match &self.claude.state {
            _ if !self.claude.started && self.terminated().is_some() => ContainerPhase::Gone,
            _ if !self.claude.started => ContainerPhase::Waiting,
            ContainerState::Terminated(end) => {
                ContainerPhase::Terminated { pod_deleted: deleted, killed: end.exit_code == SIGKILLED }
            }
            _ if deleted => ContainerPhase::Deleting,
            _ => ContainerPhase::Running,
        }
    }

    /// Nothing of this pod runs any more: its container ended, or its phase is terminal.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.phase.is_terminal() || self.terminated().is_some()
    }
}

impl ContainerFacts {
    fn fold(self, newer: Self) -> Self {
        let keep_state = matches!(
            (&self.state, &newer.state),
            (ContainerState::Terminated(_), _)
                | (ContainerState::Running { .. }, ContainerState::Waiting { .. } | ContainerState::NotReported)
        );
        let other = match (&self.id, &newer.id) {
            (Some(first), Some(second)) if first != second && self.started => {
                Some(format!("container `{CONTAINER}` was started again ({second} after {first})"))
            }
            _ => None,
        };
        Self {
            again: self.again.or(newer.again).or(other),
            id: if keep_state { self.id.or(newer.id) } else { newer.id.or(self.id) },
            state: if keep_state { self.state } else { newer.state },
            started: self.started || newer.started,
        }
    }
}

/// By the command, not by our version: an adopted pod may be of another one.
fn command_says(pod: &Pod, text: &str) -> bool {
    let mut containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let command = containers.find(|one| one.name == CONTAINER).and_then(|claude| claude.command.as_ref());
    command.is_some_and(|words| words.iter().any(|word| word.contains(text)))
}

fn read_phase(phase: Option<&str>) -> PodPhase {
    match phase {
        Some("Running") => PodPhase::Running,
        Some("Succeeded") => PodPhase::Succeeded,
        Some("Failed") => PodPhase::Failed,
        Some("Unknown") => PodPhase::Unknown,
        _ => PodPhase::Pending,
    }
}

fn condition(status: &PodStatus, kind: &str, value: &str) -> Option<(String, String)> {
    let found = status.conditions.iter().flatten().find(|one| one.type_ == kind && one.status == value)?;
    Some((text(found.reason.as_deref()), text(found.message.as_deref())))
}

fn read_claude(status: &PodStatus) -> ContainerFacts {
    let Some(container) = status.container_statuses.iter().flatten().find(|one| one.name == CONTAINER) else {
        return ContainerFacts::default();
    };
    let state = container.state.as_ref().map_or(ContainerState::NotReported, read_state);
    let restarts = restarts(container, &state);
    let again = (restarts > 0).then(|| format!("container `{CONTAINER}` was started again (restart {restarts})"));
    let id = maybe(container.container_id.as_deref()).filter(|id| !id.is_empty());
    ContainerFacts { id, started: has_run(&state), state, again }
}

/// How often another instance was started. A container that the kubelet could not find counts as started again for it,
/// although nothing was started (`docs/internals/kubernetes.md` 4.4).
fn restarts(container: &ContainerStatus, state: &ContainerState) -> i32 {
    let not_found = |state: &ContainerState| matches!(state, ContainerState::Terminated(end) if end.was_not_found());
    let made_up = match state {
        ContainerState::Running { .. } => false,
        state => not_found(state) || container.last_state.as_ref().is_some_and(|last| not_found(&read_state(last))),
    };
    container.restart_count.saturating_sub(i32::from(made_up))
}

fn read_state(state: &ApiContainerState) -> ContainerState {
    if let Some(terminated) = &state.terminated {
        ContainerState::Terminated(Terminated {
            exit_code: terminated.exit_code,
            signal: terminated.signal,
            reason: maybe(terminated.reason.as_deref()),
            message: maybe(terminated.message.as_deref()),
            started_at: terminated.started_at.as_ref().map(|time| time.0),
            finished_at: terminated.finished_at.as_ref().map(|time| time.0),
        })
    } else if let Some(running) = &state.running {
        ContainerState::Running { started_at: running.started_at.as_ref().map(|time| time.0) }
    } else if let Some(waiting) = &state.waiting {
        ContainerState::Waiting { reason: text(waiting.reason.as_deref()), message: text(waiting.message.as_deref()) }
    } else {
        ContainerState::NotReported
    }
}

/// Init containers that failed, and any other container that cannot start.
fn read_other_failures(status: &PodStatus) -> Vec<(String, String)> {
    let init = status.init_container_statuses.iter().flatten();
    let others = status.container_statuses.iter().flatten().filter(|one| one.name != CONTAINER);
    let failures = init.chain(others).filter_map(|one| Some((text(Some(&one.name)), describe_failure(one)?)));
    failures.take(ENTRIES_MAX).collect()
}

fn read_others_running(status: &PodStatus) -> Vec<String> {
    let runs = |one: &&ContainerStatus| one.state.as_ref().is_some_and(|state| state.running.is_some());
    let others = status.container_statuses.iter().flatten().filter(|one| one.name != CONTAINER);
    others.filter(runs).map(|one| one.name.clone()).collect()
}

fn describe_failure(container: &ContainerStatus) -> Option<String> {
    match container.state.as_ref().map(read_state)? {
        ContainerState::Terminated(end) if end.exit_code != 0 => {
            Some(format!("exit code {}, reason {}", end.exit_code, end.reason.as_deref().unwrap_or("unknown")))
        }
        ContainerState::Waiting { reason, message }
            if !matches!(reason.as_str(), "PodInitializing" | "ContainerCreating") =>
        {
            Some(if message.is_empty() { reason } else { format!("{reason}: {message}") })
        }
        _ => None,
    }
}

/// A pod that is deleted while it waits gets a made-up end, `ContainerStatusUnknown`, without a start
/// (`docs/internals/kubernetes.md` 4.4).
fn has_run(state: &ContainerState) -> bool {
    match state {
        ContainerState::Running { .. } => true,
        ContainerState::Terminated(end) => !end.was_not_found() || end.started_at.is_some(),
        ContainerState::Waiting { .. } | ContainerState::NotReported => false,
    }
}

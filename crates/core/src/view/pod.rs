//! A pod as a run sees it.

use jiff::Timestamp;

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
    /// Other containers (init and sidecar) that ended badly or cannot start: name and state text.
    pub other_failures: Vec<(String, String)>,
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

//! Why a pod did not start.

use std::time::Duration;

use crate::plan::ClaimsInUse;

/// How many causes from events the message ends with.
const TOLD_EVENTS: usize = 3;

/// The pod did not start: what stopped the wait, and what the events say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFailure {
    /// What ended the wait.
    pub cause: StartCause,
    /// Causes from events, oldest first.
    pub events: Vec<String>,
}

/// What ended the wait for a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartCause {
    /// No node took the pod in time. Worth a retry: the cluster may have room later.
    ScheduleBound {
        /// `scheduleTimeoutSec`.
        bound: Duration,
        /// The pod as it was seen last.
        seen: String,
    },
    /// A node took it, but the container did not run in time.
    StartupBound {
        /// `startupTimeoutSec`.
        bound: Duration,
        /// The pod as it was seen last.
        seen: String,
    },
    /// No queue admitted the Job in time. Worth a retry: it may have room later.
    QueueBound {
        /// `queueTimeoutSec`.
        bound: Duration,
        /// Of the Job's label; none when something else suspended it.
        queue: Option<String>,
    },
    /// Admission refused the pod, always with the same words.
    Refused {
        /// How often.
        times: u32,
        /// Its words.
        words: String,
    },
    /// The node refused the pod.
    NodeRefused {
        /// Of the pod's status.
        reason: String,
        /// Of the pod's status.
        message: String,
    },
    /// Another container of the pod failed.
    OtherContainer {
        /// Its name.
        name: String,
        /// How it ended.
        end: String,
    },
    /// A volume is attached to another node than the pod's.
    AttachedElsewhere {
        /// Those of the controller that attaches volumes.
        words: String,
        /// The pod's node.
        node: String,
        /// Claims that the server's pod uses elsewhere. `None`: another pod has the volume, and may release it.
        in_use: Option<ClaimsInUse>,
    },
    /// The container waits with a reason that does not heal.
    Unstartable {
        /// The kubelet's reason and message.
        waiting: String,
    },
}

impl StartFailure {
    /// What was waited for may be free later: a node, a queue's room, a volume that another pod has.
    #[must_use]
    pub fn is_unscheduled(&self) -> bool {
        matches!(
            self.cause,
            StartCause::ScheduleBound { .. }
                | StartCause::QueueBound { .. }
                | StartCause::AttachedElsewhere { in_use: None, .. }
        )
    }

    /// `Pod did not start within <n>s (<key>): …; events: …`, or the reason that does not heal with its events.
    #[must_use]
    pub fn message(&self) -> String {
        let mut text = self.cause.text();
        let new = self.events.iter().map(String::as_str).filter(|event| !says_the_same(&text, event));
        let mut newest: Vec<&str> = new.rev().take(TOLD_EVENTS).collect();
        newest.reverse();
        if !newest.is_empty() {
            text = format!("{text}; events: {}", newest.join(" | "));
        }
        text
    }
}

impl StartCause {
    /// What others say in it.
    pub(super) fn texts_mut(&mut self) -> Vec<&mut String> {
        match self {
            Self::ScheduleBound { seen, .. } | Self::StartupBound { seen, .. } => vec![seen],
            Self::QueueBound { queue, .. } => queue.iter_mut().collect(),
            Self::Refused { words, .. } | Self::AttachedElsewhere { words, .. } => vec![words],
            Self::NodeRefused { reason, message } => vec![reason, message],
            Self::OtherContainer { end, .. } => vec![end],
            Self::Unstartable { waiting } => vec![waiting],
        }
    }

    fn text(&self) -> String {
        let bound = |bound: &Duration, key: &str, seen: &str| {
            format!("Pod did not start within {}s ({key}): {seen}", bound.as_secs())
        };
        match self {
            Self::ScheduleBound { bound: after, seen } => bound(after, "scheduleTimeoutSec", seen),
            Self::StartupBound { bound: after, seen } => bound(after, "startupTimeoutSec", seen),
            Self::QueueBound { bound, queue } => {
                let seconds = bound.as_secs();
                let seen = match queue {
                    Some(queue) => format!("queue `{queue}` has not admitted it"),
                    None => "it is suspended although nobody queued it".to_owned(),
                };
                format!("The Job was not admitted within {seconds}s (queueTimeoutSec): {seen}")
            }
            Self::Refused { times, words } => {
                format!(
                    "Pod cannot start: the cluster refused to create it {times} times: {}; change what it forbids \
                     (`podTemplate`, `labels`, `image`, resources), or the policy",
                    words.trim_end_matches('.')
                )
            }
            Self::NodeRefused { reason, message } => {
                format!("Pod cannot start: the node refused the pod: {reason}: {message}")
            }
            Self::AttachedElsewhere { words, node, in_use: Some(in_use) } => format!(
                "Pod cannot start: {}: the server's pod has it on node `{}` and this pod is on `{node}`: {words}; \
                 change `nodeSelector` or `podTemplate` so that it runs there, or use a ReadWriteMany claim",
                in_use.names(),
                in_use.node
            ),
            Self::AttachedElsewhere { words, node, in_use: None } => format!(
                "Pod cannot start: another node than `{node}` has one of its volumes: {words}; keep the pods that use it \
                 on one node with `nodeSelector`, or use a ReadWriteMany claim"
            ),
            Self::OtherContainer { name, end } => format!("Pod cannot start: container `{name}` failed: {end}"),
            Self::Unstartable { waiting } => format!("Pod cannot start: {waiting}"),
        }
    }
}

/// Conditions, container states and events repeat each other under other reasons: `Unschedulable: 0/3 nodes …` is
/// `FailedScheduling: 0/3 nodes …`. What stands behind the reason decides.
pub(crate) fn says_the_same(told: &str, cause: &str) -> bool {
    let message = cause.split_once(": ").map_or("", |(_, message)| message);
    told == cause || (!message.is_empty() && told.contains(&format!(": {message}")))
}

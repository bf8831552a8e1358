//! What happens on the node: to one pod, or to the logs of all.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// Why a pod is evicted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Eviction {
    /// `status.message`.
    pub message: String,
    /// Adds the condition `DisruptionTarget`/`TerminationByKubelet`, as node pressure does and a volume limit does not.
    pub disruption: bool,
}

impl Default for Eviction {
    fn default() -> Self {
        Self { message: "The node was low on resource: memory.".to_owned(), disruption: true }
    }
}

/// How container logs are written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogSettings {
    /// Size at which the kubelet rotates, in bytes. Default 10 MiB.
    pub max_size: usize,
    /// Offset of the node's time zone in minutes. Default 0.
    pub zone_minutes: i32,
    /// Resolution of the node's clock in nanoseconds. Default 1; a coarse one makes equal times common.
    pub clock_resolution_ns: i64,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { max_size: 10 * 1024 * 1024, zone_minutes: 0, clock_resolution_ns: 1 }
    }
}

/// What happens to one pod. A new way to go, to end or to be reported is a member here.
#[derive(Debug, Default)]
pub(crate) struct PodKnobs {
    pub(crate) eviction: Option<Eviction>,
    pub(crate) out_of_memory: bool,
    /// Its node is gone: no status, no log, no reaction to a deletion.
    pub(crate) lost: bool,
}

/// Everything about the node.
#[derive(Debug, Default)]
pub(crate) struct NodeKnobs {
    /// For containers that start from now on.
    pub(crate) logs: LogSettings,
    /// By uid; an entry goes with its pod.
    pub(crate) pods: HashMap<String, PodKnobs>,
    pub(crate) open_gates: HashSet<String>,
}

impl NodeKnobs {
    pub(crate) fn eviction(&self, uid: &str) -> Option<&Eviction> {
        self.pods.get(uid)?.eviction.as_ref()
    }

    pub(crate) fn is_out_of_memory(&self, uid: &str) -> bool {
        self.pods.get(uid).is_some_and(|pod| pod.out_of_memory)
    }

    pub(crate) fn is_lost(&self, uid: &str) -> bool {
        self.pods.get(uid).is_some_and(|pod| pod.lost)
    }
}

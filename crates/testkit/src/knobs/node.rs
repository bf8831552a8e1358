//! What happens on the node: to one pod, or to the logs of all.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

/// Why a pod is evicted.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogSettings {
    /// Size at which the kubelet rotates, in bytes. Default 10 MiB.
    pub max_size: usize,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { max_size: 10 * 1024 * 1024 }
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

//! What a test may bend: faults, permissions, holds, admission, clocks, streams.
//!
//! `KnobState` is part of the cluster state; [`Knobs`] is the Rust handle, `control` the same over HTTP.

mod access;
mod fault;
mod fault_table;
mod hold;
mod lags;

use std::collections::{HashMap, HashSet};

pub(crate) use access::Wish;
pub use access::{Access, PolicyRule};
pub use fault::{CutEnd, Fault, FaultAction, RequestMatch};
pub(crate) use fault_table::FaultTable;
pub(crate) use fault_table::Seen;
pub(crate) use hold::names_of;
pub use hold::{Hold, HoldKind};
pub use lags::Lags;
use serde::{Deserialize, Serialize};

/// A refusal of creates by admission: quota, Pod Security, a webhook.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdmissionRule {
    /// `jobs`, `pods`, `secrets`, …
    pub resource: String,
    /// Text behind `… is forbidden: `, for example `exceeded quota: compute, requested: pods=1, used: pods=9, limited: pods=9`.
    pub message: String,
    /// How many creates are refused; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

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

/// How watches behave.
#[derive(Debug, Default)]
pub(crate) struct WatchKnobs {
    /// Watches that started under a smaller number end.
    pub(crate) ended: u64,
    /// No watch delivers anything: a half-open connection.
    pub(crate) frozen: bool,
}

/// How log follows behave.
#[derive(Debug, Default)]
pub(crate) struct FollowKnobs {
    /// Follows that started under a smaller number end, with a reset if the flag is set.
    pub(crate) closed: u64,
    pub(crate) reset: bool,
}

/// All knobs.
#[derive(Debug)]
pub(crate) struct KnobState {
    pub(crate) lags: Lags,
    pub(crate) logs: LogSettings,
    pub(crate) faults: FaultTable,
    pub(crate) access: Access,
    /// Accepted bearer tokens; `None` accepts everything.
    pub(crate) tokens: Option<Vec<String>>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) admission: Vec<AdmissionRule>,
    pub(crate) open_gates: HashSet<String>,
    pub(crate) evictions: HashMap<String, Eviction>,
    pub(crate) out_of_memory: HashSet<String>,
    /// Pods whose node is gone.
    pub(crate) lost: HashSet<String>,
    pub(crate) watches: WatchKnobs,
    pub(crate) follows: FollowKnobs,
}

impl KnobState {
    pub(crate) fn new(lags: Lags) -> Self {
        Self {
            lags,
            logs: LogSettings::default(),
            faults: FaultTable::default(),
            access: Access::default(),
            tokens: None,
            holds: Vec::new(),
            admission: Vec::new(),
            open_gates: HashSet::new(),
            evictions: HashMap::new(),
            out_of_memory: HashSet::new(),
            lost: HashSet::new(),
            watches: WatchKnobs::default(),
            follows: FollowKnobs::default(),
        }
    }

    /// Consumes one refusal for this kind, if there is one.
    pub(crate) fn refusal(&mut self, resource: &str) -> Option<String> {
        let rule = self.admission.iter_mut().find(|rule| rule.resource == resource && rule.times != Some(0))?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(rule.message.clone())
    }

    /// The hold of this kind that applies to one of the names.
    pub(crate) fn hold(&self, kind: HoldKind, names: &[&str]) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.kind == kind && hold.applies_to(names))
    }
}

//! What the cluster and the host say before a run is resolved.

use std::collections::BTreeSet;

use super::{BundleSources, ClaimFacts, HomeSettings, VolumeFacts};
use crate::own_pod::OwnPod;
use crate::target::{PayloadMode, Placement};

/// Everything about the world that a run depends on.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The pod the host runs in; `None` outside a cluster, or when it may not be read.
    pub own_pod: Option<OwnPod>,
    /// Where the Job runs, seen from the own pod.
    pub placement: Placement,
    /// Namespace of Job and Secrets.
    pub namespace: String,
    /// How prompt, values and files reach the pod.
    pub payload: PayloadMode,
    /// `jobs/patch` is allowed: the Job is created suspended and released. Without it, it is created running.
    pub may_patch_jobs: bool,
    /// Skills and instructions, read from the host's disk.
    pub bundle: BundleSources,
    /// Those of [`super::directories_to_check`] that exist on the host.
    pub existing_directories: BTreeSet<String>,
    /// What reading all this could not find out, for the warnings of the run.
    pub warnings: Vec<String>,
    /// Settings of the agent's home, where the server sees it.
    pub home: HomeSettings,
    /// What was read of [`super::claims_in_common`].
    pub claims: Vec<ClaimFacts>,
    /// What was found at [`super::places_to_look_at`].
    pub volume: VolumeFacts,
    /// Degraded modes that permissions force (`polling`, `created unsuspended`, `staging`), each named once.
    pub degraded: Vec<String>,
}

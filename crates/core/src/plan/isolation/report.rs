//! What the environment test tells about a pod's view.

use super::{Source, View};
use crate::config::Isolation;
use crate::plan::RunPlan;

/// What a pod of this agent would see, as facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsolationReport {
    /// The level.
    pub level: Isolation,
    /// The least that the operator allows.
    pub least: Option<Isolation>,
    /// The claim of the data volume.
    pub claim: String,
    /// Where the volume is mounted.
    pub home: String,
    /// Directories of the volume beside the home, in the pod.
    pub directories: Vec<String>,
    /// The host sees the volume too: what it found of the server there, none of it covered with `none`.
    pub server: Option<Vec<String>>,
    /// The common home holds a login that the agent's own home has not.
    pub leaves_login: bool,
}

impl RunPlan {
    /// The claim of the host's own data volume, where the Job could mount it.
    #[must_use]
    pub fn host_claim(&self) -> Option<&str> {
        self.parts.host_claim()
    }

    /// `None` without a claim: then there is nothing of anybody's in the pod.
    #[must_use]
    pub fn isolation_report(&self) -> Option<IsolationReport> {
        let data = &self.parts.data;
        let view: &View = data.view()?;
        let is_volume = |source: &Source| matches!(source, Source::Volume(_));
        let mounts = view.mounts.iter().skip(1).filter(|mount| is_volume(&mount.source));
        Some(IsolationReport {
            level: view.level,
            least: self.parts.least_isolation,
            claim: data.claim.clone()?,
            home: data.mount_path.clone(),
            directories: mounts.map(|mount| mount.path.clone()).collect(),
            server: data.host_path().map(|_| view.server.clone()),
            leaves_login: view.level == Isolation::Agent && view.has_login,
        })
    }
}

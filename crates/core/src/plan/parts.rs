//! Everything a Job is made of, decided and complete.

use super::claims;
use super::environment::Environment;
use super::mcp::McpConfig;
use super::settings::Settings;
use super::volumes::{DataVolume, InheritedVolumes};
use super::{BundlePlan, ClaimsInUse};
use crate::config::{Config, Isolation};
use crate::own_pod::OwnPod;
use crate::target::{PayloadMode, Placement};

/// Input of every builder in this module.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) identity: Identity,
    pub(crate) namespace: String,
    pub(crate) config: Config,
    pub(crate) own: Option<OwnPod>,
    pub(crate) placement: Placement,
    /// User and group of the server process: those of its image, where its pod names none (FLD-22).
    pub(crate) process_ids: (Option<i64>, Option<i64>),
    pub(crate) image: String,
    pub(crate) data: DataVolume,
    /// What the operator of the server asks for at least.
    pub(crate) least_isolation: Option<Isolation>,
    pub(crate) inherited: InheritedVolumes,
    /// What of the own pod was not asked for, in a sentence.
    pub(crate) left_behind: Option<String>,
    pub(crate) environment: Environment,
    /// Inside the pod; the script makes it and changes into it.
    pub(crate) run_directory: String,
    /// Inside the pod; exists already, or the kubelet would make it as root (POD-09).
    pub(crate) working_directory: String,
    pub(crate) payload_mode: PayloadMode,
    pub(crate) bundle: Option<BundlePlan>,
    pub(crate) mcp: Option<McpConfig>,
    pub(crate) settings: Settings,
    /// Claims that the server's pod uses on one node.
    pub(crate) in_use: Option<ClaimsInUse>,
}

/// User and group when neither configuration, own pod nor server process has one; the CLI refuses root.
const DEFAULT_ID: i64 = 1000;

/// Who runs: raw ids for annotations, sanitised ones for labels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    pub(crate) agent_id: String,
    pub(crate) agent_label: String,
    pub(crate) agent_name: String,
    pub(crate) run_id: String,
    pub(crate) company_id: String,
    pub(crate) task_id: Option<String>,
    pub(crate) adapter_version: String,
    pub(crate) supervisor: String,
}

impl Parts {
    /// The claim of the host's own data volume, where the Job could mount it.
    pub(crate) fn host_claim(&self) -> Option<&str> {
        let own = self.own.as_ref().filter(|_| self.placement == Placement::SameNamespace)?;
        own.data_claim(self.data.host_path())
    }

    /// The own pod, when its scheduling says anything about the target cluster.
    pub(crate) fn own_in_same_cluster(&self) -> Option<&OwnPod> {
        self.own.as_ref().filter(|_| self.placement != Placement::Elsewhere)
    }

    /// The claims that decide where the Job runs: none where the configuration does.
    pub(crate) fn binding_claims(&self) -> Option<&ClaimsInUse> {
        self.in_use.as_ref().filter(|_| !claims::is_placed(&self.config))
    }

    /// User of the container.
    pub(crate) fn run_as_user(&self) -> i64 {
        let own = self.own_in_same_cluster().map(|own| own.run_as_user.or(self.process_ids.0));
        self.config.run_as_user.or(own.flatten().filter(|id| *id != 0)).unwrap_or(DEFAULT_ID)
    }

    /// Group of the container.
    pub(crate) fn run_as_group(&self) -> i64 {
        let own = self.own_in_same_cluster().map(|own| own.run_as_group.or(self.process_ids.1));
        self.config.run_as_group.or(own.flatten().filter(|id| *id != 0)).unwrap_or(DEFAULT_ID)
    }
}

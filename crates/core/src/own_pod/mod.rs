//! The pod the host process runs in, reduced to what a Job may inherit from it.
//!
//! [`OwnPod::from_pod`] only copies facts. Which of them a Job gets depends on where it runs and is decided in
//! [`crate::plan`] and [`crate::manifest`]: nothing namespaced travels to another namespace (CFG-10).

mod clues;
mod expand;
mod read;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, HostAlias, LocalObjectReference, PodDNSConfig, Toleration, Volume, VolumeMount,
};

use crate::paths;

pub use clues::Clues;
pub(crate) use expand::names_in;

/// What the own pod says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OwnPod {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`: part of the supervisor annotation.
    pub uid: String,
    /// `metadata.labels`: Services find the pod by them.
    pub labels: BTreeMap<String, String>,
    /// `spec.serviceAccountName`.
    pub service_account: Option<String>,
    /// `status.podIP`.
    pub pod_ip: Option<String>,
    /// Image of the source container.
    pub image: Option<String>,
    /// `env` of the source container in its own order, one entry per name (the last one counts).
    pub env: Vec<EnvVar>,
    /// `envFrom` of the source container.
    pub env_from: Vec<EnvFromSource>,
    /// `spec.nodeName`.
    pub node: Option<String>,
    /// `spec.nodeSelector`.
    pub node_selector: BTreeMap<String, String>,
    /// `spec.tolerations`.
    pub tolerations: Vec<Toleration>,
    /// `spec.dnsPolicy`.
    pub dns_policy: Option<String>,
    /// `spec.dnsConfig`.
    pub dns_config: Option<PodDNSConfig>,
    /// `spec.hostAliases`.
    pub host_aliases: Vec<HostAlias>,
    /// `spec.imagePullSecrets`.
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// `runAsUser` of the source container, else of the pod.
    pub run_as_user: Option<i64>,
    /// `runAsGroup` of the source container, else of the pod.
    pub run_as_group: Option<i64>,
    /// `spec.volumes`.
    pub volumes: Vec<Volume>,
    /// `volumeMounts` of the source container.
    pub mounts: Vec<VolumeMount>,
}

impl OwnPod {
    /// Where the data volume of the host is expected first.
    pub const DATA_MOUNT_PATH: &'static str = "/paperclip";

    /// The entry of an environment name, literal or reference.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&EnvVar> {
        self.env.iter().find(|entry| entry.name == name)
    }

    /// The literal value of an environment name. An entry without `valueFrom` is a literal, also when empty.
    #[must_use]
    pub fn literal(&self, name: &str) -> Option<&str> {
        let entry = self.env(name)?;
        entry.value_from.is_none().then(|| entry.value.as_deref().unwrap_or_default())
    }

    /// The volume of a mount.
    #[must_use]
    pub fn volume(&self, mount: &VolumeMount) -> Option<&Volume> {
        self.volumes.iter().find(|volume| volume.name == mount.name)
    }

    /// Mount paths of volumes that pods of agents can mount as well: all but what is this pod's alone or written by
    /// nobody in it.
    pub fn common_mounts(&self) -> impl Iterator<Item = &str> {
        let is_common = |mount: &&VolumeMount| {
            self.volume(mount).is_none_or(|volume| {
                let is_own = volume.empty_dir.is_some() || volume.secret.is_some() || volume.config_map.is_some();
                !is_own && volume.projected.is_none() && volume.downward_api.is_none()
            })
        };
        self.mounts.iter().filter(is_common).map(|mount| mount.mount_path.as_str())
    }

    /// The claim behind a mount.
    #[must_use]
    pub fn claim(&self, mount: &VolumeMount) -> Option<&str> {
        let claim = self.volume(mount)?.persistent_volume_claim.as_ref()?;
        Some(&claim.claim_name)
    }

    /// The mount a path lies on: the deepest one.
    #[must_use]
    pub fn mount_of(&self, path: &str) -> Option<&VolumeMount> {
        let above = self.mounts.iter().filter(|mount| paths::remainder(path, &mount.mount_path).is_some());
        above.max_by_key(|mount| mount.mount_path.len())
    }

    /// The mount of the host's data volume: at `/paperclip`, else the one that contains `PAPERCLIP_HOME`.
    ///
    /// `home` is that variable of the host process; without it the pod's literal counts.
    #[must_use]
    pub fn data_mount(&self, home: Option<&str>) -> Option<&VolumeMount> {
        let usual = self.mounts.iter().find(|mount| mount.mount_path.trim_end_matches('/') == Self::DATA_MOUNT_PATH);
        usual.or_else(|| self.mount_of(home.or_else(|| self.literal("PAPERCLIP_HOME"))?))
    }

    /// The claim behind [`Self::data_mount`].
    #[must_use]
    pub fn data_claim(&self, home: Option<&str>) -> Option<&str> {
        self.claim(self.data_mount(home)?)
    }
}

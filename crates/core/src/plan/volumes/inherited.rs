//! Volumes of the own pod that a Job has too when they are named: Secrets, `ConfigMap`s and projections of them.

use k8s_openapi::api::core::v1::{Volume, VolumeMount};

use super::DataVolume;
use crate::config::Inherit;
use crate::own_pod::OwnPod;
use crate::paths::{RUN_MOUNT, SCRATCH_MOUNT, SERVICE_ACCOUNT_MOUNT, remainder};
use crate::plan::server;
use crate::request::HostProcess;

/// Inherited volumes, named `inh-<n>` so that they can neither collide nor repeat.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct InheritedVolumes {
    pub(crate) volumes: Vec<Volume>,
    pub(crate) mounts: Vec<VolumeMount>,
    /// Names of volumes that could be inherited, and that nobody asked for.
    pub(crate) left: Vec<String>,
}

impl InheritedVolumes {
    /// Only for the own namespace: what the volumes name does not exist elsewhere.
    pub(crate) fn of(own: &OwnPod, host: &HostProcess, data: &DataVolume, wanted: &Inherit) -> Self {
        let mut inherited = Self::default();
        for volume in &own.volumes {
            let holds_server_file = |mount: &VolumeMount| {
                server::files(host, Some(own)).into_iter().any(|file| remainder(file, &mount.mount_path).is_some())
            };
            let mounts: Vec<&VolumeMount> = own.mounts.iter().filter(|mount| mount.name == volume.name).collect();
            if mounts.iter().any(|mount| holds_server_file(mount)) {
                continue;
            }
            let usable: Vec<&VolumeMount> =
                mounts.into_iter().filter(|mount| is_free(&mount.mount_path, data)).collect();
            let Some(mut copy) = inheritable(volume).filter(|_| !usable.is_empty()) else { continue };
            if !wanted.has(&volume.name) {
                inherited.left.push(volume.name.clone());
                continue;
            }
            copy.name = format!("inh-{}", inherited.volumes.len());
            let copied = usable.into_iter().map(|mount| VolumeMount {
                name: copy.name.clone(),
                read_only: Some(true),
                mount_propagation: None,
                ..mount.clone()
            });
            inherited.mounts.extend(copied);
            inherited.volumes.push(copy);
        }
        inherited
    }
}

/// A mount path the adapter does not use itself. The token of a service account comes from Kubernetes or not at all.
fn is_free(path: &str, data: &DataVolume) -> bool {
    let taken = [data.mount_path.as_str(), RUN_MOUNT, SCRATCH_MOUNT];
    !taken.contains(&path.trim_end_matches('/'))
        && [RUN_MOUNT, SCRATCH_MOUNT, SERVICE_ACCOUNT_MOUNT].iter().all(|root| remainder(path, root).is_none())
}

/// The volume if it is of an inheritable kind, with every source optional and without service-account tokens.
fn inheritable(volume: &Volume) -> Option<Volume> {
    let mut copy = Volume { name: volume.name.clone(), ..Volume::default() };
    if let Some(secret) = &volume.secret {
        let mut secret = secret.clone();
        secret.optional = Some(true);
        copy.secret = Some(secret);
    } else if let Some(config_map) = &volume.config_map {
        let mut config_map = config_map.clone();
        config_map.optional = Some(true);
        copy.config_map = Some(config_map);
    } else {
        let mut projected = volume.projected.clone()?;
        let sources = projected.sources.get_or_insert_default();
        sources.retain(|source| source.service_account_token.is_none());
        if sources.is_empty() {
            return None;
        }
        for source in sources {
            if let Some(secret) = &mut source.secret {
                secret.optional = Some(true);
            }
            if let Some(config_map) = &mut source.config_map {
                config_map.optional = Some(true);
            }
            if let Some(bundle) = &mut source.cluster_trust_bundle {
                bundle.optional = Some(true);
            }
        }
        copy.projected = Some(projected);
    }
    Some(copy)
}

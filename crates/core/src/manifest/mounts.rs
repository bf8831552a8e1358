//! Volumes of the pod with their mounts: the data volume, the payload, and the pod's own temporary volume.

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, PersistentVolumeClaimVolumeSource, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::paths::{SCRATCH_MOUNT, SCRATCH_VOLUME};
use crate::plan::volumes::DataVolume;

/// Name of the data volume.
pub(super) const DATA: &str = "data";
/// Name of the payload volume.
pub(super) const RUN: &str = "paperclip-run";

/// The data volume and its mount, read-write.
pub(super) fn data(data: &DataVolume) -> (Volume, VolumeMount) {
    let mut volume = Volume { name: DATA.to_owned(), ..Volume::default() };
    match &data.claim {
        Some(claim) => {
            let source = PersistentVolumeClaimVolumeSource { claim_name: claim.clone(), ..Default::default() };
            volume.persistent_volume_claim = Some(source);
        }
        None => volume.empty_dir = Some(EmptyDirVolumeSource::default()),
    }
    let mut mount = mount(DATA, &data.mount_path, false);
    mount.sub_path.clone_from(&data.sub_path);
    mount.sub_path_expr.clone_from(&data.sub_path_expr);
    (volume, mount)
}

/// The pod's own temporary volume: shared temp and caches once filled a shared quota for hours (PRM-12).
pub(super) fn scratch(size_limit: &str) -> (Volume, VolumeMount) {
    let empty_dir = EmptyDirVolumeSource { size_limit: Some(Quantity(size_limit.to_owned())), ..Default::default() };
    let volume = Volume { name: SCRATCH_VOLUME.to_owned(), empty_dir: Some(empty_dir), ..Volume::default() };
    (volume, mount(SCRATCH_VOLUME, SCRATCH_MOUNT, false))
}

/// A plain mount.
pub(super) fn mount(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

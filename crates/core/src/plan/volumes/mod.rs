//! Volumes of the pod: the data volume, the payload, the pod's own temporary volume, and what is inherited.

mod data;
mod inherited;
mod mounted;

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, Volume, VolumeMount};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

pub(crate) use data::DataVolume;
pub(crate) use inherited::InheritedVolumes;
pub(crate) use mounted::MountedPaths;

use crate::paths::SCRATCH_MOUNT;

/// Name of the data volume.
pub(crate) const DATA: &str = "data";
/// Name of the payload volume.
pub(crate) const RUN: &str = "paperclip-run";
const SCRATCH: &str = "paperclip-scratch";

/// The pod's own temporary volume: shared temp and caches once filled a shared quota for hours (PRM-12).
pub(crate) fn scratch(size_limit: &str) -> (Volume, VolumeMount) {
    let empty_dir = EmptyDirVolumeSource { size_limit: Some(Quantity(size_limit.to_owned())), ..Default::default() };
    let volume = Volume { name: SCRATCH.to_owned(), empty_dir: Some(empty_dir), ..Volume::default() };
    (volume, mount(SCRATCH, SCRATCH_MOUNT, false))
}

/// A plain mount.
pub(crate) fn mount(volume: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

//! Which volumes the pod has: the data volume, and what is inherited; and which paths exist in it because of them.

mod data;
mod inherited;
mod mounted;

pub(crate) use data::DataVolume;
pub(crate) use inherited::InheritedVolumes;
pub(crate) use mounted::MountedPaths;

//! Volumes of the pod with their mounts: the data volume, the payload, and the pod's own temporary volume.

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, DownwardAPIVolumeSource, EmptyDirVolumeSource, ObjectFieldSelector,
    PersistentVolumeClaimVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::paths::{SCRATCH_MOUNT, SCRATCH_VOLUME};
use crate::plan::expansion;
use crate::plan::isolation::Source;
use crate::plan::volumes::DataVolume;

/// Name of the data volume.
pub(super) const DATA: &str = "data";
/// Name of the payload volume.
pub(super) const RUN: &str = "paperclip-run";

/// Directories of the pod that stand over what it must not see.
const COVER: &str = "paperclip-cover";
/// A file that stands over what it must not see.
const EMPTY: &str = "paperclip-empty";
const EMPTY_FILE: &str = "empty";

/// The data volume with its mounts in their order: all of it, or what the view shows with covers over the rest.
pub(super) fn data(data: &DataVolume) -> (Vec<Volume>, Vec<VolumeMount>) {
    let (volume, whole) = whole(data);
    let Some(view) = data.view() else { return (vec![volume], vec![whole]) };
    let mut volumes = vec![volume];
    let mut covers = 0;
    let mounts = view.mounts.iter().map(|one| match &one.source {
        Source::Volume(rest) => part(data, &one.path, rest),
        Source::EmptyDirectory => {
            covers += 1;
            VolumeMount { sub_path: Some(covers.to_string()), ..mount(COVER, &one.path, false) }
        }
        Source::EmptyFile => VolumeMount { sub_path: Some(EMPTY_FILE.to_owned()), ..mount(EMPTY, &one.path, true) },
    });
    let mounts: Vec<VolumeMount> = mounts.collect();
    let has = |name: &str| mounts.iter().any(|mount| mount.name == name);
    if has(COVER) {
        let empty_dir = Some(EmptyDirVolumeSource::default());
        volumes.push(Volume { name: COVER.to_owned(), empty_dir, ..Volume::default() });
    }
    if has(EMPTY) {
        volumes.push(empty_file());
    }
    (volumes, mounts)
}

/// A part of the data volume: `rest` is empty or has a leading `/`.
pub(super) fn part(data: &DataVolume, path: &str, rest: &str) -> VolumeMount {
    let below =
        |base: &str, rest: &str| format!("{}{rest}", base.trim_end_matches('/')).trim_start_matches('/').to_owned();
    let mut mount = mount(DATA, path, false);
    if let Some(base) = &data.sub_path_expr {
        mount.sub_path_expr = Some(below(base, &expansion::escape(rest)));
    } else {
        let sub_path = below(data.sub_path.as_deref().unwrap_or_default(), rest);
        mount.sub_path = Some(sub_path).filter(|sub_path| !sub_path.is_empty());
    }
    mount
}

/// Content of an annotation that no pod has: the one source of a file that needs no object.
fn empty_file() -> Volume {
    let field = ObjectFieldSelector {
        field_path: "metadata.annotations['paperclip.io/empty']".to_owned(),
        ..ObjectFieldSelector::default()
    };
    let file = DownwardAPIVolumeFile { path: EMPTY_FILE.to_owned(), field_ref: Some(field), ..Default::default() };
    let downward_api = Some(DownwardAPIVolumeSource { items: Some(vec![file]), ..Default::default() });
    Volume { name: EMPTY.to_owned(), downward_api, ..Volume::default() }
}

fn whole(data: &DataVolume) -> (Volume, VolumeMount) {
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

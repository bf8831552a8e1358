//! Which paths exist in the pod because something is mounted there.

use serde_json::{Map, Value};

use super::{DataVolume, InheritedVolumes};
use crate::names::CONTAINER;
use crate::own_pod::OwnPod;
use crate::paths::{SCRATCH_MOUNT, remainder};

/// Mount paths of the container `claude`, the payload aside: it is read-only and the adapter's own.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MountedPaths {
    roots: Vec<String>,
    inherited: Vec<String>,
    template: Vec<String>,
}

impl MountedPaths {
    /// Data, scratch, inherited mounts and those that `podTemplate` adds.
    pub(crate) fn new(
        data: &DataVolume,
        inherited: &InheritedVolumes,
        pod_template: Option<&Map<String, Value>>,
    ) -> Self {
        Self {
            roots: vec![data.mount_path.clone(), SCRATCH_MOUNT.to_owned()],
            inherited: inherited.mounts.iter().map(|mount| mount.mount_path.clone()).collect(),
            template: pod_template.map(template_mounts).unwrap_or_default(),
        }
    }

    /// The path lies on a volume of the pod.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let mut all = self.roots.iter().chain(&self.inherited).chain(&self.template);
        all.any(|root| remainder(path, root).is_some())
    }

    /// The Job mounts the very volume on which the own pod has this path.
    pub(crate) fn keeps(&self, own: &OwnPod, data: &DataVolume, path: &str) -> bool {
        let inherited = own.mount_of(path).is_some_and(|mount| self.inherited.contains(&mount.mount_path));
        let same_place = data.to_pod_path(path).is_some_and(|pod_path| pod_path == path.trim_end_matches('/'));
        inherited || same_place || self.template.iter().any(|root| remainder(path, root).is_some())
    }
}

fn template_mounts(template: &Map<String, Value>) -> Vec<String> {
    let containers = template.get("spec").and_then(|spec| spec.get("containers")).and_then(Value::as_array);
    let claude = containers.into_iter().flatten().filter(|container| container["name"] == CONTAINER);
    let mounts = claude.filter_map(|container| container.get("volumeMounts")?.as_array()).flatten();
    mounts.filter_map(|mount| mount.get("mountPath")?.as_str()).map(str::to_owned).collect()
}

//! The data volume: `HOME` of the agent, and the one place host and pod may share.

use k8s_openapi::api::core::v1::VolumeMount;

use crate::config::Config;
use crate::own_pod::OwnPod;
use crate::paths;
use crate::plan::isolation::View;
use crate::target::Placement;

/// What is mounted as `data`, and which part of the host's file system that is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DataVolume {
    /// Persistent claim; `None` means an emptyDir that ends with the pod.
    pub(crate) claim: Option<String>,
    pub(crate) sub_path: Option<String>,
    pub(crate) sub_path_expr: Option<String>,
    /// Mount path in the pod, and `HOME`.
    pub(crate) mount_path: String,
    /// The host's mount of the same claim and sub-path: what lies on it, the pod sees too, as far as the view goes.
    shared: Option<OwnMount>,
    view: Option<View>,
}

/// The host's mount, and the deeper mounts that hide parts of it.
#[derive(Debug, Clone, PartialEq)]
struct OwnMount {
    path: String,
    hidden: Vec<String>,
}

impl DataVolume {
    /// `workspaceVolumeClaim`, else the claim of the own pod where Secrets and claims are the same, else an emptyDir.
    pub(crate) fn resolve(config: &Config, own: Option<&OwnPod>, placement: Placement, home: Option<&str>) -> Self {
        let near = own.filter(|_| placement == Placement::SameNamespace);
        let own_mount = own.and_then(|own| own.data_mount(home));
        let claim = config.workspace_volume_claim.clone().or_else(|| Some(near?.claim(own_mount?)?.to_owned()));
        // The own mount of the same claim: the usual one first, then any other.
        let same_claim =
            |mount: &&VolumeMount| claim.is_some() && near.is_some_and(|own| own.claim(mount) == claim.as_deref());
        let twin = own_mount.filter(same_claim).or_else(|| near?.mounts.iter().find(same_claim));

        let (sub_path, sub_path_expr) = match (&config.workspace_sub_path, twin) {
            (Some(sub_path), _) => (Some(sub_path.clone()), None),
            (None, Some(twin)) => (non_empty(twin.sub_path.as_ref()), non_empty(twin.sub_path_expr.as_ref())),
            (None, None) => (None, None),
        };
        let own_path = twin.or(own_mount).map(|mount| mount.mount_path.as_str());
        let mount_path = config.workspace_mount_path.as_deref().or(own_path).unwrap_or(OwnPod::DATA_MOUNT_PATH);
        let is_same_part = |twin: &&VolumeMount| {
            non_empty(twin.sub_path.as_ref()) == sub_path && non_empty(twin.sub_path_expr.as_ref()) == sub_path_expr
        };
        let shared = near.zip(twin.filter(is_same_part)).and_then(|(own, twin)| OwnMount::of(own, twin));
        Self { claim, sub_path, sub_path_expr, mount_path: trimmed(mount_path), shared, view: None }
    }

    /// Sessions and files outlive the pod.
    pub(crate) fn is_persistent(&self) -> bool {
        self.claim.is_some()
    }

    /// Where the host sees the same directory, if it does.
    pub(crate) fn host_path(&self) -> Option<&str> {
        self.shared.as_ref().map(|own| own.path.as_str())
    }

    /// What the pod sees of it; `None` as long as that is not decided, and without a claim.
    pub(crate) fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// Decides it.
    pub(crate) fn with_view(self, view: View) -> Self {
        Self { view: Some(view), ..self }
    }

    /// A path of the host as the pod sees it; `None` when the pod cannot see it.
    pub(crate) fn to_pod_path(&self, host_path: &str) -> Option<String> {
        match &self.view {
            Some(view) => view.to_pod_path(self, host_path),
            None => self.on_volume(host_path),
        }
    }

    /// Where a path of the host would be in the pod if all of the volume were there.
    pub(crate) fn on_volume(&self, host_path: &str) -> Option<String> {
        let own = self.shared.as_ref()?;
        if own.hidden.iter().any(|hidden| paths::remainder(host_path, hidden).is_some()) {
            return None;
        }
        paths::remainder(host_path, &own.path).map(|rest| paths::join(&self.mount_path, rest))
    }
}

impl OwnMount {
    /// `None` when the sub-path depends on the pod: the Job's pod then gets another directory of the claim.
    fn of(own: &OwnPod, mount: &VolumeMount) -> Option<Self> {
        // Of literals it would have become a plain one.
        if mount.sub_path_expr.as_deref().is_some_and(|expression| !expression.is_empty()) {
            return None;
        }
        let deeper = own.mounts.iter().map(|mount| trimmed(&mount.mount_path));
        let path = trimmed(&mount.mount_path);
        let hidden = deeper.filter(|other| *other != path && paths::remainder(other, &path).is_some()).collect();
        Some(Self { path, hidden })
    }
}

fn non_empty(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn trimmed(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

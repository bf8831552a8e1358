//! The facts a run is resolved from: permissions, placement, files on the host's disk.

use std::collections::BTreeSet;

use claude_k8s_core::config::Config;
use claude_k8s_core::files::Kind;
use claude_k8s_core::permissions::Permissions;
use claude_k8s_core::plan::{Surroundings, directories_to_check};
use claude_k8s_core::request::RunRequest;
use claude_k8s_core::target::Placement;

use super::own_pod::OwnPlace;
use crate::bundle;
use crate::files::seen;

pub(super) async fn surroundings(
    request: &RunRequest,
    config: &Config,
    namespace: &str,
    own: &OwnPlace,
    permissions: &Permissions,
) -> Surroundings {
    let placement = own.placement(namespace);
    let directories = directories_to_check(request, config);
    let existing = directories
        .into_iter()
        .filter(|path| matches!(seen(path.as_ref()), Some((Kind::Directory, _))))
        .collect::<BTreeSet<_>>();
    Surroundings {
        own_pod: own.pod.clone(),
        placement,
        namespace: namespace.to_owned(),
        payload: permissions.payload_mode(),
        may_patch_jobs: permissions.may_patch_jobs(),
        bundle: bundle::read(request, config, own.pod.as_ref(), placement != Placement::SameNamespace).await,
        existing_directories: existing,
        warnings: own.missing.iter().cloned().collect(),
        degraded: permissions.degraded(),
    }
}

/// Host and pod share the data volume.
pub(super) fn may_stage(request: &RunRequest, placement: Placement, own: &OwnPlace) -> bool {
    let home = request.host.env("PAPERCLIP_HOME");
    let claim = own.pod.as_ref().and_then(|pod| pod.data_claim(home));
    placement == Placement::SameNamespace && claim.is_some()
}

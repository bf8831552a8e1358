//! The facts a run is resolved from: permissions, placement, files on the host's disk.

use std::collections::BTreeSet;

use claude_k8s_core::config::{Config, Rejection};
use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::plan::{Surroundings, directories_to_check};
use claude_k8s_core::request::RunRequest;
use claude_k8s_core::target::{PayloadMode, Placement};

use super::own_pod::OwnPlace;
use crate::bundle;
use crate::permissions::Permissions;

pub(super) async fn surroundings(
    request: &RunRequest,
    config: &Config,
    namespace: &str,
    own: &OwnPlace,
    permissions: &Permissions,
) -> Result<Surroundings, Refusal> {
    let placement = own.placement(namespace);
    let may_patch_jobs = permissions.allows("batch", "jobs", "patch");
    if config.queue_name.is_some() && !may_patch_jobs {
        let reason = "needs the permission to `patch` `jobs`, which is missing".to_owned();
        return Err(vec![Rejection { key: "queueName".to_owned(), reason }].into());
    }
    let payload = payload_mode(request, permissions, placement, own, namespace)?;
    let mut degraded = Vec::new();
    if !permissions.allows("batch", "jobs", "watch") || !permissions.allows("", "pods", "watch") {
        degraded.push("polling (no `watch` on `jobs` and `pods`): the end of a run is noticed within 2 s".to_owned());
    }
    if !may_patch_jobs {
        degraded.push(
            "created unsuspended (no `patch` on `jobs`): missing Secrets hold the pod until they exist, and Jobs of a lost host process are not adopted".to_owned(),
        );
    }
    if payload == PayloadMode::Volume {
        degraded.push("staging (no `create` on `secrets`): the payload lies on the shared data volume".to_owned());
    }
    let directories = directories_to_check(request, config);
    let existing = directories.into_iter().filter(|path| std::path::Path::new(path).is_dir()).collect::<BTreeSet<_>>();
    if !permissions.allows("batch", "jobs", "delete") {
        degraded.push(
            "no clean-up (no `delete` on `jobs`): a Job is stopped by suspending it and goes by its TTL".to_owned(),
        );
    }
    Ok(Surroundings {
        own_pod: own.pod.clone(),
        placement,
        namespace: namespace.to_owned(),
        payload,
        may_patch_jobs,
        bundle: bundle::read(request, config, placement != Placement::SameNamespace).await,
        existing_directories: existing,
        degraded,
    })
}

/// Host and pod share the data volume.
pub(super) fn may_stage(request: &RunRequest, placement: Placement, own: &OwnPlace) -> bool {
    let home = request.host.env("PAPERCLIP_HOME");
    let claim = own.pod.as_ref().and_then(|pod| pod.data_claim(home));
    placement == Placement::SameNamespace && claim.is_some()
}

/// Secrets, or the data volume that host and pod share; never values in the Job.
fn payload_mode(
    request: &RunRequest,
    permissions: &Permissions,
    placement: Placement,
    own: &OwnPlace,
    namespace: &str,
) -> Result<PayloadMode, Refusal> {
    if permissions.allows("", "secrets", "create") {
        return Ok(PayloadMode::Secret);
    }
    if may_stage(request, placement, own) {
        return Ok(PayloadMode::Volume);
    }
    let message = format!(
        "The prompt and its values cannot be stored: `create` on `secrets` is missing in namespace `{namespace}` and host and pod share no data volume; grant it, see `deploy/`"
    );
    Err(Refusal::new(ErrorCode::PromptSecretCreateFailed, message))
}

//! The pod template: scheduling, identity and volumes around the container.

use k8s_openapi::api::core::v1::{
    PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, Toleration, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::payload::PayloadSecret;
use super::staged_files::staging_sub_path;
use super::{container, job, labels, mounts, payload};
use crate::attempt::Attempt;
use crate::config::Isolation;
use crate::paths::{RUN_MOUNT, remainder};
use crate::plan::{ClaimsInUse, Delivery, Parts};
use crate::target::{PayloadMode, Placement};

/// Seconds between SIGTERM and SIGKILL.
const TERMINATION_GRACE_SECONDS: i64 = 30;

/// The template before `podTemplate` is merged into it.
pub(super) fn template(parts: &Parts, attempt: &Attempt) -> PodTemplateSpec {
    let planned = payload::plan(parts, attempt);
    let (volumes, mounts) = volumes_and_mounts(parts, attempt, &planned);
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels::labels(parts, attempt)),
            annotations: Some(labels::pod_annotations()),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            containers: vec![container::container(parts, attempt, &planned, mounts)],
            volumes: Some(volumes),
            security_context: Some(security_context(parts)),
            active_deadline_seconds: attempt.timeout.map(job::seconds),
            ..scheduling(parts)
        }),
    }
}

/// Everything that is not the container, its volumes or its user. Explicit values, even empty ones, replace
/// inherited ones (POD-07).
fn scheduling(parts: &Parts) -> PodSpec {
    let config = &parts.config;
    let own = parts.own_in_same_cluster();
    let node_selector = config.node_selector.clone().or_else(|| Some(own?.node_selector.clone()));
    let tolerations: Option<Vec<Toleration>> = config.tolerations.clone().or_else(|| Some(own?.tolerations.clone()));
    let pull_secrets = own.filter(|_| parts.placement == Placement::SameNamespace);
    PodSpec {
        restart_policy: Some("Never".to_owned()),
        termination_grace_period_seconds: Some(TERMINATION_GRACE_SECONDS),
        service_account_name: config.service_account_name.clone(),
        automount_service_account_token: Some(config.service_account_name.is_some()),
        // A Service named `paperclip` would inject `PAPERCLIP_*` names.
        enable_service_links: Some(false),
        image_pull_secrets: pull_secrets.map(|own| own.image_pull_secrets.clone()).filter(|list| !list.is_empty()),
        dns_policy: own.and_then(|own| own.dns_policy.clone()),
        dns_config: own.and_then(|own| own.dns_config.clone()),
        host_aliases: own.map(|own| own.host_aliases.clone()).filter(|list| !list.is_empty()),
        node_selector: node_selector.filter(|map| !map.is_empty()),
        affinity: parts.binding_claims().map(ClaimsInUse::affinity),
        tolerations: tolerations.filter(|list| !list.is_empty()),
        priority_class_name: config.priority_class_name.clone(),
        runtime_class_name: config.runtime_class_name.clone(),
        ..PodSpec::default()
    }
}

fn security_context(parts: &Parts) -> PodSecurityContext {
    let config = &parts.config;
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(parts.run_as_user()),
        run_as_group: Some(parts.run_as_group()),
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        // Only when asked for: rewriting ownership of a shared claim took minutes at each Job (POD-09).
        fs_group: config.fs_group,
        fs_group_change_policy: config.fs_group.map(|_| "OnRootMismatch".to_owned()),
        ..PodSecurityContext::default()
    }
}

fn volumes_and_mounts(
    parts: &Parts,
    attempt: &Attempt,
    planned: &[PayloadSecret<'_>],
) -> (Vec<Volume>, Vec<VolumeMount>) {
    let (mut volumes, mut mounts) = mounts::data(&parts.data);
    let (scratch, scratch_mount) = mounts::scratch(&parts.config.cache_size_limit);
    mounts.extend(bundle_directory(parts));
    match parts.payload_mode {
        PayloadMode::Secret => {
            let projected = Some(payload::projected(planned));
            volumes.push(Volume { name: mounts::RUN.to_owned(), projected, ..Volume::default() });
            mounts.push(mounts::mount(mounts::RUN, RUN_MOUNT, true));
        }
        PayloadMode::Volume => {
            // The staged directory of this Job appears at the same place, so nothing else has to know the mode.
            let staged = format!("/{}", staging_sub_path("", attempt.job_name.as_str()));
            mounts.push(VolumeMount { read_only: Some(true), ..mounts::part(&parts.data, RUN_MOUNT, &staged) });
        }
    }
    volumes.push(scratch);
    mounts.push(scratch_mount);
    volumes.extend(parts.inherited.volumes.iter().cloned());
    mounts.extend(parts.inherited.mounts.iter().cloned());
    (volumes, mounts)
}

/// A bundle on the volume that host and pod share lies where no pod sees anything else: it alone is mounted, read-only.
fn bundle_directory(parts: &Parts) -> Option<VolumeMount> {
    parts.data.view().filter(|view| view.level != Isolation::None)?;
    let Delivery::Directory { host_path, pod_path } = &parts.bundle.as_ref()?.delivery else { return None };
    let rest = remainder(host_path, parts.data.host_path()?)?;
    Some(VolumeMount { read_only: Some(true), ..mounts::part(&parts.data, pod_path, rest) })
}

//! The container `claude`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, Container, EnvVar, EnvVarSource, ResourceRequirements, SecretKeySelector, SecurityContext,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::payload::PayloadSecret;
use super::{payload, script};
use crate::attempt::Attempt;
use crate::config::ImagePullPolicy;
use crate::names::CONTAINER;
use crate::plan::environment::EnvValue;
use crate::plan::{Parts, expansion};
use crate::target::PayloadMode;

/// The container with everything but what `podTemplate` adds.
pub(super) fn container(
    parts: &Parts,
    attempt: &Attempt,
    planned: &[PayloadSecret<'_>],
    mounts: Vec<VolumeMount>,
) -> Container {
    let config = &parts.config;
    let script = expansion::escape(&script::script(parts, attempt));
    let env_from = &parts.environment.env_from;
    Container {
        name: CONTAINER.to_owned(),
        image: Some(parts.image.clone()),
        image_pull_policy: Some(pull_policy(config.image_pull_policy).to_owned()),
        working_dir: Some(parts.working_directory.clone()),
        command: Some(vec!["sh".to_owned(), "-c".to_owned(), script, "paperclip-run".to_owned()]),
        args: Some(attempt.args.iter().map(|arg| expansion::escape(arg)).collect()),
        env: Some(env(parts, planned)),
        env_from: (!env_from.is_empty()).then(|| env_from.clone()),
        resources: Some(ResourceRequirements {
            requests: quantities(&config.resources.requests),
            limits: quantities(&config.resources.limits),
            ..ResourceRequirements::default()
        }),
        security_context: Some(security_context()),
        termination_message_path: Some("/dev/termination-log".to_owned()),
        termination_message_policy: Some("File".to_owned()),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

fn env(parts: &Parts, planned: &[PayloadSecret<'_>]) -> Vec<EnvVar> {
    let entries = parts.environment.entries().flat_map(|(name, value)| {
        let from = |source| EnvVar { name: name.to_owned(), value: None, value_from: Some(source) };
        match value {
            EnvValue::Literal(text) => {
                vec![EnvVar { name: name.to_owned(), value: Some(expansion::escape(text)), value_from: None }]
            }
            EnvValue::Reference(source) => vec![from((**source).clone())],
            // A name that stands there again replaces the earlier one, unless its source does not have it.
            EnvValue::Sources(sources) => sources.iter().cloned().map(from).collect(),
            // Staged values are exported by the script.
            EnvValue::Secret(_) if parts.payload_mode == PayloadMode::Volume => Vec::new(),
            EnvValue::Secret(_) => secret_reference(name, planned).map(from).into_iter().collect(),
        }
    });
    entries.collect()
}

fn secret_reference(name: &str, planned: &[PayloadSecret<'_>]) -> Option<EnvVarSource> {
    let key = payload::env_key(name);
    let secret = planned.iter().find(|secret| secret.entries.iter().any(|entry| entry.key == key))?;
    let selector = SecretKeySelector { name: secret.name.clone(), key, optional: None };
    Some(EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() })
}

/// Passes the Pod Security level "restricted" (POD-08). The root file system stays writable: tools expect it.
fn security_context() -> SecurityContext {
    SecurityContext {
        run_as_non_root: Some(true),
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(false),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
        ..SecurityContext::default()
    }
}

fn pull_policy(policy: ImagePullPolicy) -> &'static str {
    match policy {
        ImagePullPolicy::IfNotPresent => "IfNotPresent",
        ImagePullPolicy::Always => "Always",
        ImagePullPolicy::Never => "Never",
    }
}

fn quantities(texts: &BTreeMap<String, String>) -> Option<BTreeMap<String, Quantity>> {
    (!texts.is_empty()).then(|| texts.iter().map(|(name, text)| (name.clone(), Quantity(text.clone()))).collect())
}

//! What the own pod has and a Job elsewhere does not get, in one sentence (CFG-10).

use k8s_openapi::api::core::v1::EnvVar;

use crate::config::Config;
use crate::own_pod::OwnPod;
use crate::plan::environment::names::is_server_only;
use crate::target::Placement;

/// `None` in the own namespace, and when nothing is missing. `home`: `PAPERCLIP_HOME` of the host process.
pub(super) fn missing(
    config: &Config,
    own: Option<&OwnPod>,
    placement: Placement,
    home: Option<&str>,
) -> Option<String> {
    let own = own.filter(|_| placement != Placement::SameNamespace)?;
    let references = own.env.iter().filter(|entry| is_namespaced(entry) && !is_server_only(&entry.name));
    let set_anyway = |name: &str| config.env.iter().any(|(configured, _)| configured == name);
    let variables = references.map(|entry| entry.name.as_str()).filter(|name| !set_anyway(name));
    let sources = own.env_from.iter().filter_map(|source| {
        let secret = source.secret_ref.as_ref().map(|secret| secret.name.as_str());
        secret.or_else(|| Some(source.config_map_ref.as_ref()?.name.as_str()))
    });
    let volumes = own.volumes.iter().filter(|volume| volume.secret.is_some() || volume.config_map.is_some());
    let claim = own.data_claim(home).filter(|_| config.workspace_volume_claim.is_none());

    let groups: [(&str, Vec<&str>); 5] = [
        ("environment", variables.collect()),
        ("envFrom", sources.collect()),
        ("imagePullSecrets", own.image_pull_secrets.iter().map(|secret| secret.name.as_str()).collect()),
        ("volumes", volumes.map(|volume| volume.name.as_str()).collect()),
        ("claim", claim.into_iter().collect()),
    ];
    let list: Vec<String> = groups
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(group, names)| format!("{group} {}", names.join(", ")))
        .collect();
    let place = if placement == Placement::OtherNamespace { "namespace" } else { "cluster" };
    (!list.is_empty()).then(|| {
        format!(
            "the Job runs in another {place} and does not inherit: {}; set `env`, `workspaceVolumeClaim` or `podTemplate` where it needs them",
            list.join("; ")
        )
    })
}

fn is_namespaced(entry: &EnvVar) -> bool {
    entry
        .value_from
        .as_ref()
        .is_some_and(|source| source.secret_key_ref.is_some() || source.config_map_key_ref.is_some())
}

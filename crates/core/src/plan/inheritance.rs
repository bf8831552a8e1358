//! What the own pod has and a Job does not get, in a sentence each: because it was not asked for (TRU-15), or because
//! the Job runs elsewhere (CFG-10).

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVar};

use crate::config::server_env::is_server_only;
use crate::own_pod::OwnPod;
use crate::plan::environment::{Environment, Sources};
use crate::plan::volumes::InheritedVolumes;
use crate::target::Placement;

/// More names than these are counted.
const NAMED: usize = 40;

/// What was not asked for, by name. `None` when that is nothing.
pub(super) fn left_behind(from: &Sources<'_>, environment: &Environment, volumes: &InheritedVolumes) -> Option<String> {
    let own = from.own?;
    let is_left = |name: &str| !from.inherits(name) && !is_server_only(name) && !environment.is_set(name);
    let variables = own.env.iter().map(|entry| entry.name.as_str()).filter(|name| is_left(name)).collect();
    let is_near = from.placement == Placement::SameNamespace && !from.forwards_env_from();
    let sources = own.env_from.iter().filter(|_| is_near).filter_map(source_name).collect();
    let volumes = volumes.left.iter().map(String::as_str).collect();
    let list = listed(&[("variables", variables), ("the rest of envFrom", sources), ("volumes", volumes)])?;
    Some(format!(
        "Not inherited from the server's pod: {list}; `inheritEnv` and `inheritVolumes` name what agents need"
    ))
}

/// `None` in the own namespace, and when nothing is missing. `home`: `PAPERCLIP_HOME` of the host process.
pub(super) fn missing(from: &Sources<'_>, home: Option<&str>) -> Option<String> {
    let own: &OwnPod = from.own.filter(|_| from.placement != Placement::SameNamespace)?;
    let config = from.config;
    let references = own.env.iter().filter(|entry| is_namespaced(entry) && from.inherits(&entry.name));
    let set_anyway = |name: &str| config.env.iter().any(|(configured, _)| configured == name);
    let variables = references.map(|entry| entry.name.as_str()).filter(|name| !set_anyway(name));
    let may_have = |name: &&String| own.env(name).is_none() && from.inherits(name) && !set_anyway(name);
    let are_wanted = config.inherit_env.all || from.request.host.env_names.iter().any(|name| may_have(&name));
    let sources = own.env_from.iter().filter(|_| are_wanted).filter_map(source_name);
    let volumes = own.volumes.iter().filter(|volume| volume.secret.is_some() || volume.config_map.is_some());
    let volumes = volumes.map(|volume| volume.name.as_str()).filter(|name| config.inherit_volumes.has(name));
    let claim = own.data_claim(home).filter(|_| config.workspace_volume_claim.is_none());

    let list = listed(&[
        ("environment", variables.collect()),
        ("envFrom", sources.collect()),
        ("imagePullSecrets", own.image_pull_secrets.iter().map(|secret| secret.name.as_str()).collect()),
        ("volumes", volumes.collect()),
        ("claim", claim.into_iter().collect()),
    ])?;
    let place = if from.placement == Placement::OtherNamespace { "namespace" } else { "cluster" };
    Some(format!(
        "the Job runs in another {place} and does not inherit: {list}; set `env`, `workspaceVolumeClaim` or `podTemplate` where it needs them"
    ))
}

/// Groups with their names; empty ones are left out.
fn listed(groups: &[(&str, Vec<&str>)]) -> Option<String> {
    let group = |(group, names): &(&str, Vec<&str>)| {
        let more = names.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let named: Vec<&str> = names.iter().take(NAMED).copied().collect();
        format!("{group} {}{more}", named.join(", "))
    };
    let list: Vec<String> = groups.iter().filter(|(_, names)| !names.is_empty()).map(group).collect();
    (!list.is_empty()).then(|| list.join("; "))
}

fn source_name(source: &EnvFromSource) -> Option<&str> {
    let secret = source.secret_ref.as_ref().map(|secret| secret.name.as_str());
    secret.or_else(|| Some(source.config_map_ref.as_ref()?.name.as_str()))
}

fn is_namespaced(entry: &EnvVar) -> bool {
    entry
        .value_from
        .as_ref()
        .is_some_and(|source| source.secret_key_ref.is_some() || source.config_map_key_ref.is_some())
}

//! Layers 1 to 3: what the own container has of what an agent needs or was given by name.
//!
//! ```text
//!  name ─▶ of the server alone, or of its pod's identity? ─▶ never
//!     └──▶ needed by Claude Code, or in `inheritEnv`? ─┬─ literal    ─▶ the run's Secret; in the Job if harmless
//!                                                      ├─ valueFrom  ─▶ the same reference
//!                                                      └─ envFrom    ─▶ a reference per source that may have it
//! ```

use k8s_openapi::api::core::v1::{ConfigMapKeySelector, EnvFromSource, EnvVarSource, SecretKeySelector};

use super::layers::Sources;
use super::{EnvValue, Environment, names};
use crate::config::server_env::{is_harmless, is_identity, is_needed, is_server_only};
use crate::names::CONTAINER;
use crate::own_pod::{OwnPod, names_in};
use crate::target::Placement;

/// Can a pod at this place resolve the reference? Secrets and `ConfigMap`s exist in one namespace only (CFG-10).
pub(super) fn is_available(source: &EnvVarSource, placement: Placement) -> bool {
    let namespaced = source.secret_key_ref.is_some() || source.config_map_key_ref.is_some();
    !namespaced || placement == Placement::SameNamespace
}

impl Sources<'_> {
    /// Does an agent get this name of the own container?
    pub(crate) fn inherits(&self, name: &str) -> bool {
        let is_asked_for = || is_needed(name) || self.config.inherit_env.has(name) || self.names_the_data_volume(name);
        !is_server_only(name) && !is_identity(name) && is_asked_for()
    }

    /// The sub-path of the data volume is composed of it.
    fn names_the_data_volume(&self, name: &str) -> bool {
        names_in(self.data.sub_path_expr.as_deref().unwrap_or_default()).any(|part| part == name)
    }
}

/// Copies the inheritable entries in their own order.
pub(super) fn inherit(environment: &mut Environment, from: &Sources<'_>, warnings: &mut Vec<String>) {
    let Some(own) = from.own else { return };
    if from.forwards_env_from() {
        environment.env_from.clone_from(&own.env_from);
        for name in names::SERVER_CREDENTIALS {
            environment.literal(name, "");
        }
    }
    let values = own.values();
    for entry in own.env.iter().filter(|entry| from.inherits(&entry.name)) {
        match (&entry.value_from, values.get(entry.name.as_str())) {
            (Some(source), _) if is_available(source, from.placement) => {
                environment.set(&entry.name, EnvValue::Reference(for_this_container(source)));
            }
            (Some(_), _) => {} // named in the one warning about what is not inherited
            (None, Some(Some(value))) => inherit_literal(environment, &entry.name, value, own, from, warnings),
            (None, _) => warnings.push(format!(
                "`{}` is not inherited: it is composed of values that only the server's pod knows; set it in `env`",
                entry.name
            )),
        }
    }
    if !from.forwards_env_from() && from.placement == Placement::SameNamespace {
        from_sources(environment, own, from);
    }
}

fn inherit_literal(
    environment: &mut Environment,
    name: &str,
    value: &str,
    own: &OwnPod,
    from: &Sources<'_>,
    warnings: &mut Vec<String>,
) {
    // CFG-08: caches that pointed into a volume of the host broke the boot of every agent.
    if own.mount_of(value).is_some() && !from.mounted.keeps(own, from.data, value) {
        warnings.push(format!(
            "`{name}` is not inherited: `{value}` lies in a volume the Job does not mount; `inheritVolumes` can name it"
        ));
        return;
    }
    // TRU-15: what is not known to be harmless may be a credential.
    if is_harmless(name) {
        environment.literal(name, value);
    } else if names::fits_secret_key(name) {
        environment.set(name, EnvValue::Secret(value.to_owned()));
    } else {
        warnings.push(format!("`{name}` is not inherited: its name cannot be a key of a Secret"));
    }
}

/// TRU-14: a source is not forwarded as a whole. The process has the name, so one of the sources has it: whichever, in
/// the order in which a later one replaces an earlier one.
fn from_sources(environment: &mut Environment, own: &OwnPod, from: &Sources<'_>) {
    let names = from.request.host.env_names.iter();
    for name in names.filter(|name| own.env(name).is_none() && from.inherits(name)) {
        let sources: Vec<EnvVarSource> = own.env_from.iter().filter_map(|source| reference(source, name)).collect();
        if !sources.is_empty() {
            environment.set(name, EnvValue::Sources(sources));
        }
    }
}

/// The name in one source, if it is there.
fn reference(source: &EnvFromSource, name: &str) -> Option<EnvVarSource> {
    let key = name.strip_prefix(source.prefix.as_deref().unwrap_or_default())?;
    if key.is_empty() || !names::fits_secret_key(key) {
        return None;
    }
    let (key, optional) = (key.to_owned(), Some(true));
    if let Some(secret) = &source.secret_ref {
        let selector = SecretKeySelector { name: secret.name.clone(), key, optional };
        return Some(EnvVarSource { secret_key_ref: Some(selector), ..EnvVarSource::default() });
    }
    let selector = ConfigMapKeySelector { name: source.config_map_ref.as_ref()?.name.clone(), key, optional };
    Some(EnvVarSource { config_map_key_ref: Some(selector), ..EnvVarSource::default() })
}

/// A `resourceFieldRef` may name the container it is about; here that is ours.
fn for_this_container(source: &EnvVarSource) -> Box<EnvVarSource> {
    let mut source = Box::new(source.clone());
    if let Some(field) = &mut source.resource_field_ref
        && field.container_name.is_some()
    {
        field.container_name = Some(CONTAINER.to_owned());
    }
    source
}

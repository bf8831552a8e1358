//! Layers 1 to 3: what the own container has, minus what belongs to the server alone.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource};

use super::layers::Sources;
use super::{EnvValue, Environment, names};
use crate::names::CONTAINER;
use crate::own_pod::OwnPod;
use crate::plan::expansion;
use crate::target::Placement;

/// Can a pod at this place resolve the reference? Secrets and `ConfigMap`s exist in one namespace only (CFG-10).
pub(super) fn is_available(source: &EnvVarSource, placement: Placement) -> bool {
    let namespaced = source.secret_key_ref.is_some() || source.config_map_key_ref.is_some();
    !namespaced || placement == Placement::SameNamespace
}

/// Copies the inheritable entries in their own order; references by `$(NAME)` depend on it.
pub(super) fn inherit(environment: &mut Environment, from: &Sources<'_>, warnings: &mut Vec<String>) {
    let Some(own) = from.own else { return };
    if from.inherits_env_from() {
        environment.env_from.clone_from(&own.env_from);
        for name in names::SERVER_CREDENTIALS {
            environment.literal(name, "");
        }
    }
    for entry in own.env.iter().filter(|entry| !names::is_server_only(&entry.name)) {
        match &entry.value_from {
            Some(source) if is_available(source, from.placement) => {
                environment.set(&entry.name, EnvValue::Reference(for_this_container(source)));
            }
            Some(_) => {} // named in the one warning about what is not inherited
            None => inherit_literal(environment, entry, own, from, warnings),
        }
    }
}

fn inherit_literal(
    environment: &mut Environment,
    entry: &EnvVar,
    own: &OwnPod,
    from: &Sources<'_>,
    warnings: &mut Vec<String>,
) {
    let name = &entry.name;
    let value = entry.value.as_deref().unwrap_or_default();
    // CFG-08: caches that pointed into a volume of the host broke the boot of every agent.
    if own.mount_of(value).is_some() && !from.mounted.keeps(own, from.data, value) {
        warnings.push(format!("`{name}` is not inherited: `{value}` lies in a volume the Job does not mount"));
        return;
    }
    let may_move = names::is_sensitive(name) || value.len() > super::INLINE_MAX;
    let value = if may_move && !value.contains("$(") && names::fits_secret_key(name) {
        EnvValue::Secret(expansion::collapse(value))
    } else {
        EnvValue::Verbatim(value.to_owned())
    };
    environment.set(name, value);
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

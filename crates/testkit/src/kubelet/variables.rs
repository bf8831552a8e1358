//! The environment of a container, and `$(NAME)` expansion.

use std::collections::BTreeMap;

use base64::Engine;
use serde_json::Value;

use super::NODE_IP;
use crate::cluster::State;
use crate::objects::json::{items, text};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// Address that every pod has.
const POD_IP: &str = "10.1.0.2";

/// Resolves `envFrom` and `env`. The error is the message of `CreateContainerConfigError`.
pub(super) fn resolve(state: &State, pod: &Value, container: &Value) -> Result<BTreeMap<String, String>, String> {
    let namespace = text(pod, "/metadata/namespace");
    let mut env = BTreeMap::new();
    for source in items(container, "/envFrom") {
        let prefix = text(source, "/prefix");
        for (member, resource) in [("secretRef", Resource::Secrets), ("configMapRef", Resource::ConfigMaps)] {
            let Some(reference) = source.get(member) else { continue };
            let name = text(reference, "/name");
            match state.store.get(&Key::new(resource, namespace, name)) {
                Some(object) => {
                    let entries = object["data"].as_object().into_iter().flatten();
                    env.extend(entries.map(|(key, value)| (format!("{prefix}{key}"), decode(resource, value))));
                }
                None if reference["optional"] == true => {}
                None => return Err(not_found(resource, name)),
            }
        }
    }
    for variable in items(container, "/env") {
        let name = text(variable, "/name").to_owned();
        let value = match variable.get("valueFrom").filter(|source| source.is_object()) {
            None => Some(expand(text(variable, "/value"), &env)),
            Some(source) => from_source(state, pod, container, source)?,
        };
        if let Some(value) = value {
            env.insert(name, value);
        }
    }
    Ok(env)
}

fn from_source(state: &State, pod: &Value, container: &Value, source: &Value) -> Result<Option<String>, String> {
    let namespace = text(pod, "/metadata/namespace");
    for (member, resource) in [("secretKeyRef", Resource::Secrets), ("configMapKeyRef", Resource::ConfigMaps)] {
        let Some(reference) = source.get(member).filter(|reference| reference.is_object()) else { continue };
        let (name, key) = (text(reference, "/name"), text(reference, "/key"));
        let object = state.store.get(&Key::new(resource, namespace, name));
        let value = object.and_then(|object| object["data"].get(key));
        return match (object, value) {
            (_, Some(value)) => Ok(Some(decode(resource, value))),
            _ if reference["optional"] == true => Ok(None),
            (None, _) => Err(not_found(resource, name)),
            (Some(_), None) => Err(format!("couldn't find key {key} in {} {namespace}/{name}", resource.kind())),
        };
    }
    if let Some(path) = source.pointer("/fieldRef/fieldPath").and_then(Value::as_str) {
        return Ok(Some(field(pod, path)));
    }
    if let Some(resource) = source.pointer("/resourceFieldRef/resource").and_then(Value::as_str) {
        let (kind, name) = resource.split_once('.').unwrap_or(("limits", resource));
        let quantity = container["resources"][kind][name].as_str().unwrap_or("0");
        return Ok(Some(quantity.to_owned()));
    }
    Ok(Some(String::new()))
}

fn field(pod: &Value, path: &str) -> String {
    for map in ["labels", "annotations"] {
        let key = path.strip_prefix(&format!("metadata.{map}['")).and_then(|rest| rest.strip_suffix("']"));
        if let Some(key) = key {
            return pod["metadata"][map][key].as_str().unwrap_or_default().to_owned();
        }
    }
    match path {
        "status.podIP" | "status.podIPs" => POD_IP.to_owned(),
        "status.hostIP" | "status.hostIPs" => NODE_IP.to_owned(),
        other => text(pod, &format!("/{}", other.replace('.', "/"))).to_owned(),
    }
}

fn decode(resource: Resource, value: &Value) -> String {
    let value = value.as_str().unwrap_or_default();
    if resource == Resource::ConfigMaps {
        return value.to_owned();
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(value).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn not_found(resource: Resource, name: &str) -> String {
    format!("{} \"{name}\" not found", resource.kind().to_lowercase())
}

/// `$(NAME)` becomes the value, `$$` becomes `$`, an unknown name stays as it is.
pub(super) fn expand(input: &str, env: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(input.len());
    let mut rest = input;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            if let Some(value) = env.get(name) {
                out.push_str(value);
            } else {
                out.push_str("$(");
                out.push_str(name);
                out.push(')');
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansion_follows_the_rules_of_kubernetes() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned())]);
        for (input, expected) in
            [("x$(A)y", "x1y"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("$A $", "$A $"), ("$$$$", "$$"), ("$(A", "$(A")]
        {
            assert_eq!(expand(input, &env), expected, "{input}");
        }
    }
}

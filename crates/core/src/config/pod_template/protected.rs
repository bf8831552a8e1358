//! Fields on which the run depends: identity, protocol, payload.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::lists::{identity, item, items};
use crate::config::Rejection;
use crate::config::env::is_reserved;
use crate::config::grammar::is_reserved_label;
use crate::names::CONTAINER;

/// Members of the container `claude` that make the protocol work.
const MEMBERS: [&str; 7] =
    ["command", "args", "stdin", "stdinOnce", "tty", "terminationMessagePath", "terminationMessagePolicy"];

/// Where the container [`CONTAINER`] stands in a template.
const PATH: &str = "podTemplate.spec.containers[claude]";

/// One rejection per protected field that differs, in the order of their paths.
pub(super) fn changes(before: &Value, after: &Value, reserved_env: &BTreeSet<String>) -> Vec<Rejection> {
    let (before, after) = (protected_fields(before, reserved_env), protected_fields(after, reserved_env));
    let container_is_gone = before.contains_key(PATH) && !after.contains_key(PATH);
    let mut paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    // Its members are gone with it; saying so once is enough.
    paths.retain(|path| !container_is_gone || !path.starts_with(PATH) || *path == PATH);
    let changed = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
    changed
        .map(|path| Rejection {
            key: path.clone(),
            reason: "is set by the adapter and cannot be changed; remove it from `podTemplate`".to_owned(),
        })
        .collect()
}

/// The protected part of a template, by path.
fn protected_fields(template: &Value, reserved_env: &BTreeSet<String>) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    for member in ["labels", "annotations"] {
        for (key, value) in template["metadata"][member].as_object().into_iter().flatten() {
            if is_reserved_label(key) {
                fields.insert(format!("podTemplate.metadata.{member}[{key}]"), value.clone());
            }
        }
    }
    let spec = &template["spec"];
    insert_members(&mut fields, "podTemplate.spec", spec, &["restartPolicy", "activeDeadlineSeconds"]);
    for volume in items(spec, "volumes") {
        if let Some(name) = identity("volumes", volume).filter(|name| is_own_volume(name)) {
            fields.insert(format!("podTemplate.spec.volumes[{name}]"), volume.clone());
        }
    }
    let Some(container) = item(spec, "containers", CONTAINER) else { return fields };
    fields.insert(PATH.to_owned(), Value::Bool(true));
    insert_members(&mut fields, PATH, container, &MEMBERS);
    for mount in items(container, "volumeMounts") {
        let is_own = mount["name"].as_str().is_some_and(is_own_volume);
        if let Some(path) = identity("volumeMounts", mount).filter(|_| is_own) {
            fields.insert(format!("{PATH}.volumeMounts[{path}]"), mount.clone());
        }
    }
    for variable in items(container, "env") {
        let name = identity("env", variable);
        if let Some(name) = name.filter(|name| is_reserved(name) || reserved_env.contains(name)) {
            fields.insert(format!("{PATH}.env[{name}]"), variable.clone());
        }
    }
    fields
}

fn insert_members(fields: &mut BTreeMap<String, Value>, path: &str, object: &Value, members: &[&str]) {
    for member in members {
        if let Some(value) = object.get(member) {
            fields.insert(format!("{path}.{member}"), value.clone());
        }
    }
}

/// Names of the volumes that the adapter makes or inherits.
fn is_own_volume(name: &str) -> bool {
    matches!(name, "data" | "paperclip-run" | "paperclip-scratch" | "paperclip-cover" | "paperclip-empty")
        || name.starts_with("inh-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_container_names_it() {
        assert_eq!(PATH, format!("podTemplate.spec.containers[{CONTAINER}]"));
    }
}

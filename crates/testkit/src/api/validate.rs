//! The part of admission that an adapter can run into.

use std::collections::HashSet;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, PersistentVolumeClaim, Pod, Secret};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::objects::json::{integer, items, text};
use crate::objects::rejection::Rejection;
use crate::objects::resource::Resource;

/// Largest Secret or `ConfigMap`, in bytes.
const DATA_LIMIT: usize = 1024 * 1024;

/// Checks a new object.
pub(crate) fn check(resource: Resource, object: &Value) -> Result<(), Rejection> {
    decode(resource, object)?;
    let name = text(object, "/metadata/name");
    if !is_subdomain(name) {
        let why = format!(
            "Invalid value: \"{name}\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
        );
        return Err(Rejection::invalid(resource, name, "metadata.name", &why));
    }
    if resource == Resource::Jobs && name.len() > 63 {
        let why = format!("Invalid value: \"{name}\": must be no more than 63 bytes");
        return Err(Rejection::invalid(resource, name, "metadata.name", &why));
    }
    labels(resource, name, object, "/metadata/labels", "metadata.labels")?;
    match resource {
        Resource::Jobs => {
            let labels_path = "spec.template.metadata.labels";
            labels(resource, name, object, "/spec/template/metadata/labels", labels_path)?;
            let policy = text(object, "/spec/template/spec/restartPolicy");
            if !matches!(policy, "Never" | "OnFailure") {
                let why = "Required value: valid values: \"OnFailure\", \"Never\"";
                return Err(Rejection::invalid(resource, name, "spec.template.spec.restartPolicy", why));
            }
            pod_spec(resource, name, &object["spec"]["template"]["spec"], "spec.template.spec")
        }
        Resource::Pods => pod_spec(resource, name, &object["spec"], "spec"),
        Resource::Secrets | Resource::ConfigMaps => data(resource, name, object),
        _ => Ok(()),
    }
}

/// Takes out of a Job what this server does not know, as members of a newer API or a typing error. Their paths, as the
/// API server names them.
pub(crate) fn take_unknown_fields(resource: Resource, object: &mut Value) -> Vec<String> {
    let mut paths = Vec::new();
    if resource == Resource::Jobs
        && let Ok(known) = Job::deserialize(&*object)
        && let Ok(known) = serde_json::to_value(known)
    {
        take_unknown(object, &known, "", &mut paths);
    }
    paths
}

fn take_unknown(given: &mut Value, known: &Value, path: &str, paths: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            given.retain(|name, value| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let Some(known) = known.get(name) else {
                    // What is empty may be known.
                    let is_empty = value.is_null() || *value == json!({}) || *value == json!([]);
                    if !is_empty {
                        paths.push(path);
                    }
                    return is_empty;
                };
                take_unknown(value, known, &path, paths);
                true
            });
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter_mut().zip(known).enumerate() {
                take_unknown(given, known, &format!("{path}[{index}]"), paths);
            }
        }
        _ => {}
    }
}

/// Checks an update: what may not change.
pub(crate) fn check_update(resource: Resource, old: &Value, new: &Value) -> Result<(), Rejection> {
    decode(resource, new)?;
    let name = text(old, "/metadata/name");
    labels(resource, name, new, "/metadata/labels", "metadata.labels")?;
    let changed = |pointer: &str| old.pointer(pointer) != new.pointer(pointer);
    let fixed = match resource {
        Resource::Jobs => ["/spec/template/spec", "/spec/selector", "/spec/completions", "/spec/podReplacementPolicy"]
            .into_iter()
            .find(|pointer| changed(pointer)),
        Resource::Secrets | Resource::ConfigMaps if old["immutable"] == true => changed("/data").then_some("/data"),
        Resource::Pods => ["/spec/containers", "/spec/volumes", "/spec/nodeName"].into_iter().find(|p| changed(p)),
        _ => None,
    };
    if resource == Resource::Pods {
        let [before, after] = [old, new].map(|pod| integer(pod, "/spec/activeDeadlineSeconds"));
        let brought_forward = after.is_some_and(|after| after > 0 && before.is_none_or(|before| after <= before));
        if before != after && !brought_forward {
            let why = "Invalid value: must be less than or equal to previous value";
            return Err(Rejection::invalid(resource, name, "spec.activeDeadlineSeconds", why));
        }
    }
    match fixed {
        Some(pointer) => {
            let field = pointer.trim_start_matches('/').replace('/', ".");
            let why = if field == "data" {
                "Forbidden: field is immutable when `immutable` is set"
            } else {
                "Invalid value: field is immutable"
            };
            Err(Rejection::invalid(resource, name, &field, why))
        }
        None => Ok(()),
    }
}

fn decode(resource: Resource, object: &Value) -> Result<(), Rejection> {
    fn typed<T: DeserializeOwned>(object: &Value) -> Result<(), serde_json::Error> {
        T::deserialize(object).map(drop)
    }
    match resource {
        Resource::Jobs => typed::<Job>(object),
        Resource::Pods => typed::<Pod>(object),
        Resource::Secrets => typed::<Secret>(object),
        Resource::ConfigMaps => typed::<ConfigMap>(object),
        Resource::Events => typed::<Event>(object),
        Resource::PersistentVolumeClaims => typed::<PersistentVolumeClaim>(object),
        Resource::Namespaces => typed::<Namespace>(object),
    }
    .map_err(|error| {
        let kind = resource.kind();
        let version = resource.api_version();
        Rejection::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {error}"
        ))
    })
}

fn labels(resource: Resource, name: &str, object: &Value, pointer: &str, field: &str) -> Result<(), Rejection> {
    let Some(labels) = object.pointer(pointer).and_then(Value::as_object) else { return Ok(()) };
    for (key, value) in labels {
        let value = value.as_str().unwrap_or_default();
        let key_name = key.rsplit('/').next().unwrap_or(key);
        if key_name.is_empty() || !is_label_value(key_name) {
            let why = format!(
                "Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            );
            return Err(Rejection::invalid(resource, name, field, &why));
        }
        if !is_label_value(value) {
            let why = if value.len() > 63 {
                "must be no more than 63 bytes"
            } else {
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            };
            return Err(Rejection::invalid(resource, name, field, &format!("Invalid value: \"{value}\": {why}")));
        }
    }
    Ok(())
}

fn pod_spec(resource: Resource, name: &str, spec: &Value, path: &str) -> Result<(), Rejection> {
    let invalid = |field: &str, why: &str| Err(Rejection::invalid(resource, name, &format!("{path}.{field}"), why));
    if items(spec, "/containers").is_empty() {
        return invalid("containers", "Required value");
    }
    let mut volumes = HashSet::new();
    for volume in items(spec, "/volumes") {
        let volume = text(volume, "/name");
        if !volumes.insert(volume) {
            return invalid("volumes.name", &format!("Duplicate value: \"{volume}\""));
        }
    }
    for (index, container) in items(spec, "/containers").iter().enumerate() {
        if text(container, "/name").is_empty() || text(container, "/image").is_empty() {
            return invalid(&format!("containers[{index}]"), "Required value: name and image");
        }
        let mut paths = HashSet::new();
        for mount in items(container, "/volumeMounts") {
            let (volume, mount_path) = (text(mount, "/name"), text(mount, "/mountPath"));
            if !volumes.contains(volume) {
                return invalid(&format!("containers[{index}].volumeMounts.name"), &format!("Not found: \"{volume}\""));
            }
            if !paths.insert(mount_path) {
                let why = format!("Invalid value: \"{mount_path}\": must be unique");
                return invalid(&format!("containers[{index}].volumeMounts.mountPath"), &why);
            }
        }
        for variable in items(container, "/env") {
            let variable_name = text(variable, "/name");
            if variable_name.is_empty() || variable_name.contains('=') {
                return invalid(
                    &format!("containers[{index}].env.name"),
                    &format!("Invalid value: \"{variable_name}\""),
                );
            }
        }
    }
    Ok(())
}

fn data(resource: Resource, name: &str, object: &Value) -> Result<(), Rejection> {
    let Some(data) = object["data"].as_object() else { return Ok(()) };
    let mut size = 0;
    for (key, value) in data {
        let valid = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        if key.is_empty() || key.len() > 253 || !key.chars().all(valid) {
            let why = format!(
                "Invalid value: \"{key}\": a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
            );
            return Err(Rejection::invalid(resource, name, "data", &why));
        }
        let value = value.as_str().unwrap_or_default();
        size += if resource == Resource::Secrets { value.len() / 4 * 3 } else { value.len() };
    }
    if size > DATA_LIMIT {
        let why = format!("Too long: may not be more than {DATA_LIMIT} bytes");
        return Err(Rejection::invalid(resource, name, "data", &why));
    }
    Ok(())
}

fn is_subdomain(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=253).contains(&name.len()) && name.chars().all(inner) && name.starts_with(edge) && name.ends_with(edge)
}

fn is_label_value(value: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let edge = |c: char| c.is_ascii_alphanumeric();
    value.is_empty()
        || value.len() <= 63 && value.chars().all(inner) && value.starts_with(edge) && value.ends_with(edge)
}

//! The shape of the overrides: what has to be right before a merge makes sense.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::lists::{identifying_member, identity};
use crate::config::Rejection;
use crate::config::grammar::{LABEL_KEY, LABEL_VALUE};

const POD_LISTS: [&str; 4] = ["containers", "initContainers", "volumes", "imagePullSecrets"];
const CONTAINER_LISTS: [&str; 4] = ["env", "volumeMounts", "volumeDevices", "ports"];

/// Everything that is malformed.
pub(super) fn problems(overrides: &Map<String, Value>) -> Vec<Rejection> {
    let mut problems = Vec::new();
    for (member, value) in overrides {
        let path = format!("podTemplate.{member}");
        match (member.as_str(), value) {
            ("metadata", Value::Object(members)) => metadata(&mut problems, members),
            ("spec", Value::Object(members)) => spec(&mut problems, members),
            ("metadata" | "spec", _) => reject(&mut problems, path, "expected an object"),
            _ => reject(&mut problems, path, "is not a member of a pod template (`metadata`, `spec`)"),
        }
    }
    problems
}

fn reject(problems: &mut Vec<Rejection>, key: impl Into<String>, reason: impl Into<String>) {
    problems.push(Rejection { key: key.into(), reason: reason.into() });
}

fn metadata(problems: &mut Vec<Rejection>, members: &Map<String, Value>) {
    for (member, value) in members {
        let path = format!("podTemplate.metadata.{member}");
        match (member.as_str(), value) {
            ("labels" | "annotations", Value::Object(entries)) => {
                for (key, value) in entries {
                    entry(problems, &format!("{path}[{key}]"), member, key, value);
                }
            }
            ("labels" | "annotations", Value::Null) => {}
            ("labels" | "annotations", _) => reject(problems, path, "expected an object of texts"),
            ("name" | "namespace", _) => reject(problems, path, "is set by the adapter and cannot be changed"),
            _ => reject(problems, path, "is not allowed; only `labels` and `annotations` are"),
        }
    }
}

fn entry(problems: &mut Vec<Rejection>, path: &str, member: &str, key: &str, value: &Value) {
    if !LABEL_KEY.accepts(key) {
        reject(problems, path, format!("is not {} ({})", LABEL_KEY.name, LABEL_KEY.rule));
    }
    match value {
        Value::String(text) if member == "labels" && !LABEL_VALUE.accepts(text) => {
            reject(problems, path, format!("is not {} ({})", LABEL_VALUE.name, LABEL_VALUE.rule));
        }
        Value::String(_) | Value::Null => {}
        _ => reject(problems, path, "expected text; put numbers and booleans in quotes"),
    }
}

fn spec(problems: &mut Vec<Rejection>, members: &Map<String, Value>) {
    if members.contains_key("ephemeralContainers") {
        reject(problems, "podTemplate.spec.ephemeralContainers", "cannot be part of a new pod");
    }
    for list in POD_LISTS {
        identified_list(problems, "podTemplate.spec", members, list);
    }
    for list in ["containers", "initContainers"] {
        for container in members.get(list).and_then(Value::as_array).into_iter().flatten() {
            if let (Some(name), Value::Object(container)) = (identity(list, container), container) {
                for inner in CONTAINER_LISTS {
                    identified_list(problems, &format!("podTemplate.spec.{list}[{name}]"), container, inner);
                }
            }
        }
    }
}

/// A list whose items can be told apart.
fn identified_list(problems: &mut Vec<Rejection>, parent: &str, members: &Map<String, Value>, list: &str) {
    let path = format!("{parent}.{list}");
    let items = match members.get(list) {
        None | Some(Value::Null) => return,
        Some(Value::Array(items)) => items,
        Some(_) => return reject(problems, path, "expected a list"),
    };
    let mut seen = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let member = identifying_member(list).unwrap_or_default();
        match identity(list, item) {
            None => reject(problems, format!("{path}[{index}]"), format!("needs `{member}`, by which it is merged")),
            Some(identity) if seen.contains(&identity) => {
                reject(problems, format!("{path}[{identity}]"), "is given twice; keep one of them");
            }
            Some(identity) => {
                seen.insert(identity);
            }
        }
    }
}

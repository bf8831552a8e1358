//! The merged template against the Kubernetes API types: wrong types are refused, unknown members named.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::Value;

use super::lists::identity;
use super::place::{Step, steps_to};
use crate::config::{Rejection, Warning};

/// The template as API types.
fn read(template: &Value) -> Result<PodTemplateSpec, Rejection> {
    // As text, although it is a value: what reads the answers of the API server reads this, too (`place`).
    let text = template.to_string();
    serde_json::from_str(&text).map_err(|error| Rejection {
        key: readable_path(template, &steps_to(&text, error.column())),
        reason: expectation(&error.to_string()),
    })
}

/// One warning per member that the API types do not know: a typing error, or newer than they are.
///
/// # Errors
/// The first value of a wrong type, with its path.
pub(super) fn unknown_members(template: &Value) -> Result<Vec<Warning>, Rejection> {
    let typed = read(template)?;
    let mut warnings = Vec::new();
    if let Ok(known) = serde_json::to_value(&typed) {
        compare(&mut warnings, "podTemplate", "", template, &known);
    }
    Ok(warnings)
}

/// What was expected, without the value that was found: it may be a secret.
fn expectation(error: &str) -> String {
    let text = error.rsplit_once(" at line ").map_or(error, |(text, _)| text);
    let expected = text.split_once(", expected ").map(|(_, expected)| format!(", expected {expected}"));
    format!("has the wrong type{}", expected.unwrap_or_default())
}

/// Finds the members that were lost on the way through the types. `list` is the member name of `given`.
fn compare(warnings: &mut Vec<Warning>, path: &str, list: &str, given: &Value, known: &Value) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (member, value) in given {
                let path = format!("{path}.{member}");
                match known.get(member) {
                    Some(known) => compare(warnings, &path, member, value, known),
                    None if is_empty(value) => {}
                    None => warnings.push(Warning {
                        key: path,
                        text:
                            "is not a member that this version knows; check its spelling, the API server may ignore it"
                                .to_owned(),
                    }),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                let name = identity(list, given).unwrap_or_else(|| index.to_string());
                compare(warnings, &format!("{path}[{name}]"), "", given, known);
            }
        }
        _ => {}
    }
}

/// Empty values are left out by the types; they mean nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The path with names instead of positions where items have names.
fn readable_path(template: &Value, path: &[Step]) -> String {
    let mut text = "podTemplate".to_owned();
    let (mut here, mut list) = (Some(template), "");
    for segment in path {
        match segment {
            Step::Member(key) => {
                text.push('.');
                text.push_str(key);
                here = here.and_then(|value| value.get(key));
                list = key;
            }
            Step::Item(index) => {
                here = here.and_then(|value| value.get(*index));
                let name = here.and_then(|item| identity(list, item)).unwrap_or_else(|| index.to_string());
                text.extend(["[", &name, "]"]);
            }
        }
    }
    text
}

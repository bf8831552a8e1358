//! `tolerations`: a list, or JSON or YAML text of one.

use k8s_openapi::api::core::v1::Toleration;
use serde_json::{Map, Value};

use super::grammar::{LABEL_KEY, LABEL_VALUE};
use super::reader::{Reader, is_unset, whole_number};
use super::structured::shown;

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Vec<Toleration>> {
    let key = "tolerations";
    match reader.yaml(key)? {
        Value::Array(items) => {
            Some(items.iter().enumerate().filter_map(|(index, item)| toleration(reader, index, item)).collect())
        }
        other => {
            let shown = shown(&other);
            reader.reject(
                key,
                format!("expected a list such as `[{{\"key\": \"gpu\", \"operator\": \"Exists\"}}]`, got {shown}"),
            );
            None
        }
    }
}

fn toleration(reader: &mut Reader<'_>, index: usize, item: &Value) -> Option<Toleration> {
    let path = format!("tolerations[{index}]");
    let Value::Object(members) = item else {
        reader.reject(path, format!("expected an object, got {}", shown(item)));
        return None;
    };
    for member in members.keys() {
        if !["key", "operator", "value", "effect", "tolerationSeconds"].contains(&member.as_str()) {
            reader.reject(format!("{path}.{member}"), "is not a member of a toleration");
        }
    }
    let toleration = Toleration {
        key: member(reader, &path, members, "key", "a label key", |text| LABEL_KEY.accepts(text)),
        operator: member(reader, &path, members, "operator", "`Exists` or `Equal`", |text| {
            ["Exists", "Equal"].contains(&text)
        }),
        value: member(reader, &path, members, "value", "a label value", |text| LABEL_VALUE.accepts(text)),
        effect: member(reader, &path, members, "effect", "`NoSchedule`, `PreferNoSchedule` or `NoExecute`", |text| {
            ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&text)
        }),
        toleration_seconds: toleration_seconds(reader, &path, members),
    };
    check_combination(reader, &path, &toleration);
    Some(toleration)
}

fn member(
    reader: &mut Reader<'_>,
    path: &str,
    members: &Map<String, Value>,
    name: &str,
    expected: &str,
    accepts: impl Fn(&str) -> bool,
) -> Option<String> {
    let value = members.get(name).filter(|value| !is_unset(value))?;
    let text = value.as_str().filter(|text| accepts(text)).map(str::to_owned);
    if text.is_none() {
        reader.reject(format!("{path}.{name}"), format!("expected {expected}, got {}", shown(value)));
    }
    text
}

fn toleration_seconds(reader: &mut Reader<'_>, path: &str, members: &Map<String, Value>) -> Option<i64> {
    let value = members.get("tolerationSeconds").filter(|value| !is_unset(value))?;
    let seconds = whole_number(value);
    if seconds.is_none() {
        let path = format!("{path}.tolerationSeconds");
        reader.reject(path, format!("expected a whole number, got {}", shown(value)));
    }
    seconds
}

/// What the API server would refuse only when the Job is created.
fn check_combination(reader: &mut Reader<'_>, path: &str, toleration: &Toleration) {
    let exists = toleration.operator.as_deref() == Some("Exists");
    if exists && toleration.value.is_some() {
        reader.reject(format!("{path}.value"), "must be absent when `operator` is `Exists`");
    }
    if !exists && toleration.key.is_none() {
        reader.reject(format!("{path}.key"), "is missing; only `operator: Exists` works without a key");
    }
    if toleration.toleration_seconds.is_some() && toleration.effect.as_deref() != Some("NoExecute") {
        reader.reject(format!("{path}.tolerationSeconds"), "needs `effect: NoExecute`");
    }
}

//! The merge itself: objects by key, identified lists by item, the rest replaced, `null` removes.

use serde_json::{Map, Value};

use super::lists::{identifying_member, identity};

pub(super) fn object(base: &mut Map<String, Value>, overrides: &Map<String, Value>) {
    for (key, value) in overrides {
        match (base.get_mut(key), value) {
            (_, Value::Null) => {
                base.shift_remove(key);
            }
            (Some(Value::Object(base)), Value::Object(overrides)) => object(base, overrides),
            (Some(Value::Array(base)), Value::Array(overrides)) if identifying_member(key).is_some() => {
                list(key, base, overrides);
            }
            _ => {
                base.insert(key.clone(), without_nulls(value));
            }
        }
    }
}

fn list(name: &str, base: &mut Vec<Value>, overrides: &[Value]) {
    for item in overrides {
        let wanted = identity(name, item);
        let existing = base.iter_mut().find(|existing| identity(name, existing) == wanted);
        match (existing, item) {
            (Some(Value::Object(existing)), Value::Object(item)) => {
                if name == "env" {
                    // A variable has one source; the API server refuses both.
                    if item.get("value").is_some_and(|value| !value.is_null()) {
                        existing.shift_remove("valueFrom");
                    } else if item.get("valueFrom").is_some_and(|source| !source.is_null()) {
                        existing.shift_remove("value");
                    }
                }
                object(existing, item);
            }
            _ => base.push(without_nulls(item)),
        }
    }
}

/// `null` means "remove"; where nothing is to remove it means nothing.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// Writes quantities given as numbers (`cpu: 2`) as text, the only form of the API types.
pub(super) fn with_quantities_as_text(overrides: &Map<String, Value>) -> Map<String, Value> {
    let as_text = |value: &Value| match value {
        Value::Number(number) => Value::String(number.to_string()),
        other => other.clone(),
    };
    let convert = |(key, value): (&String, &Value)| {
        let value = match (key.as_str(), value) {
            ("requests" | "limits" | "overhead", Value::Object(quantities)) => {
                Value::Object(quantities.iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
            }
            ("sizeLimit" | "divisor", Value::Number(_)) => as_text(value),
            (_, Value::Object(members)) => Value::Object(with_quantities_as_text(members)),
            (_, Value::Array(items)) => Value::Array(
                items
                    .iter()
                    .map(|item| {
                        item.as_object().map_or_else(|| item.clone(), |item| with_quantities_as_text(item).into())
                    })
                    .collect(),
            ),
            _ => value.clone(),
        };
        (key.clone(), value)
    };
    overrides.iter().map(convert).collect()
}

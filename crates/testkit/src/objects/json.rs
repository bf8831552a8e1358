//! Small helpers for objects kept as JSON: a server must store what it was given, known field or not.

use serde_json::{Map, Value};

/// The text at a JSON pointer, `""` when absent.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer.
pub(crate) fn integer(value: &Value, pointer: &str) -> Option<i64> {
    value.pointer(pointer).and_then(Value::as_i64)
}

/// The array at a JSON pointer, empty when absent.
pub(crate) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The member `key` as an object, created when it is not one.
pub(crate) fn object<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut here = value;
    for key in path {
        here = as_object(here).entry(*key).or_insert_with(|| Value::Object(Map::new()));
    }
    as_object(here)
}

fn as_object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object just above"),
    }
}

/// Sets a member, creating the objects on the way.
pub(crate) fn set(value: &mut Value, path: &[&str], new: impl Into<Value>) {
    if let Some((last, parents)) = path.split_last() {
        object(value, parents).insert((*last).to_owned(), new.into());
    }
}

/// Sets a member that the caller left out.
pub(crate) fn set_default(value: &mut Value, path: &[&str], new: impl Into<Value>) {
    if let Some((last, parents)) = path.split_last() {
        let parent = object(value, parents);
        if parent.get(*last).is_none_or(Value::is_null) {
            parent.insert((*last).to_owned(), new.into());
        }
    }
}

/// Removes a member.
pub(crate) fn remove(value: &mut Value, path: &[&str]) {
    if let Some((last, parents)) = path.split_last() {
        object(value, parents).shift_remove(*last);
    }
}

/// The mutable array at a path, created when absent.
pub(crate) fn array<'a>(value: &'a mut Value, path: &[&str]) -> &'a mut Vec<Value> {
    let slot = match path.split_last() {
        Some((last, parents)) => object(value, parents).entry(*last).or_insert(Value::Null),
        None => value,
    };
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    match slot {
        Value::Array(items) => items,
        _ => unreachable!("made an array just above"),
    }
}

/// RFC 7386: `null` removes, objects merge, everything else replaces.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    let target = as_object(target);
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Inserts or updates the condition of this type; the transition time changes with the status only.
pub(crate) fn set_condition(object: &mut Value, kind: &str, status: &str, reason: &str, message: &str, now: &str) {
    let conditions = array(object, &["status", "conditions"]);
    let known = conditions.iter_mut().find(|condition| text(condition, "/type") == kind);
    let since = known.as_ref().filter(|condition| text(condition, "/status") == status);
    let since = since.map_or(now, |condition| text(condition, "/lastTransitionTime")).to_owned();
    let mut condition = serde_json::json!({
        "type": kind, "status": status, "lastProbeTime": now, "lastTransitionTime": since,
    });
    for (key, value) in [("reason", reason), ("message", message)] {
        if !value.is_empty() {
            condition[key] = value.into();
        }
    }
    match known {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}

/// The condition of this type is `True`.
pub(crate) fn has_condition(object: &Value, kind: &str) -> bool {
    items(object, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == kind && text(condition, "/status") == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_merge_patch_removes_nulls_and_replaces_lists() {
        let mut target = json!({"a": {"b": 1, "c": 2}, "list": [1, 2]});
        merge(&mut target, &json!({"a": {"b": null, "d": 3}, "list": [9], "new": {"x": null, "y": 1}}));
        assert_eq!(target, json!({"a": {"c": 2, "d": 3}, "list": [9], "new": {"y": 1}}));
    }

    #[test]
    fn a_condition_keeps_its_transition_time_while_the_status_stays() {
        let mut object = json!({});
        set_condition(&mut object, "Suspended", "True", "JobSuspended", "", "t1");
        set_condition(&mut object, "Suspended", "True", "JobSuspended", "", "t2");
        assert_eq!(text(&object, "/status/conditions/0/lastTransitionTime"), "t1");
        assert!(has_condition(&object, "Suspended"));
        set_condition(&mut object, "Suspended", "False", "JobResumed", "", "t3");
        assert_eq!(text(&object, "/status/conditions/0/lastTransitionTime"), "t3");
        assert!(!has_condition(&object, "Suspended"));
    }
}

//! What the API server did not store of `podTemplate`: a member it does not know, or a feature that is off, vanishes
//! without a word (FLD-32).

use serde_json::Value;

use super::lists::{identifying_member, identity, item};

/// More are not told.
const TOLD: usize = 10;

/// The members of `overrides` that were sent and are not stored, as paths. Empty values are stored as absence; values
/// that a policy changed are there.
#[must_use]
pub fn lacking(overrides: &Value, sent: &Value, stored: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    compare(overrides, sent, Some(stored), "", &mut paths);
    paths.truncate(TOLD);
    paths
}

fn compare(wanted: &Value, sent: &Value, stored: Option<&Value>, path: &str, paths: &mut Vec<String>) {
    if is_empty(wanted) || is_empty(sent) {
        return;
    }
    let Some(stored) = stored.filter(|stored| !stored.is_null()) else {
        return paths.push(path.to_owned());
    };
    let Value::Object(members) = wanted else { return };
    for (name, wanted) in members {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let (Some(sent), stored) = (sent.get(name), stored.get(name)) else { continue };
        match wanted {
            Value::Array(wanted) if identifying_member(name).is_some() && stored.is_some() => {
                items(name, wanted, sent, stored, &path, paths);
            }
            _ => compare(wanted, sent, stored, &path, paths),
        }
    }
}

fn items(list: &str, wanted: &[Value], sent: &Value, stored: Option<&Value>, path: &str, paths: &mut Vec<String>) {
    let (sent, stored) = (serde_json::json!({ list: sent }), serde_json::json!({ list: stored }));
    for wanted in wanted {
        let Some(identity) = identity(list, wanted) else { continue };
        let Some(sent) = item(&sent, list, &identity) else { continue };
        compare(wanted, sent, item(&stored, list, &identity), &format!("{path}[{identity}]"), paths);
    }
}

/// The API leaves out what has the value of nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.values().all(is_empty),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fld_32_what_the_server_does_not_know_is_named_by_its_path() {
        let overrides = json!({ "metadata": { "annotations": { "a": "b" } }, "spec": {
            "resources": { "limits": { "cpu": "2" } },
            "hostUsers": false,
            "schedulerName": "mine",
            "containers": [{ "name": "claude", "newMember": { "x": 1 }, "env": [{ "name": "A", "value": "1" }] }, { "name": "side", "image": "i" }],
        } });
        let mut stored = overrides.clone();
        assert_eq!(lacking(&overrides, &overrides, &stored), [""; 0]);
        let spec = stored["spec"].as_object_mut().unwrap();
        spec.remove("resources");
        spec.remove("hostUsers");
        spec.insert("schedulerName".into(), "changed by a policy".into());
        spec["containers"] = json!([{ "name": "injected" }, { "name": "claude", "env": [] }]);
        let mut paths = lacking(&overrides, &overrides, &stored);
        paths.sort_unstable();
        let expected = [
            "spec.containers[claude].env[A]",
            "spec.containers[claude].newMember",
            "spec.containers[side]",
            "spec.resources",
        ];
        assert_eq!(paths, expected);
    }

    #[test]
    fn fld_32_what_was_not_sent_is_not_missed() {
        let overrides =
            json!({ "metadata": { "labels": { "paperclip.io/run-id": "x" } }, "spec": { "volumes": null } });
        assert_eq!(lacking(&overrides, &json!({ "metadata": {}, "spec": {} }), &json!({})), [""; 0]);
    }
}

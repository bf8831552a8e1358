//! Lists of a pod whose items have an identity and are merged by it; all other lists are replaced.

use serde_json::Value;

/// The member that identifies an item, `None` for a list that is replaced.
pub(super) fn identifying_member(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "ports" => Some("containerPort"),
        _ => None,
    }
}

/// The identity of an item as it stands in a path: `claude`, `/paperclip`, `8080/TCP`.
pub(super) fn identity(list: &str, item: &Value) -> Option<String> {
    let value = item.get(identifying_member(list)?)?;
    if list == "ports" {
        let protocol = item.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        return value.as_i64().map(|port| format!("{port}/{protocol}"));
    }
    let text = value.as_str().filter(|text| !text.is_empty())?;
    match list {
        // The same directory with and without a slash at its end is one mount point.
        "volumeMounts" if text.len() > 1 => Some(text.trim_end_matches('/').to_owned()),
        _ => Some(text.to_owned()),
    }
}

/// The items of a list that satisfy the identity.
pub(super) fn item<'a>(object: &'a Value, list: &str, wanted: &str) -> Option<&'a Value> {
    items(object, list).find(|item| identity(list, item).as_deref() == Some(wanted))
}

/// The items of a list member; none when it is absent or no list.
pub(super) fn items<'a>(object: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    object.get(list).and_then(Value::as_array).into_iter().flatten()
}

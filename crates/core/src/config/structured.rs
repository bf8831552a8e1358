//! Values that may also arrive as text: JSON, YAML, or lines `key=value`.

use serde_json::{Map, Value};

/// Parses JSON text. The error names the place, never the content: it may be a secret.
pub(super) fn from_json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("is not valid JSON (line {}, column {})", error.line(), error.column()))
}

/// Parses JSON or YAML text with the same care.
pub(super) fn from_yaml(text: &str) -> Result<Value, String> {
    from_json(text).or_else(|_| {
        // `no` and `on` stay words, as labels and commands need them; `0444` stays a file mode, as in every manifest.
        let options = serde_saphyr::options! { strict_booleans: true, legacy_octal_numbers: true, with_snippet: false };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| match error.location() {
            Some(place) => format!("is not valid JSON or YAML (line {}, column {})", place.line(), place.column()),
            None => "is not valid JSON or YAML".to_owned(),
        })
    })
}

/// Lines `key=value`; blank lines and lines that start with `#` are skipped. Every bad line is named.
pub(super) fn from_lines(text: &str) -> Result<Vec<(String, String)>, Vec<String>> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let number = index + 1;
        match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            None => problems.push(format!("line {number} has no `=`; write one `key=value` per line")),
            Some(("", _)) => problems.push(format!("line {number} has no key before `=`")),
            Some((key, _)) if entries.iter().any(|(earlier, _)| earlier == key) => {
                problems.push(format!("line {number} gives `{key}` a second time; keep one of them"));
            }
            Some((key, value)) => entries.push((key.to_owned(), value.to_owned())),
        }
    }
    if problems.is_empty() { Ok(entries) } else { Err(problems) }
}

/// A string, number or boolean as text.
pub(super) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether the host left a secret reference unresolved anywhere in the value.
pub(super) fn has_secret_reference(value: &Value) -> bool {
    match value {
        Value::Object(members) => is_secret_reference(members) || members.values().any(has_secret_reference),
        Value::Array(items) => items.iter().any(has_secret_reference),
        _ => false,
    }
}

/// `{type: "secret_ref", …}` or `{type: "user_secret_ref", …}`.
fn is_secret_reference(members: &Map<String, Value>) -> bool {
    matches!(members.get("type").and_then(Value::as_str), Some("secret_ref" | "user_secret_ref"))
}

/// A value as it appears in a message: short, in backticks; containers only by kind.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => shown_text(text),
        other => format!("`{other}`"),
    }
}

/// A text as it appears in a message, at most 60 characters of its first line.
pub(super) fn shown_text(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let cut: String = line.chars().filter(|character| !character.is_control()).take(60).collect();
    if cut.len() == text.trim().len() { format!("`{cut}`") } else { format!("`{cut}…`") }
}

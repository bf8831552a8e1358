//! The last `result` event of the main thread, kept whole within a bound.

use serde_json::{Map, Value};

use super::event::ResultEvent;
use super::lenient::{Flag, Text};
use super::skim::skimmed;

/// Upper bound of a kept event, as JSON.
const KEPT_BYTES: usize = 256 * 1024;
/// An event up to this size is read whole before it is trimmed; as values it can take sixteen times as much. Unit: bytes.
const WHOLE_BYTES: usize = 1 << 20;
/// Behind the beginning of a text.
pub(super) const CUT: &str = "… [cut]";
/// A string is never trimmed below this.
const SHORTEST_TRIM: usize = 4 * 1024;
/// Bound of one error text.
const ERROR_TEXT_BYTES: usize = 4 * 1024;
/// How many entries of `errors` are kept.
const ERROR_TEXTS: usize = 8;

/// What the last result says. Members that are missing in a release are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastResult {
    /// It is positive evidence of success: no `is_error`, no subtype of failure (RES-02).
    pub ok: bool,
    /// `subtype`, for example `success` or `error_max_turns`.
    pub subtype: Option<String>,
    /// `result`: the last text block of the answer, or the text of an API failure.
    pub text: String,
    /// `errors`, at most 8 of at most 4 KiB.
    pub errors: Vec<String>,
    /// `terminal_reason`, for example `completed`, `hook_stopped`, `prompt_too_long`.
    pub terminal_reason: Option<String>,
    /// `api_error_status`: HTTP status of the model API.
    pub api_error_status: Option<u16>,
    /// `api_error`, for example `usage_limit_reached`, `connection_failed`.
    pub api_error: Option<String>,
    /// `startup_failure_reason`.
    pub startup_failure_reason: Option<String>,
    /// `error` of the last message that Claude Code made itself since the model last answered.
    pub assistant_error: Option<String>,
    /// The model declined (stop reason, subtype, or a refusal event before an error).
    pub refused: bool,
    /// The whole event, oversized members trimmed.
    pub event: Map<String, Value>,
}

impl LastResult {
    pub(super) fn new(line: &[u8], event: &ResultEvent<'_>, assistant_error: Option<String>, declined: bool) -> Self {
        let subtype = event.subtype.get().map(|text| shortened(text, ERROR_TEXT_BYTES));
        let failed = subtype.as_deref().is_some_and(|subtype| subtype.starts_with("error"));
        let ok = match event.is_error {
            Flag::No => !failed,
            // `success` also stands on API failures (docs/internals/claude.md 8): it counts only where nothing
            // contradicts it.
            Flag::Absent => event.subtype.is("success") && assistant_error.is_none() && !shows_failure(event),
            Flag::Yes | Flag::Odd => false,
        };
        // An event that is too deep for a `Value` still counts; only its copy is lost.
        let mut whole =
            if line.len() > WHOLE_BYTES { skimmed(line) } else { serde_json::from_slice(line).unwrap_or_default() };
        trim_members(&mut whole, KEPT_BYTES);
        let names_refusal = |text: &Text<'_>| text.get().is_some_and(|text| text.contains("refusal"));
        Self {
            ok,
            subtype,
            text: shortened(event.result.get().unwrap_or_default(), KEPT_BYTES),
            errors: event
                .errors
                .0
                .iter()
                .filter_map(Text::get)
                .take(ERROR_TEXTS)
                .map(|text| shortened(text, ERROR_TEXT_BYTES))
                .collect(),
            terminal_reason: owned(&event.terminal_reason),
            api_error_status: event.api_error_status.0.and_then(|_| u16::try_from(event.api_error_status.count()).ok()),
            api_error: owned(&event.api_error),
            startup_failure_reason: owned(&event.startup_failure_reason),
            assistant_error,
            refused: names_refusal(&event.stop_reason) || names_refusal(&event.subtype) || (declined && !ok),
            event: whole,
        }
    }
}

fn shows_failure(event: &ResultEvent<'_>) -> bool {
    event.api_error_status.0.is_some()
        || event.api_error.get().is_some()
        || event.startup_failure_reason.get().is_some()
        || !event.errors.0.is_empty()
        || !matches!(event.terminal_reason.get(), None | Some("completed" | "hook_stopped"))
}

/// An owned copy of a short text.
pub(super) fn owned(text: &Text<'_>) -> Option<String> {
    text.get().map(|text| shortened(text, ERROR_TEXT_BYTES))
}

fn shortened(text: &str, bytes: usize) -> String {
    start_of(text, bytes).to_owned()
}

/// The first characters of a text, at most `bytes` of UTF-8.
pub(crate) fn start_of(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Makes an object fit into `limit` bytes of JSON: the largest members go first, strings keep their beginning.
pub(crate) fn trim_members(object: &mut Map<String, Value>, limit: usize) {
    let mut sizes: Vec<(usize, String)> =
        object.iter().map(|(key, value)| (size_of(key, value), key.clone())).collect();
    let mut total: usize = 2 + sizes.iter().map(|(size, _)| size).sum::<usize>();
    if total <= limit {
        return;
    }
    sizes.sort_by(|one, other| other.cmp(one));
    for (size, key) in sizes {
        if total <= limit {
            return;
        }
        let target = size.saturating_sub(total - limit).max(SHORTEST_TRIM);
        let trimmed = match object.get(&key) {
            Some(Value::String(text)) if size > SHORTEST_TRIM => Some(Value::String(beginning(text, target))),
            Some(Value::Array(_) | Value::Object(_)) if size > 256 => Some(format!("[{size} bytes left out]").into()),
            _ => None,
        };
        total -= size;
        if let Some(value) = trimmed {
            total += size_of(&key, &value);
            object.insert(key, value);
        } else {
            object.remove(&key);
        }
    }
}

fn size_of(key: &str, value: &Value) -> usize {
    key.len() + 4 + serde_json::to_string(value).map_or(0, |json| json.len())
}

/// The beginning of a text that needs at most `bytes` as JSON, marked as cut.
fn beginning(text: &str, bytes: usize) -> String {
    let mut left = bytes.saturating_sub(128 + CUT.len());
    let mut kept = String::new();
    for character in text.chars() {
        let size = match character {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            character if character.is_control() => 6,
            character => character.len_utf8(),
        };
        let Some(rest) = left.checked_sub(size) else { break };
        left = rest;
        kept.push(character);
    }
    kept.push_str(CUT);
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn oversized_members_are_trimmed_largest_first_and_small_ones_stay() {
        let mut object = json!({
            "is_error": false, "result": "\u{1}\"é\n".repeat(100_000), "big": vec![1; 200_000], "note": "n".repeat(3000),
        });
        let object = object.as_object_mut().unwrap();
        trim_members(object, 20_000);
        assert!(serde_json::to_string(object).unwrap().len() <= 20_000);
        assert_eq!(object["is_error"], false);
        assert_eq!(object["note"].as_str().unwrap().len(), 3000);
        assert!(object["result"].as_str().unwrap().ends_with("… [cut]"));
        assert!(object["big"].as_str().unwrap().ends_with("bytes left out]"));
    }

    #[test]
    fn many_small_members_are_removed_until_the_rest_fits() {
        let mut object: Map<String, Value> = (0..5000).map(|number| (format!("key-{number}"), number.into())).collect();
        trim_members(&mut object, 1000);
        assert!(serde_json::to_string(&object).unwrap().len() <= 1000 && !object.is_empty());
    }
}

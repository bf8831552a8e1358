//! Texts of others made fit for an operator: one line, no protocol JSON, bounded (RES-05).

/// Upper bound of a message, in characters.
const MESSAGE_CHARACTERS: usize = 2000;

/// Text without line breaks, control characters and protocol JSON: an object is replaced by the message in it.
pub(super) fn plain(text: &str) -> String {
    let lines = text.lines().map(|line| without_json(line.trim())).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ").chars().filter(|character| !character.is_control()).collect()
}

fn without_json(line: &str) -> String {
    let Some(at) = ["{\"", "{ \"", "[{"].iter().filter_map(|start| line.find(start)).min() else {
        return line.to_owned();
    };
    let (before, json) = line.split_at(at);
    let before = before.trim_end();
    let message = serde_json::Deserializer::from_str(json)
        .into_iter::<serde_json::Value>()
        .next()
        .and_then(Result::ok)
        .and_then(|value| {
            let error = value.get("error").filter(|error| error.is_object()).unwrap_or(&value);
            error.get("message").and_then(serde_json::Value::as_str).map(str::to_owned)
        })
        .filter(|message| !message.contains('{'));
    match message {
        Some(message) => format!("{before} {message}").trim_start().to_owned(),
        None => before.to_owned(),
    }
}

/// The first characters, marked when there are more.
pub(super) fn first(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A message within its bound.
pub(super) fn bounded(text: &str) -> String {
    first(text, MESSAGE_CHARACTERS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn res_05_protocol_json_is_replaced_by_the_message_in_it() {
        for (text, expected) in [
            ("API Error: 400 {\"type\":\"error\",\"error\":{\"message\":\"bad tool\"}} (x)", "API Error: 400 bad tool"),
            ("{\"message\":\"no access\"}", "no access"),
            ("[{\"a\":1}]", ""),
            ("file not found: /x/{\"mcpServers\":", "file not found: /x/"),
            ("{\"error\":{\"message\":\"see {\\\"a\\\":1}\"}}", ""),
            ("first\r\n\n  second\u{7}", "first; second"),
            ("set {name} in [list]", "set {name} in [list]"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn a_message_is_cut_at_a_character() {
        let text = bounded(&"é".repeat(5000));
        assert!(text.chars().count() <= 2000 && text.ends_with('…'));
        assert_eq!(bounded("short"), "short");
    }
}

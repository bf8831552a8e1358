//! What the API server says about a Job although it takes it: `Warning` headers, and members it does not know.

use serde_json::Value;

use crate::config::pod_template::lacking;
use crate::plan::RunPlan;

/// Warnings that are told of one answer, and characters of each: they are text of somebody else.
const TOLD: usize = 20;
const CHARACTERS: usize = 500;

/// The texts of `Warning` headers (`299 - "text"`, RFC 7234), each once. A header may hold several.
#[must_use]
pub fn warning_texts<'a>(headers: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for header in headers {
        let mut rest = header;
        while let Some((text, behind)) = quoted(rest) {
            rest = behind;
            if !text.is_empty() && !texts.contains(&text) && texts.len() < TOLD {
                texts.push(text);
            }
        }
    }
    texts.into_iter().map(|text| format!("the API server warns: {text}")).collect()
}

/// The next quoted text without its escapes, and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (_, text) = text.split_once('"')?;
    let mut characters = text.char_indices();
    let mut content = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((content.trim().chars().take(CHARACTERS).collect(), text.get(at + 1..)?)),
            '\\' => content.extend(characters.next().map(|(_, escaped)| escaped)),
            character if character.is_control() => content.push(' '),
            character => content.push(character),
        }
    }
    None
}

/// The names of fields that a strict check did not know: `strict decoding error: unknown field "spec.x"`.
#[must_use]
pub fn unknown_fields(message: &str) -> Vec<String> {
    if !message.contains("strict decoding error") {
        return Vec::new();
    }
    let names = message.split("unknown field \"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0));
    names.take(TOLD).map(|name| name.chars().take(CHARACTERS).collect()).collect()
}

impl RunPlan {
    /// What the server says about a Job of ours that it took: its warnings, and what it did not store of `podTemplate`.
    #[must_use]
    pub fn remarks(&self, sent: &Value, stored: &Value, warnings: &[String]) -> Vec<String> {
        let mut remarks = warning_texts(warnings.iter().map(String::as_str));
        if let Some(overrides) = &self.parts.config.pod_template {
            let (sent, stored) = (&sent["spec"]["template"], &stored["spec"]["template"]);
            let paths = lacking(&Value::Object(overrides.clone()), sent, stored);
            remarks.extend(paths.iter().map(|path| not_stored(path)));
        }
        remarks
    }
}

fn not_stored(path: &str) -> String {
    format!(
        "the API server did not store `{path}` of `podTemplate`: it does not know it, its feature is off, or a policy removed it"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fld_32_warnings_are_read_from_every_header_once_and_without_escapes() {
        let headers = [
            r#"299 - "unknown field \"spec.template.spec.x\"""#,
            r#"299 - "would violate PodSecurity \"baseline:latest\": host namespaces", 299 kube "second""#,
            r#"299 - "second""#,
            "299 - unquoted",
            r#"299 - "never ends"#.trim_end_matches('"'),
            "",
        ];
        let texts = [
            r#"the API server warns: unknown field "spec.template.spec.x""#,
            r#"the API server warns: would violate PodSecurity "baseline:latest": host namespaces"#,
            "the API server warns: second",
        ];
        assert_eq!(warning_texts(headers), texts);
    }

    #[test]
    fn fld_32_warnings_are_bounded_in_number_and_length() {
        let many: Vec<String> = (0..100).map(|number| format!("299 - \"{number}{}\"", "é".repeat(9000))).collect();
        let texts = warning_texts(many.iter().map(String::as_str));
        assert_eq!(texts.len(), TOLD);
        assert!(texts.iter().all(|text| text.chars().count() < CHARACTERS + 40));
    }

    #[test]
    fn fld_32_unknown_fields_are_known_from_a_strict_answer_only() {
        let message = r#"HTTP 400 strict decoding error: unknown field "spec.template.spec.a", unknown field "spec.b""#;
        assert_eq!(unknown_fields(message), ["spec.template.spec.a", "spec.b"]);
        assert_eq!(unknown_fields(r#"HTTP 422 unknown field "x""#), [""; 0]);
    }
}

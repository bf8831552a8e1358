//! Label and field selectors.

use serde_json::Value;

use crate::objects::json::text;
use crate::objects::resource::Resource;

/// A parsed pair of selectors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(String, bool, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Selector {
    /// Parses `labelSelector` and `fieldSelector`; the error is the message of a 400.
    pub(crate) fn parse(resource: Resource, labels: &str, fields: &str) -> Result<Self, String> {
        let labels = split_outside_parentheses(labels)
            .into_iter()
            .map(requirement)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|part| format!("unable to parse requirement: {part}"))?;
        let fields = fields
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (field, equal, value) = comparison(part).ok_or_else(|| format!("invalid selector: '{part}'"))?;
                supported(resource, &field)
                    .then_some((field.clone(), equal, value))
                    .ok_or_else(|| format!("field label not supported: {field}"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { labels, fields })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let label = |key: &str| object.pointer("/metadata/labels").and_then(|labels| labels.get(key)?.as_str());
        self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Requirement::NotIn(key, values) => {
                label(key).is_none_or(|value| values.iter().all(|wanted| wanted != value))
            }
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Missing(key) => label(key).is_none(),
        }) && self.fields.iter().all(|(field, equal, value)| {
            let pointer = format!("/{}", field.replace('.', "/"));
            (text(object, &pointer) == value) == *equal
        })
    }
}

fn supported(resource: Resource, field: &str) -> bool {
    match field {
        "metadata.name" | "metadata.namespace" => true,
        "spec.nodeName" | "status.phase" | "spec.restartPolicy" => resource == Resource::Pods,
        "type" => matches!(resource, Resource::Secrets | Resource::Events),
        "reason"
        | "involvedObject.name"
        | "involvedObject.uid"
        | "involvedObject.kind"
        | "involvedObject.namespace" => resource == Resource::Events,
        "status.successful" => resource == Resource::Jobs,
        _ => false,
    }
}

fn comparison(part: &str) -> Option<(String, bool, String)> {
    let (left, equal, right) = if let Some((left, right)) = part.split_once("!=") {
        (left, false, right)
    } else if let Some((left, right)) = part.split_once("==") {
        (left, true, right)
    } else {
        let (left, right) = part.split_once('=')?;
        (left, true, right)
    };
    Some((left.trim().to_owned(), equal, right.trim().to_owned()))
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let part = part.trim();
    let set = |keyword: &str| {
        let (key, values) = part.split_once(keyword)?;
        let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
        Some((key.trim().to_owned(), values.split(',').map(|value| value.trim().to_owned()).collect::<Vec<_>>()))
    };
    if let Some((key, values)) = set(" notin ") {
        return Ok(Requirement::NotIn(key, values));
    }
    if let Some((key, values)) = set(" in ") {
        return Ok(Requirement::In(key, values));
    }
    if let Some((key, equal, value)) = comparison(part) {
        return Ok(if equal { Requirement::In(key, vec![value]) } else { Requirement::NotIn(key, vec![value]) });
    }
    match part.strip_prefix('!') {
        Some(key) if !key.contains(' ') => Ok(Requirement::Missing(key.trim().to_owned())),
        None if !part.contains([' ', '(', ')']) => Ok(Requirement::Exists(part.to_owned())),
        _ => Err(part.to_owned()),
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    for (index, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn label_selectors_of_every_form() {
        let object = json!({"metadata": {"name": "x", "labels": {"a": "1", "b": "2"}}});
        for (selector, expected) in [
            ("", true),
            ("a=1,b==2", true),
            ("a=2", false),
            ("a!=2,c!=1", true),
            ("a in (1,3),b notin (3)", true),
            ("a in (2, 3)", false),
            ("a,!c", true),
            ("c", false),
            ("!a", false),
        ] {
            let parsed = Selector::parse(Resource::Pods, selector, "").unwrap();
            assert_eq!(parsed.matches(&object), expected, "{selector}");
        }
        assert!(Selector::parse(Resource::Pods, "a b", "").is_err());
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let object = json!({"metadata": {"name": "x"}});
        let parsed = Selector::parse(Resource::Pods, "", "metadata.name=x").unwrap();
        assert!(parsed.matches(&object));
        let error = Selector::parse(Resource::Pods, "", "spec.color=red").unwrap_err();
        assert_eq!(error, "field label not supported: spec.color");
    }
}

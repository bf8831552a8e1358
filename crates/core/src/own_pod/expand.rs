//! `$(NAME)` in the literals of the own container, as its kubelet expanded them.

use std::collections::BTreeMap;

use super::OwnPod;

impl OwnPod {
    /// The value of every literal, by name. `None`: it is composed of something that only the pod knows.
    #[must_use]
    pub fn values(&self) -> BTreeMap<&str, Option<String>> {
        let mut values: BTreeMap<&str, Option<String>> = BTreeMap::new();
        for entry in &self.env {
            let value = entry.value_from.is_none().then(|| entry.value.as_deref().unwrap_or_default());
            let value = value.and_then(|text| expanded(text, |name| values.get(name).cloned().flatten()));
            values.insert(&entry.name, value);
        }
        values
    }

    /// `text` with the literals of the own container in place of their names.
    #[must_use]
    pub fn expanded(&self, text: &str) -> Option<String> {
        let values = self.values();
        expanded(text, |name| values.get(name).cloned().flatten())
    }
}

/// Names between `$(` and `)`.
pub(crate) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    text.split("$(").skip(1).filter_map(|part| part.split_once(')')).map(|(name, _)| name)
}

/// The kubelet's rule: `$$` is `$`, `$(NAME)` is a value. `None`: a value is not known.
fn expanded(text: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            out.push_str(&value(name)?);
            rest = after;
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prm_13_a_literal_is_what_the_kubelet_made_of_it() {
        let value = |name: &str| (name == "A").then(|| "a".to_owned());
        for (text, expected) in [
            ("$(A)/x", Some("a/x")),
            ("$$(A)", Some("$(A)")),
            ("$$$(A)", Some("$a")),
            ("a$b$", Some("a$b$")),
            ("$(A", Some("$(A")),
            ("x$(B)", None),
            ("", Some("")),
        ] {
            assert_eq!(expanded(text, value).as_deref(), expected, "{text}");
        }
    }
}

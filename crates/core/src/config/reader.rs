//! Reads single keys in their accepted shapes and collects what is wrong with them.
//!
//! A method returns `None` both for an unset key and for a refused one: the caller puts its default there,
//! and [`Config::parse`](super::Config::parse) answers with the refusals when there is any.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::keys::{Choice, Flag, Key, Name, Size, Whole};
use super::problem::{Rejection, Warning};
use super::quantity::Quantity;
use super::structured::{from_json, from_lines, from_yaml, has_secret_reference, scalar_text, shown, shown_text};

/// What a secret reference that the host left alone means for the operator.
pub(super) const UNRESOLVED_SECRET: &str =
    "holds a secret reference that the host did not resolve; put secrets into `env`, or give the value itself";

/// One pass over the configuration.
pub(super) struct Reader<'a> {
    config: &'a Map<String, Value>,
    /// Keys that were looked at, set or not: the test compares them with the documented ones.
    pub(super) looked_at: BTreeSet<&'static str>,
    pub(super) rejections: Vec<Rejection>,
    pub(super) warnings: Vec<Warning>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(config: &'a Map<String, Value>) -> Self {
        Self { config, looked_at: BTreeSet::new(), rejections: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn reject(&mut self, key: impl Into<String>, reason: impl Into<String>) {
        self.rejections.push(Rejection { key: key.into(), reason: reason.into() });
    }

    pub(super) fn warn(&mut self, key: impl Into<String>, text: impl Into<String>) {
        self.warnings.push(Warning { key: key.into(), text: text.into() });
    }

    /// The value of a key, `None` when it is unset: absent, null, or blank text.
    pub(super) fn raw(&mut self, key: &'static str) -> Option<&'a Value> {
        self.looked_at.insert(key);
        self.config.get(key).filter(|value| !is_unset(value))
    }

    /// As [`Self::raw`], and free of unresolved secret references.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        let value = self.raw(key)?;
        if has_secret_reference(value) {
            self.reject(key, UNRESOLVED_SECRET);
            return None;
        }
        Some(value)
    }

    /// Trimmed text with `\n` line ends and without other control characters.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => {
                let text = text.trim().replace("\r\n", "\n");
                if let Some(control) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
                    self.reject(key, format!("contains the control character U+{:04X}", u32::from(control)));
                    return None;
                }
                Some(text)
            }
            other => {
                self.reject(key, format!("expected text, got {}", shown(other)));
                None
            }
        }
    }

    /// Text of the key's grammar, or its default.
    pub(super) fn name(&mut self, key: &'static Key<Name>) -> Option<String> {
        let grammar = key.shape.grammar;
        let Some(text) = self.text(key.name) else { return key.shape.default.map(str::to_owned) };
        if !grammar.accepts(&text) {
            self.reject(key.name, format!("{} is not {} ({})", shown_text(&text), grammar.name, grammar.rule));
            return None;
        }
        Some(text)
    }

    /// An absolute path.
    pub(super) fn absolute_path(&mut self, key: &'static str) -> Option<String> {
        let path = self.text(key)?;
        if !path.starts_with('/') || path.contains('\n') {
            self.reject(key, format!("expected an absolute path, got {}", shown_text(&path)));
            return None;
        }
        Some(path)
    }

    /// A whole number in the key's range, also as decimal text, or its default.
    pub(super) fn whole(&mut self, key: &'static Key<Whole>) -> Option<i64> {
        let Whole { range, default, .. } = &key.shape;
        let Some(value) = self.value(key.name) else { return *default };
        let number = whole_number(value).filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.reject(key.name, format!("expected a whole number from {least} to {most}, got {}", shown(value)));
        }
        number
    }

    /// `true` or `false`, also as text, or the key's default.
    pub(super) fn flag(&mut self, key: &'static Key<Flag>) -> bool {
        let Flag(default) = key.shape;
        let Some(value) = self.value(key.name) else { return default };
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if flag.is_none() {
            self.reject(key.name, format!("expected `true` or `false`, got {}", shown(value)));
        }
        flag.unwrap_or(default)
    }

    /// One of the key's words, or the first.
    pub(super) fn choice<T: Copy + Default>(&mut self, key: &'static Key<Choice<T>>) -> T {
        let Choice(words) = key.shape;
        let Some(text) = self.text(key.name) else {
            return words.first().map(|(_, choice)| *choice).unwrap_or_default();
        };
        let choice = words.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if choice.is_none() {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.reject(key.name, format!("expected {}, got {}", words.join(" or "), shown_text(&text)));
        }
        choice.unwrap_or_default()
    }

    /// A quantity as text, or the key's default.
    pub(super) fn size(&mut self, key: &'static Key<Size>) -> String {
        let Size(default) = key.shape;
        self.quantity(key.name).map_or_else(|| default.to_owned(), |size| size.as_str().to_owned())
    }

    /// Whether the key has a value, good or bad.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.config.get(key).is_some_and(|value| !is_unset(value))
    }

    /// A quantity, also as a number.
    pub(super) fn quantity(&mut self, key: &'static str) -> Option<Quantity> {
        let value = self.value(key)?;
        self.quantity_at(key, value)
    }

    /// As [`Self::quantity`], for a value inside another one.
    pub(super) fn quantity_at(&mut self, path: &str, value: &Value) -> Option<Quantity> {
        let quantity = match value {
            Value::String(text) => Quantity::parse(text.trim()),
            Value::Number(number) => Quantity::parse(&number.to_string()),
            _ => None,
        };
        if quantity.is_none() {
            self.reject(path, format!("expected a quantity such as `500m` or `2Gi`, got {}", shown(value)));
        }
        quantity
    }

    /// Any value, or JSON text of it.
    pub(super) fn json(&mut self, key: &'static str) -> Option<Value> {
        self.parsed(key, from_json)
    }

    /// Any value, or JSON or YAML text of it.
    pub(super) fn yaml(&mut self, key: &'static str) -> Option<Value> {
        self.parsed(key, from_yaml)
    }

    fn parsed(&mut self, key: &'static str, parse: fn(&str) -> Result<Value, String>) -> Option<Value> {
        let Value::String(text) = self.value(key)? else {
            return self.config.get(key).cloned();
        };
        match parse(text) {
            Ok(value) if has_secret_reference(&value) => self.reject(key, UNRESOLVED_SECRET),
            Ok(value) => return Some(value),
            Err(reason) => self.reject(key, reason),
        }
        None
    }

    /// A map of texts: an object, JSON text of one, or lines `key=value`.
    pub(super) fn map(&mut self, key: &'static str) -> Option<Vec<(String, String)>> {
        let value = match self.value(key)? {
            Value::String(text) if !text.trim_start().starts_with('{') => {
                return match from_lines(text) {
                    Ok(entries) => Some(entries),
                    Err(problems) => {
                        for problem in problems {
                            self.reject(key, problem);
                        }
                        None
                    }
                };
            }
            _ => self.json(key)?,
        };
        let Value::Object(members) = value else {
            self.reject(key, format!("expected an object of texts, or lines `key=value`, got {}", shown(&value)));
            return None;
        };
        let mut entries = Vec::with_capacity(members.len());
        for (name, value) in members {
            match scalar_text(&value) {
                Some(text) => entries.push((name, text)),
                None => self.reject(format!("{key}.{name}"), format!("expected text, got {}", shown(&value))),
            }
        }
        Some(entries)
    }
}

/// Absent, null, or blank text.
pub(super) fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// A whole number, also as decimal text or as a float without a fraction (JavaScript has no other numbers).
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            Some(float as i64)
        }),
        _ => None,
    }
}

//! What one key is: the value that the parser takes and that every document is printed from.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::config::grammar::Grammar;

/// A key with its type. [`Row`] is the same without the type, for documents.
#[derive(Debug)]
pub(in crate::config) struct Key<S> {
    pub(in crate::config) name: &'static str,
    pub(in crate::config) shape: S,
    topic: Topic,
    place: Place,
    effect: &'static str,
    shape_more: &'static str,
    default_more: &'static str,
    note: &'static str,
    field: Option<Field>,
}

/// Tables of the documentation, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the titles are in `Topic::title`")]
pub enum Topic {
    Claude,
    Environment,
    Placement,
    Resources,
    Workspace,
    RunControl,
}

impl Topic {
    /// All topics in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Claude, Self::Environment, Self::Placement, Self::Resources, Self::Workspace, Self::RunControl];

    /// Heading of the table.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Environment => "Environment",
            Self::Placement => "Cluster and placement",
            Self::Resources => "Resources",
            Self::Workspace => "Data volume and identity",
            Self::RunControl => "Run control",
        }
    }
}

/// Where a key is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A field of the adapter's form.
    Form,
    /// Accepted in the configuration object; the host may have a field of its own for it.
    Code,
    /// Set by the host for each run.
    Host,
}

/// A field of the host's form.
#[derive(Debug)]
struct Field {
    /// `text`, `textarea`, `number`, `toggle` or `select`.
    kind: &'static str,
    label: &'static str,
    /// Ends with what applies when the field is empty, unless a typed default says it.
    hint: &'static str,
    group: &'static str,
    prefill: Prefill,
    is_secret: bool,
}

/// What a new form shows. Never reaches the runtime: an empty field has the default of the key (CFG-03).
#[derive(Debug)]
enum Prefill {
    Nothing,
    TheDefault,
    Number(i64),
    Word(&'static str),
}

/// A type of values: how the documents describe it, and what an unset key has.
pub(in crate::config) trait Shape {
    /// Type and range.
    fn text(&self) -> String;
    /// The default, when it is a value.
    fn default(&self) -> Option<Value>;
    /// The default as the documents write it.
    fn default_text(&self) -> String {
        match self.default() {
            Some(Value::String(text)) => format!("`{text}`"),
            Some(value) => format!("`{value}`"),
            None => "unset".to_owned(),
        }
    }
    /// The words, when there are only a few.
    fn words(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// `true` or `false`; the value is the default.
#[derive(Debug)]
pub(in crate::config) struct Flag(pub(in crate::config) bool);

/// A whole number.
#[derive(Debug)]
pub(in crate::config) struct Whole {
    pub(in crate::config) range: RangeInclusive<i64>,
    pub(in crate::config) default: Option<i64>,
    pub(in crate::config) unit: &'static str,
}

/// One of a few words; the first is the default.
#[derive(Debug)]
pub(in crate::config) struct Choice<T: 'static>(pub(in crate::config) &'static [(&'static str, T)]);

/// A Kubernetes quantity; the value is the default.
#[derive(Debug)]
pub(in crate::config) struct Size(pub(in crate::config) &'static str);

/// Text of a grammar.
#[derive(Debug)]
pub(in crate::config) struct Name {
    pub(in crate::config) grammar: &'static Grammar,
    pub(in crate::config) title: &'static str,
    pub(in crate::config) default: Option<&'static str>,
}

/// Whatever has a reader of its own: its shape and its default in words.
#[derive(Debug)]
pub(in crate::config) struct Own(pub(in crate::config) &'static str, pub(in crate::config) &'static str);

impl Shape for Flag {
    fn text(&self) -> String {
        "boolean".to_owned()
    }
    fn default(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

impl Shape for Whole {
    fn text(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!("{}, ", self.unit) };
        let (least, most) = (self.range.start(), self.range.end());
        if *most == MOST {
            format!("{unit}integer from {least}")
        } else {
            format!("{unit}integer from {least} to {most}")
        }
    }
    fn default(&self) -> Option<Value> {
        self.default.map(|default| json!(default))
    }
}

impl<T> Shape for Choice<T> {
    fn text(&self) -> String {
        let words: Vec<String> = self.words().iter().map(|word| format!("`{word}`")).collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.join(""),
        }
    }
    fn default(&self) -> Option<Value> {
        self.0.first().map(|(word, _)| json!(word))
    }
    fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|(word, _)| *word).collect()
    }
}

impl Shape for Size {
    fn text(&self) -> String {
        "quantity".to_owned()
    }
    fn default(&self) -> Option<Value> {
        Some(json!(self.0))
    }
}

impl Shape for Name {
    fn text(&self) -> String {
        self.title.to_owned()
    }
    fn default(&self) -> Option<Value> {
        self.default.map(|default| json!(default))
    }
}

impl Shape for Own {
    fn text(&self) -> String {
        self.0.to_owned()
    }
    fn default(&self) -> Option<Value> {
        None
    }
    fn default_text(&self) -> String {
        self.1.to_owned()
    }
}

/// Largest id, turn count and TTL that Kubernetes and the CLI can hold.
pub(in crate::config) const MOST: i64 = i32::MAX as i64;

impl<S> Key<S> {
    pub(super) const fn new(topic: Topic, name: &'static str, shape: S, effect: &'static str) -> Self {
        let (shape_more, default_more, note) = ("", "", "");
        Self { name, shape, topic, place: Place::Code, effect, shape_more, default_more, note, field: None }
    }

    /// Set by the host for each run.
    pub(super) const fn host(mut self) -> Self {
        self.place = Place::Host;
        self
    }

    /// What the type does not say of the accepted shapes.
    pub(super) const fn shape(mut self, shape_more: &'static str) -> Self {
        self.shape_more = shape_more;
        self
    }

    /// What the value does not say of the default; where there is no value, all of it.
    pub(super) const fn default(mut self, default_more: &'static str) -> Self {
        self.default_more = default_more;
        self
    }

    /// Further sentences for the agents' document.
    pub(super) const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// A field of the form.
    pub(super) const fn form(
        mut self,
        group: &'static str,
        kind: &'static str,
        label: &'static str,
        hint: &'static str,
    ) -> Self {
        let field = Field { kind, label, hint, group, prefill: Prefill::Nothing, is_secret: false };
        self.place = Place::Form;
        self.field = Some(field);
        self
    }

    /// A new form shows the default.
    pub(super) const fn prefilled(mut self) -> Self {
        if let Some(field) = &mut self.field {
            field.prefill = Prefill::TheDefault;
        }
        self
    }

    /// A new form shows this instead of the default.
    pub(super) const fn prefilled_with(mut self, number: i64) -> Self {
        if let Some(field) = &mut self.field {
            field.prefill = Prefill::Number(number);
        }
        self
    }

    /// A new form proposes this word; an agent that was made without the form has the default.
    pub(super) const fn proposing(mut self, word: &'static str) -> Self {
        if let Some(field) = &mut self.field {
            field.prefill = Prefill::Word(word);
        }
        self
    }

    /// The host stores the field as a secret.
    pub(super) const fn secret(mut self) -> Self {
        if let Some(field) = &mut self.field {
            field.is_secret = true;
        }
        self
    }
}

/// A key as the documents print it. All texts are Markdown.
pub trait Row: Sync {
    /// The name in `ctx.config`.
    fn name(&self) -> &'static str;
    /// Which table it stands in.
    fn topic(&self) -> Topic;
    /// Who sets it.
    fn place(&self) -> &'static str;
    /// Type, range and accepted shapes.
    fn shape(&self) -> String;
    /// What applies when the key is unset.
    fn default(&self) -> String;
    /// What it does, in one line.
    fn effect(&self) -> &'static str;
    /// Further sentences for the agents' document.
    fn note(&self) -> &'static str;
    /// The field of the host's form, as the host takes it.
    fn field(&self) -> Option<Value>;
}

impl<S: Shape + Sync> Row for Key<S> {
    fn name(&self) -> &'static str {
        self.name
    }
    fn topic(&self) -> Topic {
        self.topic
    }
    fn place(&self) -> &'static str {
        match self.place {
            Place::Form => "form",
            Place::Code => "code",
            Place::Host => "host",
        }
    }
    fn shape(&self) -> String {
        format!("{}{}", self.shape.text(), self.shape_more)
    }
    fn default(&self) -> String {
        match self.default_more {
            "" => self.shape.default_text(),
            words if self.shape.default().is_none() => words.to_owned(),
            more => format!("{}{more}", self.shape.default_text()),
        }
    }
    fn effect(&self) -> &'static str {
        self.effect
    }
    fn note(&self) -> &'static str {
        self.note
    }
    fn field(&self) -> Option<Value> {
        let field = self.field.as_ref()?;
        let empty = match (&field.prefill, self.shape.default()) {
            (Prefill::Nothing, Some(Value::String(text))) => format!(" Empty: {text}."),
            (Prefill::Nothing, Some(Value::Number(number))) => format!(" Empty: {number}."),
            _ => String::new(),
        };
        let mut value = json!({
            "key": self.name, "type": field.kind, "label": field.label, "hint": format!("{}{empty}", field.hint),
        });
        let words = self.shape.words();
        if !words.is_empty() {
            value["options"] = words.iter().map(|word| json!({ "label": word, "value": word })).collect();
        }
        match (&field.prefill, self.shape.default()) {
            (Prefill::TheDefault, Some(default)) => value["default"] = default,
            (Prefill::Number(number), _) => value["default"] = json!(number),
            (Prefill::Word(word), _) => value["default"] = json!(word),
            (Prefill::Nothing | Prefill::TheDefault, _) => {}
        }
        value["group"] = json!(field.group);
        if field.is_secret {
            value["meta"] = json!({ "secret": true });
        }
        Some(value)
    }
}

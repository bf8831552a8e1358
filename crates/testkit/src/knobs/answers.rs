//! What the API server answers otherwise than it would: errors, denials, refusals, streams that end or fall silent.

use serde::Deserialize;
use serde_json::Value;

use super::{Denials, FaultTable};
use crate::objects::json::merge;

/// A refusal of creates by admission: quota, Pod Security, a webhook.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdmissionRule {
    /// `jobs`, `pods`, `secrets`, …
    pub resource: String,
    /// Text behind `… is forbidden: `, for example `exceeded quota: compute, requested: pods=1, used: pods=9, limited: pods=9`.
    pub message: String,
    /// How many creates are refused; all when absent.
    #[serde(default)]
    pub times: Option<u32>,
}

/// What admission makes of an object: a mutating policy or webhook, such as one that puts Jobs into a queue.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mutation {
    /// `jobs`, `pods`, …
    pub resource: String,
    /// Merged over the object.
    pub merge: Value,
    /// Also over every update, as one that suspends what it has not admitted.
    #[serde(default)]
    pub on_update: bool,
}

/// A `Warning` header of every answer to a create, as Pod Security and deprecated members bring them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateWarning {
    /// `jobs`, `pods`, …
    pub resource: String,
    /// Its text.
    pub message: String,
}

/// How watches behave.
#[derive(Debug, Default)]
pub(crate) struct WatchKnobs {
    /// Watches that started under a smaller number end.
    pub(crate) ended: u64,
    /// No watch delivers anything: a half-open connection.
    pub(crate) frozen: bool,
    /// Watches of this kind stay open and deliver nothing, not even bookmarks.
    pub(crate) silent: Option<String>,
}

impl WatchKnobs {
    pub(crate) fn is_silent(&self, resource: &str) -> bool {
        self.frozen || self.silent.as_deref() == Some(resource)
    }
}

/// How log follows behave.
#[derive(Debug, Default)]
pub(crate) struct FollowKnobs {
    /// Follows that started under a smaller number end, with a reset if the flag is set.
    pub(crate) closed: u64,
    pub(crate) reset: bool,
}

/// Everything about answers.
#[derive(Debug, Default)]
pub(crate) struct AnswerKnobs {
    pub(crate) faults: FaultTable,
    pub(crate) denials: Denials,
    pub(crate) admission: Vec<AdmissionRule>,
    pub(crate) mutations: Vec<Mutation>,
    pub(crate) warnings: Vec<CreateWarning>,
    pub(crate) watches: WatchKnobs,
    pub(crate) follows: FollowKnobs,
}

impl AnswerKnobs {
    /// What admission makes of a new or changed object.
    pub(crate) fn mutate(&self, resource: &str, object: &mut Value, is_update: bool) {
        let applies = |one: &&Mutation| one.resource == resource && (one.on_update || !is_update);
        self.mutations.iter().filter(applies).for_each(|one| merge(object, &one.merge));
    }

    /// The warnings of an answer to a create.
    pub(crate) fn warnings(&self, resource: &str) -> impl Iterator<Item = &str> {
        self.warnings.iter().filter(move |one| one.resource == resource).map(|one| one.message.as_str())
    }

    /// Consumes one refusal for this kind, if there is one.
    pub(crate) fn refusal(&mut self, resource: &str) -> Option<String> {
        let rule = self.admission.iter_mut().find(|rule| rule.resource == resource && rule.times != Some(0))?;
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        Some(rule.message.clone())
    }
}

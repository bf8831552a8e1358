//! The object that `execute` resolves with, exactly as the host reads it (docs/internals/host.md 6).

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::failure::{ErrorCode, ErrorFamily};
use crate::transcript::Usage;

/// Result of a run. Serializes to the host's camelCase object; what is `None` is left out unless noted.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunResult {
    /// Exit code; 0 on success, null when unknown or when nothing ran.
    pub exit_code: Option<i32>,
    /// Name of the signal that ended the container, else null.
    pub signal: Option<String>,
    /// A real deadline passed.
    pub timed_out: bool,
    /// Null on success, else what happened and what to do next, at most 2000 characters.
    pub error_message: Option<String>,
    /// Never absent on failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// What the host may do by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_family: Option<ErrorFamily>,
    /// Earliest useful retry.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "iso_time")]
    pub retry_not_before: Option<Timestamp>,
    /// Informative only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_meta: Option<Value>,
    /// Evidence for the host's recovery; mirrored in `result_json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_recovery: Option<ExecutionRecovery>,
    /// Tokens of this run.
    #[serde(flatten)]
    pub usage: Option<UsageFields>,
    /// US dollars of this run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// `sessionId`, `sessionDisplayId`, `sessionParams`.
    #[serde(flatten)]
    pub session: SessionFields,
    /// The host must forget its session.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clear_session: bool,
    /// Who made the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<&'static str>,
    /// Who sends the bill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub biller: Option<&'static str>,
    /// How it is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_type: Option<&'static str>,
    /// The model that was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Posted as a comment on the task; only on success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The last result event and what this adapter adds, at most 256 KiB.
    pub result_json: Map<String, Value>,
}

/// What the host may conclude about work that was begun (docs/internals/host.md 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionRecovery {
    /// Nothing was started or done: the same prompt may run again.
    Bootstrap,
    /// Stopped on request, session saved, no action half done.
    Interrupted,
}

impl ExecutionRecovery {
    /// The host's shape.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Bootstrap => serde_json::json!({ "kind": "bootstrap", "providerWorkStarted": false }),
            Self::Interrupted => serde_json::json!({
                "kind": "interrupted", "providerStopped": true, "sessionPreserved": true, "actionOutcomes": "settled",
            }),
        }
    }
}

impl Serialize for ExecutionRecovery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

/// `usage` and `usageBasis`: the basis says that the host must not subtract an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsageFields {
    /// Tokens.
    pub usage: Tokens,
    /// Always `per_run`.
    pub usage_basis: &'static str,
}

/// `usage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// With cache creation.
    pub input_tokens: u64,
    /// Output.
    pub output_tokens: u64,
    /// Read from the cache.
    pub cached_input_tokens: u64,
}

impl From<Usage> for UsageFields {
    fn from(usage: Usage) -> Self {
        let Usage { input_tokens, cached_input_tokens, output_tokens, .. } = usage;
        Self { usage: Tokens { input_tokens, output_tokens, cached_input_tokens }, usage_basis: "per_run" }
    }
}

/// The three session fields. Absent and null are different for the host: *keep what you have* and *there is none*.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(untagged)]
pub enum SessionFields {
    /// All absent.
    #[default]
    Unchanged,
    /// All null: sessions do not survive the pod.
    #[serde(rename_all = "camelCase")]
    None {
        /// Null.
        session_id: (),
        /// Null.
        session_display_id: (),
        /// Null.
        session_params: (),
    },
    /// Store this.
    #[serde(rename_all = "camelCase")]
    Stored {
        /// The CLI's session id.
        session_id: String,
        /// The same id, for people.
        session_display_id: String,
        /// What the next run compares before it resumes.
        session_params: Map<String, Value>,
    },
}

impl SessionFields {
    /// All three null.
    #[must_use]
    pub fn none() -> Self {
        Self::None { session_id: (), session_display_id: (), session_params: () }
    }
}

impl RunResult {
    /// Adds a warning that came up after the verdict, and changes nothing else.
    pub fn warn(&mut self, text: &str) {
        let warnings = self.result_json.get_mut("k8s").and_then(|k8s| k8s.get_mut("warnings"));
        if let Some(Value::Array(warnings)) = warnings {
            warnings.push(text.into());
        }
    }

    /// Applies `scrub` to every text of the result, so that no secret leaves through it.
    pub fn scrub(&mut self, scrub: &dyn Fn(&str) -> String) {
        for text in [&mut self.error_message, &mut self.summary].into_iter().flatten() {
            *text = scrub(text);
        }
        if let Some(meta) = &mut self.error_meta {
            map_texts(meta, scrub);
        }
        for value in self.result_json.values_mut() {
            map_texts(value, scrub);
        }
    }
}

/// Applies `change` to every string value inside a JSON value.
pub(super) fn map_texts(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| map_texts(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| map_texts(member, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Milliseconds and `Z`, as JavaScript writes dates.
pub(super) fn iso(time: Timestamp) -> String {
    format!("{time:.3}")
}

#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn iso_time<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(iso).serialize(serializer)
}

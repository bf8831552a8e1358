//! The `onMeta` payload, without the members that JavaScript adds.

use serde_json::{Map, Value, json};

use super::RunPlan;
use crate::attempt::Attempt;
use crate::names::key;
use crate::plan::environment::{EnvValue, names};
use crate::view::JobFacts;

/// Stands for every value that is or may be a credential.
const REDACTED: &str = "***REDACTED***";

impl RunPlan {
    /// What is told about a launched attempt. `adapterType` and `context` are added by the caller.
    #[must_use]
    pub fn meta(&self, attempt: &Attempt) -> Value {
        let mut notes = self.notes.clone();
        notes.extend(self.degraded.iter().map(|mode| format!("Degraded: {mode}")));
        if attempt.number > 1 {
            notes.push("Second attempt with a fresh session".to_owned());
        }
        json!({
            "command": format!("kubectl job/{}", attempt.job_name),
            "cwd": self.parts.run_directory,
            "commandArgs": attempt.args,
            "commandNotes": notes,
            "env": self.meta_env(),
            "prompt": attempt.prompt,
            "promptMetrics": attempt.prompt_metrics,
        })
    }

    /// What is told about an adopted Job.
    #[must_use]
    pub fn adoption_meta(&self, job: &JobFacts) -> Value {
        let prior_run = job.annotations.get(key::RUN_ID).map(String::as_str);
        json!({
            "command": format!("kubectl job/{}", job.name),
            "cwd": self.parts.run_directory,
            "commandArgs": [],
            "commandNotes": [format!("Reattached from prior run: {}", prior_run.unwrap_or("unknown"))],
            "env": {},
            "prompt": "",
            "promptMetrics": {},
        })
    }

    fn meta_env(&self) -> Map<String, Value> {
        let shown = |name: &str, value: &EnvValue| match value {
            EnvValue::Literal(text) if !names::is_sensitive(name) => text.clone(),
            EnvValue::Literal(_) | EnvValue::Secret(_) | EnvValue::Reference(_) | EnvValue::Sources(_) => {
                REDACTED.to_owned()
            }
        };
        self.parts.environment.entries().map(|(name, value)| (name.to_owned(), shown(name, value).into())).collect()
    }
}

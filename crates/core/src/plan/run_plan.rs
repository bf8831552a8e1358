//! A resolved run: what it is called, what it creates, and what its guard and outcome need to know.

use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use super::attempts::Attempts;
use super::{BundlePlan, Parts};
use crate::attempt::Attempt;
use crate::config::Config;
use crate::failure::Refusal;
use crate::guard::Claimant;
use crate::manifest::{self, payload};
use crate::names::{agent_selector, key, label_value};
use crate::outcome::RunFacts;
use crate::request::StoredSession;
use crate::run::Bounds;
use crate::target::PayloadMode;
use crate::view::JobFacts;

/// A run, decided and checked. Made by [`RunPlan::resolve`].
#[derive(Debug, Clone)]
pub struct RunPlan {
    pub(super) parts: Parts,
    pub(super) attempts: Attempts,
    pub(super) session_to_store: StoredSession,
    pub(super) redactions: Vec<String>,
    pub(super) warnings: Vec<String>,
    pub(super) degraded: Vec<String>,
    pub(super) status_lines: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// What is created.
impl RunPlan {
    /// The Job of an attempt, complete except for the queue label. `suspend` is false only without `jobs/patch`.
    /// Members of `podTemplate` that are newer than the compiled API types are in it.
    ///
    /// # Errors
    /// None that [`RunPlan::resolve`] would not have found.
    pub fn job(&self, attempt: &Attempt, suspend: bool) -> Result<Value, Refusal> {
        Ok(manifest::build(&self.parts, attempt, suspend)?.0)
    }

    /// The payload Secrets of an attempt, owned by the Job with this uid. Empty for [`PayloadMode::Volume`].
    #[must_use]
    pub fn payload(&self, attempt: &Attempt, owner_uid: &str) -> Vec<Secret> {
        match self.parts.payload_mode {
            PayloadMode::Secret => payload::secrets(&self.parts, attempt, owner_uid),
            PayloadMode::Volume => Vec::new(),
        }
    }

    /// Names of the payload Secrets of an attempt.
    #[must_use]
    pub fn secret_names(&self, attempt: &Attempt) -> Vec<String> {
        match self.parts.payload_mode {
            PayloadMode::Secret => payload::plan(&self.parts, attempt).into_iter().map(|secret| secret.name).collect(),
            PayloadMode::Volume => Vec::new(),
        }
    }

    /// Merge patch that releases the Job; with `queueName` it only adds the queue label.
    #[must_use]
    pub fn release_patch(&self, uid: &str) -> Value {
        manifest::release_patch(uid, self.parts.config.queue_name.as_deref())
    }

    /// Merge patch that makes this process the Job's supervisor, if the Job is still what `job` says.
    #[must_use]
    pub fn adoption_patch(&self, job: &JobFacts) -> Value {
        manifest::adoption_patch(job, &self.parts.identity.supervisor)
    }

    /// The Job was released: it may start, or its queue may admit it.
    #[must_use]
    pub fn is_released(&self, job: &JobFacts) -> bool {
        !job.suspended || self.is_queued(job)
    }

    /// The Job waits for, or was admitted by, a queue.
    #[must_use]
    pub fn is_queued(&self, job: &JobFacts) -> bool {
        job.labels.contains_key(key::QUEUE_NAME)
    }

    /// Skills and instructions. A [`super::Delivery::Directory`] has to be written before the launch.
    #[must_use]
    pub fn bundle(&self) -> Option<&BundlePlan> {
        self.parts.bundle.as_ref()
    }

    /// How the payload reaches the pod.
    #[must_use]
    pub fn payload_mode(&self) -> PayloadMode {
        self.parts.payload_mode
    }
}

/// Who runs.
impl RunPlan {
    /// Namespace of Job and Secrets.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.parts.namespace
    }

    /// The checked configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.parts.config
    }

    /// Label selector of the Jobs and pods of this agent.
    #[must_use]
    pub fn guard_selector(&self) -> String {
        agent_selector(&self.parts.identity.agent_label)
    }

    /// The agent id as label value; never empty.
    #[must_use]
    pub fn agent_label(&self) -> &str {
        &self.parts.identity.agent_label
    }

    /// This run as the guard sees it. `may_patch`: `jobs/patch` is allowed.
    #[must_use]
    pub fn claimant(&self, may_patch: bool) -> Claimant {
        let identity = &self.parts.identity;
        Claimant {
            run_id: identity.run_id.clone(),
            run_label: label_value(&identity.run_id),
            task_id: identity.task_id.clone(),
            session_id: self.attempts.first.resume.clone(),
            scope: self.parts.config.concurrency_scope,
            reattach: self.parts.config.reattach_orphaned_jobs,
            may_patch,
        }
    }

    /// Value of `paperclip.io/supervisor`: this process, for good.
    #[must_use]
    pub fn supervisor(&self) -> &str {
        &self.parts.identity.supervisor
    }

    /// SHA-256 of this run's prompt, for the comparison with an adopted Job.
    #[must_use]
    pub fn prompt_digest(&self) -> &str {
        &self.attempts.first.prompt_digest
    }

    /// Working directory of the run inside the pod.
    #[must_use]
    pub fn run_directory(&self) -> &str {
        &self.parts.run_directory
    }
}

/// What is said, hidden and bounded.
impl RunPlan {
    /// Values to replace in everything that leaves the adapter, longest first.
    #[must_use]
    pub fn redactions(&self) -> &[String] {
        &self.redactions
    }

    /// One `[paperclip] Warning: <text>` line each, and `resultJson.k8s.warnings`.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Degraded modes, for `resultJson.k8s.degraded` and `commandNotes`.
    #[must_use]
    pub fn degraded(&self) -> &[String] {
        &self.degraded
    }

    /// One `[paperclip] <text>` line each: bundled skills, and why a session is not resumed.
    #[must_use]
    pub fn status_lines(&self) -> &[String] {
        &self.status_lines
    }

    /// Time limits of following a Job.
    #[must_use]
    pub fn bounds(&self, adopted: bool) -> Bounds {
        let config = &self.parts.config;
        Bounds {
            schedule: config.schedule_timeout,
            startup: config.startup_timeout,
            limit: config.timeout.map(|timeout| timeout + config.grace),
            queued: config.queue_name.is_some(),
            adopted,
        }
    }

    /// The part of the run's facts that is known before anything exists.
    #[must_use]
    pub fn facts(&self) -> RunFacts {
        RunFacts {
            namespace: self.parts.namespace.clone(),
            warnings: self.warnings.clone(),
            degraded: self.degraded.clone(),
            timeout_seconds: self.parts.config.timeout.map(|timeout| timeout.as_secs()),
            ..RunFacts::default()
        }
    }
}

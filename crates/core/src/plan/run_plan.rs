//! A resolved run: what it is called, what it creates, and what its guard and outcome need to know.

use super::attempts::Attempts;
use super::{BundlePlan, Parts};
use crate::config::Config;
use crate::guard::Claimant;
use crate::names::{agent_selector, key, label_value};
use crate::request::StoredSession;
use crate::target::PayloadMode;
use crate::view::JobFacts;

/// A run, decided and checked. Made by [`RunPlan::resolve`].
#[derive(Debug, Clone)]
pub struct RunPlan {
    pub(crate) parts: Parts,
    pub(super) attempts: Attempts,
    pub(crate) session_to_store: StoredSession,
    pub(super) redactions: Vec<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) degraded: Vec<String>,
    pub(super) status_lines: Vec<String>,
    pub(super) notes: Vec<String>,
}

/// What it needs before and beside its objects.
impl RunPlan {
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

    /// What of the server's pod was not asked for, in a sentence with its names.
    #[must_use]
    pub fn left_behind(&self) -> Option<&str> {
        self.parts.left_behind.as_deref()
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
}

//! A resolved run: what it is called, what it creates, and what its outcome needs to know.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use super::{Attempt, AttemptKind, BundlePlan, PayloadMode};
use crate::config::Config;
use crate::manifest::{self, Parts, payload};
use crate::names::{JobName, label_value};
use crate::outcome::SessionFacts;

/// A run, decided and checked. Made by [`RunSpec::resolve`].
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// Namespace of Job and Secrets.
    pub namespace: String,
    /// Raw id of the run.
    pub run_id: String,
    /// Raw id of the agent.
    pub agent_id: String,
    /// Raw id of the task; `None` for runs without one.
    pub task_id: Option<String>,
    /// The agent id as label value; never empty.
    pub agent_label: String,
    /// Finds the Jobs and pods of this agent: the guard's selector.
    pub selector: String,
    /// Value of `paperclip.io/supervisor`: this process, for good.
    pub supervisor: String,
    /// Created suspended and released by [`RunSpec::release_patch`]. False without `jobs/patch`.
    pub suspended: bool,
    /// How the payload reaches the pod.
    pub payload_mode: PayloadMode,
    /// Skills and instructions. A [`super::Delivery::Directory`] has to be written before the launch.
    pub bundle: Option<BundlePlan>,
    /// Session and billing facts for the outcome.
    pub session: SessionFacts,
    /// Time bounds of the run.
    pub bounds: TimeBounds,
    /// The checked configuration.
    pub config: Config,
    /// Values to replace in everything that leaves the adapter, longest first.
    pub redactions: Vec<String>,
    /// One `[paperclip] Warning: <text>` line each, and `resultJson.k8s.warnings`.
    pub warnings: Vec<String>,
    /// Degraded modes, for `resultJson.k8s.degraded` and `commandNotes`.
    pub degraded: Vec<String>,
    /// One `[paperclip] <text>` line each: skills, and why a session is not resumed.
    pub status_lines: Vec<String>,
    /// First lines of `commandNotes`.
    pub notes: Vec<String>,
    pub(super) parts: Parts,
    /// First attempt and, when its prompt is usable, the fresh one.
    pub(super) first: (Attempt, Job),
    pub(super) fresh: Option<(Attempt, Job)>,
}

/// Bounds of the phases of a run. `None`: no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeBounds {
    /// `timeoutSec`.
    pub timeout: Option<Duration>,
    /// `graceSec`.
    pub grace: Duration,
    /// `scheduleTimeoutSec`.
    pub schedule: Option<Duration>,
    /// `startupTimeoutSec`.
    pub startup: Option<Duration>,
    /// `guardWaitSec`; zero means no waiting.
    pub guard_wait: Duration,
}

/// A payload file of [`PayloadMode::Volume`].
#[derive(Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// Path below the staging directory.
    pub path: String,
    /// Content; may be a credential.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for StagedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StagedFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The staging directory of a Job below the root of the data volume.
#[must_use]
pub fn staging_sub_path(root: &str, job: &JobName) -> String {
    let root = root.trim_end_matches('/');
    let separator = if root.is_empty() { "" } else { "/" };
    format!("{root}{separator}.paperclip-claude-k8s/runs/{job}")
}

impl RunSpec {
    /// The attempt of this kind. `None`: there is no fresh attempt, because its prompt is empty or too large.
    #[must_use]
    pub fn attempt(&self, kind: AttemptKind) -> Option<Attempt> {
        match kind {
            AttemptKind::First => Some(self.first.0.clone()),
            AttemptKind::Fresh => self.fresh.as_ref().map(|(attempt, _)| attempt.clone()),
        }
    }

    /// The first attempt.
    #[must_use]
    pub fn first_attempt(&self) -> &Attempt {
        &self.first.0
    }

    /// The Job of an attempt, complete except for the queue label.
    #[must_use]
    pub fn job(&self, attempt: &Attempt, suspend: bool) -> Job {
        let fresh = self.fresh.as_ref().filter(|(fresh, _)| fresh.number == attempt.number);
        let (built, job) = fresh.unwrap_or(&self.first);
        let mut job = job.clone();
        if let Some(spec) = &mut job.spec {
            spec.suspend = Some(suspend);
        }
        if built.timeout != attempt.timeout {
            manifest::set_timeout(&mut job, attempt.timeout, &self.config);
        }
        job
    }

    /// The payload Secrets of an attempt, owned by the Job with this uid. Empty for [`PayloadMode::Volume`].
    #[must_use]
    pub fn payload(&self, attempt: &Attempt, owner_uid: &str) -> Vec<Secret> {
        match self.payload_mode {
            PayloadMode::Secret => payload::secrets(&self.parts, attempt, owner_uid),
            PayloadMode::Volume => Vec::new(),
        }
    }

    /// The staging directory on the host and its files; `None` for [`PayloadMode::Secret`].
    ///
    /// Directories 0700, files 0600, owned by [`RunSpec::run_as_user`]; written before the pod can start.
    #[must_use]
    pub fn staging(&self, attempt: &Attempt) -> Option<(String, Vec<StagedFile>)> {
        let root = self.parts.data.host_path().filter(|_| self.payload_mode == PayloadMode::Volume)?;
        Some((staging_sub_path(root, &attempt.job_name), payload::staged_files(&self.parts, attempt)))
    }

    /// Merge patch that releases the Job; with `queueName` it only adds the queue label.
    #[must_use]
    pub fn release_patch(&self, uid: &str) -> Value {
        manifest::release_patch(uid, self.config.queue_name.as_deref())
    }

    /// The session label of an attempt's Job, as the guard compares it.
    #[must_use]
    pub fn session_label(&self, attempt: &Attempt) -> Option<String> {
        attempt.resume.as_deref().and_then(label_value)
    }

    /// The task id as label value.
    #[must_use]
    pub fn task_label(&self) -> Option<String> {
        self.task_id.as_deref().and_then(label_value)
    }

    /// The run id as label value; without one no Job of this run can be adopted.
    #[must_use]
    pub fn run_label(&self) -> Option<String> {
        label_value(&self.run_id)
    }

    /// Working directory of the run inside the pod.
    #[must_use]
    pub fn run_directory(&self) -> &str {
        &self.parts.run_directory
    }

    /// User of the container, as written into the Job.
    #[must_use]
    pub fn run_as_user(&self) -> Option<i64> {
        self.first.1.spec.as_ref()?.template.spec.as_ref()?.security_context.as_ref()?.run_as_user
    }
}

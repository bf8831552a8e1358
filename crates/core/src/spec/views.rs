//! A resolved run as its neighbours in the core see it: the guard, the run state, the outcome.

use super::RunSpec;
use crate::guard::{Claimant, keys};
use crate::outcome::RunFacts;
use crate::run::Bounds;
use crate::view::JobFacts;

impl RunSpec {
    /// The run as the guard compares it with others.
    #[must_use]
    pub fn claimant(&self) -> Claimant {
        Claimant {
            run_id: self.run_id.clone(),
            run_label: self.run_label(),
            task_id: self.task_id.clone(),
            session_id: self.first_attempt().resume.clone(),
            scope: self.config.concurrency_scope,
            reattach: self.config.reattach_orphaned_jobs,
        }
    }

    /// The time limits of a Job that was launched, or adopted.
    #[must_use]
    pub fn run_bounds(&self, adopted: bool) -> Bounds {
        Bounds {
            schedule: self.bounds.schedule,
            startup: self.bounds.startup,
            limit: self.bounds.timeout.map(|timeout| timeout + self.bounds.grace),
            queued: self.config.queue_name.is_some(),
            adopted,
        }
    }

    /// What is known about the run before it has a Job.
    #[must_use]
    pub fn facts(&self) -> RunFacts {
        RunFacts {
            namespace: self.namespace.clone(),
            warnings: self.warnings.clone(),
            degraded: self.degraded.clone(),
            timeout_seconds: self.bounds.timeout.map(|timeout| timeout.as_secs()),
            ..RunFacts::default()
        }
    }

    /// Nothing holds the Job back any more, or a queue does by its own rules.
    #[must_use]
    pub fn is_released(job: &JobFacts) -> bool {
        !job.suspended || job.labels.contains_key(keys::QUEUE_NAME)
    }
}

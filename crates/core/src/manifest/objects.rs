//! The objects of a plan, and the one way to a plan that certainly has them.

use k8s_openapi::api::core::v1::Secret;
use serde_json::Value;

use super::{job, payload};
use crate::attempt::Attempt;
use crate::config::Config;
use crate::failure::Refusal;
use crate::plan::{RunPlan, Surroundings};
use crate::request::RunRequest;
use crate::target::PayloadMode;
use crate::view::JobFacts;

impl RunPlan {
    /// Resolves a run completely. Nothing has been created when this refuses.
    ///
    /// # Errors
    /// Unusable ids, prompt, image, bundle or configuration, each with its own code and next step.
    pub fn resolve(request: &RunRequest, config: Config, surroundings: Surroundings) -> Result<Self, Refusal> {
        let mut plan = Self::decide(request, config, surroundings)?;
        // Built once to see every refusal now; what differs between attempts cannot be refused.
        let (_, warnings) = job::build(&plan.parts, &plan.first_attempt(), true)?;
        plan.warnings.extend(warnings.iter().map(ToString::to_string));
        Ok(plan)
    }

    /// The Job of an attempt, complete except for the queue label. `suspend` is false only without `jobs/patch`.
    /// Members of `podTemplate` that are newer than the compiled API types are in it.
    ///
    /// # Errors
    /// None that [`RunPlan::resolve`] would not have found.
    pub fn job(&self, attempt: &Attempt, suspend: bool) -> Result<Value, Refusal> {
        Ok(job::build(&self.parts, attempt, suspend)?.0)
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
        job::release_patch(uid, self.parts.config.queue_name.as_deref())
    }

    /// Merge patch that makes this process the Job's supervisor, if the Job is still what `job` says.
    #[must_use]
    pub fn adoption_patch(&self, job: &JobFacts) -> Value {
        job::adoption_patch(job, &self.parts.identity.supervisor)
    }
}

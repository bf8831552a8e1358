//! After the verdict: remove what the policy says, mark what stays. Bounded, and never changes the outcome (END-15).

use std::time::Duration;

use claude_k8s_core::guard::keys;
use claude_k8s_core::run::Fate;
use claude_k8s_core::view::JobFacts;
use futures_util::future::{try_join, try_join_all};
use serde_json::json;

use crate::api::retried;
use crate::failure::ApiFailure;
use crate::run::RunContext;

/// For all calls together.
const BUDGET: Duration = Duration::from_secs(10);

pub(super) async fn clean_up(run: &RunContext, job: &JobFacts, secrets: &[String], fate: Fate) {
    let work = async {
        match fate {
            Fate::Leave => Ok(()),
            Fate::Delete => retried(BUDGET, || run.namespace.delete_job(&job.name, &job.uid)).await,
            Fate::Retain => retain(run, job, secrets).await,
        }
    };
    let over_budget = |_| Err(ApiFailure::timed_out(format!("Removing Job `{}`", job.name), BUDGET));
    if let Err(failure) = tokio::time::timeout(BUDGET, work).await.unwrap_or_else(over_budget) {
        run.output.warn(&format!("clean-up: {failure}; the TTL of Job {} removes it, if it has one", job.name));
    }
}

/// A kept Job is marked as delivered, so that the next run of the task does not take it for an orphan (GRD-06).
async fn retain(run: &RunContext, job: &JobFacts, secrets: &[String]) -> Result<(), ApiFailure> {
    let mark = async {
        let patch = json!({ "metadata": { "uid": job.uid, "annotations": { keys::DELIVERED: "true" } } });
        if run.may_patch() {
            retried(BUDGET, || run.namespace.patch_job(&job.name, &patch)).await?;
        }
        Ok(())
    };
    let may_delete = run.permissions.allows("", "secrets", "delete");
    let removed =
        secrets.iter().filter(|_| may_delete).map(|name| retried(BUDGET, || run.namespace.delete_secret(name)));
    try_join(mark, try_join_all(removed)).await.map(drop)
}

//! An adopted Job has to show a pod or an end of its own; one that shows neither cannot be followed.

use claude_k8s_core::launch::{NotLaunched, UNFOLLOWABLE, not_followable};
use claude_k8s_core::view::{JobFacts, RunView};
use tokio::time::Instant;

use crate::run::RunContext;

/// Waits until there is something to follow. Time without contact does not count (END-02).
pub(super) async fn pod_or_end(run: &RunContext, job: &JobFacts) -> Result<(), NotLaunched> {
    let (_index, mut view) = run.index.subscribe(job);
    let mut left = UNFOLLOWABLE;
    loop {
        let seen = view.borrow_and_update().clone();
        if is_followable(&seen) || run.plan.is_queued(job) {
            return Ok(());
        }
        let in_contact = seen.stale_since.is_none();
        let since = Instant::now();
        let changed = async {
            tokio::select! {
                _ = view.changed() => true,
                () = tokio::time::sleep(left) => false,
            }
        };
        let changed = run.unless_stopped(changed).await?;
        if in_contact {
            left = left.saturating_sub(since.elapsed());
        }
        if left.is_zero() || (in_contact && !changed) {
            return Err(not_followable(&job.name).into());
        }
    }
}

fn is_followable(view: &RunView) -> bool {
    !view.pods.is_empty() || view.job.as_ref().is_none_or(|job| job.is_finished() || job.absent)
}

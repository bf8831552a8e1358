//! What the host hears about the Jobs of a run: `onMeta` and `onEvent`.

use claude_k8s_core::launch::reattached;
use claude_k8s_core::run::{job_created, job_finished, log_gaps};

use super::followed::Followed;
use crate::run::{RunContext, Supervised};

/// A Job is being followed from now on.
pub(super) async fn announce(run: &RunContext, followed: &Followed) {
    let (output, job) = (&run.output, &followed.job);
    if let Some(adoption) = followed.adopted {
        output.say(&reattached(adoption, job));
        output.meta(run.plan.adoption_meta(job)).await;
        return;
    }
    output.meta(run.plan.meta(&followed.attempt)).await;
    output.event(job_created(job, followed.attempt.number)).await;
}

/// Its end was seen, or given up.
pub(super) async fn ended(run: &RunContext, followed: &Followed, supervised: &Supervised) {
    let (output, job, log) = (&run.output, &followed.job, &supervised.ending.log);
    if let Some(text) = supervised.untold_stderr() {
        output.stderr(text);
    }
    for gap in log_gaps(job, log) {
        output.event(gap).await;
    }
    let end = supervised.ending.container.exit();
    output.event(job_finished(job, log, end, supervised.may_still_run())).await;
}

//! What the host hears about the Jobs of a run: `onMeta` and `onEvent`.

use claude_k8s_core::launch::reattached;
use serde_json::json;

use super::flow::Followed;
use crate::run::{RunContext, Supervised};

/// Gaps that become an event of their own each; all of them are counted.
const GAP_EVENTS: usize = 20;

/// A Job is being followed from now on.
pub(super) async fn announce(run: &RunContext, followed: &Followed) {
    let (output, job) = (&run.output, &followed.job);
    if let Some(adoption) = followed.adopted {
        output.say(&reattached(adoption, job));
        output.meta(run.plan.adoption_meta(job)).await;
        return;
    }
    output.meta(run.plan.meta(&followed.attempt)).await;
    let payload = json!({ "job": job.name, "uid": job.uid, "attempt": followed.attempt.number });
    output.event("k8s.job.created", "info", &format!("Job {} was created", job.name), payload).await;
}

/// Its end was seen, or given up.
pub(super) async fn ended(run: &RunContext, followed: &Followed, supervised: &Supervised) {
    let (output, job, log) = (&run.output, &followed.job, &supervised.ending.log);
    if let Some(text) = supervised.untold_stderr() {
        output.stderr(text);
    }
    for gap in log.gaps.iter().take(GAP_EVENTS) {
        let payload = json!({ "job": job.name, "gap": gap });
        output.event("k8s.log.gap", "warn", "A part of the container's log is missing", payload).await;
    }
    let end = supervised.ending.container.exit();
    let payload = json!({
        "job": job.name,
        "uid": job.uid,
        "exitCode": end.map(|end| end.exit_code),
        "reason": end.and_then(|end| end.reason.as_deref()),
        "logBytes": log.bytes,
        "logGaps": log.gaps.len(),
        "reconnects": log.reconnects,
    });
    let end = if supervised.may_still_run() { "is no longer followed; its pod may still run" } else { "ended" };
    output.event("k8s.job.finished", "info", &format!("Job {} {end}", job.name), payload).await;
}

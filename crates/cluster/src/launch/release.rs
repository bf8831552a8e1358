//! The last steps before a pod can start: nobody else, the host agrees, unsuspend.

use std::time::Duration;

use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::guard::may_release;
use claude_k8s_core::view::JobFacts;
use tokio::time::Instant;

use super::NotLaunched;
use super::guard::neighbours;
use crate::failure::{ApiFailure, FailureKind};
use crate::host::Notice;
use crate::run::RunContext;

/// Simultaneous launches settle among themselves within this time.
const SETTLE: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(500);
/// The release is repeated for this long.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn release(run: &RunContext, job: &JobFacts) -> Result<JobFacts, NotLaunched> {
    be_alone(run, job).await?;
    if let Some(order) = run.stop.get() {
        return Err(NotLaunched::Stopped(order));
    }
    announce(run, job).await?;
    if !run.may_patch() {
        // Created unsuspended: its mandatory Secret mounts held the pod until the payload was stored.
        return Ok(job.clone());
    }
    Ok(unsuspend(run, job).await?)
}

/// Every participant lists after its own create, so two can never both find themselves alone (GRD-03).
async fn be_alone(run: &RunContext, job: &JobFacts) -> Result<(), NotLaunched> {
    let started = Instant::now();
    loop {
        let neighbours = neighbours(run).await?;
        if may_release(&run.claimant, &job.uid, &neighbours, run.clock.now())? {
            return Ok(());
        }
        if started.elapsed() >= SETTLE {
            let message =
                format!("Another launch of this agent did not settle within {} s; run again", SETTLE.as_secs());
            return Err(Refusal::new(ErrorCode::ConcurrentRunBlocked, message).transient(Some(60)).into());
        }
        run.unless_stopped(tokio::time::sleep(STEP)).await.map_err(NotLaunched::Stopped)?;
    }
}

/// The host is told exactly once, immediately before the release; only its launch acknowledgement can object.
async fn announce(run: &RunContext, job: &JobFacts) -> Result<(), Refusal> {
    run.output.notice(Notice::Dispatch).await;
    let launched = Notice::Launched {
        job_name: job.name.clone(),
        job_uid: job.uid.clone(),
        namespace: run.namespace.name.clone(),
        run_id: run.claimant.run_id.clone(),
    };
    run.output.acknowledged(launched).await.map_err(|cause| {
        let message = format!("The host did not acknowledge the launch of Job `{}`: {cause}", job.name);
        Refusal::new(ErrorCode::JobIdentityUnacknowledged, message)
    })
}

async fn unsuspend(run: &RunContext, job: &JobFacts) -> Result<JobFacts, Refusal> {
    let patch = run.spec.release_patch(&job.uid);
    let started = Instant::now();
    let mut pause = Duration::from_millis(500);
    loop {
        let failure = match run.namespace.patch_job(&job.name, &patch).await {
            Ok(released) => return Ok(JobFacts::read(&released)),
            Err(failure) => failure,
        };
        if failure.is_ambiguous()
            && let Ok(found) = run.namespace.get_job(&job.name).await
            && found.metadata.uid.as_deref() == Some(&job.uid)
            && run.spec.is_released(&JobFacts::read(&found))
        {
            return Ok(JobFacts::read(&found));
        }
        if !failure.is_transient() || started.elapsed() >= PATIENCE {
            return Err(not_released(&failure));
        }
        tokio::time::sleep(failure.retry_after.unwrap_or(pause)).await;
        pause = (pause * 2).min(Duration::from_secs(10));
    }
}

fn not_released(failure: &ApiFailure) -> Refusal {
    match failure.kind {
        FailureKind::NotFound => Refusal::new(
            ErrorCode::JobDeletedExternally,
            format!("The Job was deleted before it was started: {failure}"),
        ),
        FailureKind::Forbidden => {
            let message = format!("{failure}; grant `patch` on `jobs`, see `deploy/`");
            Refusal::new(ErrorCode::RbacInsufficient, message)
        }
        _ if failure.is_transient() => Refusal::new(ErrorCode::JobCreateFailed, failure.to_string()).transient(None),
        _ => Refusal::new(ErrorCode::JobCreateFailed, failure.to_string()),
    }
}

//! The end of a pod whose Job stays (`retainJobs`).

use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::Call;
use claude_k8s_core::run::pod_not_kept;
use claude_k8s_core::view::{JobFacts, PodFacts};

use super::RunContext;
use crate::api::patiently;

/// Bounds a pod that may go on after its run, which keeps its log.
///
/// # Errors
/// It was not possible.
pub(crate) async fn bound_pod(run: &RunContext, pod: &PodFacts, after: Duration) -> Result<(), ApiFailure> {
    settled(Call::EndPod, || run.namespace.end_pod(&pod.name, &pod.uid, after)).await
}

/// Ends the pod: alone, which keeps its log, or else by the Job, which says so.
///
/// # Errors
/// Neither was possible.
pub(crate) async fn end_pod(run: &RunContext, job: &JobFacts, pod: Option<&PodFacts>) -> Result<(), ApiFailure> {
    let alone = match pod {
        Some(pod) => settled(Call::EndPod, || run.namespace.end_pod(&pod.name, &pod.uid, Duration::ZERO)).await,
        None => return settled(Call::EndJob, || run.namespace.end_job(&job.name, &job.uid)).await,
    };
    let Err(failure) = alone else { return Ok(()) };
    settled(Call::EndJob, || run.namespace.end_job(&job.name, &job.uid)).await?;
    run.output.warn(&pod_not_kept(&failure, job));
    Ok(())
}

async fn settled<F>(call: Call, make: impl FnMut() -> F) -> Result<(), ApiFailure>
where
    F: Future<Output = Result<(), ApiFailure>>,
{
    match patiently(call, make).await {
        Err(failure) if !call.knows_by(failure.kind) => Err(failure),
        _ => Ok(()),
    }
}

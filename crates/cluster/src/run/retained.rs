//! The end of a pod whose Job stays (`retainJobs`).

use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::Call;
use claude_k8s_core::run::pod_not_kept;
use claude_k8s_core::view::{JobFacts, PodFacts};

use super::RunContext;
use crate::api::{Asking, patiently};

/// Bounds a pod that may go on after its run, which keeps its log.
///
/// # Errors
/// It was not possible.
pub(crate) async fn bound_pod(
    run: &RunContext,
    asking: &Asking,
    pod: &PodFacts,
    after: Duration,
) -> Result<(), ApiFailure> {
    known(Call::EndPod, asking.for_answer(Call::EndPod, || run.namespace.end_pod(&pod.name, &pod.uid, after)).await)
}

/// Ends the pod: alone, which keeps its log, or else by the Job, which says so.
///
/// # Errors
/// Neither was possible.
pub(crate) async fn end_pod(run: &RunContext, job: &JobFacts, pod: Option<&PodFacts>) -> Result<(), ApiFailure> {
    let by_the_job =
        async || known(Call::EndJob, patiently(Call::EndJob, || run.namespace.end_job(&job.name, &job.uid)).await);
    let Some(pod) = pod else { return by_the_job().await };
    let end = || run.namespace.end_pod(&pod.name, &pod.uid, Duration::ZERO);
    let Err(failure) = known(Call::EndPod, patiently(Call::EndPod, end).await) else { return Ok(()) };
    by_the_job().await?;
    run.output.warn(&pod_not_kept(&failure, job));
    Ok(())
}

fn known(call: Call, answer: Result<(), ApiFailure>) -> Result<(), ApiFailure> {
    match answer {
        Err(failure) if !call.knows_by(failure.kind) => Err(failure),
        _ => Ok(()),
    }
}

//! Reads what explains a start that takes long. What it means is decided in the core.

use claude_k8s_core::launch::Call;
use claude_k8s_core::names::key;
use claude_k8s_core::run::{self, Cause};
use claude_k8s_core::view::RunView;

use crate::api::{Namespace, patiently};

/// The causes, oldest first, each once. Empty when events may not be read.
pub(crate) async fn causes(namespace: &Namespace, view: &RunView) -> Vec<Cause> {
    let uids = view.job.iter().map(|job| job.uid.as_str()).chain(view.pods.iter().map(|pod| pod.uid.as_str()));
    let mut events = Vec::new();
    for uid in uids {
        events.extend(patiently(Call::Events, || namespace.events_of(uid)).await.unwrap_or_default());
    }
    // A queue speaks of the workload that it made of the Job.
    let queued = view.job.as_ref().filter(|job| job.suspended && job.labels.contains_key(key::QUEUE_NAME));
    if let Some(job) = queued {
        let of_workloads = patiently(Call::Events, || namespace.events_of_kind("Workload")).await.unwrap_or_default();
        events.extend(of_workloads.into_iter().filter(|event| run::is_of_workload(event, &job.name)));
    }
    run::causes(events)
}

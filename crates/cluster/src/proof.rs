//! "Deleted" is a claim that needs proof: two reads by name, a second apart (END-07).

use std::time::Duration;

use claude_k8s_core::run::{Proof, ProofOf};
use claude_k8s_core::view::RunView;

use crate::api::Namespace;
use crate::failure::{ApiFailure, FailureKind};

/// Between the two reads.
const APART: Duration = Duration::from_secs(1);

/// Asks the API server, not the watch.
pub(crate) async fn prove(namespace: &Namespace, of: ProofOf, view: &RunView) -> Proof {
    let first = ask(namespace, of, view).await;
    if first == Proof::Gone {
        tokio::time::sleep(APART).await;
        return ask(namespace, of, view).await;
    }
    first
}

async fn ask(namespace: &Namespace, of: ProofOf, view: &RunView) -> Proof {
    let (found, uid) = match (of, &view.job, view.pod()) {
        (ProofOf::Job, Some(job), _) => (namespace.get_job(&job.name).await.map(|one| one.metadata.uid), &job.uid),
        (ProofOf::Pod, _, Some(pod)) => (namespace.get_pod(&pod.name).await.map(|one| one.metadata.uid), &pod.uid),
        _ => return Proof::Unknown,
    };
    match found {
        Ok(Some(found)) if found == *uid => Proof::Present,
        Ok(_) => Proof::OtherUid,
        Err(ApiFailure { kind: FailureKind::NotFound, .. }) => Proof::Gone,
        Err(_) => Proof::Unknown,
    }
}

//! The job controller of kube-controller-manager, one task per Job.
//!
//! ```text
//!  Job unsuspended ─▶ pod ─▶ pod finished ─0.9 s─▶ SuccessCriteriaMet / FailureTarget ─10 ms, no pod left─▶ Complete / Failed ─▶ TTL
//!  Job suspended   ─▶ pods deleted, startTime cleared; the next release creates a new pod
//! ```
//!
//! Level-triggered: [`sync::JobSync::sync`] looks at the current state, does the next step and says when to look again.

mod pods;
mod sync;

use std::sync::Arc;

use sync::{JobSync, Next};
use tokio::time::sleep_until;

use crate::cluster::{Cluster, Topic};
use crate::objects::store::Key;

/// Starts to look after a new Job.
pub(crate) fn start(cluster: &Arc<Cluster>, key: Key, uid: String) {
    let task = run(Arc::clone(cluster), JobSync::new(key, uid));
    cluster.spawn(task);
}

/// Creates one more pod for a Job, as the real controller may (rarely) do.
pub(crate) fn create_extra_pod(cluster: &Arc<Cluster>, key: &Key) -> bool {
    cluster.update(|state| {
        let job = state.store.get(key).cloned();
        job.is_some_and(|job| pods::create(cluster, state, &job).is_ok())
    })
}

async fn run(cluster: Arc<Cluster>, mut job: JobSync) {
    let mut changes = cluster.subscribe(Topic::Object(job.uid()));
    loop {
        changes.borrow_and_update();
        match cluster.update(|state| job.sync(&cluster, state)) {
            Next::Ended => return,
            Next::OnChange => {
                if changes.changed().await.is_err() {
                    return;
                }
            }
            Next::At(instant) => tokio::select! {
                biased;
                result = changes.changed() => if result.is_err() { return },
                () = sleep_until(instant) => {}
            },
        }
    }
}

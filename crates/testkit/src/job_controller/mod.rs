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
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep_until;

use crate::cluster::arrival::Arrival;
use crate::cluster::{Cluster, Topic};

/// Looks after every Job that arrives.
pub(crate) async fn run(cluster: Arc<Cluster>, mut jobs: UnboundedReceiver<Arrival>) {
    while let Some(Arrival { key, uid }) = jobs.recv().await {
        cluster.spawn(look_after(Arc::clone(&cluster), JobSync::new(key, uid)));
    }
}

async fn look_after(cluster: Arc<Cluster>, mut job: JobSync) {
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

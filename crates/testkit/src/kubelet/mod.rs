//! Scheduler and kubelet of the one simulated node: one task per pod.
//!
//! ```text
//!  pod ─▶ pod.rs: scheduled, accepted ─▶ prepare.rs, container.rs ─▶ script_run.rs or process.rs
//!                    │ deletion, deadline, eviction                                          │ stdout, stderr
//!                    ▼                                                                       ▼
//!         phase, removal of the object ◀── exit ─── terminated state             ContainerLog ─▶ log requests
//! ```

mod container;
mod image;
mod nodes;
mod paths;
mod pod;
mod post;
mod prepare;
mod process;
mod script_run;
mod variables;
mod volumes;

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::cluster::Cluster;
use crate::cluster::arrival::Arrival;

/// Name of the node.
const NODE: &str = "sim-node";
/// Address of the node.
const NODE_IP: &str = "10.0.0.1";

/// Looks after every pod that arrives.
pub(crate) async fn run(cluster: Arc<Cluster>, mut pods: UnboundedReceiver<Arrival>) {
    while let Some(Arrival { key, uid }) = pods.recv().await {
        cluster.spawn(pod::run(Arc::clone(&cluster), key, uid));
    }
}

/// What a container is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Signal {
    Run,
    Terminate,
    Kill,
    OutOfMemory,
}

//! Scheduler and kubelet of the one simulated node: one task per pod.
//!
//! ```text
//!  pod ─▶ pod.rs: scheduled, accepted ─▶ prepare.rs, container.rs ─▶ script_run.rs or process.rs
//!                    │ deletion, deadline, eviction                                          │ stdout, stderr
//!                    ▼                                                                       ▼
//!         phase, removal of the object ◀── exit ─── terminated state             ContainerLog ─▶ log requests
//! ```

mod container;
mod environment;
mod image;
mod paths;
mod pod;
mod post;
mod prepare;
mod process;
mod script_run;
mod volumes;

use std::sync::Arc;

use crate::cluster::Cluster;
use crate::objects::store::Key;

/// Name of the node.
pub(crate) const NODE: &str = "sim-node";
/// Address of the node.
pub(crate) const NODE_IP: &str = "10.0.0.1";

/// Starts to look after a new pod.
pub(crate) fn start(cluster: &Arc<Cluster>, key: Key, uid: String) {
    cluster.spawn(pod::run(Arc::clone(cluster), key, uid));
}

/// What a container is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signal {
    Run,
    Terminate,
    Kill,
    OutOfMemory,
}

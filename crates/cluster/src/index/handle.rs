//! How a run comes to the facts about its Job.

use std::sync::Arc;

use claude_k8s_core::view::{JobFacts, RunView};
use tokio::sync::watch;

use super::NamespaceIndex;

/// The index that serves a run. It may stop when nobody listens; subscribing starts it again.
pub(crate) struct IndexHandle {
    /// The one that runs, or a new one.
    running: Box<dyn Fn() -> Arc<NamespaceIndex> + Send + Sync>,
}

impl IndexHandle {
    pub(crate) fn new(running: impl Fn() -> Arc<NamespaceIndex> + Send + Sync + 'static) -> Self {
        Self { running: Box::new(running) }
    }

    /// Facts about a Job. The index lives as long as the returned handle.
    pub(crate) fn subscribe(&self, known: &JobFacts) -> (Arc<NamespaceIndex>, watch::Receiver<RunView>) {
        loop {
            let index = (self.running)();
            // `None`: it was just stopping for want of listeners.
            if let Some(view) = index.subscribe(known.clone()) {
                return (index, view);
            }
        }
    }
}

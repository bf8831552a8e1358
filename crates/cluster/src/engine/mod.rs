//! State that is unique per process, and the way of one run through it.
//!
//! ```text
//!  execute ─▶ prepare ─▶ attempt: launch ─▶ supervise ─▶ conclude ─▶ clean up
//!                 │          ▲                               │
//!             connections    └── fresh attempt, or own Job ◀─┘
//!             permissions        after an adopted one
//!             own pod, index
//! ```

mod cache;
mod claims;
mod cleanup;
mod doctor;
mod execute;
mod flow;
mod operate;
mod own_pod;
mod panic;
mod prepare;
mod reattach;
mod render;
mod reports;
mod surroundings;

use std::sync::Arc;

use claude_k8s_core::connect::ConnectError;
use claude_k8s_core::view::{JobFacts, RunView};
use tokio::sync::watch;

use self::cache::Cache;
use crate::api::Namespace;
use crate::connect::{Connection, Credentials};
use crate::index::NamespaceIndex;
use crate::permissions::Asked;
use crate::run::Following;

pub use operate::{Action, OperatorRequest};
pub use panic::keep_panic_text;
pub use render::{MaskedSecret, Rendered};

/// Opens a connection. Blocking: credential plugins run here.
type Connect = dyn Fn(&Credentials) -> Result<Connection, ConnectError> + Send + Sync;

/// Connections, indexes, locks and short-lived knowledge, shared by every run of the process.
#[derive(Clone)]
pub struct Engine {
    connect: Arc<Connect>,
    shared: Arc<Shared>,
}

impl Default for Engine {
    fn default() -> Self {
        Self::connecting_by(Connection::open)
    }
}

impl Engine {
    /// An engine whose connections are opened by `connect`: for tests, on a cluster in memory.
    #[must_use]
    pub fn connecting_by(
        connect: impl Fn(&Credentials) -> Result<Connection, ConnectError> + Send + Sync + 'static,
    ) -> Self {
        Self { connect: Arc::new(connect), shared: Arc::default() }
    }
}

#[derive(Default)]
struct Shared {
    connections: Cache<Identity, Connection>,
    indexes: Cache<(Identity, String), NamespaceIndex>,
    permissions: Cache<(Identity, String), tokio::sync::Mutex<Option<Arc<Asked>>>>,
    own_pods: Cache<(Identity, String), own_pod::Read>,
    claims: Cache<(String, String), claims::Modes>,
    launch_locks: Cache<(Identity, String, String), tokio::sync::Mutex<()>>,
    following: Following,
}

/// The index that serves a run. It may stop when nobody listens; subscribing starts it again.
pub(crate) struct IndexHandle {
    engine: Engine,
    identity: Identity,
    namespace: Namespace,
}

impl IndexHandle {
    /// Facts about a Job. The index lives as long as the returned handle.
    pub(crate) fn subscribe(&self, known: &JobFacts) -> (Arc<NamespaceIndex>, watch::Receiver<RunView>) {
        let indexes = &self.engine.shared.indexes;
        loop {
            indexes.sweep(NamespaceIndex::is_running);
            let key = (self.identity.clone(), self.namespace.name.clone());
            let index = indexes
                .get_or_make(key.clone(), NamespaceIndex::is_running, || NamespaceIndex::start(self.namespace.clone()));
            match index.subscribe(known.clone()) {
                Some(view) => return (index, view),
                // It was just stopping for want of listeners.
                None => indexes.forget(&key),
            }
        }
    }
}

/// Whose connection it is. A runtime that was shut down takes its connections with it (`docs/internals/napi.md` 6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    credentials: String,
    runtime: tokio::runtime::Id,
}

impl Identity {
    fn here(credentials: String) -> Self {
        Self { credentials, runtime: tokio::runtime::Handle::current().id() }
    }
}

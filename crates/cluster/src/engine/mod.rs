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
mod followed;
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

use self::cache::Cache;
use crate::api::Namespace;
use crate::connect::{Connection, Credentials};
use crate::index::{IndexHandle, NamespaceIndex};
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

    /// One index per namespace serves all its runs.
    fn index(&self, identity: Identity, namespace: Namespace) -> IndexHandle {
        let shared = Arc::clone(&self.shared);
        let key = (identity, namespace.name.clone());
        IndexHandle::new(move || {
            shared.indexes.sweep(NamespaceIndex::is_running);
            let start = || NamespaceIndex::start(namespace.clone());
            shared.indexes.get_or_make(key.clone(), NamespaceIndex::is_running, start)
        })
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

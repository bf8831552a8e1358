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
mod cleanup;
mod environment;
mod execute;
mod flow;
mod own_pod;
mod panic;
mod prepare;
mod surroundings;

use std::sync::Arc;

use self::cache::Cache;
use crate::connect::Connection;
use crate::index::NamespaceIndex;
use crate::permissions::Permissions;
use crate::run::Following;

pub use panic::keep_panic_text;

/// Connections, indexes, locks and short-lived knowledge, shared by every run of the process.
#[derive(Default, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    connections: Cache<Identity, Connection>,
    indexes: Cache<(Identity, String), NamespaceIndex>,
    permissions: Cache<(Identity, String), Permissions>,
    own_pods: Cache<(Identity, String), own_pod::Read>,
    launch_locks: Cache<(Identity, String, String), tokio::sync::Mutex<()>>,
    following: Following,
}

/// Whose connection it is. A runtime that was shut down takes its connections with it (`facts/napi.md` 6).
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

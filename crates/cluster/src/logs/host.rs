//! The host's side of the log.

use claude_k8s_core::log::Stream;
use futures_util::future::BoxFuture;

/// Where the log goes: `ctx.onLog`, wrapped by the addon.
pub trait HostLog: Send + Sync {
    /// Hands over one chunk. Never called again before the answer: that is the order guarantee (HST-03).
    ///
    /// The future may fail, and may never be ready: [`super::deliver`] bounds it.
    fn log(&self, stream: Stream, chunk: String) -> BoxFuture<'_, Result<(), HostError>>;
}

/// The host's callback threw, rejected or could not be called. Counted, never fatal (HST-02).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

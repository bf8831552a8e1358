//! Log transport: from the kubelet to the host, exactly once, whatever the connections do.
//!
//! ```text
//!  LogSource ──chunks──▶ follow ──every new line──▶ parser hook (raw bytes, at once)
//!  pods/log              │  ▲  asks core::log
//!      ContainerPhase ───┘  │                     Spool (12 MiB)
//!      (shared watch)       └──lines, statuses──▶ ═══════════════ ──▶ deliver ──one awaited call──▶ HostLog
//!                              run's own statuses ────▲                 redaction, whole lines, ≤ 60 KiB
//! ```
//!
//! The reader never waits for the host until the spool is full, because a blocked reader makes the kubelet skip a
//! rotated file (`docs/internals/kubernetes.md` 1.6). The end of a connection is never the end of a run: only the phase
//! is.

mod api;
mod chunk;
mod deliver;
mod follow;
mod gather;
mod host;
mod report;
mod source;
mod spool;

pub use api::ClusterLogs;
pub use deliver::{DeliveryReport, deliver};
pub use follow::follow;
pub use host::{HostError, HostLog};
pub use report::{LogReport, Tail};
pub use source::{ContainerPhase, LogBody, LogQuery, LogSource, LogTarget, OpenError, ReadError};
pub use spool::{SPOOL_BYTES, SpoolReader, SpoolWriter, spool};

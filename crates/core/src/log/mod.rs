//! The log of a container, exactly once: bytes of many connections in, every line once or a reported gap out.
//!
//! ```text
//!  chunk ──LineFramer──▶ raw line ──Line::parse──▶ time + text ──LogCursor──▶ LogEvent::{Line, Unterminated, Gap}
//!                                                                  │  ▲
//!                                              since() for the next│  │replay of the next connection
//!                                                                  ▼  │
//!                                                         window of delivered lines
//! ```
//!
//! The end of a connection, an error and silence all mean nothing here: what is new is decided by *position*, by
//! finding the delivered tail inside the replay (`facts/kubernetes.md` 2). Nothing here opens a connection.

mod cursor;
mod event;
mod finish;
mod framer;
mod line;
mod notice;
mod overlap;
mod record;
mod replay;
mod time;
mod whole_file;
mod window;

pub use cursor::{Connection, LogCursor, ReadEnd};
pub use event::{Gap, GapReason, LogCounters, LogEvent, Stream};
pub use finish::{Finish, FinishStep, Proof};
pub use framer::LineFramer;
pub use line::Line;
pub use notice::is_notice;
pub use record::Record;
pub use time::LogTime;
pub use whole_file::{WholeFile, WholeFileVerdict};

/// What the container does, as far as reading its log is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerPhase {
    /// Not started.
    Waiting,
    /// Running.
    Running,
    /// Running, its pod is being deleted: the open stream is the only source of the tail (LOG-12).
    Deleting,
    /// Ended.
    Terminated {
        /// Its pod is being deleted or gone.
        pod_deleted: bool,
    },
    /// The pod is gone, or nothing more will be known about it.
    Gone,
}

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
//! finding the delivered tail inside the replay (`docs/internals/kubernetes.md` 2). Nothing here opens a connection.

mod cursor;
mod event;
mod finish;
mod first_line;
mod follow_end;
mod framer;
mod line;
mod notice;
mod overlap;
mod phase;
mod record;
mod replay;
mod time;
mod torn;
mod whole_file;
mod window;

pub use cursor::{Connection, CursorLimits, LogCursor, ReadEnd};
pub use event::{Gap, GapReason, LogCounters, LogEvent, Stream};
pub use finish::{Finish, FinishStep, Proof};
pub use first_line::FIRST_LINE;
pub use follow_end::FollowEnds;
pub use framer::LineFramer;
pub use line::Line;
pub use notice::is_notice;
pub use phase::ContainerPhase;
pub use record::Record;
pub use time::LogTime;
pub use whole_file::{WholeFile, WholeFileVerdict};

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
//!
//! Three rooms: `body` (bytes to lines), `align` (what of them is new), `capture` (when to connect and when to stop).

mod align;
mod body;
mod capture;
mod epilogue;
mod own_lines;
mod stream;

pub use align::{Connection, CursorLimits, Gap, GapReason, LogCounters, LogCursor, LogEvent, ReadEnd};
pub use body::{FIRST_LINE, LONGEST_LINE, Line, LineFramer, LogTime, Record, is_notice, without_split_end};
pub use capture::{
    Action, BodyEnd, Capture, ContainerPhase, Delivery, Event, Intake, Outage, PAGE_INSTEAD, Refusal, Shown, Tail,
};
pub use epilogue::{END_LINE_BEGIN, EndLine, Epilogue, EpilogueEvent, STDERR_TAIL, end_line, stderr_line};
pub use own_lines::{FOREIGN, OWN, told_apart};
pub use stream::Stream;

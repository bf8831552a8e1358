//! What is new in a connection: the delivered tail is found inside the replay, by position.

mod cursor;
mod event;
mod gaps;
mod overlap;
mod replay;
mod window;

pub use cursor::{Connection, CursorLimits, LogCursor, ReadEnd};
pub use event::{LogCounters, LogEvent};
pub use gaps::{Gap, GapReason};

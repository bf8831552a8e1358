//! What is new in a connection: the delivered tail is found inside the replay, by position.

mod cursor;
mod event;
mod gaps;
mod long;
mod overlap;
mod pace;
mod replay;
mod window;

pub(super) use cursor::SMALLEST_FILE;
pub use cursor::{Connection, CursorLimits, LogCursor, ReadEnd};
pub use event::{LogCounters, LogEvent};
pub use gaps::{Gap, GapReason};

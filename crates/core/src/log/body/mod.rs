//! Bytes of one connection to lines: cut, split into time and text, recognised as a notice or as a half.

mod characters;
mod first_line;
mod framer;
mod line;
mod notice;
mod record;
mod time;
mod torn;

pub use characters::without_split_end;
pub use first_line::FIRST_LINE;
pub(super) use first_line::shows_a_start;
pub use framer::{LONGEST_LINE, LineFramer};
pub use line::Line;
pub use notice::is_notice;
pub(super) use notice::notice_start;
pub use record::Record;
pub(super) use record::hash;
pub use time::LogTime;
pub(super) use torn::mended;

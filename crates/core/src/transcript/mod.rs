//! What the output of Claude Code says: an incremental reader of `--output-format stream-json`.
//!
//! ```text
//!  container line ─▶ Transcript::line ─▶ event (typed, borrowed) ─▶ counters, tools in flight, texts
//!                          │                                  └──▶ LastResult (kept whole, trimmed), Spending
//!                          └─▶ OutputTail (last 32 KiB, for runs without a result)
//! ```
//!
//! Memory is bounded whatever the length of the log (LOG-13) and no line can stop the reader (RES-04). It states
//! facts about the stream; what they mean for the run is decided in [`crate::outcome`].

mod activity;
mod event;
mod facts;
mod last_result;
mod lenient;
mod output_tail;
mod reader;
mod repair;
mod skim;
mod texts;
mod tool_calls;
mod usage;

pub use activity::{Activity, OpenTool};
pub use last_result::LastResult;
pub use reader::Transcript;
pub use usage::Usage;

pub(crate) use last_result::{start_of, trim_members};

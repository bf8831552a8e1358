//! What a call that failed means for a run: the call table, and what is said when a step of the launch fails.
//!
//! ```text
//!  ApiFailure ─▶ Call::reaction (calls: one row per call) ─▶ Again: the same call, in the row's pace
//!                                                         ├▶ Known: the answer itself says what was asked
//!                                                         ├▶ Without: the run goes on
//!                                                         └▶ Final, Later ─▶ refusals: code, wording, retry
//! ```
//! `crates/cluster` makes the calls and brings the failures here. What changes about one changes in its row.

mod calls;
mod guard;
mod pace;
mod refusals;
mod rows;
mod said;
mod stop;
mod unanswered;
mod warned;

pub use calls::{Call, Consequence, End, Reaction, Row};
pub use guard::{Look, UNSETTLED, named_job, next, not_settled, waiting_for_pods};
pub use pace::Pace;
pub use refusals::*;
pub use said::*;
pub use stop::{NotLaunched, StopOrder};
pub use unanswered::{Unanswered, Whether};
pub use warned::{unknown_fields, warning_texts};

//! The verdict: from what was observed to the result the host stores.
//!
//! ```text
//!  Evidence ─▶ Seen (questions the table asks) ─▶ table: first matching row ─▶ Verdict
//!                 ▲                                          │ texts: messages
//!                 └── class: what a failed result means      ▼
//!                                        build: Verdict + Evidence ─▶ RunResult (the host's object)
//! ```
//!
//! [`decide`] is the decision table of the package. Success needs positive evidence; an unknown exit code is never
//! one. Nothing here knows how the evidence was gathered.

mod build;
mod cause;
mod claims;
mod class;
mod ending;
mod evidence;
mod good;
mod mcp;
mod messages;
mod plain_text;
mod planned;
mod result;
mod result_json;
mod seen;
mod start_failure;
mod table;
mod verdict;

pub use build::{decide, not_launched, refused};
pub use cause::wants_fresh_attempt;
pub use ending::{ContainerEnd, Deletion, Ending, LogSummary, PlatformLoss, Stop};
pub use evidence::{AdoptedRun, Billing, Evidence, RunFacts, SessionFacts};
pub use good::{is_final, is_good};
pub use mcp::mcp_warnings;
pub use result::{ExecutionRecovery, RunResult, SessionFields, Tokens, UsageFields};
pub use start_failure::{StartCause, StartFailure};

pub(crate) use start_failure::says_the_same;

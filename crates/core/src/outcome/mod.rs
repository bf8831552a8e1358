//! The verdict: from what was observed to the result the host stores.
//!
//! [`decide`] is the decision table of the package (first matching row wins) and [`RunResult`] its answer.
//! Success needs positive evidence; an unknown exit code is never one.

mod evidence;

pub use evidence::{
    AdoptedRun, Billing, ContainerEnd, Deletion, Evidence, LogSummary, PlatformLoss, RunFacts, SessionFacts,
    StartFailure, Stop,
};

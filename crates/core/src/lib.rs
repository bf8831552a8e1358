//! Decisions of the adapter. Values in, values out: no I/O, clock, task, environment or global.
//!
//! ```text
//!  RunRequest ──config──▶ Config ──plan──▶ RunPlan ──manifest──▶ Job, Secrets
//!                                             │
//!  Job and Pod objects ──view──▶ RunView ─────┤
//!  container log bytes ──log──▶ lines ──┬─────┴──▶ run: RunState::on(Input, now) ─▶ Commands
//!                                       └─transcript──▶ Transcript ─┐        │
//!                                                                   ▼        ▼ Ending
//!                                                    outcome: decide(Evidence) ─▶ RunResult
//! ```
//!
//! Everything here can be tested with an array in and an array out.
#![forbid(unsafe_code)]

pub mod answers;
pub mod api_failure;
pub mod attempt;
pub mod certificate;
pub mod config;
pub mod connect;
pub mod doctor;
pub mod failure;
pub mod files;
pub mod guard;
pub mod launch;
pub mod log;
pub mod manifest;
pub mod names;
pub mod operate;
pub mod outcome;
pub mod own_pod;
pub mod paths;
pub mod permissions;
pub mod plan;
pub mod redact;
pub mod request;
pub mod run;
pub mod session;
mod table;
pub mod target;
pub mod transcript;
pub mod view;

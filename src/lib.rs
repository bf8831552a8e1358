//! Node addon: turns JavaScript values into core types and back. Nothing is decided here.
//!
//! ```text
//!  JavaScript          src/ (this crate)       crates/cluster           crates/core
//!  startRun(json) ───▶ Run ─────RunRequest───▶ Engine::execute ─Input─▶ RunState::on
//!  onLog(chunk)   ◀─── JsHost ◀──chunks─────── deliver ◀─────lines───── LogCursor
//!  run.cancel()   ───▶ StopSwitch ───order───▶ supervise ◀───Command───────┘
//!  run.wait()     ◀─── result JSON ◀────────── RunResult ◀── outcome::decide
//!                      napi, tokio             kube, tokio              no I/O, no clock
//! ```
//!
//! Arrows between crates: `src → cluster → core`. Never back.
//! A panic in a synchronous export would abort Node: all of them catch it, and asynchronous ones reject.
#![expect(clippy::needless_pass_by_value, reason = "values that cross Node-API are owned")]

pub mod callback;
pub mod doctor;
pub mod info;
pub mod operate;
mod pending;
pub mod render;
pub mod run;
mod runtime;

//! Whole runs in paused time on the simulated cluster: real Job, real pod life, hours of it in no time.
//!
//! ```text
//!  World (cluster, image) ─▶ Process (one host process) ─▶ Call (one execute) ─▶ RunResult
//!    │ knobs bend it                                         └▶ Heard (what the host was told, and when)
//! ```

mod api;
mod cancel;
mod claude;
mod deadline;
mod heard;
mod launches;
mod log;
mod loss;
mod orphans;
mod silence;
mod start;
pub(crate) mod world;

//! Whole runs in paused time on the simulated cluster: real Job, real pod life, hours of it in no time.
//!
//! ```text
//!  World (cluster, image) ─▶ Process (one host process) ─▶ Call (one execute) ─▶ RunResult
//!    │ knobs bend it                                         └▶ Heard (what the host was told, and when)
//! ```

mod adoption;
mod api;
mod attempts;
mod budget;
mod cancel;
mod claude;
mod cleanup;
mod clocks;
mod deadline;
mod doctor;
mod guard;
mod heard;
mod host;
mod launch;
mod live;
mod log;
mod loss;
mod matrix;
mod orphans;
mod own_pod;
mod own_word;
mod permissions;
mod random;
mod reads;
mod requests;
mod silence;
mod silent_watch;
mod situations;
mod start;
mod stop;
mod volumes;
mod wakes;
mod world;

//! Skills and instructions on the host's disk: read for every run, copied to the shared data volume when there is one.
//!
//! ```text
//!  skill directories ─read─▶ BundleSources ─plan::resolve─▶ BundlePlan ─┬─ Directory ─write─▶ <prompt cache>/<key>
//!  instructions file ──┘                                                └─ Secrets (payload of the Job)
//! ```
//! Files are copied, links that leave a skill are skipped: the pod's image has other files than the host.

mod read;
#[cfg(test)]
mod tests;
mod walk;
mod write;

pub use read::read;
pub use write::write;

//! Skills and instructions on the host's disk: read for every run, and copied to the shared data volume when they are
//! too large for Secrets.
//!
//! ```text
//!  skill directories ─read─▶ BundleSources ─plan::resolve─▶ BundlePlan ─┬─ Directory ─write─▶ <prompt cache>/<key>
//!  instructions file ──┘                                                └─ with the payload
//! ```
//! Files are copied, links that leave a skill are skipped: the pod's image has other files than the host, and what an
//! agent links to is not for the agent because of that.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::read;
pub use write::write;

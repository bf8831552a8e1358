//! From the decided parts of a run to Kubernetes objects: one Job and its payload Secrets.
//!
//! ```text
//!  plan::RunPlan ─▶ Parts ─┬─ labels, container, script, volumes ─▶ Job ─ pod_template ─▶ merged last
//!                          └─ payload (prompt, env values, mcp.json, settings.json, bundle) ─▶ Secrets or staged files
//! ```
//!
//! Nothing is decided about the run here; nothing is sent anywhere.

mod container;
mod job;
mod labels;
mod mounts;
mod objects;
mod own_pod_rules;
mod payload;
mod pod;
mod script;
mod settings_file;
mod staged_files;

pub use staged_files::{StagedFile, Staging};

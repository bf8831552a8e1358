//! From the decided parts of a run to Kubernetes objects: one Job and its payload Secrets.
//!
//! ```text
//!  spec::resolve ─▶ Parts ─┬─ labels, container, script, volumes ─▶ Job ─ pod_template ─▶ merged last
//!                          └─ payload (prompt, env values, mcp.json, settings.json, bundle) ─▶ Secrets or staged files
//! ```
//!
//! Nothing is decided about the run here; nothing is sent anywhere.

mod args;
mod container;
pub(crate) mod environment;
mod expansion;
mod http_url;
mod job;
mod labels;
pub(crate) mod mcp;
mod parts;
pub mod paths;
pub(crate) mod payload;
mod pod;
pub mod pod_template;
mod script;
pub(crate) mod settings;
pub(crate) mod volumes;

pub(crate) use args::{ArgumentInputs, cli_arguments, model_fits_provider};
pub(crate) use job::{adoption_patch, build, release_patch};
pub(crate) use parts::{Identity, Parts};
pub(crate) use script::is_shell_name;

//! The adapter configuration as the host delivers it, in every accepted shape, turned into types.
//!
//! ```text
//!  ctx.config ──▶ Reader (unset rule, shapes, problems) ──▶ one file per topic ──▶ Config
//!                    │                                                              or every Rejection
//!                    └─ keys: type, range, default and effect of each ──▶ docs, form, agents' document
//! ```
//!
//! [`Config::parse`] is the only reader of `ctx.config`. It collects every problem before it answers,
//! and holds the only defaults: a form default is a prefill and never reaches the runtime.
//! Not here: anything that needs the own pod, the cluster or a file of the host.

mod arguments;
mod claude;
pub mod env;
pub mod grammar;
mod inherit;
mod keys;
mod kubeconfig;
mod parse;
mod placement;
pub mod pod_template;
mod problem;
pub mod quantity;
mod reader;
mod resources;
mod run_control;
pub(crate) mod server_env;
mod structured;
#[cfg(test)]
mod tests;
mod tolerations;
mod types;
mod workspace;

pub use inherit::Inherit;
pub use keys::{Row, Topic, fields, rows};
pub use kubeconfig::InlineKubeconfig;
pub use problem::{Rejection, Warning, invalid_configuration};
pub use types::{ConcurrencyScope, Config, ImagePullPolicy, Isolation, KubeconfigSource, Resources};

//! A request, a configuration and the surroundings become one complete, checked [`RunSpec`].
//!
//! ```text
//!  RunRequest ─ check ─▶ (no cluster needed)     own pod, placement, files ─▶ Surroundings
//!       └───────────────────────┬──────────────────────────────┘
//!                            resolve ─▶ data volume, run directory, bundle, environment, session, prompt
//!                               ▼
//!                            RunSpec ─▶ Job, Secrets, release patch, onMeta, facts for the outcome
//! ```
//!
//! Everything that can be refused is refused here, before anything exists on the cluster. No file is read and
//! nothing is asked: `crates/cluster` brings the facts.

mod attempt;
mod attempts;
mod bundle;
mod bundle_content;
mod check;
mod directories;
mod inheritance;
mod meta;
mod parts;
mod prompt;
mod redactions;
mod refusal;
mod resolve;
mod run_spec;
mod session;
mod staging;
mod surroundings;

pub use attempt::Attempt;
pub use bundle::{BundlePlan, Delivery, instructions_root};
pub use bundle_content::{BundleContent, BundleFile, BundleSources, SkillFiles};
pub use check::check;
pub use directories::directories_to_check;
pub use run_spec::RunSpec;
pub use staging::{StagedFile, staging_sub_path};
pub use surroundings::{PayloadMode, Placement, Surroundings};

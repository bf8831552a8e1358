//! A request, a configuration and the surroundings become one complete, checked [`RunPlan`].
//!
//! ```text
//!  RunRequest ─ check ─▶ (no cluster needed)     own pod, placement, files ─▶ Surroundings
//!       └───────────────────────┬──────────────────────────────┘
//!                            resolve ─▶ data volume, run directory, bundle, environment, session, prompt
//!                               ▼
//!                            RunPlan ─▶ Job, Secrets, release patch, onMeta, facts for the outcome
//! ```
//!
//! [`RunPlan::resolve`] stands in [`crate::manifest`], which builds the Job once to see that it can be built.
//! Everything that can be refused is refused there or here, before anything exists on the cluster. No file is read and
//! nothing is asked: `crates/cluster` brings the facts.

pub(crate) mod args;
mod assemble;
mod attempts;
mod bundle;
mod bundle_content;
mod check;
mod claims;
mod directories;
pub(crate) mod environment;
pub(crate) mod expansion;
mod home;
mod http_url;
mod inheritance;
mod instructions;
pub(crate) mod isolation;
pub(crate) mod mcp;
mod meta;
mod parts;
mod prompt;
mod redactions;
mod refusal;
mod resolve;
mod resumption;
mod run_plan;
mod server;
pub(crate) mod settings;
mod surroundings;
pub(crate) mod volumes;

pub use bundle::{BundlePlan, Delivery, instructions_root};
pub use bundle_content::{BundleContent, BundleFile, BundleSources, LeftOut, SkillFiles};
pub use check::check;
pub use claims::{ClaimFacts, ClaimsInUse, claims_in_common};
pub use directories::directories_to_check;
pub use home::{HOME_SETTINGS, HOME_SETTINGS_MAX, HomeSettings, home_is_new, home_on_host};
pub use instructions::{check_instructions, shared_directories};
pub(crate) use isolation::beside;
pub use isolation::{
    Entry, IsolationReport, LookAt, Make, PaperclipHome, Place, Preparation, SessionCopy, TranscriptPlace, VolumeFacts,
    Whose, mounted_beside, places_to_look_at,
};
pub(crate) use parts::{Identity, Parts};
pub use run_plan::RunPlan;
pub use surroundings::Surroundings;

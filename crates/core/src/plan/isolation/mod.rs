//! What a pod sees of the data volume: the run's own part of `PAPERCLIP_HOME`, never the server's.
//!
//! ```text
//!  request, own pod ─▶ places_to_look_at ─▶ (crates/cluster looks) ─▶ VolumeFacts ─┐
//!                                                                                  ▼
//!  DataVolume ───────────────────────────────────────────────────────────▶ isolate ─▶ View: mounts in their order,
//!                                                                                     what the host makes before the
//!                                                                                     launch, which paths the pod has
//! ```
//! A mount shows what the file system has at its path, and the kubelet follows a link on the way. So only directories
//! are mounted whose parents no pod can write to, and the host looks at each of them, following nothing, before the
//! launch. What is missing it creates: the kubelet would, for root.

mod facts;
mod home;
mod least;
mod preparation;
mod report;
mod view;
mod wanted;

pub(crate) use facts::agent_home;
pub use facts::{Entry, LookAt, VolumeFacts, places_to_look_at};
pub use home::{PaperclipHome, Place};
pub use least::mounted_beside;
pub(crate) use least::{beside, check_level};
pub use preparation::{Make, Preparation, SessionCopy, TranscriptPlace, Whose};
pub use report::IsolationReport;
pub(crate) use view::{Source, View, isolate};

/// Payloads of runs whose host may not create Secrets, below the root of the data volume.
pub(crate) const STAGING: &str = ".paperclip-claude-k8s";

/// Where the CLI keeps the sessions of a home.
const SESSIONS: &str = ".claude/projects";
/// Where the CLI keeps a login of a home.
const LOGIN: &str = ".claude/.credentials.json";

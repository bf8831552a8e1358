//! What a pod sees of the data volume: the run's own part of `PAPERCLIP_HOME`, never the server's.

mod home;

/// Payloads of runs whose host may not create Secrets, below the root of the data volume.
pub(crate) const STAGING: &str = ".paperclip-claude-k8s";

pub use home::{PaperclipHome, Place};

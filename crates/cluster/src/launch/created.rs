//! What a creation led to.

use claude_k8s_core::view::JobFacts;

/// A Job whose launch is under way.
pub(super) struct Created {
    pub(super) job: JobFacts,
    /// Made by this launch: nothing that is named after it can be its payload yet.
    pub(super) fresh: bool,
}

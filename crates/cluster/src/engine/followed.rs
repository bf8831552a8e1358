//! What an attempt led to.

use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::guard::Adoption;
use claude_k8s_core::view::JobFacts;

/// A Job to follow, and as what.
pub(super) struct Followed {
    pub(super) attempt: Attempt,
    pub(super) job: JobFacts,
    pub(super) adopted: Option<Adoption>,
}

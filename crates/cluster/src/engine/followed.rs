//! What an attempt led to.

use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::guard::Adoption;
use claude_k8s_core::view::JobFacts;

use crate::run::FollowGuard;

/// A Job to follow, and as what.
pub(super) struct Followed {
    pub(super) attempt: Attempt,
    pub(super) job: JobFacts,
    pub(super) adopted: Option<Adoption>,
    pub(super) following: FollowGuard,
}

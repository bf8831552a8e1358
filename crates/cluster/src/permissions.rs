//! What the credential may do, asked once per connection and namespace and kept for five minutes.

use std::time::Duration;

use claude_k8s_core::launch::Call;
use claude_k8s_core::permissions::{Need, Permission, Permissions};
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::api::{Asking, Namespace};

/// How long an answer is believed.
pub const KEPT: Duration = Duration::from_secs(300);

/// The answers and their age.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The answers.
    pub permissions: Permissions,
    at: Instant,
}

impl Asked {
    /// Asks for all of them at once. What cannot be asked is assumed to be allowed; a 403 tells later.
    pub async fn of(namespace: &Namespace, asking: &Asking) -> Self {
        let at = Instant::now();
        let asked = || Permission::ALL.iter().copied().filter(|one| one.need() != Need::Useful);
        let answers = asked().map(|one| asking.for_answer(Call::Review, move || namespace.may(one)));
        let denied = asked().zip(join_all(answers).await).filter(|(_, allowed)| matches!(allowed, Ok(false)));
        Self { permissions: Permissions::without(denied.map(|(permission, _)| permission)), at }
    }

    /// Still believed.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.at.elapsed() < KEPT
    }
}

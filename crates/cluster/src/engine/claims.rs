//! Claims that the server's pod and a Job both mount: can a second node mount them?

use std::time::Duration;

use claude_k8s_core::config::Config;
use claude_k8s_core::launch::Call;
use claude_k8s_core::plan::{ClaimFacts, claims_in_common};
use claude_k8s_core::request::RunRequest;
use tokio::time::Instant;

use super::Engine;
use super::own_pod::OwnPlace;
use crate::api::{Asking, Namespace};

/// How long access modes are believed. A claim of the same name with others is another claim.
const KEPT: Duration = Duration::from_secs(300);

/// A successful read.
pub(super) struct Modes {
    modes: Vec<String>,
    at: Instant,
}

impl Modes {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < KEPT
    }
}

impl Engine {
    /// Reads the claims that matter for a run of this configuration.
    pub(super) async fn claims(
        &self,
        request: &RunRequest,
        config: &Config,
        namespace: &Namespace,
        own: &OwnPlace,
        asking: &Asking,
    ) -> Vec<ClaimFacts> {
        let names = claims_in_common(request, config, own.pod.as_ref(), own.placement(&namespace.name));
        let mut facts = Vec::new();
        for name in names {
            // The pod's uid is that of its cluster, too.
            let key = (own.uid.clone().unwrap_or_default(), name.clone());
            let modes = match self.shared.claims.get(&key, Modes::is_fresh) {
                Some(known) => Ok(known.modes.clone()),
                None => asking
                    .for_answer(Call::ClaimInCommon, || namespace.get_claim(&name))
                    .await
                    .map(|claim| claim.spec.and_then(|spec| spec.access_modes).unwrap_or_default())
                    .inspect(|modes| {
                        let read = Modes { modes: modes.clone(), at: Instant::now() };
                        self.shared.claims.put(key, read, Modes::is_fresh);
                    })
                    .map_err(|failure| failure.to_string()),
            };
            facts.push(ClaimFacts { name, modes });
        }
        facts
    }
}

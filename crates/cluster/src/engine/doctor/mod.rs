//! The environment test: what a run would need, asked before one is started. Creates nothing (ENV-02).
//!
//! Only an unreachable API stops it. Whatever else is wrong, the rest is checked with something in its place.

mod checks;
mod job_checks;

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::config::Config;
use claude_k8s_core::doctor::{Check, Report, findings};
use claude_k8s_core::launch::Call;
use claude_k8s_core::permissions::{Permission, Permissions};
use claude_k8s_core::request::RunRequest;
use futures_util::future::join_all;
use serde_json::Map;

use super::Engine;
use super::own_pod::own_namespace;
use super::surroundings::may_stage;
use crate::api::{Asking, Namespace, patiently};
use crate::clock::Clock;
use crate::connect::{Connection, Credentials};

/// For all checks together.
const BUDGET: Duration = Duration::from_secs(30);
/// For one answer that is asked for again when it fails.
const HURRY: Duration = Duration::from_secs(5);
/// Keys without which it is not known where to look.
const TARGET_KEYS: [&str; 3] = ["kubeconfig", "kubeconfigData", "namespace"];

impl Engine {
    /// Runs every check that can be run. Never fails, never creates anything, takes at most 30 s.
    pub async fn check_environment(&self, request: RunRequest) -> Report {
        let clock = Clock::start();
        let mut checks = Vec::new();
        if tokio::time::timeout(BUDGET, Box::pin(self.check_all(request, &mut checks))).await.is_err() {
            checks.push(findings::out_of_time(BUDGET.as_secs()));
        }
        Report::new(checks, clock.now())
    }

    async fn check_all(&self, request: RunRequest, checks: &mut Vec<Check>) {
        let config = readable_config(&request, checks);
        checks.extend(findings::target(&request));
        let Some(config) = config else { return };
        let Some((credentials, connection)) = self.opened(&request, &config, checks).await else { return };
        let own_namespace = own_namespace(&request.host);
        let name = config.namespace.clone().or_else(|| own_namespace.clone());
        let name = name.unwrap_or_else(|| connection.default_namespace.clone());
        let namespace = Namespace::new(connection.requests.clone(), name);
        if !checks::api(&namespace, &config, &credentials, checks).await {
            return;
        }
        let hurry = Asking::in_a_hurry(HURRY);
        let (own, answers) = tokio::join!(
            self.own_place(&request.host, &connection, &credentials, &hurry),
            answers(&namespace, &config.secret_ref)
        );
        let own = own.unwrap_or_default(); // told by its check
        let granted = permissions(&answers);
        let claims = if granted.allow(Permission::GetClaims) {
            self.claims(&request, &config, &namespace, &own, &hurry).await
        } else {
            Vec::new() // told by its check
        };
        let resolved =
            job_checks::resolve(request.clone(), config.clone(), &namespace.name, &own, &claims, &granted).await;

        checks.push(findings::own_pod(own.pod.as_ref(), request.host.env("PAPERCLIP_HOME")));
        checks.extend(resolved.left_behind);
        checks.extend(resolved.image);
        checks.push(checks::namespace(&namespace, own_namespace.as_deref()).await);
        let staging = may_stage(&request, own.placement(&namespace.name), &own);
        checks.extend(findings::permissions(&namespace.name, &answers, staging));
        checks.push(checks::secret(&namespace, &config, granted.allow(Permission::GetSecrets)).await);
        if let Some(job) = &resolved.job {
            let may_read = granted.allow(Permission::GetClaims);
            checks.push(job_checks::claim(&namespace, job, &config, may_read).await);
            checks.extend(resolved.isolation);
            checks.extend(job_checks::api_url(job));
            checks.extend(job_checks::dry_run(&namespace, job).await);
        }
        checks.extend(resolved.refused);
    }

    async fn opened(
        &self,
        request: &RunRequest,
        config: &Config,
        checks: &mut Vec<Check>,
    ) -> Option<(Credentials, Arc<Connection>)> {
        let opened = match self.credentials(config, &request.host).await {
            Ok(credentials) => self.connection(&credentials).await.map(|connection| (credentials, connection)),
            Err(error) => Err(error),
        };
        opened.inspect_err(|error| checks.push(findings::no_credentials(error))).ok()
    }
}

/// The configuration without its rejected keys, each of which is a finding. `None`: the target is among them.
fn readable_config(request: &RunRequest, checks: &mut Vec<Check>) -> Option<Config> {
    let parsed = Config::parse(&request.config).or_else(|rejections| {
        let root = |key: &str| key.split(['.', '[']).next().unwrap_or_default().to_owned();
        let rejected: Vec<String> = rejections.iter().map(|one| root(&one.key)).collect();
        checks.extend(rejections.iter().map(findings::rejected));
        if rejected.iter().any(|key| TARGET_KEYS.contains(&key.as_str())) {
            return Err(());
        }
        let mut rest = request.config.clone();
        rest.retain(|key, _| !rejected.contains(&root(key)));
        Config::parse(&rest).or_else(|_| Config::parse(&Map::new())).map_err(drop)
    });
    let config = parsed.ok()?;
    checks.extend(config.warnings.iter().map(findings::warning));
    Some(config)
}

/// The answers in the order of [`Permission::ALL`].
async fn answers(namespace: &Namespace, secret: &str) -> Vec<Result<bool, ApiFailure>> {
    // The documented Role grants reading one Secret by its name.
    let named = |one| (one == Permission::GetSecrets).then_some(secret);
    let asked = Permission::ALL
        .iter()
        .map(|one| patiently(Call::Check, move || namespace.may_named(one.access(), named(*one))));
    join_all(asked).await
}

/// What a run would conclude from the same answers.
fn permissions(answers: &[Result<bool, ApiFailure>]) -> Permissions {
    let denied = Permission::ALL.iter().zip(answers).filter(|(_, answer)| matches!(answer, Ok(false)));
    Permissions::without(denied.map(|(one, _)| *one))
}

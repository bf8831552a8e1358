//! Everything that is settled before the first write to the cluster.

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_core::config::Config;
use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::guard::SupervisorId;
use claude_k8s_core::plan::{Delivery, RunPlan};
use claude_k8s_core::request::RunRequest;
use tokio::time::Instant;

use super::own_pod::{OwnPlace, own_namespace};
use super::surroundings::surroundings;
use super::{Engine, Identity, IndexHandle};
use crate::api::{Namespace, retried};
use crate::bundle;
use crate::clock::Clock;
use crate::connect::{ConnectError, Connection, Credentials};
use crate::host::StopSignal;
use crate::permissions::Permissions;
use crate::run::{Output, Progress, RunContext, Supervisors};
use claude_k8s_core::api_failure::{ApiFailure, FailureKind};

/// The API server may be away this long before a launch.
const PATIENCE: Duration = Duration::from_secs(60);

/// A resolved run and what it was resolved against.
pub(super) struct Resolved {
    pub(super) spec: RunPlan,
    pub(super) credentials: Credentials,
    pub(super) connection: Arc<Connection>,
    pub(super) namespace: Namespace,
    pub(super) permissions: Arc<Permissions>,
    pub(super) own: OwnPlace,
}

impl Engine {
    /// Turns a request into a run that can be launched.
    pub(super) async fn prepare(
        &self,
        request: RunRequest,
        config: Config,
        output: Output,
        stop: StopSignal,
        clock: Clock,
    ) -> Result<RunContext, Refusal> {
        let Resolved { spec, credentials, connection, namespace, permissions, own } =
            self.resolve(&request, config, PATIENCE).await?;
        let supervisors = self.supervisors(&request, &own);
        output.start(spec.redactions());
        if let Some(bundle) = spec.bundle()
            && let Delivery::Directory { host_path, .. } = &bundle.delivery
        {
            bundle::write(&bundle.content, host_path.as_ref()).await?;
        }
        let observed = spec.config().debug.then(|| {
            output.debug_from(Instant::now());
            let output = output.clone();
            namespace.observed(Arc::new(move |call: &str| output.debug(|| call.to_owned())))
        });
        let key = Identity::here(credentials.identity());
        let index = IndexHandle { engine: self.clone(), identity: key.clone(), namespace: namespace.clone() };
        self.shared.launch_locks.sweep(|_| false);
        let launch_lock = self.shared.launch_locks.get_or_make(
            (key, namespace.name.clone(), spec.guard_selector()),
            |_| true,
            Default::default,
        );
        Ok(RunContext {
            spec,
            connection: Connection::clone(&connection),
            namespace: observed.unwrap_or(namespace),
            index,
            permissions,
            supervisors,
            launch_lock,
            output,
            stop,
            clock,
            external_runtime: request.external_runtime.clone(),
            progress: Progress::default(),
        })
    }

    /// Everything a run is decided from, and the decision. Writes nothing, neither to the cluster nor to the disk.
    pub(super) async fn resolve(
        &self,
        request: &RunRequest,
        config: Config,
        patience: Duration,
    ) -> Result<Resolved, Refusal> {
        let credentials = Credentials::choose(config.kubeconfig.as_ref(), &request.host).map_err(|e| refused(&e))?;
        let connection = self.connection(&credentials).await.map_err(|error| refused(&error))?;
        let target = config
            .namespace
            .clone()
            .or_else(|| own_namespace(&request.host))
            .unwrap_or_else(|| connection.default_namespace.clone());
        let namespace = Namespace::new(connection.requests.clone(), target);

        let permissions = self.permissions(&credentials, &connection.server, &namespace, patience).await?;
        let own = self.own_place(&request.host, &connection, &credentials).await;
        // Whoever grants the Role now should not have to wait for the cache.
        let asked = (Identity::here(credentials.identity()), namespace.name.clone());
        let forget = |_: &Refusal| self.shared.permissions.forget(&asked);
        permissions.check_required(&namespace.name).inspect_err(forget)?;
        let surroundings = surroundings(request, &config, &namespace.name, &own, &permissions);
        let surroundings = surroundings.await.inspect_err(forget)?;
        let spec = RunPlan::resolve(request, config, surroundings)?;
        Ok(Resolved { spec, credentials, connection, namespace, permissions, own })
    }

    /// A connection of these credentials, opened once per process and runtime.
    pub(super) async fn connection(&self, credentials: &Credentials) -> Result<Arc<Connection>, ConnectError> {
        let key = Identity::here(credentials.identity());
        if let Some(known) = self.shared.connections.get(&key, |_| true) {
            return Ok(known);
        }
        let (connect, opening) = (Arc::clone(&self.connect), credentials.clone());
        let connection = tokio::task::spawn_blocking(move || connect(&opening))
            .await
            .map_err(|error| ConnectError::invalid(credentials, &error))??;
        Ok(self.shared.connections.put(key, connection, |_| true))
    }

    /// The first call: is there an API server that accepts us?
    async fn reach(
        &self,
        credentials: &Credentials,
        server: &str,
        namespace: &Namespace,
        patience: Duration,
    ) -> Result<(), Refusal> {
        match retried(patience, || namespace.may("batch", "jobs", "create")).await {
            Err(failure) if failure.kind == FailureKind::Unauthorized => {
                self.shared.connections.forget(&Identity::here(credentials.identity()));
                Err(unreachable(
                    &failure,
                    credentials,
                    server,
                    "the credentials are refused: renew the token or kubeconfig",
                ))
            }
            Err(failure) if failure.kind.is_passing() => {
                self.shared.connections.forget(&Identity::here(credentials.identity()));
                Err(unreachable(&failure, credentials, server, "check server address, network and certificates")
                    .transient(None))
            }
            // Denied reviews are no obstacle: a missing permission then shows where it is used.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// What we may do. Runs that start together ask once: the others wait for the answer.
    async fn permissions(
        &self,
        credentials: &Credentials,
        server: &str,
        namespace: &Namespace,
        patience: Duration,
    ) -> Result<Arc<Permissions>, Refusal> {
        let key = (Identity::here(credentials.identity()), namespace.name.clone());
        let slot = self.shared.permissions.get_or_make(key, |_| true, Default::default);
        let Ok(mut known) = tokio::time::timeout(patience, slot.lock()).await else {
            let text = format!("another run has waited for an answer for {} s", patience.as_secs());
            let message = format!("The Kubernetes API at {server} is not usable: {text}; check address and network");
            return Err(Refusal::new(ErrorCode::ApiUnreachable, message).transient(None));
        };
        if let Some(fresh) = known.as_ref().filter(|known| known.is_fresh()) {
            return Ok(Arc::clone(fresh));
        }
        self.reach(credentials, server, namespace, patience).await?;
        let asked = Arc::new(Permissions::ask(namespace).await);
        *known = Some(Arc::clone(&asked));
        Ok(asked)
    }

    /// The same identity as in the annotation of the Jobs. Host pods are looked for where the own one was found.
    fn supervisors(&self, request: &RunRequest, own: &OwnPlace) -> Supervisors {
        let uid = own.uid.clone().filter(|uid| !uid.is_empty());
        let place = uid.unwrap_or_else(|| request.host.machine_id.clone());
        let here = SupervisorId { place, pid: request.host.pid, started_at_ms: request.host.started_at_ms };
        Supervisors { here, following: self.shared.following.clone(), host_namespace: own.namespace.clone() }
    }
}

fn refused(error: &ConnectError) -> Refusal {
    Refusal::new(ErrorCode::ConfigurationIncomplete, error.to_string()).reason(error.reason())
}

fn unreachable(failure: &ApiFailure, credentials: &Credentials, server: &str, next: &str) -> Refusal {
    let message =
        format!("The Kubernetes API at {server} is not usable with the {}: {failure}; {next}", credentials.describe());
    Refusal::new(ErrorCode::ApiUnreachable, message)
}

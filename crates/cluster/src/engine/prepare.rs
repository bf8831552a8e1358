//! Everything that is settled before the first write to the cluster.

use std::sync::Arc;

use claude_k8s_core::config::{Config, KubeconfigSource};
use claude_k8s_core::connect::{ConnectError, Unusable};
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::guard::SupervisorId;
use claude_k8s_core::launch::{
    Call, UNANSWERED, nobody_reached, not_connected, not_reached, own_pod_not_read, session_not_copied,
};
use claude_k8s_core::permissions::{Permission, Permissions};
use claude_k8s_core::plan::{Delivery, RunPlan, shared_directories};
use claude_k8s_core::request::{HostProcess, RunRequest};
use tokio::time::Instant;

use super::own_pod::{OwnPlace, own_namespace};
use super::surroundings::surroundings;
use super::{Engine, Identity};
use crate::api::{Asking, Namespace};
use crate::bundle;
use crate::clock::Clock;
use crate::connect::{Connection, Credentials};
use crate::host::{Behind, StopSignal};
use crate::permissions::Asked;
use crate::run::{Output, Progress, RunContext, Supervisors};
use crate::volume;

/// A resolved run and what it was resolved against.
pub(super) struct Resolved {
    pub(super) plan: RunPlan,
    pub(super) credentials: Credentials,
    pub(super) connection: Arc<Connection>,
    pub(super) namespace: Namespace,
    pub(super) permissions: Permissions,
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
        let asking = Asking::patiently(output.teller());
        let Resolved { plan, credentials, connection, namespace, permissions, own } =
            self.resolve(&request, config, &asking).await?;
        let supervisors = self.supervisors(&request, &own);
        output.start(plan.redactions());
        if let Some(bundle) = plan.bundle()
            && let Delivery::Directory { host_path, .. } = &bundle.delivery
        {
            bundle::write(&bundle.content, host_path.as_ref(), shared_directories(&request, own.pod.as_ref())).await?;
        }
        if let Some(preparation) = plan.preparation()
            && let Some(trouble) = volume::prepare(preparation).await?
        {
            output.warn(&session_not_copied(&trouble));
        }
        let observed = plan.config().debug.then(|| {
            output.debug_from(Instant::now());
            let output = output.clone();
            namespace.observed(Arc::new(move |call: &str| output.debug(|| call.to_owned())))
        });
        let key = Identity::here(credentials.identity());
        let index = self.index(key.clone(), namespace.clone());
        self.shared.launch_locks.sweep(|_| false);
        let launch_lock = self.shared.launch_locks.get_or_make(
            (key, namespace.name.clone(), plan.guard_selector()),
            |_| true,
            Default::default,
        );
        Ok(RunContext {
            plan,
            connection: Connection::clone(&connection),
            namespace: observed.unwrap_or(namespace),
            index,
            permissions,
            supervisors,
            launch_lock,
            output,
            stop,
            clock,
            asking,
            external_runtime: request.external_runtime.clone(),
            progress: Progress::default(),
            behind: Behind::default(),
        })
    }

    /// Everything a run is decided from, and the decision. Writes nothing, neither to the cluster nor to the disk.
    pub(super) async fn resolve(
        &self,
        request: &RunRequest,
        config: Config,
        asking: &Asking,
    ) -> Result<Resolved, Refusal> {
        let credentials = self.credentials(&config, &request.host).await.map_err(|error| not_connected(&error))?;
        let connection = self.connection(&credentials).await.map_err(|error| not_connected(&error))?;
        let target = config
            .namespace
            .clone()
            .or_else(|| own_namespace(&request.host))
            .unwrap_or_else(|| connection.default_namespace.clone());
        let namespace = Namespace::new(connection.requests.clone(), target);

        let asked = self.permissions(&credentials, &connection.server, &namespace, asking).await?;
        let permissions = asked.permissions.clone();
        let own = self.own_place(&request.host, &connection, &credentials, asking).await;
        let own = own.map_err(|failure| own_pod_not_read(&failure))?;
        let slot = (Identity::here(credentials.identity()), namespace.name.clone());
        // Whoever grants the Role now should not have to wait for the cache.
        let forget = |_: &Refusal| {
            if permissions.lack_any() {
                self.shared.permissions.forget(&slot);
            }
        };
        permissions.check_required(&namespace.name).inspect_err(forget)?;
        let claims = self.claims(request, &config, &namespace, &own, asking).await;
        let surroundings = surroundings(request, &config, &namespace.name, &own, &claims, &permissions).await;
        let plan = RunPlan::resolve(request, config, surroundings).inspect_err(forget)?;
        Ok(Resolved { plan, credentials, connection, namespace, permissions, own })
    }

    /// Whose cluster it is, and as whom.
    pub(super) async fn credentials(&self, config: &Config, host: &HostProcess) -> Result<Credentials, ConnectError> {
        let mounts = match config.kubeconfig {
            Some(KubeconfigSource::Path(_)) => self.common_mounts(host).await,
            Some(KubeconfigSource::Inline(_)) | None => Vec::new(),
        };
        Credentials::choose(config.kubeconfig.as_ref(), host, &mounts)
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
            .map_err(|error| credentials.unusable(Unusable::Said(error.to_string())))??;
        Ok(self.shared.connections.put(key, connection, |_| true))
    }

    /// The first call: is there an API server that accepts us?
    async fn reach(
        &self,
        credentials: &Credentials,
        server: &str,
        namespace: &Namespace,
        asking: &Asking,
    ) -> Result<(), Refusal> {
        let reached = asking.for_answer(Call::Reach, || namespace.may(Permission::CreateJobs)).await;
        let Err(failure) = reached.map_err(|failure| credentials.explained(failure)) else { return Ok(()) };
        match not_reached(&failure, server, &credentials.describe()) {
            Some(refusal) => {
                self.shared.connections.forget(&Identity::here(credentials.identity()));
                Err(refusal)
            }
            None => Ok(()),
        }
    }

    /// What we may do. Runs that start together ask once: the others wait for the answer.
    async fn permissions(
        &self,
        credentials: &Credentials,
        server: &str,
        namespace: &Namespace,
        asking: &Asking,
    ) -> Result<Arc<Asked>, Refusal> {
        let key = (Identity::here(credentials.identity()), namespace.name.clone());
        let slot = self.shared.permissions.get_or_make(key, |_| true, Default::default);
        let waited = asking.at_most().min(UNANSWERED);
        let Ok(mut known) = tokio::time::timeout(waited, slot.lock()).await else {
            return Err(nobody_reached(server, waited));
        };
        if let Some(fresh) = known.as_ref().filter(|known| known.is_fresh()) {
            return Ok(Arc::clone(fresh));
        }
        self.reach(credentials, server, namespace, asking).await?;
        let asked = Arc::new(Asked::of(namespace, asking).await);
        *known = Some(Arc::clone(&asked));
        Ok(asked)
    }

    /// The same identity as in the annotation of the Jobs. Host pods are looked for where the own one was found.
    fn supervisors(&self, request: &RunRequest, own: &OwnPlace) -> Supervisors {
        let here = SupervisorId::of(&request.host, own.uid.as_deref());
        Supervisors { here, following: self.shared.following.clone(), host_namespace: own.namespace.clone() }
    }
}

//! The pod this process runs in: read with its own account, whatever cluster the Jobs go to (POD-06).

use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::Call;
use claude_k8s_core::own_pod::OwnPod;
use claude_k8s_core::request::HostProcess;
use claude_k8s_core::target::Placement;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::{Engine, Identity};
use crate::api::{Namespace, patiently};
use crate::connect::{Connection, Credentials};

/// How long a successful read is believed; a failed one is asked again.
const KEPT: Duration = Duration::from_secs(300);
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// A successful read.
pub(super) struct Read {
    pod: Pod,
    at: Instant,
}

impl Read {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < KEPT
    }
}

/// What is known about the host's own pod.
#[derive(Default)]
pub(super) struct OwnPlace {
    /// The pod, if it could be read.
    pub(super) pod: Option<OwnPod>,
    /// Its uid.
    pub(super) uid: Option<String>,
    /// Where it is, for reading other pods of the host.
    pub(super) namespace: Option<Namespace>,
    /// It is in the cluster of the Jobs, proven by its uid.
    pub(super) same_cluster: bool,
}

/// The host's namespace: named by the environment, else by the service account.
pub(super) fn own_namespace(host: &HostProcess) -> Option<String> {
    let named = host.env("PAPERCLIP_NAMESPACE").or_else(|| host.env("POD_NAMESPACE")).map(str::to_owned);
    let in_cluster = Credentials::own(host).is_some();
    named.or_else(|| {
        let text = in_cluster.then(|| std::fs::read_to_string(NAMESPACE_FILE).ok())??;
        Some(text.trim().to_owned()).filter(|name| !name.is_empty())
    })
}

impl OwnPlace {
    /// How the Jobs' namespace relates to the host's pod.
    pub(super) fn placement(&self, jobs_namespace: &str) -> Placement {
        match &self.namespace {
            Some(own) if self.same_cluster && own.name == jobs_namespace => Placement::SameNamespace,
            Some(_) if self.same_cluster => Placement::OtherNamespace,
            _ => Placement::Elsewhere,
        }
    }
}

impl Engine {
    /// Reads the own pod. Nothing found is no error: a host may run outside of any cluster.
    ///
    /// # Errors
    /// A failure that the call table does not go on without.
    pub(super) async fn own_place(
        &self,
        host: &HostProcess,
        target: &Connection,
        credentials: &Credentials,
    ) -> Result<OwnPlace, ApiFailure> {
        let (Some(name), Some(namespace)) = (host.env("HOSTNAME"), own_namespace(host)) else {
            return Ok(OwnPlace::default());
        };
        let found = match Credentials::own(host) {
            Some(own) if own == *credentials => {
                self.read(&own, target, name, &namespace).await?.map(|pod| place(&pod, target, &namespace, true))
            }
            Some(own) => self.own_place_elsewhere(&own, target, name, &namespace).await?,
            // A host that only names its pod: image and literals, never scheduling.
            None => self
                .read(credentials, target, name, &namespace)
                .await?
                .map(|pod| place(&pod, target, &namespace, false)),
        };
        Ok(found.unwrap_or_default())
    }

    /// In a pod, but with a kubeconfig: the target is the same cluster only if it shows the same pod.
    async fn own_place_elsewhere(
        &self,
        own: &Credentials,
        target: &Connection,
        name: &str,
        namespace: &str,
    ) -> Result<Option<OwnPlace>, ApiFailure> {
        let Ok(connection) = self.connection(own).await else { return Ok(None) };
        let Some(pod) = self.read(own, &connection, name, namespace).await? else { return Ok(None) };
        let seen = ask(target, name, namespace).await?;
        let same_cluster =
            seen.is_some_and(|seen| seen.metadata.uid.is_some() && seen.metadata.uid == pod.metadata.uid);
        Ok(Some(place(&pod, &connection, namespace, same_cluster)))
    }

    async fn read(
        &self,
        credentials: &Credentials,
        connection: &Connection,
        name: &str,
        namespace: &str,
    ) -> Result<Option<Pod>, ApiFailure> {
        let key = (Identity::here(credentials.identity()), format!("{namespace}/{name}"));
        if let Some(read) = self.shared.own_pods.get(&key, Read::is_fresh) {
            return Ok(Some(read.pod.clone()));
        }
        let found = ask(connection, name, namespace).await?;
        if let Some(pod) = &found {
            self.shared.own_pods.put(key, Read { pod: pod.clone(), at: Instant::now() }, Read::is_fresh);
        }
        Ok(found)
    }
}

/// `None`: there is none, as far as a run has to know.
async fn ask(connection: &Connection, name: &str, namespace: &str) -> Result<Option<Pod>, ApiFailure> {
    let namespace = Namespace::new(connection.requests.clone(), namespace);
    match patiently(Call::OwnPod, || namespace.get_pod(name)).await {
        Ok(pod) => Ok(Some(pod)),
        Err(failure) if Call::OwnPod.goes_without(failure.kind) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn place(pod: &Pod, connection: &Connection, namespace: &str, same_cluster: bool) -> OwnPlace {
    OwnPlace {
        pod: Some(OwnPod::from_pod(pod)),
        uid: pod.metadata.uid.clone(),
        namespace: Some(Namespace::new(connection.requests.clone(), namespace)),
        same_cluster,
    }
}

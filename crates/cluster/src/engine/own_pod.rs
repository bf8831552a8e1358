//! The pod this process runs in: read with its own account, whatever cluster the Jobs go to (POD-06).

use std::path::PathBuf;
use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::Call;
use claude_k8s_core::own_pod::{Clues, OwnPod};
use claude_k8s_core::request::HostProcess;
use claude_k8s_core::target::Placement;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::{Engine, Identity};
use crate::api::{Asking, CALL, Namespace};
use crate::connect::{Connection, Credentials};
use crate::files::system_text;

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
    /// The warning of a server that runs in a pod and did not find it (FLD-04).
    pub(super) missing: Option<String>,
}

/// The host's namespace: named by the environment, else by the service account.
pub(super) fn own_namespace(host: &HostProcess) -> Option<String> {
    let named = host.env("PAPERCLIP_NAMESPACE").or_else(|| host.env("POD_NAMESPACE")).map(str::to_owned);
    let in_cluster = Credentials::own(host).is_some();
    named.or_else(|| {
        let text = in_cluster.then(|| system_text(NAMESPACE_FILE.as_ref()))??;
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
        asking: &Asking,
    ) -> Result<OwnPlace, ApiFailure> {
        let clues = Clues::of(host);
        let missing = |namespace, why| OwnPlace { missing: clues.not_found(namespace, why), ..OwnPlace::default() };
        let Some(namespace) = own_namespace(host) else { return Ok(missing(None, None)) };
        let found = match Credentials::own(host) {
            Some(own) if own == *credentials => {
                let read = self.read(&own, target, &clues, &namespace, asking).await?;
                read.map(|pod| place(&pod, target, &namespace, true))
            }
            Some(own) => match self.connection(&own).await {
                Ok(connection) => {
                    self.own_place_elsewhere(&own, &connection, target, &clues, &namespace, asking).await?
                }
                Err(error) => return Ok(missing(Some(&namespace), Some(&error.to_string()))),
            },
            // A host that only names its pod: image and literals, never scheduling.
            None => {
                let read = self.read(credentials, target, &clues, &namespace, asking).await?;
                read.map(|pod| place(&pod, target, &namespace, false))
            }
        };
        Ok(found.unwrap_or_else(|| missing(Some(&namespace), None)))
    }

    /// In a pod, but with a kubeconfig: the target is the same cluster only if it shows the same pod.
    async fn own_place_elsewhere(
        &self,
        own: &Credentials,
        connection: &Connection,
        target: &Connection,
        clues: &Clues,
        namespace: &str,
        asking: &Asking,
    ) -> Result<Option<OwnPlace>, ApiFailure> {
        let Some(pod) = self.read(own, connection, clues, namespace, asking).await? else { return Ok(None) };
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let seen = named(&Namespace::new(target.requests.clone(), namespace), name, asking).await?;
        let same_cluster =
            seen.is_some_and(|seen| seen.metadata.uid.is_some() && seen.metadata.uid == pod.metadata.uid);
        Ok(Some(place(&pod, connection, namespace, same_cluster)))
    }

    /// Where the own pod has volumes that pods of agents can mount as well. Nothing outside of a pod, and when it cannot
    /// be read: the other conditions for a kubeconfig file hold all the same.
    pub(super) async fn common_mounts(&self, host: &HostProcess) -> Vec<PathBuf> {
        let Some((namespace, own)) = own_namespace(host).zip(Credentials::own(host)) else { return Vec::new() };
        let Ok(connection) = self.connection(&own).await else { return Vec::new() };
        let asking = Asking::in_a_hurry(CALL);
        let pod = self.read(&own, &connection, &Clues::of(host), &namespace, &asking).await.ok().flatten();
        let pod = pod.as_ref().map(OwnPod::from_pod).unwrap_or_default();
        pod.common_mounts().map(PathBuf::from).collect()
    }

    async fn read(
        &self,
        credentials: &Credentials,
        connection: &Connection,
        clues: &Clues,
        namespace: &str,
        asking: &Asking,
    ) -> Result<Option<Pod>, ApiFailure> {
        let key = (Identity::here(credentials.identity()), format!("{namespace}/{clues:?}"));
        if let Some(read) = self.shared.own_pods.get(&key, Read::is_fresh) {
            return Ok(Some(read.pod.clone()));
        }
        let found = look(&Namespace::new(connection.requests.clone(), namespace), clues, asking).await?;
        if let Some(pod) = &found {
            self.shared.own_pods.put(key, Read { pod: pod.clone(), at: Instant::now() }, Read::is_fresh);
        }
        Ok(found)
    }
}

/// By its names, then among the pods of its namespace (FLD-05).
async fn look(namespace: &Namespace, clues: &Clues, asking: &Asking) -> Result<Option<Pod>, ApiFailure> {
    for name in &clues.names {
        if let Some(pod) = named(namespace, name, asking).await? {
            return Ok(Some(pod));
        }
    }
    if clues.addresses.is_empty() {
        return Ok(None);
    }
    match asking.for_answer(Call::FindOwnPod, || namespace.list_pods("")).await {
        Ok(pods) => Ok(clues.find(&pods).cloned()),
        Err(failure) if Call::FindOwnPod.goes_without(failure.kind) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// `None`: there is none of that name, or it may not be read. No other answer says so (FLD-04).
async fn named(namespace: &Namespace, name: &str, asking: &Asking) -> Result<Option<Pod>, ApiFailure> {
    match asking.for_answer(Call::OwnPod, || namespace.get_pod(name)).await {
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
        missing: None,
    }
}

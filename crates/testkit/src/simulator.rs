//! The handle of a simulated cluster, and the one place that knows all its rooms.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::cluster::requests::{OpenStreams, RequestRecord};
use crate::cluster::{Cluster, Image, Launch};
use crate::control::Knobs;
use crate::knobs::Lags;
use crate::script::Script;
use crate::wire::body::{Broken, SimBody};
use crate::{job_controller, kubelet, serve};

/// A Kubernetes cluster with one node. Clones are handles of the same cluster; it stops when the last one is dropped.
///
/// A handle is a `tower::Service` for `http::Request<B>` with any body of `Bytes`, so it goes straight into
/// `kube::Client::new(simulator.clone(), namespace)`. Must be used inside a tokio runtime.
#[derive(Clone)]
pub struct Simulator {
    cluster: Arc<Cluster>,
    _guard: Arc<ShutdownGuard>,
}

/// Ends all tasks, and with them all child processes, when the last handle goes.
struct ShutdownGuard(Arc<Cluster>);

impl Drop for ShutdownGuard {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

impl Default for Simulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Simulator {
    /// A cluster with the measured lags whose wall clock starts now.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// A cluster whose wall clock starts at this time. It then follows tokio's clock, paused or not.
    #[must_use]
    pub fn starting_at(time: Timestamp) -> Self {
        Self::with(time, Lags::default())
    }

    /// A cluster with other lags.
    #[must_use]
    pub fn with_lags(lags: Lags) -> Self {
        Self::with(Timestamp::now(), lags)
    }

    fn with(time: Timestamp, lags: Lags) -> Self {
        let (cluster, arrivals) = Cluster::new(Clock::starting_at(time), lags);
        cluster.spawn(job_controller::run(Arc::clone(&cluster), arrivals.jobs));
        cluster.spawn(kubelet::run(Arc::clone(&cluster), arrivals.pods));
        let simulator = Self { _guard: Arc::new(ShutdownGuard(Arc::clone(&cluster))), cluster };
        simulator.knobs().create_namespace("default");
        simulator
    }

    /// A kube client for this cluster; makes its namespace. The client's default retry policy is not in front of it.
    #[must_use]
    pub fn client(&self, namespace: &str) -> kube::Client {
        self.knobs().create_namespace(namespace);
        kube::Client::new(self.clone(), namespace)
    }

    /// Registers an image whose containers play this script.
    #[must_use]
    pub fn image(self, name: &str, script: Script) -> Self {
        self.image_with(name, move |_| script.clone())
    }

    /// Registers an image whose containers play a script chosen by what they were started with.
    #[must_use]
    pub fn image_with(self, name: &str, choose: impl Fn(&Launch) -> Script + Send + Sync + 'static) -> Self {
        self.knobs().add_image(name, Image::Script(Arc::new(choose)));
        self
    }

    /// Registers an image whose containers are local processes; the directory comes first in their `PATH`.
    #[must_use]
    pub fn process_image(self, name: &str, directory: impl Into<PathBuf>) -> Self {
        self.knobs().add_image(name, Image::Directory(directory.into()));
        self
    }

    /// Everything that can be bent.
    #[must_use]
    pub fn knobs(&self) -> Knobs {
        Knobs::new(Arc::clone(&self.cluster))
    }

    /// All requests so far, oldest first, without those of the control API.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.cluster.requests.all()
    }

    /// How many requests had this verb and resource (`get`, `pods/log`).
    #[must_use]
    pub fn request_count(&self, verb: &str, resource: &str) -> usize {
        self.requests().iter().filter(|request| request.verb == verb && request.resource == resource).count()
    }

    /// Forgets all requests so far.
    pub fn clear_requests(&self) {
        self.cluster.requests.clear();
    }

    /// Connections that are open now.
    #[must_use]
    pub fn open_streams(&self) -> OpenStreams {
        self.cluster.requests.open()
    }

    /// Serves HTTP/1.1 on the listener until the simulator is shut down.
    ///
    /// # Errors
    /// The listener fails for good.
    pub async fn serve(&self, listener: TcpListener) -> std::io::Result<()> {
        serve::run(&self.cluster, listener).await
    }

    /// Stops everything and waits until all child processes are dead.
    pub async fn shutdown(&self) {
        self.cluster.shutdown();
        self.cluster.stopped().await;
    }
}

impl<B> tower::Service<Request<B>> for Simulator
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::fmt::Display,
{
    type Response = Response<SimBody>;
    type Error = Broken;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The handle in the future keeps the cluster alive for as long as the answer is awaited.
        let simulator = self.clone();
        Box::pin(async move { serve::answer(Arc::clone(&simulator.cluster), request).await })
    }
}

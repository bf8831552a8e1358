//! The state of the simulated cluster and the one way to wait for it.
//!
//! ```text
//!  api (requests) ──update──▶ State { Store, Knobs, … } ──topics──▶ until(): job controllers, pod workers, watches
//!  knobs (tests)  ──bend────▶
//! ```
//!
//! Nothing polls: whoever waits re-checks its condition when the state has changed or its own deadline is reached.
//! A lock is right here because every access is a short, synchronous look at one consistent picture, like a transaction in etcd.

pub(crate) mod arrival;
mod container_log;
pub(crate) mod events;
mod launch;
pub(crate) mod lifecycle;
pub(crate) mod requests;
mod topics;

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrival::{Announcers, Arrivals};
pub(crate) use container_log::ContainerLog;
pub use launch::Launch;
pub(crate) use launch::{Image, LAUNCHES_KEPT};
use requests::RequestLog;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
pub(crate) use topics::Topic;
use topics::Topics;

use crate::clock::Clock;
use crate::knobs::{KnobState, Lags};
use crate::objects::store::{Key, Store};

/// Identifies a container: pod uid and container name.
pub(crate) type ContainerKey = (String, String);

/// Everything a request, a controller or a knob may look at.
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) knobs: KnobState,
    pub(crate) images: HashMap<String, Image>,
    pub(crate) logs: HashMap<ContainerKey, Arc<ContainerLog>>,
    pub(crate) launches: Vec<Launch>,
    /// Pods that a worker (the kubelet) runs. Seeded pods are not among them.
    pub(crate) running_pods: HashSet<String>,
    /// Final phase of pods that are gone, by the uid of their Job: the controller must not miss a pod that vanished quickly.
    pub(crate) ended_pods: HashMap<String, Vec<(String, String)>>,
    /// Events by what they say: a repeated one is counted.
    pub(crate) event_keys: HashMap<[String; 3], Key>,
}

/// The simulated cluster. Shared by all tasks.
pub(crate) struct Cluster {
    pub(crate) clock: Arc<Clock>,
    pub(crate) requests: RequestLog,
    state: Mutex<State>,
    topics: Topics,
    announcers: Announcers,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    directory: OnceLock<Option<tempfile::TempDir>>,
}

impl Cluster {
    /// The cluster, and what its controllers have to listen to.
    pub(crate) fn new(clock: Clock, lags: Lags) -> (Arc<Self>, Arrivals) {
        let (announcers, arrivals) = arrival::channels();
        let cluster = Arc::new(Self {
            clock: Arc::new(clock),
            requests: RequestLog::default(),
            state: Mutex::new(State {
                store: Store::default(),
                knobs: KnobState { lags, ..KnobState::default() },
                images: HashMap::new(),
                logs: HashMap::new(),
                launches: Vec::new(),
                running_pods: HashSet::new(),
                ended_pods: HashMap::new(),
                event_keys: HashMap::new(),
            }),
            topics: Topics::default(),
            announcers,
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            directory: OnceLock::new(),
        });
        (cluster, arrivals)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.lock())
    }

    /// Works on the state; wakes whoever waits for the objects that were written.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let before = state.store.revision();
        let result = change(&mut state);
        let mut written = state.store.changes_after(before).peekable();
        if written.peek().is_some() {
            written.for_each(|change| self.topics.announce(&change.object));
            self.topics.announce_everything();
        }
        result
    }

    /// Changes something that is no object, a knob for example, and wakes everybody.
    pub(crate) fn bend<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.topics.announce_knobs();
        result
    }

    pub(crate) fn subscribe(&self, topic: Topic<'_>) -> watch::Receiver<()> {
        self.topics.subscribe(topic)
    }

    /// Waits until the check returns something. Cancel-safe: nothing is consumed.
    pub(crate) async fn until<T>(&self, topic: Topic<'_>, mut check: impl FnMut(&State) -> Option<T>) -> T {
        let mut changes = self.subscribe(topic);
        loop {
            changes.borrow_and_update();
            if let Some(found) = self.read(&mut check) {
                return found;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await; // the sender lives in `self`
            }
        }
    }

    /// Runs a controller task until it ends or the simulator goes away.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => {}
                () = task => {}
            }
        });
    }

    pub(crate) fn shutdown(&self) {
        self.shutdown.cancel();
        self.tasks.close();
    }

    /// Waits until all tasks ended: every child process is dead then.
    pub(crate) async fn stopped(&self) {
        self.tasks.wait().await;
    }

    pub(crate) fn shutdown_token(&self) -> &CancellationToken {
        &self.shutdown
    }

    pub(crate) fn lags(&self) -> Lags {
        self.read(|state| state.knobs.lags.clone())
    }

    /// Directory for the volumes of process containers; created when the first one starts.
    pub(crate) fn directory(&self) -> Option<&std::path::Path> {
        self.directory
            .get_or_init(|| tempfile::Builder::new().prefix("k8s-sim-").tempdir().ok())
            .as_ref()
            .map(tempfile::TempDir::path)
    }

    /// That directory, if a process container ever started.
    pub(crate) fn started_directory(&self) -> Option<&std::path::Path> {
        self.directory.get()?.as_ref().map(tempfile::TempDir::path)
    }

    /// The object, if it is there and still the same one.
    pub(crate) fn object(&self, key: &Key, uid: &str) -> Option<Arc<Value>> {
        self.read(|state| state.store.get_uid(key, uid).cloned())
    }
}

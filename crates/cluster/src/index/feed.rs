//! The task behind the table: two watches, or one shared list every 2 s.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use claude_k8s_core::view::{JobFacts, RunView};
use futures_util::{Stream, StreamExt};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::table::Table;
use crate::api::Namespace;
use crate::clock::Clock;

/// Labels that every object of ours has and that never change: a watch must not lose an object that is rewritten.
const SELECTOR: &str = "app.kubernetes.io/managed-by=paperclip,paperclip.io/adapter-type=claude_k8s";
/// Server-side life of one watch. A stream that brings nothing is noticed this much later (`facts/kubernetes.md` 5.4).
const WATCH_SECONDS: u32 = 60;
/// Without the permission to watch.
const POLL: Duration = Duration::from_secs(2);
/// How often the watch is tried again while polling.
const TRY_WATCH: Duration = Duration::from_secs(600);
/// A watch that was started again reports nothing until an object changes: no error for this long means contact.
const SETTLED: Duration = Duration::from_secs(12);
/// The task ends this long after its last run left.
const LINGER: Duration = Duration::from_secs(60);

/// How the facts arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By watch.
    Watching,
    /// The Role lacks `watch`: one shared list of Jobs and one of pods every 2 s.
    Polling,
}

/// The index of one (connection, namespace).
#[derive(Debug)]
pub struct NamespaceIndex {
    table: Arc<Mutex<Table>>,
    mode: watch::Receiver<Mode>,
    task: JoinHandle<()>,
}

impl NamespaceIndex {
    /// Starts the task on the current runtime.
    #[must_use]
    pub fn start(namespace: Namespace) -> Self {
        let table = Arc::new(Mutex::new(Table::default()));
        let (sender, mode) = watch::channel(Mode::Watching);
        let feed = Feed { namespace, table: Arc::clone(&table), mode: sender, clock: Clock::start() };
        #[expect(
            clippy::disallowed_methods,
            reason = "the handle is kept and aborted on drop; its end is noticed by is_running"
        )]
        let task = tokio::spawn(feed.run());
        Self { table, mode, task }
    }

    /// Facts about the Job `known`, from its creation on.
    #[must_use]
    pub fn subscribe(&self, known: JobFacts) -> watch::Receiver<RunView> {
        lock(&self.table).subscribe(known)
    }

    /// How the facts arrive now.
    #[must_use]
    pub fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    /// False when the task ended: nobody listened for a while, or its runtime is gone.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.task.is_finished()
    }
}

impl Drop for NamespaceIndex {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Feed {
    namespace: Namespace,
    table: Arc<Mutex<Table>>,
    mode: watch::Sender<Mode>,
    clock: Clock,
}

enum Stop {
    Idle,
    WatchDenied,
    WatchAgain,
}

impl Feed {
    async fn run(self) {
        loop {
            match self.watch().await {
                Stop::Idle => return,
                Stop::WatchDenied | Stop::WatchAgain => {
                    self.mode.send_replace(Mode::Polling);
                    if matches!(self.poll().await, Stop::Idle) {
                        return;
                    }
                }
            }
        }
    }

    async fn watch(&self) -> Stop {
        let client = self.namespace.client();
        let jobs: Api<Job> = Api::namespaced(client.clone(), &self.namespace.name);
        let pods: Api<Pod> = Api::namespaced(client.clone(), &self.namespace.name);
        let config = watcher::Config::default().labels(SELECTOR).timeout(WATCH_SECONDS);
        let mut jobs = Resumed::new(watcher(jobs, config.clone()).boxed());
        let mut pods = Resumed::new(watcher(pods, config).boxed());
        let mut idle = Idle::start();
        loop {
            let settled = earliest_settled(&jobs, &pods);
            let changed = tokio::select! {
                job = jobs.next() => self.fold(job, &mut jobs.listed, Table::apply_job, Table::delete_job, Table::relisted_jobs),
                pod = pods.next() => self.fold(pod, &mut pods.listed, Table::apply_pod, Table::delete_pod, Table::relisted_pods),
                () = &mut idle.0 => {
                    if lock(&self.table).readers() == 0 {
                        return Stop::Idle;
                    }
                    idle = Idle::start();
                    continue;
                }
                () = settled => Ok(()),
            };
            match changed {
                Ok(()) => {
                    self.mode.send_if_modified(|mode| std::mem::replace(mode, Mode::Watching) != Mode::Watching);
                    if jobs.is_healthy() && pods.is_healthy() {
                        lock(&self.table).stale(None);
                    }
                }
                Err(Denied::Watch) => return Stop::WatchDenied,
                Err(Denied::No) => lock(&self.table).stale(Some(self.clock.now())),
            }
        }
    }

    /// One list of each kind serves every run of the namespace (ENV-04).
    async fn poll(&self) -> Stop {
        let until = Instant::now() + TRY_WATCH;
        let mut pause = delays(POLL);
        loop {
            let (jobs, pods) = tokio::join!(self.namespace.list_jobs(SELECTOR), self.namespace.list_pods(SELECTOR));
            let wait = match (jobs, pods) {
                (Ok(jobs), Ok(pods)) => {
                    let mut table = lock(&self.table);
                    table.relisted_jobs(&jobs);
                    table.relisted_pods(&pods);
                    table.stale(None);
                    pause = delays(POLL);
                    POLL
                }
                _ => {
                    lock(&self.table).stale(Some(self.clock.now()));
                    pause.next().unwrap_or(POLL)
                }
            };
            if lock(&self.table).readers() == 0 {
                tokio::time::sleep(LINGER).await;
                if lock(&self.table).readers() == 0 {
                    return Stop::Idle;
                }
            }
            if Instant::now() >= until {
                return Stop::WatchAgain;
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn fold<K>(
        &self,
        event: Result<Event<K>, watcher::Error>,
        listed: &mut Vec<K>,
        apply: fn(&mut Table, &K),
        delete: fn(&mut Table, &K),
        relisted: fn(&mut Table, &[K]),
    ) -> Result<(), Denied> {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => listed.push(object),
            Ok(Event::InitDone) => relisted(&mut lock(&self.table), &std::mem::take(listed)),
            Ok(Event::Apply(object)) => apply(&mut lock(&self.table), &object),
            Ok(Event::Delete(object)) => delete(&mut lock(&self.table), &object),
            Err(error) => return Err(denied(&error)),
        }
        Ok(())
    }
}

struct Idle(Pin<Box<tokio::time::Sleep>>);

impl Idle {
    fn start() -> Self {
        Self(Box::pin(tokio::time::sleep(LINGER)))
    }
}

/// Resolves when both watches have been without an error for long enough; pending while nothing was wrong.
fn earliest_settled(jobs: &Resumed<Job>, pods: &Resumed<Pod>) -> impl Future<Output = ()> + Send + use<> {
    let at = jobs.settled_at.max(pods.settled_at).filter(|at| *at > Instant::now());
    async move {
        match at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

enum Denied {
    Watch,
    No,
}

/// After a successful list, 403 on the watch means that the Role lacks the verb (`facts/kubernetes.md` 5.4).
fn denied(error: &watcher::Error) -> Denied {
    match error {
        watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 403 => Denied::Watch,
        watcher::Error::WatchError(status) if status.code == 403 => Denied::Watch,
        _ => Denied::No,
    }
}

/// A watcher with a pause after each error, 1 s doubling to 30 s with jitter.
struct Resumed<K> {
    events: Pin<Box<dyn Stream<Item = Result<Event<K>, watcher::Error>> + Send>>,
    pause: Option<Pin<Box<tokio::time::Sleep>>>,
    delays: backon::ExponentialBackoff,
    /// When the last error counts as overcome.
    settled_at: Option<Instant>,
    listed: Vec<K>,
}

impl<K> Resumed<K> {
    fn new(events: Pin<Box<dyn Stream<Item = Result<Event<K>, watcher::Error>> + Send>>) -> Self {
        Self { events, pause: None, delays: delays(Duration::from_secs(1)), settled_at: None, listed: vec![] }
    }

    fn is_healthy(&self) -> bool {
        self.settled_at.is_none_or(|at| at <= Instant::now())
    }

    /// Cancel-safe: what was read is returned, what was not stays in the stream.
    async fn next(&mut self) -> Result<Event<K>, watcher::Error> {
        if let Some(pause) = &mut self.pause {
            pause.await;
            self.pause = None;
        }
        let Some(event) = self.events.next().await else {
            // The watcher never ends; should it, waiting is the only harmless answer.
            return std::future::pending().await;
        };
        match event {
            Ok(event) => {
                self.pause = None;
                self.settled_at = None;
                self.delays = delays(Duration::from_secs(1));
                Ok(event)
            }
            Err(error) => {
                let delay = self.delays.next().unwrap_or(Duration::from_secs(30));
                self.pause = Some(Box::pin(tokio::time::sleep(delay)));
                self.settled_at = Some(Instant::now() + delay + SETTLED);
                Err(error)
            }
        }
    }
}

fn delays(first: Duration) -> backon::ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(first)
        .with_max_delay(Duration::from_secs(30))
        .with_jitter()
        .without_max_times()
        .build()
}

/// Leaf data behind a lock that is never held across an await; a poisoned table is still a table of facts.
fn lock(table: &Mutex<Table>) -> std::sync::MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The task behind the table: two watches, or one shared list every 2 s.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claude_k8s_core::launch::Call;
use claude_k8s_core::names::own_selector;
use claude_k8s_core::view::{JobFacts, Listed, PodOfJob, RunView};
use futures_util::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::runtime::watcher::{self, watcher};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::resumed::{Change, Resumed, SETTLED};
use super::table::Table;
use crate::api::{Namespace, pauses};
use crate::clock::Clock;

/// Server-side life of one watch. A stream that brings nothing is noticed this much later
/// (`docs/internals/kubernetes.md` 5.4).
const WATCH_SECONDS: u32 = 60;
/// Without the permission to watch.
const POLL: Duration = Duration::from_secs(2);
/// How often the watch is tried again while polling.
const TRY_WATCH: Duration = Duration::from_secs(600);
/// The task ends when nobody listened for this long, looked at as often.
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
        let clock = Clock::start();
        // Nothing is current before the first lists are complete.
        let table = Arc::new(Mutex::new(Table::new(clock.now())));
        let (sender, mode) = watch::channel(Mode::Watching);
        let feed = Feed { namespace, table: Arc::clone(&table), mode: sender, clock };
        #[expect(
            clippy::disallowed_methods,
            reason = "the handle is kept and aborted on drop; its end is noticed by is_running"
        )]
        let task = tokio::spawn(feed.run());
        Self { table, mode, task }
    }

    /// Facts about the Job `known`, from its creation on. `None` when the index has stopped: start another one.
    ///
    /// Asked and answered in one step: an index that was running a moment ago may be stopping for want of a reader.
    #[must_use]
    pub fn subscribe(&self, known: JobFacts) -> Option<watch::Receiver<RunView>> {
        if self.task.is_finished() {
            return None;
        }
        lock(&self.table).subscribe(known)
    }

    /// Takes over a Job that was read by name.
    pub(crate) fn note_job(&self, job: &Job) {
        if let Some(job) = JobFacts::of(job) {
            lock(&self.table).apply_job(job);
        }
    }

    /// Takes over those of these pods that belong to a Job.
    pub(crate) fn note_pods(&self, job_uid: &str, pods: Vec<PodOfJob>) {
        let mut table = lock(&self.table);
        pods.into_iter().filter(|one| one.job.uid == job_uid).for_each(|one| table.apply_pod(one));
    }

    /// A read by name found no such Job.
    pub(crate) fn note_absent_job(&self, uid: &str) {
        lock(&self.table).absent_job(uid);
    }

    /// A read by name found no such pod.
    pub(crate) fn note_absent_pod(&self, job_uid: &str, uid: &str) {
        lock(&self.table).absent_pod(job_uid, uid);
    }

    /// Rises with every change of anything in the namespace. `None` when the index has stopped: start another one.
    #[must_use]
    pub fn changes(&self) -> Option<watch::Receiver<u64>> {
        if self.task.is_finished() {
            return None;
        }
        lock(&self.table).changes()
    }

    /// What is known of every Job.
    #[must_use]
    pub fn views(&self) -> Vec<RunView> {
        lock(&self.table).views()
    }

    /// How the facts arrive now.
    #[must_use]
    pub fn mode(&self) -> Mode {
        *self.mode.borrow()
    }

    /// False when the task ended: nobody listened for a while, or its runtime is gone.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.task.is_finished() && !lock(&self.table).is_closed()
    }
}

impl NamespaceIndex {
    /// Resolves when the task has ended. Cancel-safe.
    pub async fn stopped(&self) {
        let mut mode = self.mode.clone();
        while mode.changed().await.is_ok() {}
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

/// Why one way of reading the namespace ended.
enum FeedEnd {
    Idle,
    WatchDenied,
    WatchAgain,
}

impl Feed {
    async fn run(self) {
        loop {
            if matches!(self.watch().await, FeedEnd::Idle) {
                return;
            }
            self.mode.send_replace(Mode::Polling);
            if matches!(self.poll().await, FeedEnd::Idle) {
                return;
            }
        }
    }

    async fn watch(&self) -> FeedEnd {
        let jobs: Api<Job> = self.namespace.api();
        let pods: Api<Pod> = self.namespace.api();
        let config = watcher::Config::default().labels(&own_selector()).timeout(WATCH_SECONDS);
        let again = config.clone();
        let mut jobs = Resumed::<JobFacts>::new(Call::WatchJobs, move || watcher(jobs.clone(), config.clone()).boxed());
        let mut pods = Resumed::<PodOfJob>::new(Call::WatchPods, move || watcher(pods.clone(), again.clone()).boxed());
        let mut idle = Box::pin(sleep(LINGER));
        // A list that works says nothing about the watch: a refusal of the verb would come right after it.
        let mut allowed = Box::pin(sleep(SETTLED));
        loop {
            let denied = tokio::select! {
                job = jobs.next() => self.fold(job, Table::relisted_jobs, Table::apply_job, Table::delete_job),
                pod = pods.next() => self.fold(pod, Table::relisted_pods, Table::apply_pod, Table::delete_pod),
                () = &mut allowed, if *self.mode.borrow() == Mode::Polling => {
                    self.mode.send_replace(Mode::Watching);
                    false
                }
                () = &mut idle => {
                    if lock(&self.table).close_when_unread() {
                        return FeedEnd::Idle;
                    }
                    idle = Box::pin(sleep(LINGER));
                    false
                }
            };
            if denied {
                return FeedEnd::WatchDenied;
            }
            if jobs.is_in_sync() && pods.is_in_sync() {
                lock(&self.table).stale(None);
            }
        }
    }

    /// One list of each kind serves every run of the namespace (ENV-04).
    async fn poll(&self) -> FeedEnd {
        let until = Instant::now() + TRY_WATCH;
        let selector = own_selector();
        let mut pause = pauses(Call::WatchJobs);
        let mut read_at = Instant::now();
        loop {
            if lock(&self.table).readers() > 0 {
                read_at = Instant::now();
            } else if read_at.elapsed() < LINGER || !lock(&self.table).close_when_unread() {
                sleep(POLL).await; // nobody asks: no list, but whoever comes is answered soon
                continue;
            } else {
                return FeedEnd::Idle;
            }
            let (jobs, pods) =
                tokio::join!(self.namespace.list_jobs(&selector), self.namespace.list_job_pods(&selector));
            let wait = if let (Ok(jobs), Ok(pods)) = (jobs, pods) {
                let mut table = lock(&self.table);
                table.relisted_jobs(jobs);
                table.relisted_pods(pods);
                table.stale(None);
                pause = pauses(Call::WatchJobs);
                POLL
            } else {
                lock(&self.table).stale(Some(self.clock.now()));
                pause.next().unwrap_or(POLL).max(POLL)
            };
            if Instant::now() >= until {
                return FeedEnd::WatchAgain;
            }
            sleep(wait).await;
        }
    }

    /// True when the watch is not allowed.
    fn fold<F>(
        &self,
        change: Change<F>,
        relisted: fn(&mut Table, Vec<F>),
        apply: fn(&mut Table, F),
        delete: fn(&mut Table, F),
    ) -> bool {
        let mut table = lock(&self.table);
        match change {
            Change::Listed(facts) => relisted(&mut table, facts),
            Change::Applied(facts) => apply(&mut table, facts),
            Change::Deleted(facts) => delete(&mut table, facts),
            Change::Lost => table.stale(Some(self.clock.now())),
            Change::Settled => {}
            Change::Denied => return true,
        }
        false
    }
}

/// Leaf data behind a lock that is never held across an await; a poisoned table is still a table of facts.
fn lock(table: &Mutex<Table>) -> std::sync::MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What an operator does from a terminal, with the connections, the index and the reader of logs that runs use.
//!
//! ```text
//!  OperatorRequest ─▶ Place: connection, namespace ─┬─ list, watch, usage, leftovers ─▶ rows (core::operate)
//!                                                   ├─ log, stop, remove ─▶ what became of it
//!                                                   └─ homes, remove homes ─▶ the same on the disk
//! ```

mod homes;
mod place;

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_core::config::Config;
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::guard::SupervisorId;
use claude_k8s_core::launch::{Call, not_connected};
use claude_k8s_core::log::{ContainerPhase, FIRST_LINE, LogTime};
use claude_k8s_core::names::{CONTAINER, label_value};
use claude_k8s_core::operate::{AgentHome, Leftover, RunRow, not_done, not_started, rows};
use claude_k8s_core::redact::Redactor;
use claude_k8s_core::request::HostProcess;
use claude_k8s_core::view::{JobFacts, PodFacts, RunView};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use self::homes::Homes;
use self::place::Place;
use super::{Engine, Identity};
use crate::api::{Namespace, patiently};
use crate::clock::Clock;
use crate::host::{Host, Notice, StopSignal};
use crate::index::NamespaceIndex;
use crate::logs::{ClusterLogs, LogBody, LogQuery, LogReport, LogSource, LogTarget, OpenError, SPOOL_BYTES};
use crate::logs::{deliver, follow, spool};
use crate::run::Supervisors;

/// Between two paints.
const REPAINT: Duration = Duration::from_millis(250);
/// A stop waits so long for the pod: its grace period is 30 s unless configured.
const STOPPED: Duration = Duration::from_secs(120);

/// A command of an operator.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorRequest {
    /// The adapter's configuration, for its kubeconfig and namespace.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// The process that asks.
    #[serde(default)]
    pub host: HostProcess,
    /// Instead of one namespace.
    #[serde(default)]
    pub all_namespaces: bool,
    /// Where the server's pods are, to tell which runs have lost theirs.
    #[serde(default)]
    pub server_namespace: Option<String>,
    /// What to do.
    pub action: Action,
}

/// What to do.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// One row per Job.
    List {
        /// Only those of one agent.
        agent: Option<String>,
        /// Read the ends of the logs as well.
        #[serde(default)]
        heard: bool,
    },
    /// The rows again with each change, until stopped.
    Watch {
        /// Only those of one agent.
        agent: Option<String>,
    },
    /// The row that a word names.
    Find {
        /// Of a Job, a run or a pod, or its beginning.
        word: String,
    },
    /// The log of the Job that a word names.
    Log {
        /// Of a Job, a run or a pod, or its beginning.
        word: String,
        /// Until its end.
        #[serde(default)]
        follow: bool,
        /// Only its newest part.
        since_seconds: Option<u64>,
    },
    /// Ends a run.
    Stop {
        /// Where.
        namespace: String,
        /// Name of the Job.
        job: String,
        /// Its uid.
        uid: String,
    },
    /// CPU and memory.
    Usage,
    /// What nobody needs any more.
    Leftovers {
        /// Retained Jobs are kept so long.
        older_than_seconds: u64,
    },
    /// Deletes leftovers.
    Remove {
        /// As they were listed.
        leftovers: Vec<Leftover>,
    },
    /// Homes of agents that no longer exist.
    Homes(Homes),
    /// Deletes them.
    RemoveHomes {
        /// Where, and which are left.
        #[serde(flatten)]
        homes: Homes,
        /// As they were listed.
        shown: Vec<AgentHome>,
    },
}

impl Engine {
    /// Carries out a command. Rows and results are JSON; a log goes to `host`, and so do the rows of a watch.
    ///
    /// # Errors
    /// A refusal that says what is missing.
    pub async fn operate(
        &self,
        request: OperatorRequest,
        host: Arc<dyn Host>,
        stop: StopSignal,
    ) -> Result<Value, Refusal> {
        let place = self.place(&request).await?;
        match request.action {
            Action::List { agent, heard } => {
                let mut rows = of_agent(place.rows().await?, agent.as_deref());
                if heard {
                    rows = place.heard(rows).await;
                }
                Ok(json!(rows))
            }
            Action::Watch { agent } => {
                self.watch(&place, agent.as_deref(), host, stop).await;
                Ok(Value::Null)
            }
            Action::Find { word } => Ok(json!(place.find(&word).await?.1)),
            Action::Log { word, follow, since_seconds } => {
                let (neighbour, row) = place.find(&word).await?;
                let since = since_seconds.map(Duration::from_secs);
                self.log(&place, &neighbour.job, &row, Reading { follow, since }, host, stop).await
            }
            Action::Stop { namespace, job, uid } => self.stop(&place.of(&namespace), &job, &uid).await,
            Action::Usage => Ok(json!(place.usage().await?)),
            Action::Leftovers { older_than_seconds } => place.leftovers(Duration::from_secs(older_than_seconds)).await,
            Action::Remove { leftovers } => Ok(place.remove(leftovers).await),
            Action::Homes(homes) => Ok(json!(homes.left(&place.rows().await?).await?)),
            Action::RemoveHomes { homes, shown } => homes.remove(&shown, &place.rows().await?).await,
        }
    }

    async fn place(&self, request: &OperatorRequest) -> Result<Place, Refusal> {
        let config = Config::parse(&request.config).map_err(Refusal::from)?;
        let credentials = self.credentials(&config, &request.host).await.map_err(|error| not_connected(&error))?;
        let connection = self.connection(&credentials).await.map_err(|error| not_connected(&error))?;
        let client = connection.requests.clone();
        let named = config.namespace.clone().or_else(|| super::own_pod::own_namespace(&request.host));
        let namespace = if request.all_namespaces {
            Namespace::everywhere(client.clone())
        } else {
            Namespace::new(client.clone(), named.unwrap_or_else(|| connection.default_namespace.clone()))
        };
        let supervisors = Supervisors {
            here: SupervisorId::of(&request.host, None),
            following: self.shared.following.clone(),
            host_namespace: request.server_namespace.as_ref().map(|name| Namespace::new(client, name)),
        };
        let identity = Identity::here(credentials.identity());
        Ok(Place { connection, namespace, identity, supervisors, clock: Clock::start() })
    }

    /// One watch of the namespace tells every row.
    async fn watch(&self, place: &Place, agent: Option<&str>, host: Arc<dyn Host>, stop: StopSignal) {
        let painting = async {
            loop {
                let index = NamespaceIndex::start(place.namespace.clone());
                let Some(mut changes) = index.changes() else { continue };
                while changes.changed().await.is_ok() {
                    sleep(REPAINT).await;
                    changes.mark_unchanged();
                    let neighbours = place.judged(index.views()).await;
                    let rows = of_agent(rows(&neighbours, place.now()), agent);
                    let _painted_or_not = host.notice(Notice::Rows { rows }).await;
                }
            }
        };
        tokio::select! {
            () = painting => {}
            _order = stop.ordered() => {}
        }
    }

    /// Reads or follows one log, as a run does, and hands it to the terminal.
    async fn log(
        &self,
        place: &Place,
        job: &JobFacts,
        row: &RunRow,
        reading: Reading,
        host: Arc<dyn Host>,
        stop: StopSignal,
    ) -> Result<Value, Refusal> {
        let place = place.of(&row.namespace);
        let (_index, mut view) = self.index(place.identity.clone(), place.namespace.clone()).subscribe(job);
        let started = |view: &RunView| view.pod().is_some_and(|pod| pod.claude.started || pod.is_over());
        if reading.follow {
            tokio::select! {
                _ = view.wait_for(started) => {}
                _order = stop.ordered() => return Ok(Value::Null),
            }
        } else {
            // The first list of the index tells it.
            let _listed = timeout(STOPPED, view.wait_for(|view| view.stale_since.is_none())).await.is_ok();
        }
        let Some(pod) = view.borrow().pod().filter(|_| started(&view.borrow())).cloned() else {
            return Err(not_started(row));
        };
        let target = LogTarget {
            namespace: row.namespace.clone(),
            pod: pod.name.clone(),
            container: CONTAINER.to_owned(),
            first_line: (pod.announces_start && reading.since.is_none()).then_some(FIRST_LINE),
            announces_end: pod.announces_end && reading.follow,
        };
        let since = reading.since.map(|age| LogTime::of(place.now()).minus(age));
        let source = Since { source: ClusterLogs::new(&place.connection), since };
        let report = tokio::select! {
            report = transfer(&source, &target, view, reading.follow, &*host) => report,
            _order = stop.ordered() => return Ok(Value::Null),
        };
        let summary = report.summary();
        let end = report.end.map(|end| end.exit_code);
        Ok(json!({ "complete": summary.complete, "bytes": summary.bytes, "gaps": summary.gaps, "exitCode": end }))
    }

    async fn stop(&self, place: &Place, job: &str, uid: &str) -> Result<Value, Refusal> {
        let facts = JobFacts { name: job.to_owned(), uid: uid.to_owned(), ..JobFacts::default() };
        let (_index, mut view) = self.index(place.identity.clone(), place.namespace.clone()).subscribe(&facts);
        // The pod's last state is only seen by who watched before.
        let _listed = timeout(STOPPED, view.wait_for(|view| view.stale_since.is_none())).await.is_ok();
        let delete = || place.namespace.delete_job(Call::StopJob, job, uid);
        patiently(Call::CleanUpJob, delete).await.map_err(|failure| not_done(&failure))?;
        let over = |view: &RunView| view.pods.iter().all(|pod| pod.is_over() || pod.absent);
        let ended = timeout(STOPPED, view.wait_for(over)).await.is_ok();
        let view = view.borrow();
        let end = view.pod().and_then(PodFacts::terminated);
        Ok(
            json!({ "ended": ended, "exitCode": end.map(|end| end.exit_code), "reason": end.and_then(|end| end.reason.clone()) }),
        )
    }
}

/// How a log is read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    follow: bool,
    since: Option<Duration>,
}

async fn transfer<S: LogSource>(
    source: &S,
    target: &LogTarget,
    mut view: watch::Receiver<RunView>,
    follows: bool,
    host: &dyn Host,
) -> LogReport {
    // Not followed, it is read once, as the log of a container that has ended.
    let now = |view: &RunView| match view.pod() {
        Some(pod) if follows => pod.log_phase(),
        _ => ContainerPhase::Terminated { pod_deleted: false, killed: false },
    };
    let (phase, told) = watch::channel(now(&view.borrow_and_update()));
    let telling = async {
        while view.changed().await.is_ok() {
            phase.send_replace(now(&view.borrow_and_update()));
        }
        std::future::pending::<()>().await;
    };
    let (writer, reader) = spool(SPOOL_BYTES);
    let reading = async {
        let report = follow(source, target, told, &writer, |_| {}).await;
        drop(writer);
        report
    };
    let give_up = watch::Sender::new(None);
    let redactor = Redactor::new([]);
    let delivering = deliver(reader, host, &redactor, give_up.subscribe());
    tokio::select! {
        (report, _delivered) = async { tokio::join!(reading, delivering) } => report,
        () = telling => unreachable!("it tells for ever"),
    }
}

/// A log that begins at some time.
struct Since {
    source: ClusterLogs,
    since: Option<LogTime>,
}

impl LogSource for Since {
    fn open<'a>(&'a self, target: &'a LogTarget, query: LogQuery) -> BoxFuture<'a, Result<LogBody, OpenError>> {
        self.source.open(target, LogQuery { since: query.since.or(self.since), ..query })
    }
}

fn of_agent(rows: Vec<RunRow>, agent: Option<&str>) -> Vec<RunRow> {
    let Some(agent) = agent else { return rows };
    let label = label_value(agent);
    let is = |row: &RunRow| row.agent.as_deref() == Some(agent) || row.agent.is_some() && row.agent == label;
    rows.into_iter().filter(is).collect()
}

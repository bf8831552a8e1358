//! Where a command acts, and what is asked there.

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::guard::{Neighbour, Supervisor, group};
use claude_k8s_core::launch::Call;
use claude_k8s_core::names::{CONTAINER, own_selector};
use claude_k8s_core::operate::{
    Found, Heard, Kind, Leftover, Owned, RunRow, RunStatus, UsageRow, ambiguous, find, leftovers, not_done, rows,
    secrets_not_readable, unknown, usage_rows,
};
use claude_k8s_core::permissions::Access;
use claude_k8s_core::view::{PodFacts, RunView};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Identity;
use crate::api::{Asking, Namespace, patiently};
use crate::clock::Clock;
use crate::connect::Connection;
use crate::run::Supervisors;

/// Somebody waits at a terminal.
const AT_MOST: Duration = Duration::from_secs(10);
/// Ends of logs that are read at the same time.
const TAILS: usize = 8;
/// Lines and bytes of an end.
const TAIL: (i64, i64) = (5, 256 << 10);

/// Where a command acts.
pub(super) struct Place {
    pub(super) connection: Arc<Connection>,
    pub(super) namespace: Namespace,
    pub(super) identity: Identity,
    pub(super) supervisors: Supervisors,
    pub(super) clock: Clock,
}

impl Place {
    /// The time by which the server stamps objects, as far as it has told: ours may be off (FLD-07).
    pub(super) fn now(&self) -> Timestamp {
        self.connection.clock.now().unwrap_or_else(|| self.clock.now())
    }

    /// The same for one namespace of all.
    pub(super) fn of(&self, namespace: &str) -> Self {
        Self {
            connection: Arc::clone(&self.connection),
            namespace: Namespace::new(self.connection.requests.clone(), namespace),
            identity: self.identity.clone(),
            supervisors: self.supervisors.clone(),
            clock: self.clock,
        }
    }

    pub(super) async fn neighbours(&self) -> Result<Vec<Neighbour>, Refusal> {
        let selector = own_selector();
        let asking = Asking::in_a_hurry(AT_MOST);
        let jobs = asking.for_answer(Call::ListJobs, || self.namespace.list_jobs(&selector));
        let pods = asking.for_answer(Call::ListPods, || self.namespace.list_job_pods(&selector));
        let (jobs, pods) = tokio::join!(jobs, pods);
        let jobs = jobs.map_err(|failure| not_done(&failure))?;
        let pods = pods.map_err(|failure| not_done(&failure))?;
        Ok(self.supervised(group(jobs, pods)).await)
    }

    /// The same from what an index knows.
    pub(super) async fn judged(&self, views: Vec<RunView>) -> Vec<Neighbour> {
        let neighbour = |view: RunView| {
            let pods: Vec<PodFacts> = view.pods.into_iter().filter(|pod| !pod.absent).collect();
            let job = view.job?;
            Some(Neighbour { job_exists: !job.absent, job, pods, supervisor: Supervisor::Living, settled: false })
        };
        self.supervised(views.into_iter().filter_map(neighbour).collect()).await
    }

    pub(super) async fn supervised(&self, mut neighbours: Vec<Neighbour>) -> Vec<Neighbour> {
        for neighbour in &mut neighbours {
            neighbour.supervisor = self.supervisors.of(&neighbour.job, &Asking::in_a_hurry(AT_MOST), self.now()).await;
        }
        neighbours
    }

    pub(super) async fn rows(&self) -> Result<Vec<RunRow>, Refusal> {
        Ok(rows(&self.neighbours().await?, self.now()))
    }

    pub(super) async fn find(&self, word: &str) -> Result<(Neighbour, RunRow), Refusal> {
        let neighbours = self.neighbours().await?;
        let rows = rows(&neighbours, self.now());
        let row = match find(&rows, word) {
            Found::One(row) => row.clone(),
            Found::None => return Err(unknown(word, &self.namespace.name)),
            Found::Several(rows) => return Err(ambiguous(word, &rows)),
        };
        let neighbour = neighbours.into_iter().find(|one| one.job.uid == row.uid);
        neighbour.map(|one| (one, row)).ok_or_else(|| unknown(word, &self.namespace.name))
    }

    /// The ends of the logs of what runs. A log that cannot be read tells nothing.
    pub(super) async fn heard(&self, rows: Vec<RunRow>) -> Vec<RunRow> {
        let read = |mut row: RunRow| async move {
            let running = matches!(row.state, RunStatus::Running | RunStatus::Orphaned | RunStatus::Ended);
            if let Some(pod) = row.pod.as_deref().filter(|_| running) {
                let (lines, bytes) = TAIL;
                let namespace = self.of(&row.namespace).namespace;
                row.heard = match patiently(Call::Check, || namespace.log_tail(pod, CONTAINER, lines, bytes)).await {
                    Ok(tail) => Heard::read(&tail, self.now()),
                    Err(_) => Heard::default(),
                };
            }
            row
        };
        stream::iter(rows).map(read).buffered(TAILS).collect().await
    }

    pub(super) async fn usage(&self) -> Result<Vec<UsageRow>, Refusal> {
        let selector = own_selector();
        let rows = self.rows().await?;
        let listed = patiently(Call::Check, || self.namespace.list_pods(&selector)).await;
        let pods = listed.map_err(|failure| not_done(&failure))?;
        let pods: Vec<Value> = pods.iter().filter_map(|pod| serde_json::to_value(pod).ok()).collect();
        // A cluster that measures nothing, or not for us, is no failure: what was asked for is shown then.
        let metrics = match patiently(Call::Check, || self.namespace.may_named(Access::LIST_METRICS, None)).await {
            Ok(true) => patiently(Call::Check, || self.namespace.pod_metrics(&selector)).await.unwrap_or_default(),
            Ok(false) | Err(_) => Vec::new(),
        };
        Ok(usage_rows(rows, &pods, &metrics))
    }

    pub(super) async fn leftovers(&self, older_than: Duration) -> Result<Value, Refusal> {
        let rows = self.rows().await?;
        let selector = own_selector();
        let asked = patiently(Call::Check, || self.namespace.may_named(Access::LIST_SECRETS, None)).await;
        let allowed = asked.is_ok_and(|allowed| allowed);
        let secrets = if allowed {
            patiently(Call::Check, || self.namespace.list_secrets(&selector))
                .await
                .map_err(|failure| failure.to_string())
        } else {
            Err(secrets_not_readable())
        };
        let unread = secrets.as_ref().err().cloned();
        let owned = secrets.unwrap_or_default().into_iter().map(|secret| Owned {
            namespace: secret.namespace.unwrap_or_default(),
            name: secret.name.unwrap_or_default(),
            uid: secret.uid.unwrap_or_default(),
            job_uid: secret.owner_references.into_iter().flatten().find(|owner| owner.kind == "Job").map(|job| job.uid),
            created_at: secret.creation_timestamp.map(|time| time.0),
        });
        let owned: Vec<Owned> = owned.collect();
        let left = leftovers(&rows, &owned, older_than, self.now());
        Ok(json!({ "leftovers": left, "secretsUnread": unread }))
    }

    pub(super) async fn remove(&self, leftovers: Vec<Leftover>) -> Value {
        let mut outcomes = Vec::new();
        for one in leftovers {
            let namespace = self.of(&one.namespace).namespace;
            let removed = match one.kind {
                Kind::Job => {
                    let delete = || namespace.delete_job(Call::RemoveLeftover, &one.name, &one.uid);
                    patiently(Call::CleanUpJob, delete).await
                }
                Kind::Secret => {
                    patiently(Call::DeleteSecret, || namespace.delete_secret(&one.name, Some(&one.uid))).await
                }
            };
            outcomes.push(json!({ "leftover": one, "failure": removed.err().map(|failure| failure.to_string()) }));
        }
        outcomes.into()
    }
}

//! One line per Job.

use jiff::Timestamp;
use serde::Serialize;

use super::tail::Heard;
use crate::guard::{Liveness, Neighbour, Supervisor};
use crate::names::key;
use crate::view::{ContainerState, PodFacts};

/// What an operator sees of one Job. Times are ISO 8601.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRow {
    /// Namespace of Job and pod.
    pub namespace: String,
    /// Name of the Job.
    pub job: String,
    /// Its uid: what is deleted is this Job and no later one of the same name.
    pub uid: String,
    /// Id of the agent.
    pub agent: Option<String>,
    /// Its display name.
    pub agent_name: Option<String>,
    /// Id of the task.
    pub task: Option<String>,
    /// Id of the run.
    pub run: Option<String>,
    /// What it does.
    pub state: RunStatus,
    /// The queue it waits in.
    pub queue: Option<String>,
    /// When the Job was created.
    pub created_at: Option<Timestamp>,
    /// How long ago that was, by the server's clock.
    pub age_seconds: Option<u64>,
    /// Its newest pod.
    pub pod: Option<String>,
    /// The node of that pod.
    pub node: Option<String>,
    /// Exit code of the container, once it has ended.
    pub exit_code: Option<i32>,
    /// What the log told, if it was asked.
    #[serde(flatten)]
    pub heard: Heard,
}

/// What a Job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Created and not released: its host is still preparing it, or was stopped while it did.
    Preparing,
    /// Waits in a queue.
    Queued,
    /// Its pod has no node yet.
    Scheduling,
    /// Its container has not started.
    Starting,
    /// Its container runs.
    Running,
    /// It runs, and the process that followed it is gone. The next run of the task takes it over.
    Orphaned,
    /// It is being deleted, and its pod has not ended.
    Stopping,
    /// It has ended, and its result may not have been taken.
    Ended,
    /// It has ended, its result was taken, and it is kept (`retainJobs`).
    Retained,
}

impl RunStatus {
    /// A container runs or will run.
    #[must_use]
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Ended | Self::Retained)
    }
}

/// The rows, newest first.
#[must_use]
pub fn rows(neighbours: &[Neighbour], now: Timestamp) -> Vec<RunRow> {
    let mut rows: Vec<RunRow> = neighbours.iter().map(|one| RunRow::of(one, now)).collect();
    rows.sort_by(|one, other| (other.created_at, &other.job).cmp(&(one.created_at, &one.job)));
    rows
}

impl RunRow {
    /// Reads one Job and its pods.
    #[must_use]
    pub fn of(neighbour: &Neighbour, now: Timestamp) -> Self {
        let job = &neighbour.job;
        let id = |key: &str| neighbour.id(key).map(str::to_owned);
        let pod = neighbour.pods.last();
        Self {
            namespace: job.namespace.clone(),
            job: job.name.clone(),
            uid: job.uid.clone(),
            agent: id(key::AGENT_ID),
            agent_name: id(key::AGENT_NAME),
            task: id(key::TASK_ID),
            run: id(key::RUN_ID),
            state: status(neighbour, now),
            queue: id(key::QUEUE_NAME),
            created_at: job.created_at,
            age_seconds: job.created_at.map(|created| seconds_since(created, now)),
            pod: pod.map(|pod| pod.name.clone()),
            node: pod.and_then(|pod| pod.node.clone()),
            exit_code: pod.and_then(PodFacts::terminated).map(|end| end.exit_code),
            heard: Heard::default(),
        }
    }
}

/// Whole seconds from one time to another; none for a time to come.
pub(super) fn seconds_since(time: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.duration_since(time).as_secs()).unwrap_or_default()
}

fn status(neighbour: &Neighbour, now: Timestamp) -> RunStatus {
    let job = &neighbour.job;
    match neighbour.liveness(now) {
        Liveness::Ending => return RunStatus::Stopping,
        Liveness::Finished => {
            let delivered = job.annotations.get(key::DELIVERED).is_some_and(|value| value == "true");
            return if delivered { RunStatus::Retained } else { RunStatus::Ended };
        }
        Liveness::Leftover => return RunStatus::Preparing,
        Liveness::Live => {}
    }
    let Some(pod) = neighbour.running_pods().last() else {
        return match (job.suspended, job.labels.contains_key(key::QUEUE_NAME)) {
            (true, true) => RunStatus::Queued,
            (true, false) => RunStatus::Preparing,
            // The last pod is over and the Job has not heard of it, or there never was one.
            (false, _) if neighbour.pods.is_empty() => RunStatus::Scheduling,
            (false, _) => RunStatus::Ended,
        };
    };
    match &pod.claude.state {
        ContainerState::Running { .. } if neighbour.supervisor == Supervisor::Gone => RunStatus::Orphaned,
        ContainerState::Running { .. } => RunStatus::Running,
        _ if pod.node.is_none() => RunStatus::Scheduling,
        _ => RunStatus::Starting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{ContainerFacts, JobCondition, JobFacts};

    fn neighbour(change: impl FnOnce(&mut Neighbour)) -> RunStatus {
        let pod = PodFacts { name: "p".into(), ..PodFacts::default() };
        let mut one = Neighbour {
            job: JobFacts { name: "j".into(), uid: "u".into(), generation: 2, ..JobFacts::default() },
            job_exists: true,
            pods: vec![pod],
            supervisor: Supervisor::Living,
            settled: false,
        };
        change(&mut one);
        status(&one, Timestamp::UNIX_EPOCH)
    }

    fn running(one: &mut Neighbour) {
        let pod = &mut one.pods[0];
        pod.node = Some("n".into());
        pod.claude = ContainerFacts {
            state: ContainerState::Running { started_at: None },
            started: true,
            ..ContainerFacts::default()
        };
    }

    #[test]
    fn every_state_of_a_job_has_its_word() {
        let suspended = |one: &mut Neighbour| {
            one.pods.clear();
            one.job.suspended = true;
        };
        let finished = |one: &mut Neighbour| {
            let kind = "Complete".into();
            one.job.conditions = vec![JobCondition { kind, reason: String::new(), message: String::new() }];
            one.pods.clear();
        };
        assert_eq!(neighbour(suspended), RunStatus::Preparing);
        assert_eq!(
            neighbour(|one| {
                suspended(one);
                one.job.labels.insert(key::QUEUE_NAME.into(), "q".into());
            }),
            RunStatus::Queued
        );
        assert_eq!(neighbour(|one| one.pods.clear()), RunStatus::Scheduling);
        assert_eq!(neighbour(|_| {}), RunStatus::Scheduling);
        assert_eq!(neighbour(|one| one.pods[0].node = Some("n".into())), RunStatus::Starting);
        assert_eq!(neighbour(running), RunStatus::Running);
        assert_eq!(
            neighbour(|one| {
                running(one);
                one.supervisor = Supervisor::Gone;
            }),
            RunStatus::Orphaned
        );
        assert_eq!(
            neighbour(|one| {
                running(one);
                one.job.deletion_timestamp = Some(Timestamp::UNIX_EPOCH);
            }),
            RunStatus::Stopping
        );
        assert_eq!(neighbour(finished), RunStatus::Ended);
        assert_eq!(
            neighbour(|one| {
                finished(one);
                one.job.annotations.insert(key::DELIVERED.into(), "true".into());
            }),
            RunStatus::Retained
        );
    }
}

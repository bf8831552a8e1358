//! One existing Job of the agent, seen through the guard's two lists.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Supervisor;
use crate::names::key;
use crate::view::{JobFacts, PodFacts, PodOfJob};

/// A Job that was never released and has no pod may be removed after this time: it never ran anything.
const LEFTOVER_AGE: SignedDuration = SignedDuration::from_mins(15);

/// An existing Job and its pods. A pod whose Job object is already gone still counts
/// (`docs/internals/kubernetes.md` 4.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// The Job; for a pod without one, what its labels tell.
    pub job: JobFacts,
    /// The Job object exists.
    pub job_exists: bool,
    /// Its pods.
    pub pods: Vec<PodFacts>,
    /// Who follows it.
    pub supervisor: Supervisor,
    /// The run that asks has followed it to its end, or another run of its process has answered it. It is no competitor
    /// and no orphan any more, but a container that said its own end may take a moment to be over for the kubelet.
    pub settled: bool,
}

/// How alive a neighbour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// It runs or will run.
    Live,
    /// It is ending: deleted or terminal, but a pod is not terminal yet. Worth a short wait.
    Ending,
    /// Finished, nothing runs.
    Finished,
    /// Created and never released, by a process that is gone or long ago: removed by the guard.
    Leftover,
}

/// Joins the two lists. Pods belong to a Job by owner uid; `owner` gives it for each pod.
#[must_use]
pub fn group(jobs: Vec<JobFacts>, pods: Vec<PodOfJob>) -> Vec<Neighbour> {
    let mut by_uid: BTreeMap<String, Neighbour> =
        jobs.into_iter().map(|job| (job.uid.clone(), Neighbour::new(job, true))).collect();
    for PodOfJob { job: owner, pod } in pods {
        let entry = by_uid.entry(owner.uid.clone());
        entry.or_insert_with(|| Neighbour::new(owner, false)).pods.push(pod);
    }
    by_uid.into_values().collect()
}

impl Neighbour {
    fn new(job: JobFacts, job_exists: bool) -> Self {
        Self { job, job_exists, pods: vec![], supervisor: Supervisor::Living, settled: false }
    }

    /// Its pods that are not over.
    pub fn running_pods(&self) -> impl Iterator<Item = &PodFacts> {
        self.pods.iter().filter(|pod| !pod.is_over())
    }

    /// The rules of GRD-04: its pods decide about a Job that is ending.
    #[must_use]
    pub fn liveness(&self, now: Timestamp) -> Liveness {
        let ending =
            !self.job_exists || self.job.deletion_timestamp.is_some() || self.job.is_finished() || self.is_answered();
        let ending = ending || self.settled;
        let pod_runs = self.running_pods().next().is_some();
        if ending {
            return if pod_runs { Liveness::Ending } else { Liveness::Finished };
        }
        if self.is_leftover(now) { Liveness::Leftover } else { Liveness::Live }
    }

    /// Its result was returned. The kubelet's word for the container's end and the Job's condition come later.
    fn is_answered(&self) -> bool {
        let delivered = self.job.annotations.get(key::DELIVERED).is_some_and(|value| value == "true");
        delivered && !self.pods.is_empty()
    }

    /// Nobody will release it. The release changes the spec: a Job that was released and suspended by somebody is no
    /// leftover.
    fn is_leftover(&self, now: Timestamp) -> bool {
        let old = self.job.created_at.is_some_and(|created| now.duration_since(created) > LEFTOVER_AGE);
        let abandoned = old || self.supervisor == Supervisor::Gone;
        let untouched = self.job.generation <= 1;
        abandoned && untouched && !self.is_released() && self.pods.is_empty() && self.has_our_layout()
    }

    /// Pods of it may run: unsuspended, or handed to a queue.
    pub(super) fn is_released(&self) -> bool {
        !self.job.suspended || self.job.labels.contains_key(key::QUEUE_NAME)
    }

    /// It ran to its end and is not being removed: its log can still be read.
    pub(super) fn has_a_result(&self) -> bool {
        self.job_exists && self.job.is_finished() && self.job.deletion_timestamp.is_none()
    }

    /// Oldest first; unique, so that every participant sees the same order.
    pub(super) fn age_order(&self) -> (Option<Timestamp>, &str) {
        (self.job.created_at, &self.job.uid)
    }

    /// A layout that is understood: this one, or that of 0.2.0. Jobs of v0.1.54 have no label and are never adopted.
    #[must_use]
    pub fn has_our_layout(&self) -> bool {
        self.job.labels.get(key::LAYOUT).is_some_and(|layout| layout == "2" || layout == "3")
    }

    /// Raw id from the annotation, else the sanitised one from the label.
    #[must_use]
    pub fn id(&self, key: &str) -> Option<&str> {
        self.job.annotations.get(key).or_else(|| self.job.labels.get(key)).map(String::as_str)
    }
}

//! Plain data of the index: what is known, and who wants to hear of it. Needs no runtime.

use std::collections::{BTreeSet, HashMap};

use claude_k8s_core::answers::{FACTS_MAX, OBJECTS_MAX};
use claude_k8s_core::view::{JobFacts, PodFacts, PodOfJob, RunView};
use jiff::Timestamp;
use tokio::sync::watch;

/// Pods of one Job: it makes one, and another only when that one is gone.
const PODS_MAX: usize = 100;

/// Facts by Job uid.
#[derive(Debug)]
pub(super) struct Table {
    runs: HashMap<String, Entry>,
    /// Bytes of all entries, roughly.
    weight: usize,
    stale_since: Option<Timestamp>,
    /// Nobody writes any more.
    closed: bool,
    /// Rises with every change of anything.
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Entry {
    view: RunView,
    weight: usize,
    reader: Option<watch::Sender<RunView>>,
}

impl Entry {
    fn publish(&self) {
        if let Some(reader) = &self.reader {
            reader.send_if_modified(|current| {
                let changed = *current != self.view;
                if changed {
                    current.clone_from(&self.view);
                }
                changed
            });
        }
    }

    fn is_read(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.receiver_count() > 0)
    }

    fn is_forgettable(&self) -> bool {
        let unread = !self.is_read();
        let gone = self.view.job.as_ref().is_none_or(|job| job.absent) && self.view.pods.iter().all(|pod| pod.absent);
        unread && gone
    }
}

impl Table {
    /// Empty, and not in contact yet.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { runs: HashMap::new(), weight: 0, stale_since: Some(now), closed: false, version: watch::Sender::new(0) }
    }

    /// A receiver of one Job's facts, starting with `known` and whatever was seen already. `None` when closed.
    pub(super) fn subscribe(&mut self, known: JobFacts) -> Option<watch::Receiver<RunView>> {
        if self.closed {
            return None;
        }
        let uid = known.uid.clone();
        self.entry(&uid).view.job.get_or_insert(known);
        self.weigh(&uid);
        let entry = self.entry(&uid);
        entry.publish();
        let reader = entry.reader.get_or_insert_with(|| watch::Sender::new(entry.view.clone()));
        Some(reader.subscribe())
    }

    /// Hears of every change, whatever Job it is about. `None` when closed.
    pub(super) fn changes(&self) -> Option<watch::Receiver<u64>> {
        (!self.closed).then(|| self.version.subscribe())
    }

    /// Everything that exists.
    pub(super) fn views(&self) -> Vec<RunView> {
        let exists = |view: &&RunView| {
            view.job.as_ref().is_some_and(|job| !job.absent) || view.pods.iter().any(|pod| !pod.absent)
        };
        self.runs.values().map(|entry| &entry.view).filter(exists).cloned().collect()
    }

    fn changed(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// Closes the table when nobody listens. True when it is closed.
    pub(super) fn close_when_unread(&mut self) -> bool {
        self.closed |= self.readers() == 0;
        self.closed
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    fn entry(&mut self, uid: &str) -> &mut Entry {
        let entry = self.runs.entry(uid.to_owned()).or_default();
        entry.view.stale_since = self.stale_since;
        entry
    }

    pub(super) fn apply_job(&mut self, job: JobFacts) {
        if self.has_room(&job.uid) {
            self.fold_job(job);
        }
    }

    /// A server that brings objects without an end fills a table, and then only what is listened to.
    fn has_room(&self, uid: &str) -> bool {
        match self.runs.get(uid) {
            Some(entry) => self.weight < FACTS_MAX || entry.is_read(),
            None => self.weight < FACTS_MAX && self.runs.len() < OBJECTS_MAX,
        }
    }

    fn weigh(&mut self, uid: &str) {
        if let Some(entry) = self.runs.get_mut(uid) {
            let before = std::mem::replace(&mut entry.weight, entry.view.weight());
            self.weight = self.weight.saturating_sub(before) + entry.weight;
        }
    }

    fn forget_unused(&mut self) {
        self.runs.retain(|_, entry| !entry.is_forgettable());
        self.weight = self.runs.values().map(|entry| entry.weight).sum();
    }

    pub(super) fn apply_pod(&mut self, PodOfJob { job, pod }: PodOfJob) {
        if self.has_room(&job.uid) {
            self.fold_pod(&job.uid, pod);
        }
    }

    /// The object carries its last state: fold it first, then mark it (`docs/internals/kubernetes.md` 3.1).
    pub(super) fn delete_job(&mut self, job: JobFacts) {
        let uid = job.uid.clone();
        self.fold_job(JobFacts { absent: true, ..job });
        self.forget_if_unused(&uid);
    }

    pub(super) fn delete_pod(&mut self, PodOfJob { job, pod }: PodOfJob) {
        self.fold_pod(&job.uid, PodFacts { absent: true, ..pod });
        self.forget_if_unused(&job.uid);
    }

    /// A read by name found it absent.
    pub(super) fn absent_job(&mut self, uid: &str) {
        if let Some(entry) = self.runs.get_mut(uid) {
            entry.view.job.iter_mut().for_each(|job| job.absent = true);
            entry.publish();
        }
    }

    /// The same for a pod of a Job.
    pub(super) fn absent_pod(&mut self, job_uid: &str, uid: &str) {
        if let Some(entry) = self.runs.get_mut(job_uid) {
            entry.view.pods.iter_mut().filter(|pod| pod.uid == uid).for_each(|pod| pod.absent = true);
            entry.publish();
        }
    }

    /// A complete list of Jobs was taken: what is not in it is absent.
    pub(super) fn relisted_jobs(&mut self, listed: Vec<JobFacts>) {
        let seen: BTreeSet<String> = listed.iter().map(|job| job.uid.clone()).collect();
        for job in listed {
            self.apply_job(job);
        }
        for (uid, entry) in &mut self.runs {
            if let Some(job) = entry.view.job.as_mut().filter(|_| !seen.contains(uid.as_str())) {
                job.absent = true;
                entry.publish();
            }
        }
        self.forget_unused();
        self.changed();
    }

    /// A complete list of pods was taken.
    pub(super) fn relisted_pods(&mut self, mut listed: Vec<PodOfJob>) {
        let seen: BTreeSet<String> = listed.iter().map(|one| one.pod.uid.clone()).collect();
        // A list is sorted by name; which pod came first decides which one is the run's.
        listed.sort_by_key(|one| one.job.created_at);
        for pod in listed {
            self.apply_pod(pod);
        }
        for entry in self.runs.values_mut() {
            for pod in entry.view.pods.iter_mut().filter(|pod| !seen.contains(pod.uid.as_str())) {
                pod.absent = true;
            }
            entry.publish();
        }
        self.forget_unused();
        self.changed();
    }

    /// Contact was lost (`Some`) or is back (`None`). Facts stay.
    pub(super) fn stale(&mut self, since: Option<Timestamp>) {
        if self.stale_since.is_some() == since.is_some() {
            return;
        }
        self.stale_since = since;
        for entry in self.runs.values_mut() {
            entry.view.stale_since = since;
            entry.publish();
        }
        self.changed();
    }

    /// Runs that are listened to.
    pub(super) fn readers(&self) -> usize {
        let overviews = self.version.receiver_count();
        overviews + self.runs.values().filter(|entry| entry.is_read()).count()
    }

    fn fold_job(&mut self, facts: JobFacts) {
        let uid = facts.uid.clone();
        let entry = self.entry(&uid);
        entry.view.job = Some(match entry.view.job.take() {
            Some(known) => known.fold(facts),
            None => facts,
        });
        entry.publish();
        self.weigh(&uid);
        self.changed();
    }

    fn fold_pod(&mut self, owner: &str, facts: PodFacts) {
        let entry = self.entry(owner);
        let has_room = entry.view.pods.len() < PODS_MAX;
        match entry.view.pods.iter_mut().find(|pod| pod.uid == facts.uid) {
            Some(known) => *known = std::mem::take(known).fold(facts),
            None if has_room => entry.view.pods.push(facts),
            None => {}
        }
        entry.publish();
        self.weigh(owner);
        self.changed();
    }

    fn forget_if_unused(&mut self, uid: &str) {
        if self.runs.get(uid).is_some_and(Entry::is_forgettable) {
            let gone = self.runs.remove(uid);
            self.weight = self.weight.saturating_sub(gone.map_or(0, |entry| entry.weight));
        }
    }
}

#[cfg(test)]
mod tests;

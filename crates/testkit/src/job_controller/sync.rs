//! One step of the controller for one Job.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::pods;
use crate::clock::seconds;
use crate::cluster::events::{JOB_CONTROLLER, JOB_CONTROLLER_WARNING, record};
use crate::cluster::lifecycle::{self, Propagation, is_deleting, is_terminal};
use crate::cluster::{Cluster, State};
use crate::knobs::HoldKind;
use crate::objects::json::{has_condition, integer, remove, set, set_condition, text};
use crate::objects::store::Key;

/// First and longest pause between two attempts to create a refused pod.
const CREATE_RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

/// When to look again.
pub(super) enum Next {
    /// The Job is gone.
    Ended,
    OnChange,
    At(Instant),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Succeeded,
    BackoffLimitExceeded,
    DeadlineExceeded,
}

impl Verdict {
    fn reason(self) -> (&'static str, &'static str) {
        match self {
            Self::Succeeded => ("CompletionsReached", "Reached expected number of succeeded pods"),
            Self::BackoffLimitExceeded => ("BackoffLimitExceeded", "Job has reached the specified backoff limit"),
            Self::DeadlineExceeded => ("DeadlineExceeded", "Job was active longer than specified deadline"),
        }
    }
}

/// A pod that counts, and from when on: the controller batches.
#[derive(Debug, Clone, Copy)]
struct Ended {
    succeeded: bool,
    counts_from: Instant,
}

/// What the controller remembers about one Job.
pub(super) struct JobSync {
    key: Key,
    uid: String,
    /// Since when the Job is active; every release starts it anew.
    started: Option<Instant>,
    ended: HashMap<String, Ended>,
    /// Pods deleted by a suspension: they do not count as failures.
    suspended_pods: HashSet<String>,
    verdict: Option<(Verdict, Instant)>,
    finished: Option<Instant>,
    create_after: Option<(Instant, Duration)>,
}

impl JobSync {
    pub(super) fn new(key: Key, uid: String) -> Self {
        Self {
            key,
            uid,
            started: None,
            ended: HashMap::new(),
            suspended_pods: HashSet::new(),
            verdict: None,
            finished: None,
            create_after: None,
        }
    }

    pub(super) fn uid(&self) -> &str {
        &self.uid
    }

    /// The next step. It happens at one moment: a time that passes during it is still ahead.
    pub(super) fn sync(&mut self, cluster: &Cluster, state: &mut State) -> Next {
        let now = Instant::now();
        let Some(job) = state.store.get_uid(&self.key, &self.uid).cloned() else {
            state.ended_pods.remove(&self.uid);
            return Next::Ended;
        };
        if is_deleting(&job) || self.is_held(state, HoldKind::JobController) {
            return Next::OnChange;
        }
        if let Some(finished) = self.finished {
            return self.expire(cluster, state, &job, finished, now);
        }
        if job["spec"]["suspend"] == true && self.verdict.is_none() {
            return self.suspend(cluster, state, &job);
        }
        self.start(cluster, state, &job, now);
        self.observe(state, &job, now);
        let conditions_held = self.is_held(state, HoldKind::JobConditions);
        if self.verdict.is_none() {
            self.verdict = self.judge(&job, now).map(|verdict| (verdict, now));
        }
        match self.verdict {
            None => self.create_pod(cluster, state, &job, now),
            Some((verdict, _)) => {
                if verdict != Verdict::Succeeded {
                    self.delete_active(cluster, state);
                }
                if !conditions_held {
                    self.post_verdict(cluster, state, verdict, now);
                }
            }
        }
        self.post_counts(state, now);
        self.next(&job, conditions_held, state.knobs.lags.job_finished, now)
    }

    fn is_held(&self, state: &State, kind: HoldKind) -> bool {
        state.knobs.hold(kind, &[&self.key.name]).is_some()
    }

    /// TTL: foreground cascade with the Job's finish time as start.
    fn expire(&self, cluster: &Cluster, state: &mut State, job: &Value, finished: Instant, now: Instant) -> Next {
        let Some(ttl) = integer(job, "/spec/ttlSecondsAfterFinished") else { return Next::OnChange };
        let due = finished + Duration::from_secs(u64::try_from(ttl).unwrap_or(0));
        if now < due {
            return Next::At(due);
        }
        lifecycle::delete(state, cluster.clock.now(), &self.key, Propagation::Foreground, None);
        Next::OnChange
    }

    fn suspend(&mut self, cluster: &Cluster, state: &mut State, job: &Value) -> Next {
        let now = cluster.clock.now();
        for (key, pod) in pods::of_job(state, &self.uid) {
            if !is_terminal(&pod) {
                self.suspended_pods.insert(text(&pod, "/metadata/uid").to_owned());
                lifecycle::delete(state, now, &key, Propagation::Background, None);
            }
        }
        self.started = None;
        if !has_condition(job, "Suspended") {
            state.store.edit(&self.key, |job| {
                set_condition(job, "Suspended", "True", "JobSuspended", "Job suspended", &seconds(now));
                remove(job, &["status", "startTime"]);
                remove(job, &["status", "active"]);
            });
            record(state, now, JOB_CONTROLLER, job, "Suspended", "Job suspended");
        }
        Next::OnChange
    }

    fn start(&mut self, cluster: &Cluster, state: &mut State, job: &Value, now: Instant) {
        if self.started.is_some() {
            return;
        }
        self.started = Some(now);
        let now = cluster.clock.now();
        let resumed = has_condition(job, "Suspended");
        state.store.edit(&self.key, |job| {
            if resumed {
                set_condition(job, "Suspended", "False", "JobResumed", "Job resumed", &seconds(now));
            }
            set(job, &["status", "startTime"], seconds(now));
        });
        if resumed {
            record(state, now, JOB_CONTROLLER, job, "Resumed", "Job resumed");
        }
    }

    /// Takes note of pods that count now or soon.
    fn observe(&mut self, state: &State, job: &Value, now: Instant) {
        let counts_from = now + state.knobs.lags.job_decided;
        let only_final_phase = text(job, "/spec/podReplacementPolicy") == "Failed";
        let mut note = |uid: &str, succeeded: bool| {
            if !self.suspended_pods.contains(uid) {
                self.ended.entry(uid.to_owned()).or_insert(Ended { succeeded, counts_from });
            }
        };
        for (_, pod) in pods::of_job(state, &self.uid) {
            let phase = text(&pod, "/status/phase");
            // Without podReplacementPolicy `Failed` a pod with a deletionTimestamp counts as failed (kubernetes.md 4.1).
            if is_terminal(&pod) || is_deleting(&pod) && !only_final_phase {
                note(text(&pod, "/metadata/uid"), phase == "Succeeded");
            }
        }
        for (uid, phase) in state.ended_pods.get(&self.uid).into_iter().flatten() {
            note(uid, phase == "Succeeded");
        }
    }

    fn judge(&self, job: &Value, now: Instant) -> Option<Verdict> {
        let (succeeded, failed) = self.counts(now);
        if succeeded >= integer(job, "/spec/completions").unwrap_or(1) {
            return Some(Verdict::Succeeded);
        }
        if failed > integer(job, "/spec/backoffLimit").unwrap_or(6) {
            return Some(Verdict::BackoffLimitExceeded);
        }
        self.deadline(job).filter(|deadline| now >= *deadline).map(|_| Verdict::DeadlineExceeded)
    }

    fn create_pod(&mut self, cluster: &Cluster, state: &mut State, job: &Value, now: Instant) {
        if self.create_after.is_some_and(|(after, _)| now < after) {
            return;
        }
        let running = pods::of_job(state, &self.uid).into_iter().any(|(_, pod)| {
            // A terminating pod is replaced at once, unless the policy waits for its final phase.
            let replaced = is_deleting(&pod) && text(job, "/spec/podReplacementPolicy") != "Failed";
            !is_terminal(&pod) && !replaced
        });
        let undecided = self.ended.values().any(|ended| ended.counts_from > now);
        if running || undecided {
            return;
        }
        match pods::create(cluster, state, job) {
            Ok(name) => {
                self.create_after = None;
                let message = format!("Created pod: {name}");
                record(state, cluster.clock.now(), JOB_CONTROLLER, job, "SuccessfulCreate", &message);
            }
            Err(rejection) => {
                let pause = self.create_after.map_or(CREATE_RETRY.0, |(_, pause)| (pause * 2).min(CREATE_RETRY.1));
                self.create_after = Some((now + pause, pause));
                let message = format!("Error creating: {}", rejection.message);
                record(state, cluster.clock.now(), JOB_CONTROLLER_WARNING, job, "FailedCreate", &message);
            }
        }
    }

    fn delete_active(&self, cluster: &Cluster, state: &mut State) {
        for (key, pod) in pods::of_job(state, &self.uid) {
            if !is_terminal(&pod) && !is_deleting(&pod) {
                lifecycle::delete(state, cluster.clock.now(), &key, Propagation::Background, None);
            }
        }
    }

    fn post_verdict(&mut self, cluster: &Cluster, state: &mut State, verdict: Verdict, at: Instant) {
        let now = cluster.clock.now();
        let (reason, message) = verdict.reason();
        let (first, last) = match verdict {
            Verdict::Succeeded => ("SuccessCriteriaMet", "Complete"),
            _ => ("FailureTarget", "Failed"),
        };
        let Some(job) = state.store.get(&self.key).cloned() else { return };
        if !has_condition(&job, first) {
            state.store.edit(&self.key, |job| set_condition(job, first, "True", reason, message, &seconds(now)));
            self.verdict = Some((verdict, at));
            return;
        }
        let settled = self.verdict.is_some_and(|(_, since)| at >= since + state.knobs.lags.job_finished);
        // The last condition waits until no pod is terminating: on a dead node, for very long (kubernetes.md 4.2).
        let pods_left = pods::of_job(state, &self.uid).into_iter().any(|(_, pod)| !is_terminal(&pod));
        if !settled || pods_left {
            return;
        }
        state.store.edit(&self.key, |job| {
            set_condition(job, last, "True", reason, message, &seconds(now));
            if verdict == Verdict::Succeeded {
                set(job, &["status", "completionTime"], seconds(now));
            }
        });
        let (source, event) = match verdict {
            Verdict::Succeeded => (JOB_CONTROLLER, "Completed"),
            _ => (JOB_CONTROLLER_WARNING, reason),
        };
        record(state, now, source, &job, event, message);
        self.finished = Some(at);
    }

    fn post_counts(&self, state: &mut State, now: Instant) {
        let (succeeded, failed) = self.counts(now);
        let pods = pods::of_job(state, &self.uid);
        let open = |deleting: bool| {
            let open = pods.iter().filter(|(_, pod)| !is_terminal(pod) && is_deleting(pod) == deleting);
            i64::try_from(open.count()).unwrap_or(0)
        };
        let (active, terminating) = (open(false), open(true));
        state.store.edit(&self.key, |job| {
            for (field, count) in
                [("active", active), ("terminating", terminating), ("succeeded", succeeded), ("failed", failed)]
            {
                if count == 0 {
                    remove(job, &["status", field]);
                } else {
                    set(job, &["status", field], count);
                }
            }
        });
    }

    fn counts(&self, now: Instant) -> (i64, i64) {
        let counted = self.ended.values().filter(|ended| ended.counts_from <= now);
        counted.fold((0, 0), |(good, bad), ended| if ended.succeeded { (good + 1, bad) } else { (good, bad + 1) })
    }

    fn deadline(&self, job: &Value) -> Option<Instant> {
        let seconds = u64::try_from(integer(job, "/spec/activeDeadlineSeconds")?).ok()?;
        Some(self.started? + Duration::from_secs(seconds))
    }

    fn next(&self, job: &Value, conditions_held: bool, job_finished: Duration, now: Instant) -> Next {
        if self.finished.is_some() {
            return Next::At(now); // the TTL decides
        }
        let mut times: Vec<Instant> = self.ended.values().map(|ended| ended.counts_from).collect();
        match self.verdict {
            None => {
                times.extend(self.deadline(job));
                times.extend(self.create_after.map(|(after, _)| after));
            }
            Some((_, since)) if !conditions_held => times.push(since + job_finished),
            Some(_) => {}
        }
        times.into_iter().filter(|time| *time > now).min().map_or(Next::OnChange, Next::At)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::advance;

    use super::*;
    use crate::objects::resource::Resource;

    #[tokio::test(start_paused = true)]
    async fn a_time_that_passes_during_a_step_is_not_slept_through() {
        const LAG: Duration = Duration::from_micros(500);
        let mut job = JobSync::new(Key::new(Resource::Jobs, "ns", "job"), "uid".to_owned());
        let step = Instant::now();
        job.verdict = Some((Verdict::Succeeded, step));
        advance(LAG * 2).await;
        let next = job.next(&json!({}), false, LAG, step);
        assert!(matches!(next, Next::At(due) if due == step + LAG));
    }
}

//! Is the process that follows a Job still there? What cannot be proven gone counts as living (GRD-05).

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claude_k8s_core::guard::{Supervisor, SupervisorId};
use claude_k8s_core::launch::Call;
use claude_k8s_core::names::key;
use claude_k8s_core::view::{JobFacts, PodFacts};
use jiff::Timestamp;

use crate::api::{Asking, Namespace};
#[cfg(target_os = "linux")]
use crate::files::system_text;

/// The Jobs of this process's runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Following(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Uids of the Jobs it follows, and of those whose result it has returned while nothing on them says so.
    followed: HashSet<String>,
    /// Those whose result is decided.
    answered: HashSet<String>,
    /// What a run could not tell any more, by the selector of its agent's Jobs.
    untold: HashMap<String, Vec<String>>,
}

/// Of one agent: whoever reads the first ones knows what to look at.
const UNTOLD: usize = 8;

impl Following {
    /// Notes a Job for as long as the guard lives.
    pub(crate) fn follow(&self, uid: &str) -> FollowGuard {
        self.state().followed.insert(uid.to_owned());
        FollowGuard { following: self.clone(), uid: uid.to_owned(), kept: AtomicBool::new(false) }
    }

    /// The Jobs that are no competitors and no orphans any more (GRD-06), by uid.
    pub(crate) fn answered(&self) -> HashSet<String> {
        self.state().answered.clone()
    }

    fn contains(&self, uid: &str) -> bool {
        self.state().followed.contains(uid)
    }

    /// Leaves a remark for the agent's next run.
    pub(crate) fn leave(&self, agent: &str, remark: String) {
        let mut state = self.state();
        let left = state.untold.entry(agent.to_owned()).or_default();
        if left.len() < UNTOLD {
            left.push(remark);
        }
    }

    /// What earlier runs of the agent could not tell, once.
    pub(crate) fn untold(&self, agent: &str) -> Vec<String> {
        self.state().untold.remove(agent).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the Job when dropped.
pub(crate) struct FollowGuard {
    following: Following,
    uid: String,
    kept: AtomicBool,
}

impl FollowGuard {
    /// The Job's result is decided.
    pub(crate) fn answered(&self) {
        self.following.state().answered.insert(self.uid.clone());
    }

    /// Remembers the Job for good: nothing on it says what became of it.
    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for FollowGuard {
    fn drop(&mut self) {
        if self.kept.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.following.state();
        state.followed.remove(&self.uid);
        state.answered.remove(&self.uid);
    }
}

/// Judges supervisors from the point of view of this process.
#[derive(Clone)]
pub(crate) struct Supervisors {
    /// Who this process is.
    pub(crate) here: SupervisorId,
    pub(crate) following: Following,
    /// Where the host's pods are, when this process runs in one.
    pub(crate) host_namespace: Option<Namespace>,
}

/// A start time is remembered by the clock of then, and computed by the clock of now: steps of the clock count as
/// equal. A process id is not reused that soon.
const START_TOLERANCE_MS: i64 = 60_000;

impl Supervisors {
    pub(crate) async fn of(&self, job: &JobFacts, asking: &Asking, now: Timestamp) -> Supervisor {
        if self.following.contains(&job.uid) {
            return Supervisor::Here;
        }
        let Some(id) = job.annotations.get(key::SUPERVISOR).and_then(|text| SupervisorId::parse(text)) else {
            return Supervisor::Living;
        };
        if id.place == self.here.place && id.pid == self.here.pid {
            // This process made the Job and no longer follows it, or one before it had its id.
            return Supervisor::Gone;
        }
        if id.place == self.here.place {
            let age = job.created_at.and_then(|created| Duration::try_from(now.duration_since(created)).ok());
            return if process_lives(&id, age) { Supervisor::Living } else { Supervisor::Gone };
        }
        match &self.host_namespace {
            Some(namespace) if is_pod_uid(&id.place) => pod_is_gone(namespace, &id.place, asking).await,
            _ => Supervisor::Living,
        }
    }
}

/// A pod's uid is a UUID; a machine's id has no hyphens.
fn is_pod_uid(place: &str) -> bool {
    place.len() == 36 && place.bytes().filter(|byte| *byte == b'-').count() == 4
}

async fn pod_is_gone(namespace: &Namespace, uid: &str, asking: &Asking) -> Supervisor {
    match asking.for_answer(Call::ListHostPods, || namespace.list_pods("")).await {
        Ok(pods) => match pods.iter().map(PodFacts::read).find(|pod| pod.uid == uid) {
            Some(pod) if !pod.phase.is_terminal() => Supervisor::Living,
            _ => Supervisor::Gone,
        },
        Err(_) => Supervisor::Living,
    }
}

/// `job_age`: how long the Job has been there, by the server's clock. A process of another start time is the one that
/// followed it all the same if it is older than the Job: then a clock was stepped in between (FLD-07).
#[cfg(target_os = "linux")]
fn process_lives(id: &SupervisorId, job_age: Option<Duration>) -> bool {
    let Some(stat) = system_text(format!("/proc/{}/stat", id.pid).as_ref()) else { return false };
    let Some(started_at_ms) = started_at_ms(&stat) else { return true };
    let same_start = (started_at_ms - id.started_at_ms).abs() <= START_TOLERANCE_MS;
    same_start || process_age(&stat).zip(job_age).is_some_and(|(process, job)| process >= job)
}

/// Both by the clock that counts from the machine's start.
#[cfg(target_os = "linux")]
fn process_age(stat: &str) -> Option<Duration> {
    let uptime = system_text("/proc/uptime".as_ref())?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    let since_boot = u64::try_from(ticks_since_boot(stat)? * TICK_MS).ok()?;
    Duration::try_from_secs_f64(uptime).ok()?.checked_sub(Duration::from_millis(since_boot))
}

#[cfg(target_os = "linux")]
const TICK_MS: i64 = 10;

#[cfg(target_os = "linux")]
fn ticks_since_boot(stat: &str) -> Option<i64> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Field 22 of `/proc/<pid>/stat` counts ticks since boot; the name in field 2 may contain anything.
#[cfg(target_os = "linux")]
fn started_at_ms(stat: &str) -> Option<i64> {
    let ticks = ticks_since_boot(stat)?;
    let boot = system_text("/proc/stat".as_ref())?;
    let boot: i64 = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot * 1_000 + ticks * TICK_MS)
}

/// Elsewhere a process cannot be identified without unsafe code: it counts as living.
#[cfg(not(target_os = "linux"))]
fn process_lives(_id: &SupervisorId, _job_age: Option<Duration>) -> bool {
    true
}

//! Is the process that follows a Job still there? What cannot be proven gone counts as living (GRD-05).

use std::collections::HashMap;
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

/// What this process has to do with Jobs, by uid.
#[derive(Debug, Clone, Default)]
pub(crate) struct Following(Arc<Mutex<HashMap<String, Part>>>);

#[derive(Debug)]
enum Part {
    /// It follows the Job.
    Follows,
    /// It followed the Job, whose pod may run on, and could not remove it.
    Kept,
    /// It has decided the Job's result, and on the Job nothing says so yet. What its reader could not be told any more.
    Answered(Vec<String>),
}

impl Following {
    /// Notes a Job for as long as the guard lives.
    pub(crate) fn follow(&self, uid: &str) -> FollowGuard {
        self.parts().insert(uid.to_owned(), Part::Follows);
        FollowGuard { following: self.clone(), uid: uid.to_owned() }
    }

    /// After the clean-up. `clean`: the Job says it now, or is gone.
    pub(crate) fn cleaned_up(&self, uid: &str, clean: bool, untold: Vec<String>) {
        let mut parts = self.parts();
        match parts.get_mut(uid) {
            Some(Part::Answered(_)) if clean && untold.is_empty() => drop(parts.remove(uid)),
            Some(Part::Answered(texts)) => *texts = untold,
            Some(part) if !clean => *part = Part::Kept,
            Some(_) | None => {}
        }
    }

    pub(crate) fn is_answered(&self, uid: &str) -> bool {
        matches!(self.parts().get(uid), Some(Part::Answered(_)))
    }

    /// What nobody was told of an answered Job, once.
    pub(crate) fn untold(&self, uid: &str) -> Vec<String> {
        match self.parts().get_mut(uid) {
            Some(Part::Answered(untold)) => std::mem::take(untold),
            Some(Part::Follows | Part::Kept) | None => Vec::new(),
        }
    }

    fn contains(&self, uid: &str) -> bool {
        self.parts().contains_key(uid)
    }

    fn parts(&self) -> MutexGuard<'_, HashMap<String, Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets the Job when dropped, if it was only followed.
pub(crate) struct FollowGuard {
    following: Following,
    uid: String,
}

impl FollowGuard {
    /// The Job's result is decided: for this process it is no competitor and no orphan any more (GRD-06).
    pub(crate) fn answered(&self) {
        self.following.parts().insert(self.uid.clone(), Part::Answered(Vec::new()));
    }
}

impl Drop for FollowGuard {
    fn drop(&mut self) {
        let mut parts = self.following.parts();
        if matches!(parts.get(&self.uid), Some(Part::Follows)) {
            parts.remove(&self.uid);
        }
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

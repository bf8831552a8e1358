//! What to do about the neighbours.

use jiff::Timestamp;

use super::{Liveness, Neighbour, Supervisor};
use crate::config::ConcurrencyScope;
use crate::failure::{ErrorCode, Refusal};
use crate::names::key;
use crate::view::JobFacts;

/// The run that asks.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// Raw run id.
    pub run_id: String,
    /// The run id as a label value; `None` when nothing of it is legal (then nothing is adopted).
    pub run_label: Option<String>,
    /// Raw task id, if the run belongs to a task.
    pub task_id: Option<String>,
    /// The session this run would resume.
    pub session_id: Option<String>,
    /// `concurrencyScope`.
    pub scope: ConcurrencyScope,
    /// `reattachOrphanedJobs`.
    pub reattach: bool,
    /// Jobs may be patched. Without it nobody can see who has adopted an orphan, nor that its result was returned:
    /// several processes would adopt the same one.
    pub may_patch: bool,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing is in the way.
    Clear,
    /// Jobs that never ran anything and are old: delete them by uid, then go on.
    RemoveLeftovers(Vec<Neighbour>),
    /// These are ending; their pods get a bounded time (35 s), independent of `guardWaitSec`.
    Settling(Vec<Neighbour>),
    /// Follow this Job.
    Adopt(Adoption, Box<Neighbour>),
    /// A competitor runs. Never touched; the run waits for it (`guardWaitSec`) or is refused with this.
    Blocked(Refusal),
}

/// Whose Job is adopted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// This run's own, created before a restart of the host.
    Own,
    /// Another run's of the same task, whose host process is gone. This run's own prompt runs afterwards.
    Orphan,
}

/// Decides about everything the guard found, newest Job first.
#[must_use]
pub fn decide(claimant: &Claimant, neighbours: &[Neighbour], now: Timestamp) -> Decision {
    let mut relevant: Vec<&Neighbour> = neighbours.iter().filter(|one| claimant.competes_with(one)).collect();
    relevant.sort_by(|one, other| other.age_order().cmp(&one.age_order()));
    // Pods whose Job object is gone cannot be followed; they are waited for like anybody's.
    if let Some(own) = relevant.iter().find(|one| one.job_exists && !one.settled && claimant.owns(one)) {
        return claimant.decide_own(own);
    }
    let with = |wanted: Liveness| relevant.iter().copied().filter(move |one| one.liveness(now) == wanted);
    let live: Vec<&Neighbour> = with(Liveness::Live).collect();
    if live.is_empty() {
        let ending: Vec<Neighbour> = with(Liveness::Ending).cloned().collect();
        if !ending.is_empty() {
            return Decision::Settling(ending);
        }
        if let Some(orphan) = with(Liveness::Finished).find(|one| one.has_a_result() && claimant.may_adopt(one)) {
            return Decision::Adopt(Adoption::Orphan, Box::new(orphan.clone()));
        }
        let leftovers: Vec<Neighbour> = with(Liveness::Leftover).cloned().collect();
        return if leftovers.is_empty() { Decision::Clear } else { Decision::RemoveLeftovers(leftovers) };
    }
    match live.as_slice() {
        [only] if claimant.may_adopt(only) => Decision::Adopt(Adoption::Orphan, Box::new((*only).clone())),
        _ => Decision::Blocked(claimant.blocked_by(&live)),
    }
}

/// After creation: may this Job be released? Only if nobody else of the scope is in a list made since.
///
/// Everybody lists after their own create, so of two participants at least one sees the other; whoever sees
/// another does not release. Age is no excuse here: a leftover by a clock that is off may be a launch under way.
///
/// `Ok(true)`: release. `Ok(false)`: look again; the others are unreleased and younger, or the list lacks the own Job.
/// `Err`: withdraw.
///
/// # Errors
/// The refusal of the run that has to give way.
pub fn may_release(
    claimant: &Claimant,
    own_uid: &str,
    neighbours: &[Neighbour],
    now: Timestamp,
) -> Result<bool, Refusal> {
    let rivals: Vec<&Neighbour> = neighbours
        .iter()
        .filter(|one| one.job.uid != own_uid && claimant.competes_with(one) && one.liveness(now) != Liveness::Finished)
        .collect();
    let own = neighbours.iter().find(|one| one.job.uid == own_uid);
    if rivals.is_empty() {
        return Ok(own.is_some());
    }
    let released = rivals.iter().any(|one| one.is_released());
    let oldest = own.is_some_and(|own| rivals.iter().all(|one| own.age_order() < one.age_order()));
    if released || !oldest { Err(claimant.blocked_by(&rivals)) } else { Ok(false) }
}

impl Claimant {
    /// In the guard's scope.
    fn competes_with(&self, other: &Neighbour) -> bool {
        match self.scope {
            ConcurrencyScope::Agent => true,
            ConcurrencyScope::Task => other.id(key::TASK_ID) == self.task_id.as_deref(),
        }
    }

    /// The Job carries this run's id, in the label and unshortened in the annotation.
    #[must_use]
    pub fn made(&self, job: &JobFacts) -> bool {
        let (label, annotation) = (job.labels.get(key::RUN_ID), job.annotations.get(key::RUN_ID));
        label == self.run_label.as_ref() && annotation == Some(&self.run_id)
    }

    /// Made by this run, and told from others by the label alone.
    fn owns(&self, other: &Neighbour) -> bool {
        self.run_label.is_some() && self.made(&other.job)
    }

    fn decide_own(&self, own: &Neighbour) -> Decision {
        if self.reattach && own.supervisor != Supervisor::Here {
            Decision::Adopt(Adoption::Own, Box::new(own.clone()))
        } else {
            Decision::Blocked(self.blocked_by(&[own]))
        }
    }

    /// An orphan of the same task and a session that does not differ (GRD-05).
    fn may_adopt(&self, other: &Neighbour) -> bool {
        let delivered = other.job.annotations.get(key::DELIVERED).is_some_and(|value| value == "true");
        self.reattach
            && self.may_patch
            && !delivered
            && !other.settled
            && other.supervisor == Supervisor::Gone
            && other.has_our_layout()
            && self.run_label.is_some()
            && self.same_task(other)
            && !self.other_session(other)
    }

    fn same_task(&self, other: &Neighbour) -> bool {
        self.task_id.is_some() && other.id(key::TASK_ID) == self.task_id.as_deref()
    }

    fn other_session(&self, other: &Neighbour) -> bool {
        match (&self.session_id, other.id(key::SESSION_ID)) {
            (Some(ours), Some(theirs)) => ours != theirs,
            _ => false,
        }
    }

    /// The refusal: the newest Job decides the code, all of them are named.
    fn blocked_by(&self, jobs: &[&Neighbour]) -> Refusal {
        let mut jobs = jobs.to_vec();
        jobs.sort_by(|one, other| other.age_order().cmp(&one.age_order()));
        let names: Vec<String> = jobs.iter().map(|one| format!("`{}`", one.job.name)).collect();
        let newest = jobs.first();
        let code = match newest {
            Some(one) if self.owns(one) => ErrorCode::ConcurrentRunBlocked,
            Some(one) if self.task_id.is_none() || one.id(key::TASK_ID).is_none() => ErrorCode::OrphanTaskUnknown,
            Some(one) if self.same_task(one) && self.other_session(one) => ErrorCode::OrphanSessionMismatch,
            _ => ErrorCode::ConcurrentRunBlocked,
        };
        let facts = newest.map(|one| self.describe(one)).unwrap_or_default();
        let message = format!(
            "Another run of this agent is active: Job {} ({facts}); set guardWaitSec to wait or concurrencyScope=task to run side by side",
            names.join(", "),
        );
        Refusal::new(code, message).transient(Some(60))
    }

    fn describe(&self, other: &Neighbour) -> String {
        let task = match other.id(key::TASK_ID) {
            None => "no task".to_owned(),
            Some(task) if self.task_id.as_deref() == Some(task) => "same task".to_owned(),
            Some(task) => format!("task {task}"),
        };
        let session = other.id(key::SESSION_ID).map(|session| format!(", session {session}")).unwrap_or_default();
        let run = other.id(key::RUN_ID).unwrap_or("unknown");
        format!("run {run}, {task}{session}")
    }
}

#[cfg(test)]
mod tests;

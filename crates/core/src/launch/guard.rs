//! What the guard's decision means for a launch that may wait a while.

use std::time::Duration;

use crate::failure::{ErrorCode, Refusal};
use crate::guard::{Adoption, Claimant, Decision, Neighbour, Supervisor};
use crate::request::ExternalRuntime;
use crate::view::JobFacts;

/// How long the pods of an ending Job may take (GRD-04).
const SETTLING: Duration = Duration::from_secs(35);
/// Simultaneous launches settle among themselves within this time (GRD-03).
pub const UNSETTLED: Duration = Duration::from_secs(15);

/// What a look at the neighbours leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// Nobody is in the way.
    Clear,
    /// Follow this Job instead of launching one.
    Adopt(Adoption, Box<JobFacts>),
    /// Delete these, which never ran anything, and launch.
    Remove(Vec<Neighbour>),
    /// Somebody is in the way, and waiting is allowed for a while yet. The text says for whom.
    Wait(String),
    /// What is in the way has ended but for its pods, which usually takes no second.
    Ending(Vec<Neighbour>),
}

/// `waited`: since the first look. `guard_wait`: how long a competitor is waited for.
///
/// # Errors
/// The refusal of a run that has waited for long enough.
pub fn next(decision: Decision, waited: Duration, guard_wait: Duration) -> Result<Look, Refusal> {
    Ok(match decision {
        Decision::Clear => Look::Clear,
        Decision::Adopt(adoption, neighbour) => Look::Adopt(adoption, Box::new(neighbour.job)),
        Decision::RemoveLeftovers(leftovers) => Look::Remove(leftovers),
        Decision::Settling(ending) if waited < SETTLING => Look::Ending(ending),
        Decision::Settling(ending) => return Err(still_ending(&ending)),
        Decision::Blocked(_) if waited < guard_wait => {
            Look::Wait("waiting for another run of this agent to end (guardWaitSec)".to_owned())
        }
        Decision::Blocked(refusal) => return Err(refusal),
    })
}

/// The host remembers which Job the run has: that one or none.
///
/// # Errors
/// It is gone, another one, or followed already.
pub fn named_job(named: &ExternalRuntime, claimant: &Claimant, neighbours: Vec<Neighbour>) -> Result<Look, Refusal> {
    let found = neighbours.into_iter().find(|one| one.job_exists && one.job.name == named.job_name);
    match found {
        Some(one) if one.supervisor != Supervisor::Here && one.job.uid == named.job_uid && claimant.made(&one.job) => {
            Ok(Look::Adopt(Adoption::Own, Box::new(one.job)))
        }
        found => {
            let what = if found.is_some() { "is another one by now, or is followed already" } else { "is gone" };
            let message = format!("Job `{}`, which the host remembers for this run, {what}; run again", named.job_name);
            Err(Refusal::new(ErrorCode::PodReattachFailed, message))
        }
    }
}

/// Why the run waits after [`Look::Ending`].
#[must_use]
pub fn waiting_for_pods(ending: &[Neighbour]) -> String {
    format!("waiting for the pods of Job {} to end", names(ending))
}

fn names(jobs: &[Neighbour]) -> String {
    jobs.iter().map(|one| one.job.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn still_ending(ending: &[Neighbour]) -> Refusal {
    let message = format!(
        "Another run of this agent is ending, but its pods still run after {} s: Job {}; run again when they are gone",
        SETTLING.as_secs(),
        names(ending)
    );
    Refusal::new(ErrorCode::ConcurrentRunBlocked, message).transient(Some(60))
}

/// Several launches saw each other for [`UNSETTLED`].
#[must_use]
pub fn not_settled() -> Refusal {
    let message = format!("Another launch of this agent did not settle within {} s; run again", UNSETTLED.as_secs());
    Refusal::new(ErrorCode::ConcurrentRunBlocked, message).transient(Some(60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::group;

    #[test]
    fn grd_04_pods_that_end_are_waited_for_whatever_the_configuration_says() {
        let job = JobFacts { name: "j".to_owned(), ..JobFacts::default() };
        let neighbours = group(vec![job], vec![]);
        let ending = || Decision::Settling(neighbours.clone());
        let look = next(ending(), Duration::from_secs(34), Duration::ZERO);
        assert_eq!(look, Ok(Look::Ending(neighbours.clone())));
        assert_eq!(waiting_for_pods(&neighbours), "waiting for the pods of Job j to end");
        let refusal = next(ending(), Duration::from_secs(35), Duration::MAX).unwrap_err();
        assert_eq!((refusal.code, refusal.retry_after_seconds), (ErrorCode::ConcurrentRunBlocked, Some(60)));
        assert!(refusal.message.contains("after 35 s: Job j;"), "{}", refusal.message);
    }

    #[test]
    fn a_competitor_is_waited_for_as_long_as_the_configuration_says() {
        let blocked = || Decision::Blocked(not_settled());
        let minute = Duration::from_secs(60);
        assert!(matches!(next(blocked(), Duration::from_secs(59), minute), Ok(Look::Wait(_))));
        assert_eq!(next(blocked(), minute, minute), Err(not_settled()));
        assert_eq!(next(blocked(), Duration::ZERO, Duration::ZERO), Err(not_settled()));
    }
}

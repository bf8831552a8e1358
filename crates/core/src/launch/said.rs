//! What the reader of a run's log hears about its launch and its clean-up.

use crate::api_failure::ApiFailure;
use crate::guard::Adoption;
use crate::names::key;
use crate::view::JobFacts;

/// A call before the launch failed and is made again. Said once per run (FLD-03).
#[must_use]
pub fn waiting_for_an_answer(failure: &ApiFailure) -> String {
    format!("waiting for the API server: {failure}; trying again for up to a minute")
}

/// A session of the common home stays there.
#[must_use]
pub fn session_not_copied(trouble: &str) -> String {
    format!(
        "Warning: the stored session could not be copied into the agent's own home, so a new one may start: {trouble}"
    )
}

/// A leftover was deleted before the launch.
#[must_use]
pub fn leftover_removed(job: &str) -> String {
    format!("removed Job {job}, which was created but never started")
}

/// [`super::Call::Release`] had no answer, and nor had the question whether it was done.
#[must_use]
pub fn release_unknown(failure: &ApiFailure) -> String {
    format!("{failure}; whether the Job may start is not known, and the run waits until the API server tells")
}

/// [`super::Call::Withdraw`] failed.
#[must_use]
pub fn not_withdrawn(failure: &ApiFailure, job: &JobFacts) -> String {
    let next = if job.suspended { "it is suspended and never starts" } else { "its pod may run: delete it" };
    format!("{failure}; Job {} is left: {next}", job.name)
}

/// [`super::Call::FindUncertain`] failed.
#[must_use]
pub fn perhaps_created(failure: &ApiFailure, job: &str) -> String {
    format!("{failure}; if Job {job} exists, the next run removes it")
}

/// [`super::Call::Adopt`] found another Job than the one that was listed.
#[must_use]
pub fn changed_before_adoption(job: &str) -> String {
    format!("Job {job} changed while it was about to be adopted; looking again")
}

/// A Job is followed that this process did not make.
#[must_use]
pub fn reattached(adoption: Adoption, job: &JobFacts) -> String {
    let name = &job.name;
    match adoption {
        Adoption::Own => format!("Reattached to Job {name} of this run; the prompt is not delivered again"),
        Adoption::Orphan => {
            let run_id = job.annotations.get(key::RUN_ID).map_or("unknown", String::as_str);
            format!("Reattached to Job {name} of run {run_id}, whose host process is gone")
        }
    }
}

/// An orphan has ended; the run's own attempt comes now.
#[must_use]
pub fn orphan_ended(job: &str, run_id: &str) -> String {
    format!("Job {job} of run {run_id} has ended; starting this run's own")
}

/// A fresh attempt replaces one whose session cannot be resumed.
#[must_use]
pub fn starting_fresh(why: &str) -> String {
    format!("The session cannot be resumed ({why}); starting a fresh one")
}

/// [`super::Call::CleanUpJob`] or what comes with it failed.
#[must_use]
pub fn not_cleaned_up(failure: &ApiFailure, job: &str) -> String {
    format!("clean-up: {failure}; the TTL of Job {job} removes it, if it has one")
}

/// The clean-up of a Job panicked (HST-10).
#[must_use]
pub fn clean_up_broke(panic: &str, job: &str) -> String {
    format!("clean-up: a defect of the adapter ended it: {panic}; the TTL of Job {job} removes it, if it has one")
}

/// A Job stays, and its Secrets may not be deleted.
#[must_use]
pub fn payload_stays(job: &str) -> String {
    format!("the payload of Job {job} stays until it goes: `delete` on `secrets` is not granted")
}

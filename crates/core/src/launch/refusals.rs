//! A function per step that can fail: from its failure to the refusal of the run.

use std::time::Duration;

use serde_json::json;

use super::{Call, End, Reaction};
use crate::api_failure::{ApiFailure, FailureKind};
use crate::config::Rejection;
use crate::connect::ConnectError;
use crate::failure::{ErrorCode, Refusal};
use crate::files::Trouble;
use crate::view::JobFacts;

/// Code and retry by the table; the wording is the step's.
fn refused(call: Call, kind: FailureKind, message: String) -> Refusal {
    let (code, after) = match call.row().end {
        End::Refuse(code, after) => (code, after),
        // A step that never ends a run was asked for its refusal.
        End::Warn | End::GoOn => (ErrorCode::InternalError, None),
    };
    match call.reaction(kind) {
        Reaction::FinalAs(code) => Refusal::new(code, message),
        // An object of the run's own name that could be neither read back nor removed for so long is no judgement.
        Reaction::Again if kind.is_passing() || kind == FailureKind::AlreadyExists => {
            Refusal::new(code, message).transient(after)
        }
        Reaction::Later(after) => Refusal::new(code, message).transient(after),
        _ => Refusal::new(code, message),
    }
}

/// What to grant, when that is what was missing.
fn granting(failure: &ApiFailure, verb: &str, resource: &str) -> String {
    if failure.kind == FailureKind::Forbidden {
        format!("{failure}; grant `{verb}` on `{resource}`, see `deploy/`")
    } else {
        failure.to_string()
    }
}

/// No connection could be set up.
#[must_use]
pub fn not_connected(error: &ConnectError) -> Refusal {
    let refusal = Refusal::new(ErrorCode::ConfigurationIncomplete, error.to_string()).reason(error.reason());
    match error.key() {
        Some(key) => refusal.meta(json!({ "keys": [key] })),
        None => refusal,
    }
}

/// [`Call::Reach`]. `None`: there is a server, and it knows us.
#[must_use]
pub fn not_reached(failure: &ApiFailure, server: &str, credentials: &str) -> Option<Refusal> {
    if Call::Reach.goes_without(failure.kind) {
        return None;
    }
    let next = if failure.kind == FailureKind::Unauthorized {
        "the credentials are refused: renew the token or kubeconfig"
    } else {
        "check server address, network and certificates"
    };
    let message = format!("The Kubernetes API at {server} is not usable with the {credentials}: {failure}; {next}");
    Some(refused(Call::Reach, failure.kind, message))
}

/// How long a run waits for the answer that another run asks for.
pub const UNANSWERED: Duration = Duration::from_secs(60);

/// Another run asks [`Call::Reach`] and has no answer either.
#[must_use]
pub fn nobody_reached(server: &str, waited: Duration) -> Refusal {
    let text = format!("another run has waited for an answer for {} s", waited.as_secs());
    let message = format!("The Kubernetes API at {server} is not usable: {text}; check address and network");
    Refusal::new(ErrorCode::ApiUnreachable, message).transient(None)
}

/// [`Call::OwnPod`] or [`Call::FindOwnPod`], where the table does not go on without it. Without its volume, environment
/// and sessions a run would seem to succeed, so whatever kept the answer back has to pass first (FLD-04).
#[must_use]
pub fn own_pod_not_read(failure: &ApiFailure) -> Refusal {
    let message = format!("The host's own pod is not known: {failure}; nothing was created; run again");
    refused(Call::OwnPod, failure.kind, message).transient(None)
}

/// [`Call::ListJobs`] or [`Call::ListPods`]. Fails closed: without a list nothing is created (GRD-01).
#[must_use]
pub fn not_listed(call: Call, failure: &ApiFailure) -> Refusal {
    refused(call, failure.kind, format!("{failure}; nothing was created"))
}

/// [`Call::CreateJob`].
#[must_use]
pub fn job_not_created(failure: &ApiFailure) -> Refusal {
    refused(Call::CreateJob, failure.kind, granting(failure, "create", "jobs"))
}

/// The name belongs to another run.
#[must_use]
pub fn name_taken(found: &JobFacts) -> Refusal {
    let message = format!("Job `{}` exists and belongs to another run; delete it or run again", found.name);
    Refusal::new(ErrorCode::JobCreateFailed, message)
}

/// [`Call::CreateSecret`].
#[must_use]
pub fn secret_not_created(failure: &ApiFailure) -> Refusal {
    refused(Call::CreateSecret, failure.kind, granting(failure, "create", "secrets"))
}

/// The payload could not be written to the data volume. `denied`: for want of permission, not of space.
#[must_use]
pub fn not_staged(path: &str, cause: &str, denied: bool, owner: i64) -> Refusal {
    let next = if denied {
        format!(
            "run the pod as the host's user (`runAsUser` is {owner}), or make the data volume writable for the host"
        )
    } else {
        "free space on the data volume".to_owned()
    };
    let message = format!(
        "The payload could not be written to `{path}` for the pod: {cause}; grant `create` on `secrets` (see `deploy/`), or {next}"
    );
    Refusal::new(ErrorCode::PromptSecretCreateFailed, message)
}

/// Skills and instructions could not be written to the volume that host and pod share.
#[must_use]
pub fn bundle_not_written(directory: &str, cause: &str) -> Refusal {
    let message = format!(
        "Skills and instructions cannot be written to `{directory}`: {cause}; make the directory writable for the host"
    );
    Refusal::new(ErrorCode::BundleUnavailable, message)
}

/// The host's launch acknowledgement objected (HST-08).
#[must_use]
pub fn not_acknowledged(job: &str, cause: &str) -> Refusal {
    let message = format!("The host did not acknowledge the launch of Job `{job}`: {cause}");
    Refusal::new(ErrorCode::JobIdentityUnacknowledged, message)
}

/// Why a created Job was not released.
#[derive(Debug, Clone, PartialEq)]
pub enum NotReleased {
    /// The permission to patch is missing: created unsuspended, a Job needs no release. The refusal is for a run that
    /// cannot do that, because it has a queue or its Job exists.
    PatchDenied(Refusal),
    /// Anything else.
    Refused(Refusal),
}

/// [`Call::Release`].
#[must_use]
pub fn not_released(failure: &ApiFailure) -> NotReleased {
    match Call::Release.reaction(failure.kind) {
        Reaction::Without => {
            NotReleased::PatchDenied(Refusal::new(ErrorCode::RbacInsufficient, granting(failure, "patch", "jobs")))
        }
        Reaction::FinalAs(_) => {
            let message = format!("The Job was deleted before it was started: {failure}");
            NotReleased::Refused(refused(Call::Release, failure.kind, message))
        }
        _ => NotReleased::Refused(refused(Call::Release, failure.kind, failure.to_string())),
    }
}

/// [`Call::RemoveLeftover`]. `None`: it is gone.
#[must_use]
pub fn not_removed(job: &str, failure: &ApiFailure) -> Option<Refusal> {
    if Call::RemoveLeftover.knows_by(failure.kind) {
        return None;
    }
    let cause = granting(failure, "delete", "jobs");
    let message = format!("Job `{job}` was created and never started, and stands in the way: {cause}; or delete it");
    Some(refused(Call::RemoveLeftover, failure.kind, message))
}

/// A Job of the run's own name waits for its release, and the run may not make it.
#[must_use]
pub fn not_releasable(job: &str) -> Refusal {
    let message = format!(
        "Job `{job}` of an earlier try waits for its release, for which the permission is missing; it is removed; run again, or grant `patch` on `jobs`, see `deploy/`"
    );
    Refusal::new(ErrorCode::RbacInsufficient, message).transient(None)
}

/// [`Call::Adopt`].
#[must_use]
pub fn not_adopted(job: &str, failure: &ApiFailure) -> Refusal {
    let message = format!("Job `{job}` of a run that nobody follows was not adopted: {failure}; run again");
    refused(Call::Adopt, failure.kind, message)
}

/// How long an adopted Job may show neither a pod nor an end, in contact with the API server.
pub const UNFOLLOWABLE: Duration = Duration::from_secs(60);

/// It showed neither for [`UNFOLLOWABLE`].
#[must_use]
pub fn not_followable(job: &str) -> Refusal {
    let seconds = UNFOLLOWABLE.as_secs();
    let message = format!("Job `{job}` has had no pod and no end for {seconds} s; it was left alone");
    Refusal::new(ErrorCode::PodReattachFailed, message)
}

/// An orphan that was followed first may still run.
#[must_use]
pub fn orphan_may_run(job: &str, run_id: &str) -> Refusal {
    let message = format!(
        "Job `{job}` of run {run_id} did not end verifiably, so this run's prompt was not started; check its pod, then run again"
    );
    Refusal::new(ErrorCode::ConcurrentRunBlocked, message).transient(Some(60))
}

/// A directory that the pod needs can neither be used nor made: a link, somebody else's, or the server may not write there.
#[must_use]
pub fn not_prepared(path: &str, trouble: &Trouble, user: u32) -> Refusal {
    let next = match trouble {
        Trouble::Link | Trouble::NotADirectory => {
            "put a directory there, name another one, or set `isolation` to `none`".to_owned()
        }
        _ if trouble.is_denied() => format!(
            "let the server's user write there, or run the pod as that user: `runAsUser` is {user}; or set `isolation` to `none`"
        ),
        _ => "look at the data volume, or set `isolation` to `none`".to_owned(),
    };
    let reason = format!("`{}` is a directory that the pod needs: {trouble}; {next}", path.escape_debug());
    vec![Rejection { key: "isolation".to_owned(), reason }].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::ErrorFamily;

    fn failure(kind: FailureKind) -> ApiFailure {
        ApiFailure::new("Calling", "HTTP 000 text", kind)
    }

    #[test]
    fn fld_01_what_passes_is_worth_a_retry_by_the_host_and_what_was_judged_is_not() {
        let transient = Some(ErrorFamily::TransientUpstream);
        for kind in FailureKind::ALL {
            let is_passing = kind.is_passing() || kind == FailureKind::AlreadyExists;
            let passing = is_passing.then_some(ErrorFamily::TransientUpstream);
            assert_eq!(secret_not_created(&failure(kind)).family, passing, "create Secret, {kind:?}");
            let job = job_not_created(&failure(kind));
            match kind {
                FailureKind::OverQuota => assert_eq!((job.family, job.retry_after_seconds), (transient, Some(60))),
                _ => assert_eq!((job.family, job.retry_after_seconds), (passing, None), "create Job, {kind:?}"),
            }
            let list = not_listed(Call::ListJobs, &failure(kind));
            assert_eq!(list.family.is_some(), kind != FailureKind::Forbidden, "list, {kind:?}");
        }
    }

    #[test]
    fn a_release_that_is_denied_differs_from_a_job_that_is_gone() {
        let released = |kind| not_released(&failure(kind));
        assert!(matches!(released(FailureKind::Forbidden), NotReleased::PatchDenied(_)));
        for (kind, code) in [
            (FailureKind::NotFound, ErrorCode::JobDeletedExternally),
            (FailureKind::Conflict, ErrorCode::JobDeletedExternally),
            (FailureKind::AbsenceUnproven, ErrorCode::JobCreateFailed),
            (FailureKind::Rejected, ErrorCode::JobCreateFailed),
        ] {
            let NotReleased::Refused(refusal) = released(kind) else { panic!("{kind:?}") };
            assert_eq!(refusal.code, code, "{kind:?}");
        }
    }

    #[test]
    fn every_refusal_by_the_table_has_the_code_of_its_row() {
        for kind in FailureKind::ALL {
            let codes = [
                own_pod_not_read(&failure(kind)).code,
                not_listed(Call::ListPods, &failure(kind)).code,
                job_not_created(&failure(kind)).code,
                secret_not_created(&failure(kind)).code,
                not_adopted("j", &failure(kind)).code,
            ];
            assert!(!codes.contains(&ErrorCode::InternalError), "{kind:?}");
        }
    }
}

//! What the pod reads: Secrets owned by the Job, or files on the volume that host and pod share.

use claude_k8s_core::api_failure::{ApiFailure, FailureKind};
use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::failure::Refusal;
use claude_k8s_core::launch::{Call, secret_not_created};
use claude_k8s_core::permissions::Permission;
use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::Secret;

use super::created::Created;
use crate::api::Patience;
use crate::run::RunContext;
use crate::staging;

/// Writes the staged files, if that is how the payload travels.
pub(super) async fn stage(run: &RunContext, attempt: &Attempt) -> Result<(), Refusal> {
    let Some((place, files)) = run.plan.staging(attempt) else { return Ok(()) };
    staging::sweep(&run.namespace, &place).await;
    staging::stage(&place, files, run.plan.run_as_user()).await
}

/// Removes them: the launch failed.
pub(super) async fn unstage(run: &RunContext, attempt: &Attempt) {
    if let Some((place, _)) = run.plan.staging(attempt) {
        staging::remove(&place).await;
    }
}

/// Creates the Secrets, each born with its owner (PRM-05).
pub(super) async fn store(run: &RunContext, attempt: &Attempt, created: &Created) -> Result<(), Refusal> {
    let secrets = run.plan.payload(attempt, &created.job.uid);
    let stored = try_join_all(secrets.iter().map(|secret| store_one(run, secret, created.fresh))).await;
    stored.map(drop).map_err(|failure| secret_not_created(&failure))
}

/// Names are deterministic, and Secrets may not be read. So one that exists beside a Job that was just made is either
/// ours, its answer lost, or a leftover of a deleted Job of the same name that the garbage collector is about to
/// remove. Accepting the second kind would take the payload away from the pod; written anew, both are right.
async fn store_one(run: &RunContext, secret: &Secret, fresh: bool) -> Result<(), ApiFailure> {
    let name = secret.metadata.name.as_deref().unwrap_or_default();
    let may_delete = run.permissions.allow(Permission::DeleteSecrets);
    let mut patience = Patience::of(Call::CreateSecret);
    let mut patience_with_leftover = Patience::of(Call::ReplaceSecret);
    let mut maybe_stored = false;
    let mut removed = false;
    loop {
        let Err(mut failure) = run.namespace.create_secret(secret).await else { return Ok(()) };
        let exists = failure.kind == FailureKind::AlreadyExists;
        // An earlier process began this launch, or deleting is not possible and an answer was lost.
        if exists && (!fresh || (maybe_stored && !may_delete)) {
            return Ok(());
        }
        let patience = if exists { &mut patience_with_leftover } else { &mut patience };
        let pause = patience.pause(&failure);
        if exists && may_delete {
            match run.namespace.delete_secret(name, None).await {
                Ok(()) if !std::mem::replace(&mut removed, true) => continue,
                Ok(()) => {}
                Err(not_deleted) => failure = not_deleted,
            }
        }
        maybe_stored |= failure.is_ambiguous();
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(failure),
        }
    }
}

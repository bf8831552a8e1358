//! After the verdict: remove what the policy says, mark what stays. Bounded, and never changes the outcome (END-15), nor
//! delays it: a busy API server answers all at once, and late.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claude_k8s_core::api_failure::ApiFailure;
use claude_k8s_core::launch::{Call, clean_up_broke, not_cleaned_up, payload_stays};
use claude_k8s_core::manifest::Staging;
use claude_k8s_core::names::key;
use claude_k8s_core::permissions::Permission;
use claude_k8s_core::run::{ENDS_WITHIN, Fate, pod_goes_on};
use claude_k8s_core::view::{JobFacts, RunView};
use futures_util::FutureExt;
use futures_util::future::{try_join, try_join_all};
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::followed::Followed;
use super::panic;
use crate::api::Asking;
use crate::run::{FollowGuard, RunContext, Supervised, bound_pod};
use crate::staging;

/// For all calls together.
const BUDGET: Duration = Duration::from_secs(10);
/// A result waits this long for a clean-up that the server has not answered yet.
const GRACE: Duration = Duration::from_millis(25);

/// What is to be done about one Job, and all that it takes: it may go on behind the run's result.
pub(super) struct CleanUp {
    run: Arc<RunContext>,
    job: JobFacts,
    view: RunView,
    ran_for: Duration,
    /// The names of the payload; `None` for a Job that another process made.
    secrets: Option<Vec<String>>,
    fate: Fate,
    /// A Job that stays has finished: it is marked all the same.
    finished: bool,
    following: FollowGuard,
    /// The server has failed to do something, which is tried again.
    troubled: Arc<AtomicBool>,
    asking: Asking,
}

impl CleanUp {
    /// `again`: another attempt follows, so the Job goes even if retained.
    pub(super) fn of(
        run: &Arc<RunContext>,
        followed: &Followed,
        supervised: &Supervised,
        following: FollowGuard,
        again: bool,
    ) -> Arc<Self> {
        let troubled = Arc::new(AtomicBool::new(false));
        let trouble = Arc::clone(&troubled);
        let made_here = followed.adopted.is_none();
        Arc::new(Self {
            job: followed.job.clone(),
            view: supervised.view.clone(),
            ran_for: supervised.ran_for(run.clock.now()),
            secrets: made_here.then(|| run.plan.secret_names(&followed.attempt)),
            fate: supervised.ending.fate(run.plan.config().retain_jobs && !again),
            finished: supervised.is_finished(),
            following,
            troubled,
            asking: Asking::patiently(Arc::new(move |_| trouble.store(true, Ordering::Relaxed))),
            run: Arc::clone(run),
        })
    }

    /// Waits at most a moment for the server's answer, and to the end if it fails, so that this run's log tells it. A
    /// slow answer makes no slow result: the rest goes on behind it.
    pub(super) async fn for_a_moment(self: Arc<Self>) {
        let mut cleaning = Box::pin(Arc::clone(&self).to_the_end());
        if tokio::time::timeout(GRACE, &mut cleaning).await.is_ok() {
            return;
        }
        if self.troubled.load(Ordering::Relaxed) {
            return cleaning.await;
        }
        let run = Arc::clone(&self.run);
        run.behind.spawn(async move {
            if let Err(panic) = AssertUnwindSafe(cleaning).catch_unwind().await {
                self.stays(&clean_up_broke(&panic::text(panic.as_ref()), &self.job.name));
            }
        });
    }

    /// Waits for all of it.
    pub(super) async fn to_the_end(self: Arc<Self>) {
        let over_budget = |_| {
            let what = self.run.namespace.what("Removing", "Job", &self.job.name);
            Err(ApiFailure::timed_out(what, BUDGET))
        };
        let cleaned = tokio::time::timeout(BUDGET, self.work()).await.unwrap_or_else(over_budget);
        if let Err(failure) = &cleaned {
            self.stays(&not_cleaned_up(failure, &self.job.name));
        }
    }

    /// Nothing on the Job says that its result was returned, so the next run must not take it for an orphan (GRD-06).
    fn stays(&self, why: &str) {
        self.following.keep();
        self.run.leave(why);
    }

    async fn work(&self) -> Result<(), ApiFailure> {
        let run = &self.run;
        if self.fate == Fate::Leave {
            return if self.finished { self.mark_delivered(None).await } else { Ok(()) };
        }
        if let Some(place) = self.staged() {
            staging::remove(&place).await;
        }
        let deleted = match self.fate {
            Fate::Delete if run.permissions.allow(Permission::DeleteJobs) => {
                let delete = || run.namespace.delete_job(Call::CleanUpJob, &self.job.name, &self.job.uid);
                Some(self.asking.for_answer(Call::CleanUpJob, delete).await)
            }
            _ => None,
        };
        match deleted {
            Some(Err(failure)) if !Call::CleanUpJob.goes_without(failure.kind) => Err(failure),
            Some(Ok(())) => Ok(()),
            // Kept by policy, or for want of the permission to delete: the TTL removes it.
            _ => self.retain().await,
        }
    }

    /// A kept Job is marked as delivered, so that the next run of the task does not take it for an orphan (GRD-06). The
    /// same call may give it a deadline, in seconds, so that its pod does not run for ever (FLD-26).
    async fn mark_delivered(&self, deadline: Option<u64>) -> Result<(), ApiFailure> {
        let (run, job) = (&self.run, &self.job);
        let plain = json!({ "metadata": { "uid": job.uid, "annotations": { key::DELIVERED: "true" } } });
        if !run.may_patch() {
            return Ok(());
        }
        let patched = async |patch: &Value| {
            self.asking.for_answer(Call::MarkDelivered, || run.namespace.patch_job(&job.name, patch)).await
        };
        let mut marked = match deadline {
            Some(deadline) => {
                let mut patch = plain.clone();
                patch["spec"] = json!({ "activeDeadlineSeconds": deadline });
                patched(&patch).await
            }
            None => patched(&plain).await,
        };
        // Whoever refuses to change what the Job is may take the mark, which matters more.
        let refused = |failure: &ApiFailure| !failure.kind.is_passing() && !Call::MarkDelivered.knows_by(failure.kind);
        if deadline.is_some() && marked.as_ref().is_err_and(refused) {
            marked = patched(&plain).await;
        }
        match marked {
            Err(failure) if !Call::MarkDelivered.knows_by(failure.kind) => Err(failure),
            _ => Ok(()),
        }
    }

    async fn retain(&self) -> Result<(), ApiFailure> {
        let (run, job) = (&self.run, &self.job);
        let deadline = self.bounded().await;
        if !run.permissions.allow(Permission::DeleteSecrets) {
            if self.staged().is_none() {
                run.leave(&payload_stays(&job.name));
            }
            return self.mark_delivered(deadline).await;
        }
        let secrets = if let Some(known) = &self.secrets {
            known.clone()
        } else {
            payload_secrets(&self.asking.for_answer(Call::FindSecrets, || run.namespace.get_job(&job.name)).await?)
        };
        let removed = secrets
            .iter()
            .map(|name| self.asking.for_answer(Call::DeleteSecret, || run.namespace.delete_secret(name, None)));
        try_join(self.mark_delivered(deadline), try_join_all(removed)).await.map(drop)
    }

    /// No pod of a Job that stays runs for ever. The deadline that the Job has to have for that: it costs the pod's log,
    /// so where another container goes on the pod gets one of its own, if that is possible.
    async fn bounded(&self) -> Option<u64> {
        let run = &self.run;
        let deadline = self.view.job.as_ref().and_then(|job| job.last_deadline(run.server_time()));
        if let Some(pod) = self.view.pod().filter(|pod| pod.outlives_its_run()) {
            match bound_pod(run, &self.asking, pod, self.ran_for + ENDS_WITHIN).await {
                Ok(()) => return None,
                Err(failure) => {
                    let by_job = deadline.is_some() && run.may_patch();
                    run.leave(&pod_goes_on(&failure, &self.job, pod, by_job));
                }
            }
        }
        deadline
    }

    /// Where the payload lies on the host's disk.
    fn staged(&self) -> Option<Staging> {
        let is_staged = self.job.annotations.get(key::PAYLOAD).is_some_and(|payload| payload == "volume");
        self.run.plan.staging_place(&self.job.name).filter(|_| is_staged)
    }
}

/// The Secrets that are named after a Job and used by it.
fn payload_secrets(job: &Job) -> Vec<String> {
    let prefix = format!("{}-", job.metadata.name.as_deref().unwrap_or_default());
    let Some(pod) = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()) else { return Vec::new() };
    let projections = pod.volumes.iter().flatten().filter_map(|volume| volume.projected.as_ref()?.sources.as_ref());
    let mounted = projections.flatten().filter_map(|source| Some(source.secret.as_ref()?.name.clone()));
    let entries = pod.containers.iter().flat_map(|container| container.env.iter().flatten());
    let values = entries.filter_map(|entry| Some(entry.value_from.as_ref()?.secret_key_ref.as_ref()?.name.clone()));
    let names: BTreeSet<String> = mounted.chain(values).filter(|name| name.starts_with(&prefix)).collect();
    names.into_iter().collect()
}

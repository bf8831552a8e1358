//! What the steps of a run share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use claude_k8s_core::guard::{Claimant, Supervisor};
use claude_k8s_core::outcome::RunFacts;
use claude_k8s_core::permissions::Permissions;
use claude_k8s_core::plan::RunPlan;
use claude_k8s_core::request::ExternalRuntime;
use claude_k8s_core::view::JobFacts;
use jiff::Timestamp;

use super::Output;
use super::following::Supervisors;
use crate::api::{Asking, Namespace};
use crate::clock::Clock;
use crate::connect::Connection;
use crate::host::{Behind, StopOrder, StopSignal};
use crate::index::IndexHandle;

/// Everything that is settled before the launch.
pub(crate) struct RunContext {
    pub(crate) plan: RunPlan,
    pub(crate) connection: Connection,
    pub(crate) namespace: Namespace,
    pub(crate) index: IndexHandle,
    pub(crate) permissions: Permissions,
    pub(crate) supervisors: Supervisors,
    pub(crate) launch_lock: Arc<tokio::sync::Mutex<()>>,
    pub(crate) output: Output,
    pub(crate) stop: StopSignal,
    pub(crate) clock: Clock,
    /// How the answers before the launch are waited for.
    pub(crate) asking: Asking,
    /// The Job that the host remembers for this run.
    pub(crate) external_runtime: Option<ExternalRuntime>,
    pub(crate) progress: Progress,
    /// For what goes on behind the result.
    pub(crate) behind: Behind,
}

/// What a run has learned or done so far.
#[derive(Default)]
pub(crate) struct Progress {
    /// Jobs this run has followed to their end: no neighbours any more.
    followed: Mutex<Vec<String>>,
    dispatched: AtomicBool,
    patch_denied: AtomicBool,
    /// What was said about the run's objects, each once.
    remarks: Mutex<Vec<String>>,
}

impl RunContext {
    /// Waits for something, unless a stop is ordered first.
    pub(crate) async fn unless_stopped<T>(&self, wait: impl Future<Output = T>) -> Result<T, StopOrder> {
        tokio::select! {
            biased;
            order = self.stop.ordered() => Err(order),
            value = wait => Ok(value),
        }
    }

    pub(crate) fn may_patch(&self) -> bool {
        self.permissions.may_patch_jobs() && !self.progress.patch_denied.load(Ordering::Relaxed)
    }

    /// The time by which the server stamps objects, as far as it has told: ours may be off (FLD-07).
    pub(crate) fn server_time(&self) -> Timestamp {
        self.connection.clock.now().unwrap_or_else(|| self.clock.now())
    }

    /// This run as the guard sees it now.
    pub(crate) fn claimant(&self) -> Claimant {
        self.plan.claimant(self.may_patch())
    }

    /// Something about the run's objects that its reader and its result tell, once.
    pub(crate) fn remark(&self, text: String) {
        let mut remarks = self.progress.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        if !remarks.contains(&text) {
            self.output.warn(&format!("Warning: {text}"));
            remarks.push(text);
        }
    }

    /// Something about a Job that stays. When nobody hears this run any more, the agent's next one tells it.
    pub(crate) fn leave(&self, text: &str) {
        if !self.output.try_warn(text) {
            self.supervisors.following.leave(&self.plan.guard_selector(), self.output.redact(text));
        }
    }

    /// What earlier runs of the agent left to tell.
    pub(crate) fn tell_what_is_left(&self) {
        for text in self.supervisors.following.untold(&self.plan.guard_selector()) {
            self.remark(text);
        }
    }

    /// What is known of the run before its Job ends.
    pub(crate) fn facts(&self) -> RunFacts {
        let mut facts = self.plan.facts();
        facts.warnings.extend(self.progress.remarks.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        facts
    }

    /// A 403 told better than the permission review.
    pub(crate) fn patch_is_denied(&self) {
        self.progress.patch_denied.store(true, Ordering::Relaxed);
    }

    /// True once per run.
    pub(crate) fn is_first_dispatch(&self) -> bool {
        !self.progress.dispatched.swap(true, Ordering::Relaxed)
    }

    /// The Job the host remembers, unless this call has followed it already.
    pub(crate) fn named_job(&self) -> Option<&ExternalRuntime> {
        self.external_runtime.as_ref().filter(|named| !self.is_done_with(&named.job_uid))
    }

    /// The Job carries this run's id.
    pub(crate) fn owns(&self, job: &JobFacts) -> bool {
        self.claimant().made(job)
    }

    pub(crate) fn is_done_with(&self, uid: &str) -> bool {
        self.progress.followed.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|known| known == uid)
    }

    pub(crate) fn done_with(&self, uid: &str) {
        self.progress.followed.lock().unwrap_or_else(PoisonError::into_inner).push(uid.to_owned());
    }

    pub(crate) async fn supervisor_of(&self, job: &JobFacts) -> Supervisor {
        self.supervisors.of(job, &self.asking, self.server_time()).await
    }
}

//! The attempts of one run and what becomes of their Jobs.
//!
//! ```text
//!  launch ──own Job──────────▶ supervise ─▶ verdict ──session unusable, once──▶ fresh attempt
//!     │                                        └──▶ clean up, result
//!     └──orphan of this task──▶ supervise ─▶ same prompt? its verdict : book it, launch own
//! ```

use std::time::Duration;

use claude_k8s_core::guard::{Adoption, keys};
use claude_k8s_core::outcome::{self, AdoptedRun, Evidence, RunFacts, RunResult, SessionFacts};
use claude_k8s_core::run::Fate;
use claude_k8s_core::spec::Attempt;
use claude_k8s_core::transcript::Usage;
use claude_k8s_core::view::JobFacts;
use serde_json::json;

use super::cleanup::clean_up;
use super::execute::stopped;
use crate::launch::{Launched, NotLaunched, launch};
use crate::run::{RunContext, Supervised, supervise};
use crate::staging;

/// What carries over from one Job of the run to the next.
pub(super) struct Flow<'a> {
    run: &'a RunContext,
    /// An orphan that was followed first.
    adopted_run: Option<AdoptedRun>,
    /// What an earlier attempt spent.
    earlier: Option<Usage>,
}

/// What following an orphan led to.
enum OrphanEnded {
    /// The run is decided: the orphan had this run's prompt, or a stop was ordered.
    Decided(Box<RunResult>),
    /// This run's own attempt comes now, in the orphan's session where that is allowed.
    Continue(Box<Attempt>),
}

/// A Job to follow, and as what.
struct Followed {
    attempt: Attempt,
    job: JobFacts,
    adopted: bool,
}

impl<'a> Flow<'a> {
    pub(super) fn new(run: &'a RunContext) -> Self {
        Self { run, adopted_run: None, earlier: None }
    }

    pub(super) async fn go(mut self) -> RunResult {
        self.introduce();
        let mut attempt = self.run.spec.first_attempt();
        loop {
            let (job, adopted) = match launch(self.run, &attempt).await {
                Ok(Launched::Own(job)) => (job, false),
                Ok(Launched::Adopted(Adoption::Own, job)) => (job, true),
                Ok(Launched::Adopted(Adoption::Orphan, job)) => match self.follow_orphan(&attempt, job).await {
                    OrphanEnded::Decided(result) => return *result,
                    OrphanEnded::Continue(own) => {
                        attempt = *own;
                        continue;
                    }
                },
                Err(reason) => return self.not_launched(reason),
            };
            let followed = Followed { attempt, job, adopted };
            self.announce(&followed).await;
            let supervised = supervise(self.run, &followed.job, adopted).await;
            let session = self.run.spec.session_facts(&followed.attempt);
            let facts = self.facts(&followed, &supervised);
            let evidence = self.evidence(&followed, &supervised, &session, &facts);
            let result = outcome::decide(&evidence);
            let again = outcome::wants_fresh_attempt(&evidence) && self.run.stop.get().is_none();
            self.settle(&followed, &supervised, again).await;
            let Some(fresh) = self.run.spec.fresh_attempt().filter(|_| again) else { return result };
            self.earlier = supervised.transcript.usage();
            let why = result.error_message.unwrap_or_default();
            self.run.output.say(&format!("The session cannot be resumed ({why}); starting a fresh one"));
            attempt = self.on_the_same_clock(fresh, &supervised);
        }
    }

    /// Warnings, degraded modes and decisions, once, before anything is created.
    fn introduce(&self) {
        let spec = &self.run.spec;
        spec.warnings().iter().for_each(|text| self.run.output.warn(&format!("Warning: {text}")));
        spec.degraded().iter().for_each(|mode| self.run.output.warn(&format!("Degraded: {mode}")));
        spec.status_lines().iter().for_each(|line| self.run.output.say(line));
    }

    async fn announce(&self, followed: &Followed) {
        let output = &self.run.output;
        let name = &followed.job.name;
        if followed.adopted {
            output.say(&format!("Reattached to Job {name} of this run; the prompt is not delivered again"));
            output.meta(self.run.spec.adoption_meta(&followed.job)).await;
        } else {
            output.meta(self.run.spec.meta(&followed.attempt)).await;
        }
        output.event("k8s.job.created", &format!("Job {name}"), json!({ "job": name, "uid": followed.job.uid })).await;
    }

    /// Follows somebody's Job to its end. Its verdict is this run's only if the prompt was the same.
    async fn follow_orphan(&mut self, attempt: &Attempt, job: JobFacts) -> OrphanEnded {
        let run_id = job.annotations.get(keys::RUN_ID).cloned().unwrap_or_default();
        self.run.output.say(&format!("Reattached to Job {} of run {run_id}, whose host process is gone", job.name));
        self.run.output.meta(self.run.spec.adoption_meta(&job)).await;
        let same_prompt = job.annotations.get(keys::PROMPT_DIGEST) == Some(&attempt.prompt_digest);
        let followed = Followed { attempt: attempt.clone(), job, adopted: true };
        let supervised = supervise(self.run, &followed.job, true).await;
        let session = self.run.spec.session_facts(attempt);
        let facts = self.facts(&followed, &supervised);
        let result = outcome::decide(&self.evidence(&followed, &supervised, &session, &facts));
        self.settle(&followed, &supervised, false).await;
        if same_prompt || self.run.stop.get().is_some() {
            return OrphanEnded::Decided(Box::new(result));
        }
        self.run.output.say(&format!("Job {} of run {run_id} has ended; starting this run's own", followed.job.name));
        let continued = supervised.transcript.session_id().and_then(|id| self.run.spec.continuing_attempt(id));
        let value = serde_json::to_value(&result).unwrap_or_default();
        self.adopted_run = Some(AdoptedRun { run_id, job: followed.job.name, result: value });
        OrphanEnded::Continue(Box::new(continued.unwrap_or(followed.attempt)))
    }

    fn not_launched(&self, reason: NotLaunched) -> RunResult {
        let facts = RunFacts { adopted_run: self.adopted_run.clone(), ..self.run.spec.facts() };
        match reason {
            NotLaunched::Refused(refusal) => {
                self.run.output.warn(&refusal.message);
                outcome::refused(&refusal, &facts, self.run.clock.now())
            }
            NotLaunched::Stopped(order) => stopped(order, &facts, self.run.clock),
        }
    }

    /// The second attempt has what the first one left of `timeoutSec` (SES-03).
    fn on_the_same_clock(&self, fresh: Attempt, first: &Supervised) -> Attempt {
        let Some(timeout) = fresh.timeout else { return fresh };
        let left = timeout.saturating_sub(first.ran_for(self.run.clock.now()));
        fresh.with_timeout(Some(left.max(Duration::from_secs(1))))
    }

    fn facts(&self, followed: &Followed, supervised: &Supervised) -> RunFacts {
        let pod = supervised.view.pod();
        RunFacts {
            job: followed.job.name.clone(),
            uid: followed.job.uid.clone(),
            pod: pod.map(|pod| pod.name.clone()),
            node: pod.and_then(|pod| pod.node.clone()),
            attempts: followed.attempt.number,
            adopted: followed.adopted,
            adopted_run: self.adopted_run.clone(),
            ..self.run.spec.facts()
        }
    }

    fn evidence<'e>(
        &self,
        followed: &Followed,
        supervised: &'e Supervised,
        session: &'e SessionFacts,
        facts: &'e RunFacts,
    ) -> Evidence<'e> {
        let ending = supervised.ending.clone();
        Evidence {
            run: facts,
            session,
            transcript: &supervised.transcript,
            stop: ending.stop,
            container: ending.container,
            start_failure: ending.start_failure,
            deadline_passed: ending.deadline_passed,
            termination_verified: ending.termination_verified,
            platform: ending.platform,
            deletion: ending.deletion,
            log: ending.log,
            fresh_attempt_used: followed.attempt.number > 1 || followed.adopted,
            earlier: self.earlier,
            now: self.run.clock.now(),
        }
    }

    /// The Job's stderr, its event and its clean-up. `again`: another attempt follows, so the Job goes even if retained.
    async fn settle(&self, followed: &Followed, supervised: &Supervised, again: bool) {
        self.run.done_with(&followed.job.uid);
        if let Some(text) = supervised.stderr() {
            self.run.output.stderr(text);
        }
        let finished = json!({
            "job": followed.job.name,
            "uid": followed.job.uid,
            "logBytes": supervised.ending.log.bytes,
            "logGaps": supervised.ending.log.gaps.len(),
            "reconnects": supervised.ending.log.reconnects,
        });
        let message = format!("Job {} ended", followed.job.name);
        let fate = supervised.ending.fate(self.run.spec.config().retain_jobs && !again);
        let secrets = self.run.spec.secret_names(&followed.attempt);
        if let Some((directory, _)) = self.run.spec.staging(&followed.attempt).filter(|_| fate != Fate::Leave) {
            staging::remove(&directory).await;
        }
        tokio::join!(
            self.run.output.event("k8s.job.finished", &message, finished),
            clean_up(self.run, &followed.job, &secrets, fate),
        );
    }
}

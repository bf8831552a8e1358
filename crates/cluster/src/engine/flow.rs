//! The attempts of one run and what becomes of their Jobs.
//!
//! ```text
//!  launch ──own Job──────────▶ follow ─▶ verdict ──session unusable, once──▶ fresh attempt
//!     │                                     └──▶ clean up, result
//!     └──orphan of this task──▶ follow ─▶ same prompt? its verdict : book it, launch own
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use claude_k8s_core::attempt::Attempt;
use claude_k8s_core::guard::Adoption;
use claude_k8s_core::launch::{NotLaunched, orphan_ended, orphan_may_run, starting_fresh};
use claude_k8s_core::names::key;
use claude_k8s_core::outcome::{self, AdoptedRun, Evidence, RunFacts, RunResult};
use claude_k8s_core::transcript::Usage;

use super::cleanup::CleanUp;
use super::followed::Followed;
use super::reattach::pod_or_end;
use super::reports;
use crate::launch::{Launched, launch};
use crate::run::{FollowGuard, RunContext, Supervised, supervise};
use crate::volume;

/// What carries over from one Job of the run to the next.
pub(super) struct Flow {
    run: Arc<RunContext>,
    /// An orphan that was followed first.
    adopted_run: Option<AdoptedRun>,
    /// What was warned about already.
    told: BTreeSet<String>,
    /// The attempt that a fresh one was to replace.
    first: Option<(Followed, Supervised)>,
}

/// What follows a Job whose end is known.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// The run's result.
    Result,
    /// A fresh attempt: this one goes even if Jobs are retained.
    Attempt,
    /// The run's own prompt, after an orphan with another one.
    OwnPrompt,
}

/// What following an orphan led to.
enum OrphanEnded {
    /// The run is decided: the orphan had this run's prompt, a stop was ordered, or its pod may still run.
    Decided(Box<RunResult>),
    /// This run's own attempt comes now, in the orphan's session where that is allowed.
    Continue(Box<Attempt>),
}

impl Flow {
    pub(super) fn new(run: RunContext) -> Self {
        Self { run: Arc::new(run), adopted_run: None, told: BTreeSet::new(), first: None }
    }

    pub(super) async fn go(mut self) -> RunResult {
        self.introduce();
        let mut attempt = self.run.plan.first_attempt();
        loop {
            let (followed, following) = match self.launch(&attempt).await {
                Ok(launched) => launched,
                Err(reason) => return self.not_launched(&reason),
            };
            if followed.adopted == Some(Adoption::Orphan) {
                match self.follow_orphan(followed, following).await {
                    OrphanEnded::Decided(result) => return *result,
                    OrphanEnded::Continue(own) => attempt = *own,
                }
                continue;
            }
            let supervised = self.follow(&followed).await;
            self.tell_mcp(&followed, &supervised);
            let result = self.decide(&followed, &supervised, None);
            let fresh = self.run.plan.fresh_attempt().filter(|_| self.wants_fresh_attempt(&followed, &supervised));
            let next = if fresh.is_some() { Next::Attempt } else { Next::Result };
            self.settle(&followed, &supervised, following, next).await;
            let Some(fresh) = fresh else { return result };
            let why = result.error_message.unwrap_or_default();
            self.run.output.say(&starting_fresh(&why));
            attempt = self.on_the_same_clock(fresh, &supervised);
            self.first = Some((followed, supervised));
        }
    }

    /// Warnings, degraded modes and decisions, once, before anything is created.
    fn introduce(&self) {
        let plan = &self.run.plan;
        self.run.tell_what_is_left();
        plan.warnings().iter().for_each(|text| self.run.output.warn(&format!("Warning: {text}")));
        plan.degraded().iter().for_each(|mode| self.run.output.warn(&format!("Degraded: {mode}")));
        plan.status_lines().iter().for_each(|line| self.run.output.say(line));
    }

    /// MCP servers that did not work, once per run.
    fn tell_mcp(&mut self, followed: &Followed, supervised: &Supervised) {
        let session = self.run.plan.session_facts(&followed.attempt);
        for warning in outcome::mcp_warnings(&supervised.transcript, &session) {
            if self.told.insert(warning.clone()) {
                self.run.output.warn(&format!("Warning: {warning}"));
            }
        }
    }

    async fn launch(&self, attempt: &Attempt) -> Result<(Followed, FollowGuard), NotLaunched> {
        let Launched { job, adopted, following } = Box::pin(launch(&self.run, attempt)).await?;
        if adopted.is_some() {
            pod_or_end(&self.run, &job).await?;
        }
        Ok((Followed { attempt: attempt.clone(), job, adopted }, following))
    }

    /// Supervises the Job to its end. The host hears of it meanwhile: a slow host does not delay the first line.
    async fn follow(&self, followed: &Followed) -> Supervised {
        let adopted = followed.adopted.is_some();
        let ((), mut supervised) =
            tokio::join!(reports::announce(&self.run, followed), supervise(&self.run, &followed.job, adopted));
        if supervised.ending.ran_out_of_memory()
            && let Some(place) = self.run.plan.resumed_transcript(&followed.attempt)
        {
            supervised.resumed_bytes = volume::transcript_bytes(place).await;
        }
        supervised
    }

    /// Follows somebody's Job to its end. Its verdict is this run's only if the prompt was the same.
    async fn follow_orphan(&mut self, followed: Followed, following: FollowGuard) -> OrphanEnded {
        let output = &self.run.output;
        let annotation = |key| followed.job.annotations.get(key);
        let run_id = annotation(key::RUN_ID).cloned().unwrap_or_default();
        let same_prompt = annotation(key::PROMPT_DIGEST) == Some(&followed.attempt.prompt_digest);
        let supervised = self.follow(&followed).await;
        let result = self.decide(&followed, &supervised, None);
        let decided = same_prompt || self.run.stop.get().is_some();
        let next = if decided { Next::Result } else { Next::OwnPrompt };
        self.settle(&followed, &supervised, following, next).await;
        if decided {
            return OrphanEnded::Decided(Box::new(result));
        }
        let value = serde_json::to_value(&result).unwrap_or_default();
        let job = followed.job.name.clone();
        self.adopted_run = Some(AdoptedRun { run_id: run_id.clone(), job: job.clone(), result: value });
        if supervised.may_still_run() {
            let refusal = orphan_may_run(&job, &run_id);
            return OrphanEnded::Decided(Box::new(self.not_launched(&refusal.into())));
        }
        output.say(&orphan_ended(&job, &run_id));
        let continued = supervised.transcript.session_id().and_then(|id| self.run.plan.continuing_attempt(id));
        OrphanEnded::Continue(Box::new(continued.unwrap_or(followed.attempt)))
    }

    fn not_launched(&self, reason: &NotLaunched) -> RunResult {
        let reason = &match reason {
            NotLaunched::Refused(refusal) => NotLaunched::Refused(refusal.redacted(&self.run.output.redactor())),
            NotLaunched::Stopped(_) => reason.clone(),
        };
        if let NotLaunched::Refused(refusal) = reason {
            self.run.output.warn(&refusal.message);
        }
        // The evidence of an attempt that ran says more than a refusal.
        if let Some((followed, supervised)) = &self.first {
            return self.decide(followed, supervised, Some(reason));
        }
        let facts = RunFacts { adopted_run: self.adopted_run.clone(), ..self.run.facts() };
        outcome::not_launched(reason, &facts, self.run.clock.now())
    }

    /// The second attempt has what the first one left of `timeoutSec` (SES-03).
    fn on_the_same_clock(&self, fresh: Attempt, first: &Supervised) -> Attempt {
        let Some(timeout) = fresh.timeout else { return fresh };
        let left = timeout.saturating_sub(first.ran_for(self.run.clock.now()));
        fresh.with_timeout(Some(left.max(Duration::from_secs(1))))
    }

    fn wants_fresh_attempt(&self, followed: &Followed, supervised: &Supervised) -> bool {
        let wants = self.with_evidence(followed, supervised, |evidence| outcome::wants_fresh_attempt(evidence));
        wants && self.run.stop.get().is_none()
    }

    /// `not_replaced`: a fresh attempt was wanted and did not come about.
    fn decide(&self, followed: &Followed, supervised: &Supervised, not_replaced: Option<&NotLaunched>) -> RunResult {
        self.with_evidence(followed, supervised, |evidence| {
            if let Some(reason) = not_replaced {
                evidence.not_replaced(reason);
            }
            outcome::decide(evidence)
        })
    }

    fn with_evidence<T>(
        &self,
        followed: &Followed,
        supervised: &Supervised,
        judge: impl FnOnce(&mut Evidence<'_>) -> T,
    ) -> T {
        let mut session = self.run.plan.session_facts(&followed.attempt);
        session.transcript_bytes = supervised.resumed_bytes;
        let pod = supervised.view.pod();
        let facts = RunFacts {
            job: followed.job.name.clone(),
            uid: followed.job.uid.clone(),
            pod: pod.map(|pod| pod.name.clone()),
            node: pod.and_then(|pod| pod.node.clone()),
            attempts: followed.attempt.number,
            adopted: followed.adopted.is_some(),
            adopted_run: self.adopted_run.clone(),
            ..self.run.facts()
        };
        // Before any of its texts is shortened or joined (TRU-22); the transcript did so with its own.
        let mut ending = supervised.ending.clone();
        ending.map_texts(&|text| self.run.output.redact(text));
        judge(&mut Evidence {
            run: &facts,
            session: &session,
            transcript: &supervised.transcript,
            ending,
            fresh_attempt_used: followed.attempt.number > 1 || followed.adopted.is_some(),
            earlier: self.earlier_usage(followed),
            now: self.run.clock.now(),
        })
    }

    fn earlier_usage(&self, followed: &Followed) -> Option<Usage> {
        self.first.as_ref().filter(|_| followed.attempt.number > 1)?.1.transcript.usage()
    }

    /// The Job's stderr, its events and its clean-up.
    async fn settle(&self, followed: &Followed, supervised: &Supervised, following: FollowGuard, next: Next) {
        if !supervised.may_still_run() {
            self.run.done_with(&followed.job.uid);
            following.answered();
        }
        let clean_up = CleanUp::of(&self.run, followed, supervised, following, next == Next::Attempt);
        let cleaned = async {
            match next {
                Next::Result => clean_up.for_a_moment().await,
                Next::Attempt | Next::OwnPrompt => clean_up.to_the_end().await,
            }
        };
        tokio::join!(reports::ended(&self.run, followed, supervised), cleaned);
    }
}

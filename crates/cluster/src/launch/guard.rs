//! Who else is running? Lists Jobs and pods and asks the core.

use std::collections::HashSet;
use std::time::Duration;

use claude_k8s_core::failure::Refusal;
use claude_k8s_core::guard::{self, Liveness, Neighbour};
use claude_k8s_core::launch::{
    Call, Look, NotLaunched, leftover_removed, named_job, next, not_listed, not_removed, waiting_for_pods,
};
use claude_k8s_core::view::{JobFacts, PodOfJob};
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::api::patiently;
use crate::run::RunContext;

/// Between two looks at a competitor: 1 s, doubling to 10 s.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const LAST_LOOK: Duration = Duration::from_secs(10);
/// A watch may be ahead of a list: so soon after a look there is no other.
const NEXT_LOOK: Duration = Duration::from_millis(50);
/// Between two lines about a competitor.
const SAY_EVERY: Duration = Duration::from_secs(15);

/// One look, and how long looking has gone on. A look is what the launch lock protects; the pause between two is not.
pub(super) struct Guard<'a> {
    run: &'a RunContext,
    started: Instant,
    pause: Duration,
    said: Option<Instant>,
}

impl<'a> Guard<'a> {
    pub(super) fn new(run: &'a RunContext) -> Self {
        Self { run, started: Instant::now(), pause: FIRST_LOOK, said: None }
    }

    pub(super) async fn look(&self) -> Result<Look, Refusal> {
        let neighbours = neighbours(self.run).await?;
        let claimant = self.run.claimant();
        if let Some(named) = self.run.named_job() {
            return named_job(named, &claimant, neighbours);
        }
        let decision = guard::decide(&claimant, &neighbours, self.run.server_time());
        next(decision, self.started.elapsed(), self.run.plan.config().guard_wait)
    }

    /// Waits before the next look. Wakes at once when a stop is ordered.
    pub(super) async fn pause(&mut self, why: &str) -> Result<(), NotLaunched> {
        self.say(why);
        let pause = self.next_pause();
        Ok(self.run.unless_stopped(tokio::time::sleep(pause)).await?)
    }

    /// Waits for pods that are about to end: at most a pause, mostly less, because the watch tells the moment. The next
    /// look at the lists has the last word.
    pub(super) async fn until_ended(&mut self, ending: &[Neighbour]) -> Result<(), NotLaunched> {
        // The run before has just returned its result, and the kubelet needs a moment: not worth a line.
        if self.pause > FIRST_LOOK {
            self.say(&waiting_for_pods(ending));
        }
        let run = self.run;
        let ended = async {
            tokio::time::sleep(NEXT_LOOK).await;
            join_all(ending.iter().map(|one| pods_end(run, one))).await;
        };
        let _ended_or_not = run.unless_stopped(tokio::time::timeout(self.next_pause(), ended)).await?;
        Ok(())
    }

    fn say(&mut self, why: &str) {
        if self.said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            self.run.output.progress(why);
            self.run.output.say(why);
            self.said = Some(Instant::now());
        }
    }

    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LAST_LOOK);
        pause
    }

    pub(super) async fn remove(&self, leftovers: &[Neighbour]) -> Result<(), Refusal> {
        for one in leftovers {
            let (name, uid) = (&one.job.name, &one.job.uid);
            let delete = || self.run.namespace.delete_job(Call::RemoveLeftover, name, uid);
            match patiently(Call::RemoveLeftover, delete).await {
                Ok(()) => self.run.output.say(&leftover_removed(name)),
                Err(failure) => not_removed(name, &failure).map_or(Ok(()), Err)?,
            }
        }
        Ok(())
    }
}

/// Everything the guard sees of this agent.
pub(super) async fn neighbours(run: &RunContext) -> Result<Vec<Neighbour>, Refusal> {
    let answered = run.supervisors.following.answered();
    let selector = run.plan.guard_selector();
    let (jobs, pods) = tokio::join!(list_jobs(run, &selector), list_pods(run, &selector));
    Ok(seen(run, &answered, jobs?, pods?).await)
}

/// The neighbours, unless this run's Job is the only one. A look before its creation has shown the pods that outlived
/// their Jobs, and every later launch leaves a Job; so there are no pods to wait for, whose list takes 0.1 s when
/// nothing has changed lately.
pub(super) async fn rivals(run: &RunContext, own_uid: &str) -> Result<Option<Vec<Neighbour>>, Refusal> {
    let answered = run.supervisors.following.answered();
    let selector = run.plan.guard_selector();
    let jobs = list_jobs(run, &selector).await?;
    if let [only] = jobs.as_slice()
        && only.uid == own_uid
    {
        return Ok(None);
    }
    let pods = list_pods(run, &selector).await?;
    Ok(Some(seen(run, &answered, jobs, pods).await))
}

async fn list_jobs(run: &RunContext, selector: &str) -> Result<Vec<JobFacts>, Refusal> {
    let listed = run.asking.for_answer(Call::ListJobs, || run.namespace.list_jobs(selector)).await;
    listed.map_err(|failure| not_listed(Call::ListJobs, &failure))
}

async fn list_pods(run: &RunContext, selector: &str) -> Result<Vec<PodOfJob>, Refusal> {
    let listed = run.asking.for_answer(Call::ListPods, || run.namespace.list_job_pods(selector)).await;
    listed.map_err(|failure| not_listed(Call::ListPods, &failure))
}

/// `answered`: what was, before the lists were asked for. A Job that is forgotten since says it in them.
async fn seen(
    run: &RunContext,
    answered: &HashSet<String>,
    jobs: Vec<JobFacts>,
    pods: Vec<PodOfJob>,
) -> Vec<Neighbour> {
    let mut neighbours = guard::group(jobs, pods);
    for one in &mut neighbours {
        // Without a pod in the list one may still come: of a Job that could neither be removed nor suspended.
        let is_answered = answered.contains(&one.job.uid) && !one.pods.is_empty();
        one.settled = is_answered || run.is_done_with(&one.job.uid);
    }
    neighbours.retain(|one| !one.settled || one.running_pods().next().is_some());
    for one in &mut neighbours {
        if one.has_our_layout() && matches!(one.liveness(run.server_time()), Liveness::Live | Liveness::Finished) {
            one.supervisor = run.supervisor_of(&one.job).await;
        }
    }
    neighbours
}

/// Ready when the watch has seen every pod end that a list showed running. Cancel-safe.
async fn pods_end(run: &RunContext, ending: &Neighbour) {
    let (_index, mut view) = run.index.subscribe(&ending.job);
    loop {
        let ended = {
            let seen = view.borrow_and_update();
            let over = |uid: &str| seen.pods.iter().any(|pod| pod.uid == uid && (pod.absent || pod.is_over()));
            ending.running_pods().all(|pod| over(&pod.uid))
        };
        if ended {
            return;
        }
        if view.changed().await.is_err() {
            // Nobody watches any more: the next look comes by the clock.
            return std::future::pending().await;
        }
    }
}

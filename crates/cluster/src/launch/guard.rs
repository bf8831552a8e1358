//! Who else is running? Lists Jobs and pods and asks the core.

use std::time::Duration;

use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::guard::{self, Adoption, Decision, Liveness, Neighbour, Supervisor};
use claude_k8s_core::request::ExternalRuntime;
use claude_k8s_core::view::{JobFacts, PodFacts};
use futures_util::future::join_all;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::Instant;

use super::NotLaunched;
use crate::run::RunContext;
use claude_k8s_core::api_failure::{ApiFailure, FailureKind};

/// How long the pods of an ending Job may take (GRD-04).
const SETTLING: Duration = Duration::from_secs(35);
/// Between two looks at a competitor: 1 s, doubling to 10 s.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const LAST_LOOK: Duration = Duration::from_secs(10);
/// A watch may be ahead of a list: so soon after a look there is no other.
const NEXT_LOOK: Duration = Duration::from_millis(50);
/// Between two lines about a competitor.
const SAY_EVERY: Duration = Duration::from_secs(15);

/// What a look found.
pub(super) enum Way {
    Clear,
    Adopt(Adoption, Box<JobFacts>),
    /// Somebody is in the way; waiting is allowed for a while yet.
    Occupied(String),
    /// What is in the way has ended but for its pods, which usually takes no second.
    Ending(Vec<Neighbour>),
}

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

    pub(super) async fn look(&self) -> Result<Way, Refusal> {
        let neighbours = neighbours(self.run).await?;
        if let Some(named) = self.run.named_job() {
            return named_job(self.run, named, neighbours);
        }
        Ok(match guard::decide(&self.run.claimant(), &neighbours, self.run.clock.now()) {
            Decision::Clear => Way::Clear,
            Decision::Adopt(adoption, neighbour) => Way::Adopt(adoption, Box::new(neighbour.job)),
            Decision::RemoveLeftovers(leftovers) => {
                self.remove(&leftovers).await;
                Way::Clear
            }
            Decision::Settling(ending) if self.started.elapsed() < SETTLING => Way::Ending(ending),
            Decision::Settling(ending) => return Err(still_ending(&ending)),
            Decision::Blocked(_) if self.started.elapsed() < self.run.spec.config().guard_wait => {
                Way::Occupied("waiting for another run of this agent to end (guardWaitSec)".to_owned())
            }
            Decision::Blocked(refusal) => return Err(refusal),
        })
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
            self.say(&format!("waiting for the pods of Job {} to end", names(ending)));
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

    async fn remove(&self, leftovers: &[Neighbour]) {
        for one in leftovers {
            // A failure is no reason not to run: the next run finds it again.
            if self.run.namespace.delete_job(&one.job.name, &one.job.uid).await.is_ok() {
                self.run.output.say(&format!("removed Job {}, which was created but never started", one.job.name));
            }
        }
    }
}

/// The host remembers which Job the run has: that one or none.
fn named_job(run: &RunContext, named: &ExternalRuntime, neighbours: Vec<Neighbour>) -> Result<Way, Refusal> {
    let found = neighbours.into_iter().find(|one| one.job_exists && one.job.name == named.job_name);
    match found {
        Some(one) if one.supervisor != Supervisor::Here && one.job.uid == named.job_uid && run.owns(&one.job) => {
            Ok(Way::Adopt(Adoption::Own, Box::new(one.job)))
        }
        found => {
            let what = if found.is_some() { "is another one by now, or is followed already" } else { "is gone" };
            let message = format!("Job `{}`, which the host remembers for this run, {what}; run again", named.job_name);
            Err(Refusal::new(ErrorCode::PodReattachFailed, message))
        }
    }
}

/// Everything the guard sees of this agent.
pub(super) async fn neighbours(run: &RunContext) -> Result<Vec<Neighbour>, Refusal> {
    let selector = run.spec.guard_selector();
    let (jobs, pods) = tokio::join!(run.namespace.list_jobs(&selector), run.namespace.list_pods(&selector));
    let jobs = jobs.map_err(|failure| unreachable(&failure))?;
    let pods = pods.map_err(|failure| unreachable(&failure))?;
    Ok(seen(run, &jobs, &pods).await)
}

/// The neighbours, unless this run's Job is the only one. A look before its creation has shown the pods that outlived
/// their Jobs, and every later launch leaves a Job; so there are no pods to wait for, whose list takes 0.1 s when
/// nothing has changed lately.
pub(super) async fn rivals(run: &RunContext, own_uid: &str) -> Result<Option<Vec<Neighbour>>, Refusal> {
    let selector = run.spec.guard_selector();
    let jobs = run.namespace.list_jobs(&selector).await.map_err(|failure| unreachable(&failure))?;
    if let [only] = jobs.as_slice()
        && only.metadata.uid.as_deref() == Some(own_uid)
    {
        return Ok(None);
    }
    let pods = run.namespace.list_pods(&selector).await.map_err(|failure| unreachable(&failure))?;
    Ok(Some(seen(run, &jobs, &pods).await))
}

async fn seen(run: &RunContext, jobs: &[Job], pods: &[Pod]) -> Vec<Neighbour> {
    let pods = pods.iter().filter_map(|pod| Some((owner_of(pod)?, PodFacts::read(pod)))).collect();
    let mut neighbours = guard::group(jobs.iter().map(JobFacts::read).collect(), pods);
    for one in &mut neighbours {
        one.settled = run.is_done_with(&one.job.uid);
    }
    neighbours.retain(|one| !one.settled || one.running_pods().next().is_some());
    for one in &mut neighbours {
        if one.has_our_layout() && matches!(one.liveness(run.clock.now()), Liveness::Live | Liveness::Finished) {
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

/// Fails closed: without a list nothing is created (GRD-01).
fn unreachable(failure: &ApiFailure) -> Refusal {
    let refusal = Refusal::new(ErrorCode::ConcurrencyGuardUnreachable, format!("{failure}; nothing was created"));
    if failure.kind == FailureKind::Forbidden { refusal } else { refusal.transient(None) }
}

/// What a pod tells about its Job when the Job object itself may be gone.
fn owner_of(pod: &Pod) -> Option<JobFacts> {
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    let owner = owners.iter().find(|owner| owner.kind == "Job")?;
    Some(JobFacts {
        name: owner.name.clone(),
        uid: owner.uid.clone(),
        created_at: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
        labels: pod.metadata.labels.clone().unwrap_or_default(),
        annotations: pod.metadata.annotations.clone().unwrap_or_default(),
        absent: true,
        ..JobFacts::default()
    })
}

//! The only place that waits: carries facts to the state machine and its commands to the cluster.
//!
//! ```text
//!   index ──View──────▶            ──LogPhase──▶ log follower ─▶ transcript, spool
//!   follower ─LogEnded▶  RunState  ──Delete, Prove, ReadEvents──▶ API (answers come back as inputs)
//!   stop, clock ──────▶            ──Say, Progress──▶ output
//! ```

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_core::launch::Call;
use claude_k8s_core::outcome::{ContainerEnd, Ending, LogSummary, PlatformLoss};
use claude_k8s_core::run::constants::KEEPALIVE;
use claude_k8s_core::run::{
    Bounds, Command, DeleteReason, Input, Live, LiveProgress, RunState, not_stopped, not_stopped_yet, pod_started,
};
use claude_k8s_core::transcript::{Activity, Transcript};
use claude_k8s_core::view::{JobFacts, RunView};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::watch;

use super::log_task::LogTask;
use super::{RunContext, end_pod};
use crate::api::{Patience, patiently};
use crate::host::StopOrder;
use crate::index::NamespaceIndex;
use crate::{events, proof};

/// Before an index that stopped by itself is replaced.
const INDEX_PAUSE: Duration = Duration::from_secs(1);
/// Events explain; nobody waits long for an explanation.
const EVENTS: Duration = Duration::from_secs(2);

/// What supervising one Job brought.
pub(crate) struct Supervised {
    pub(crate) ending: Ending,
    pub(crate) transcript: Transcript,
    pub(crate) view: RunView,
    /// Size of the transcript that was resumed, where it explains the end and the host sees it (FLD-09).
    pub(crate) resumed_bytes: Option<u64>,
    /// By our clock.
    pod_started: Option<Timestamp>,
}

impl Supervised {
    /// How long the pod ran, both by our clock: its node's may be off (FLD-07).
    pub(crate) fn ran_for(&self, now: Timestamp) -> Duration {
        let started = self.pod_started.unwrap_or(now);
        Duration::try_from(now.duration_since(started)).unwrap_or_default()
    }

    /// The Job is there and has finished.
    pub(crate) fn is_finished(&self) -> bool {
        self.view.job.as_ref().is_some_and(|job| job.is_finished() && !job.absent)
    }

    /// Nobody saw the container's end, and the pod was not seen to go.
    pub(crate) fn may_still_run(&self) -> bool {
        let lost = matches!(self.ending.platform, Some(PlatformLoss::NodeLost { .. }));
        (lost || self.ending.container == ContainerEnd::Running) && !self.ending.termination_verified
    }

    /// The end of stderr where the log does not tell it: the termination message of a Job of 0.2.0.
    pub(crate) fn untold_stderr(&self) -> Option<&str> {
        if self.ending.log.stderr.is_some() {
            return None;
        }
        let message = self.view.pod()?.terminated()?.message.as_deref()?;
        Some(message).filter(|text| !text.trim().is_empty())
    }
}

/// Follows one released Job to its end.
pub(crate) async fn supervise(run: &RunContext, job: &JobFacts, adopted: bool) -> Supervised {
    let (mut index, mut view) = run.index.subscribe(job);
    let mut log = LogTask::new(run);
    let mut io = Io { run, answers: FuturesUnordered::new() };
    let mut live = LiveLine { live: Live::new(run.clock.now()), activity: log.activity() };

    let bounds = bounds(run, job, adopted);
    let (mut state, mut commands) = RunState::released(bounds, view.borrow_and_update().clone(), run.clock.now());
    let mut stop_ordered = false;
    loop {
        for command in commands.drain(..) {
            // What the agent does says more than that it lives; that nobody can be asked says more than both.
            if matches!(command, Command::Alive(_)) && live.speaks() && state.view().stale_since.is_none() {
                continue;
            }
            io.start(command, &state, &mut log, &index);
        }
        if let Some(ending) = state.ending() {
            let ending = ending.clone();
            return Supervised {
                ending,
                transcript: log.into_transcript(),
                view: state.view().clone(),
                resumed_bytes: None,
                pod_started: state.pod_started(),
            };
        }
        let inputs = tokio::select! {
            biased; // an order to stop wins over a container that never stops talking
            order = run.stop.ordered(), if !stop_ordered => {
                stop_ordered = true;
                match order {
                    StopOrder::Cancel => vec![Input::Cancel],
                    StopOrder::LeaseLost => vec![Input::LeaseLost],
                }
            }
            Some(answers) = io.answers.next() => answers,
            newest = newest(&mut view) => vec![Input::View(newest)],
            () = index.stopped() => {
                // A defect of the index must not leave its runs without facts (HST-10).
                tokio::time::sleep(INDEX_PAUSE).await;
                (index, view) = run.index.subscribe(job);
                vec![Input::View(view.borrow_and_update().clone())]
            }
            summary = log.ended() => {
                let LogSummary { bytes, reconnects, complete, .. } = &summary;
                run.output.debug(|| format!("log: {bytes} bytes, {reconnects} reconnects, complete: {complete}"));
                vec![Input::LogEnded(LogSummary { good_result: log.result_is_good(), ..summary })]
            }
            progress = live.next(run) => {
                run.output.live(progress);
                continue;
            }
            () = tick(run, state.next_wake()) => vec![Input::Tick(log.heard())],
        };
        let before = state.phase().name();
        for input in inputs {
            let (next, more) = state.on(input, run.clock.now());
            state = next;
            commands.extend(more);
        }
        if state.phase().name() != before {
            run.output.debug(|| format!("state: {before} -> {}", state.phase().name()));
        }
    }
}

/// The deadline is what the Job itself says: an adopted one may have been made with another configuration (GRD-07).
fn bounds(run: &RunContext, job: &JobFacts, adopted: bool) -> Bounds {
    let limit = job.pod_deadline.map(|deadline| deadline + run.plan.config().grace);
    let queued = run.plan.is_queued(job) || (!adopted && run.plan.config().queue_name.is_some());
    Bounds { limit, queued, ..run.plan.bounds(adopted) }
}

/// Cancel-safe: the channel keeps the newest value. A writer that is gone says nothing more.
async fn newest(view: &mut watch::Receiver<RunView>) -> RunView {
    match view.changed().await {
        Ok(()) => view.borrow_and_update().clone(),
        Err(_) => std::future::pending().await,
    }
}

/// The state machine hears of new output by ticks, so one comes at least this often.
async fn tick(run: &RunContext, wake: Option<Timestamp>) {
    let latest = tokio::time::Instant::now() + KEEPALIVE;
    let at = wake.map_or(latest, |at| run.clock.instant_of(at).min(latest));
    tokio::time::sleep_until(at).await;
}

/// The line under "Working" on the host's page.
struct LiveLine {
    live: Live,
    activity: watch::Receiver<Activity>,
}

impl LiveLine {
    /// The agent was heard: from now on this line is kept up to date.
    fn speaks(&self) -> bool {
        self.live.due().is_some()
    }

    /// Cancel-safe: what was heard is noted before anything is waited for.
    async fn next(&mut self, run: &RunContext) -> LiveProgress {
        loop {
            if let Some(progress) = self.live.next(run.clock.now(), |text| run.output.redact(text)) {
                return progress;
            }
            let due = self.live.due().map(|due| run.clock.instant_of(due));
            tokio::select! {
                Ok(()) = self.activity.changed() => {
                    let activity = self.activity.borrow_and_update().clone();
                    self.live.turn_to(activity, run.clock.now());
                }
                () = sleep_until(due) => {}
            }
        }
    }
}

async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Commands under way. Their answers are inputs; nothing waits for them here.
struct Io<'a> {
    run: &'a RunContext,
    answers: FuturesUnordered<BoxFuture<'a, Vec<Input>>>,
}

impl Io<'_> {
    fn start(&mut self, command: Command, state: &RunState, log: &mut LogTask<'_>, index: &Arc<NamespaceIndex>) {
        let run = self.run;
        let view = state.view().clone();
        match command {
            Command::LogPhase(phase) => {
                if phase.is_ended() && state.ending().is_none() {
                    run.output.finalizing();
                }
                log.phase(phase, &view);
            }
            Command::Say(text) => run.output.say(&text),
            Command::Warn(text) => run.output.warn(&text),
            Command::Progress(text) => run.output.progress(&text),
            Command::Alive(text) => run.output.alive(&text),
            Command::Started => self.answers.push(started(run, view).map(|()| vec![]).boxed()),
            Command::ReadEvents => self.answers.push(async move { vec![explained(run, &view).await] }.boxed()),
            Command::Look => self.answers.push(look(run, Arc::clone(index), view).boxed()),
            Command::Prove(of) => self
                .answers
                .push(async move { vec![Input::Proven(of, proof::prove(&run.namespace, of, &view).await)] }.boxed()),
            Command::Delete(reason) => {
                self.answers.push(delete(run, view, reason).map(|input| input.into_iter().collect()).boxed());
            }
        }
    }
}

/// What is found goes where a watch would have brought it, so that it is folded by the same rules.
async fn look(run: &RunContext, index: Arc<NamespaceIndex>, view: RunView) -> Vec<Input> {
    proof::look(&run.namespace, &run.plan.guard_selector(), &index, &view).await;
    let seen = view.job.and_then(|job| index.subscribe(job)).map(|view| view.borrow().clone());
    seen.map(Input::View).into_iter().chain([Input::Looked]).collect()
}

async fn started(run: &RunContext, view: RunView) {
    let Some(pod) = view.pod() else { return };
    run.output.event(pod_started(pod)).await;
}

async fn explained(run: &RunContext, view: &RunView) -> Input {
    let causes = tokio::time::timeout(EVENTS, events::causes(&run.namespace, view)).await;
    Input::Events(causes.unwrap_or_default())
}

/// Tries until the server has accepted it; the state machine bounds how long anybody waits.
async fn delete(run: &RunContext, view: RunView, reason: DeleteReason) -> Option<Input> {
    let job = view.job.as_ref()?;
    let mut told = false;
    if reason.keeps_the_job(run.plan.config().retain_jobs) {
        match end_pod(run, job, view.pod()).await {
            Ok(()) => return Some(Input::Deleted),
            Err(failure) => run.output.warn(&not_stopped_yet(reason, &failure)),
        }
        told = true;
    }
    let mut patience = Patience::of(Call::StopJob);
    loop {
        let failure = match run.namespace.delete_job(Call::StopJob, &job.name, &job.uid).await {
            Ok(()) => return Some(Input::Deleted),
            Err(failure) => failure,
        };
        if !told {
            run.output.warn(&not_stopped_yet(reason, &failure));
            told = true;
        }
        match patience.pause(&failure) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return suspend(run, job).await,
        }
    }
}

/// Without the permission to delete, suspending ends the pods as well; the TTL cleans up.
async fn suspend(run: &RunContext, job: &JobFacts) -> Option<Input> {
    let patch = json!({ "metadata": { "uid": job.uid }, "spec": { "suspend": true } });
    match patiently(Call::Suspend, || run.namespace.patch_job(&job.name, &patch)).await {
        Ok(_) => Some(Input::Deleted),
        Err(failure) if Call::Suspend.knows_by(failure.kind) => Some(Input::Deleted),
        Err(failure) => {
            run.output.warn(&not_stopped(&failure));
            None
        }
    }
}

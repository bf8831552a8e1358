//! The log follower of one run, as a task of its own: parsing never waits for the loop that supervises.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use claude_k8s_core::log::{ContainerPhase, FIRST_LINE, Tail};
use claude_k8s_core::names::CONTAINER;
use claude_k8s_core::outcome::{LogSummary, is_final, is_good};
use claude_k8s_core::run::Heard;
use claude_k8s_core::transcript::{Activity, Transcript};
use claude_k8s_core::view::RunView;
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::RunContext;
use crate::logs::{ClusterLogs, LogBody, LogQuery, LogReport, LogSource, LogTarget, OpenError, ReadError, follow};

/// The follower bounds its own reads after the end, so this only bounds a follower that waits for the host.
const DRAIN: Duration = Duration::from_secs(15);
/// Between two looks whether the host is behind.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// As long as a host keeps taking output, a follower that waits for room gets so long (LOG-14).
const DRAIN_LONGEST: Duration = Duration::from_secs(600);

/// Follows the first pod's container once it has started: one that never ran has no log to ask for.
pub(super) struct LogTask<'a> {
    run: &'a RunContext,
    phase: watch::Sender<ContainerPhase>,
    tasks: JoinSet<LogReport>,
    started: bool,
    reported: bool,
    /// When the end of the container was first told.
    ended_at: Option<Instant>,
    transcript: Arc<Mutex<Transcript>>,
    /// Milliseconds since 1970 of the last line; 0 before the first.
    last_output: Arc<AtomicI64>,
    activity: watch::Sender<Activity>,
    /// The same of the final result; 0 without one.
    result_at: Arc<AtomicI64>,
    /// The log cannot be read now.
    is_deaf: Arc<AtomicBool>,
}

/// The cluster's logs, and whether they can be heard.
struct Listening {
    logs: ClusterLogs,
    is_deaf: Arc<AtomicBool>,
}

impl LogSource for Listening {
    fn open<'a>(&'a self, target: &'a LogTarget, query: LogQuery) -> BoxFuture<'a, Result<LogBody, OpenError>> {
        async move {
            let answer = self.logs.open(target, query).await;
            self.is_deaf.store(answer.is_err(), Ordering::Relaxed);
            let is_deaf = Arc::clone(&self.is_deaf);
            let note = move |chunk: &Result<Bytes, ReadError>| is_deaf.store(chunk.is_err(), Ordering::Relaxed);
            Ok(answer?.inspect(note).boxed())
        }
        .boxed()
    }
}

impl<'a> LogTask<'a> {
    pub(super) fn new(run: &'a RunContext) -> Self {
        Self {
            run,
            phase: watch::Sender::new(ContainerPhase::Waiting),
            tasks: JoinSet::new(),
            started: false,
            reported: false,
            ended_at: None,
            transcript: Arc::new(Mutex::new(Transcript::without(run.output.redactor().as_ref().clone()))),
            last_output: Arc::default(),
            activity: watch::Sender::default(),
            result_at: Arc::default(),
            is_deaf: Arc::default(),
        }
    }

    /// Starts with the first pod. Another pod is never followed: its log is another one (END-14).
    fn start(&mut self, view: &RunView) {
        let (Some(pod), Some(writer)) = (view.pod(), self.run.output.writer()) else { return };
        self.started = true;
        let logs = ClusterLogs::new(&self.run.connection);
        let source = Listening { logs, is_deaf: Arc::clone(&self.is_deaf) };
        let target = LogTarget {
            namespace: self.run.namespace.name.clone(),
            pod: pod.name.clone(),
            container: CONTAINER.to_owned(),
            first_line: pod.announces_start.then_some(FIRST_LINE),
            announces_end: pod.announces_end,
        };
        let (phase, clock) = (self.phase.subscribe(), self.run.clock);
        let (transcript, last_output) = (Arc::clone(&self.transcript), Arc::clone(&self.last_output));
        let activity = self.activity.clone();
        let result_at = Arc::clone(&self.result_at);
        self.tasks.spawn(async move {
            let mut version = 0;
            let on_line = |line: &[u8]| {
                let now = clock.now().as_millisecond();
                last_output.store(now, Ordering::Relaxed);
                let mut transcript = transcript.lock().unwrap_or_else(PoisonError::into_inner);
                let results = transcript.results();
                transcript.line(line);
                if transcript.activity_version() != version {
                    version = transcript.activity_version();
                    activity.send_replace(transcript.activity());
                }
                if !is_final(&transcript) {
                    result_at.store(0, Ordering::Relaxed);
                } else if transcript.results() > results || result_at.load(Ordering::Relaxed) == 0 {
                    result_at.store(now, Ordering::Relaxed);
                }
            };
            follow(&source, &target, phase, &writer, on_line).await
        });
    }

    /// Tells the follower what the container does.
    pub(super) fn phase(&mut self, phase: ContainerPhase, view: &RunView) {
        if !self.started && !matches!(phase, ContainerPhase::Waiting | ContainerPhase::Gone) {
            self.start(view);
        }
        if phase.is_ended() {
            self.ended_at.get_or_insert_with(Instant::now);
        }
        self.phase.send_replace(phase);
    }

    /// What is known of the output now.
    pub(super) fn heard(&self) -> Heard {
        Heard {
            last_output: time_of(&self.last_output),
            result: time_of(&self.result_at),
            is_deaf: self.is_deaf.load(Ordering::Relaxed),
        }
    }

    /// Resolves once, when the log was read to its end or given up. Cancel-safe.
    pub(super) async fn ended(&mut self) -> LogSummary {
        if self.reported {
            return std::future::pending().await;
        }
        let over = self.over();
        let summary = if self.started {
            tokio::select! {
                Some(report) = self.tasks.join_next() => match report {
                    Ok(report) => report.summary(),
                    // A defect of the follower is one of the run: it ends here instead of waiting for ever (HST-10).
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => LogSummary::default(),
                },
                () = over => {
                    Tail::of_a_deaf_host().told().iter().for_each(|text| self.run.output.warn(text));
                    LogSummary::default()
                }
            }
        } else {
            // Nothing to read: there never was a pod.
            match self.ended_at {
                Some(_) => LogSummary { complete: true, ..LogSummary::default() },
                None => std::future::pending().await,
            }
        };
        self.reported = true;
        summary
    }

    /// Ready when the follower has to have ended: some time after the newest sign of progress.
    fn over(&self) -> impl Future<Output = ()> + use<'a> {
        let (ended_at, run, mut phase) = (self.ended_at, self.run, self.phase.subscribe());
        let last_output = Arc::clone(&self.last_output);
        async move {
            let Some(ended_at) = ended_at else { return std::future::pending().await };
            loop {
                // Somebody waits for the answer to a stop (CAN-03).
                let patient =
                    matches!(*phase.borrow_and_update(), ContainerPhase::Terminated { pod_deleted: false, .. });
                let line_at = time_of(&last_output).map_or(ended_at, |at| run.clock.instant_of(at));
                let progress = run.output.last_taken().max(line_at).max(ended_at);
                let longest = ended_at + DRAIN_LONGEST;
                let mut until = if patient { (progress + DRAIN).min(longest) } else { ended_at + DRAIN };
                let now = Instant::now();
                if now >= until {
                    // A follower that does not wait for the host reads, and bounds that itself.
                    if !patient || run.output.is_full() || now >= longest {
                        return;
                    }
                    until = now + LOOK_AGAIN;
                }
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    _ = phase.changed() => {}
                }
            }
        }
    }

    /// What the agent does, from the first word on.
    pub(super) fn activity(&self) -> watch::Receiver<Activity> {
        self.activity.subscribe()
    }

    /// What was read so far ends with a result that is good by itself.
    pub(super) fn result_is_good(&self) -> bool {
        is_good(&self.transcript.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was read. The follower has ended, or is stopped here.
    pub(super) fn into_transcript(mut self) -> Transcript {
        self.tasks.abort_all();
        std::mem::take(&mut self.transcript.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn time_of(milliseconds: &AtomicI64) -> Option<Timestamp> {
    let at = milliseconds.load(Ordering::Relaxed);
    Timestamp::from_millisecond(at).ok().filter(|_| at > 0)
}

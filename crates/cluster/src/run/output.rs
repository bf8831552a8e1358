//! Everything a run tells its host, in order and with known secrets removed.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use claude_k8s_core::api_failure::no_answer_within;
use claude_k8s_core::launch::waiting_for_an_answer;
use claude_k8s_core::log::Stream;
use claude_k8s_core::redact::Redactor;
use claude_k8s_core::run::{
    Event, LiveProgress, READING_THE_REST, calls_failed, delivery_ended, last_warning, output_not_taken,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep_until, timeout};

use crate::api::Teller;
use crate::host::{Host, HostError, HostLog, LiveMembers, Notice};
use crate::logs::{DeliveryReport, SPOOL_BYTES, SpoolReader, SpoolWriter, deliver, spool};

/// A notice that the host does not answer is left alone after this time (HST-05).
const NOTICE: Duration = Duration::from_secs(5);
/// After the end of the run a call of the host may take this long.
const LAST_CALL: Duration = Duration::from_secs(10);
/// A slow host that keeps taking output gets all of it within this time.
const LAST_CALLS: Duration = Duration::from_secs(120);
/// Between two progress notices.
const PROGRESS_EVERY: Duration = Duration::from_secs(30);

/// A handle to the output of one run.
#[derive(Clone)]
pub(crate) struct Output(Arc<Inner>);

struct Inner {
    host: Arc<dyn Host>,
    redactor: Mutex<Arc<Redactor>>,
    give_up: watch::Sender<Option<Instant>>,
    /// When the host last took a chunk.
    taken: watch::Sender<Instant>,
    state: Mutex<State>,
}

struct State {
    /// Since when debug lines are written; `None` without `debug`.
    debug_since: Option<Instant>,
    writer: Option<SpoolWriter>,
    reader: Option<SpoolReader>,
    delivery: Option<JoinHandle<DeliveryReport>>,
    progress: Option<(Instant, String)>,
}

impl Output {
    /// Text is queued from now on and delivered once the secrets are known.
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        let (writer, reader) = spool(SPOOL_BYTES);
        let state =
            State { debug_since: None, writer: Some(writer), reader: Some(reader), delivery: None, progress: None };
        Self(Arc::new(Inner {
            host,
            redactor: Mutex::new(Arc::new(Redactor::new([]))),
            give_up: watch::Sender::new(None),
            taken: watch::Sender::new(Instant::now()),
            state: Mutex::new(state),
        }))
    }

    /// Starts the delivery, once. `secrets` never reach the host in clear text.
    pub(crate) fn start(&self, secrets: &[String]) {
        let mut state = lock(&self.0.state);
        let Some(reader) = state.reader.take() else { return };
        *lock(&self.0.redactor) = Arc::new(Redactor::new(secrets.iter().cloned()));
        let (host, redactor, give_up) = (self.clone(), self.redactor(), self.0.give_up.subscribe());
        #[expect(clippy::disallowed_methods, reason = "the handle is kept; finish() joins it and reports its panic")]
        let delivery = tokio::spawn(async move { deliver(reader, &host, &redactor, give_up).await });
        state.delivery = Some(delivery);
    }

    /// Writing end for the log follower.
    pub(crate) fn writer(&self) -> Option<SpoolWriter> {
        lock(&self.0.state).writer.clone()
    }

    /// The host is behind: the log waits for it.
    pub(crate) fn is_full(&self) -> bool {
        lock(&self.0.state).writer.as_ref().is_some_and(SpoolWriter::is_full)
    }

    /// `[paperclip] <text>`: progress, on stdout.
    pub(crate) fn say(&self, text: &str) {
        self.status(Stream::Stdout, text);
    }

    /// `[paperclip] <text>`: a warning, on stderr.
    pub(crate) fn warn(&self, text: &str) {
        self.try_warn(text);
    }

    /// A warning. False: the host is told nothing any more (HST-03).
    pub(crate) fn try_warn(&self, text: &str) -> bool {
        self.status(Stream::Stderr, text)
    }

    /// From now on debug lines are written.
    pub(crate) fn debug_from(&self, since: Instant) {
        lock(&self.0.state).debug_since = Some(since);
    }

    /// `[paperclip] debug: +<s> <text>` on stderr, if `debug` is configured.
    pub(crate) fn debug(&self, text: impl FnOnce() -> String) {
        let since = lock(&self.0.state).debug_since;
        if let Some(since) = since {
            self.warn(&format!("debug: +{:.3}s {}", since.elapsed().as_secs_f64(), text()));
        }
    }

    /// The container's own stderr.
    pub(crate) fn stderr(&self, text: &str) {
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        if let Some(writer) = &lock(&self.0.state).writer {
            writer.text(Stream::Stderr, Bytes::from(format!("{text}{newline}")));
        }
    }

    fn status(&self, stream: Stream, text: &str) -> bool {
        let state = lock(&self.0.state);
        let writer = state.writer.as_ref();
        writer.map(|writer| writer.status(stream, text)).is_some()
    }

    /// The host's "working" line: each change, at most every 30 s. Nobody waits for it.
    pub(crate) fn progress(&self, text: &str) {
        let mut state = lock(&self.0.state);
        let due = state.progress.as_ref().is_none_or(|(at, last)| at.elapsed() >= PROGRESS_EVERY && last != text);
        if !due {
            return;
        }
        state.progress = Some((Instant::now(), text.to_owned()));
        drop(state);
        self.tell("adapter_startup", text);
    }

    /// The host's "working" line while the agent works; the caller keeps the pace. Nobody waits for it.
    pub(crate) fn live(&self, progress: LiveProgress) {
        let LiveProgress { message, tool, snippet, heard } = progress;
        let live =
            LiveMembers { current_tool_name: tool, last_assistant_snippet: snippet, last_event_at: heard.to_string() };
        self.unawaited(Notice::Progress { phase: "adapter_startup", message, live: Some(live) });
    }

    /// Says once per run that an answer is waited for (FLD-03).
    pub(crate) fn teller(&self) -> Teller {
        let (output, told) = (self.clone(), AtomicBool::new(false));
        Arc::new(move |failure| {
            if !told.swap(true, Ordering::Relaxed) {
                let text = waiting_for_an_answer(failure);
                output.progress(&text);
                output.say(&text);
            }
        })
    }

    /// The host's "working" line of a silent run; the state machine paces it.
    pub(crate) fn alive(&self, text: &str) {
        self.tell("adapter_startup", text);
    }

    /// The host's "working" line while the rest of the log is read.
    pub(crate) fn finalizing(&self) {
        self.tell("finalize", READING_THE_REST);
    }

    fn tell(&self, phase: &'static str, text: &str) {
        self.unawaited(Notice::Progress { phase, message: self.redact(text), live: None });
    }

    fn unawaited(&self, notice: Notice) {
        let output = self.clone();
        #[expect(clippy::disallowed_methods, reason = "bounded by NOTICE and of no consequence")]
        let _unawaited = tokio::spawn(async move { output.notice(notice).await });
    }

    /// `ctx.onMeta`.
    pub(crate) async fn meta(&self, mut meta: Value) {
        self.redactor().redact_json(&mut meta);
        self.notice(Notice::Meta { meta }).await;
    }

    /// `ctx.onEvent`, stream `system`.
    pub(crate) async fn event(&self, event: Event) {
        let mut event = event.to_json();
        self.redactor().redact_json(&mut event);
        self.notice(Notice::Event { event }).await;
    }

    /// A notice whose failure changes nothing (HST-02).
    pub(crate) async fn notice(&self, notice: Notice) {
        let _of_no_consequence = self.acknowledged(notice).await;
    }

    /// A notice whose answer matters.
    pub(crate) async fn acknowledged(&self, notice: Notice) -> Result<(), HostError> {
        let silent = || HostError(no_answer_within(NOTICE));
        timeout(NOTICE, self.0.host.notice(notice)).await.unwrap_or_else(|_| Err(silent()))
    }

    /// Removes known secrets from a text.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.redactor().redact(text).into_owned()
    }

    /// When the host last settled a call; the start of the run before the first one.
    pub(crate) fn last_taken(&self) -> Instant {
        *self.0.taken.borrow()
    }

    /// Waits until the host has taken everything, for a bounded time; `hurry`: an operator waits for the answer.
    /// No call comes afterwards (HST-03). Returns what the host could not be told (HST-05).
    pub(crate) async fn finish(&self, hurry: bool) -> Option<String> {
        self.start(&[]);
        let delivery = {
            let mut state = lock(&self.0.state);
            state.writer = None;
            state.delivery.take()
        };
        let delivered = self.patiently(delivery?, if hurry { LAST_CALL } else { LAST_CALLS }).await;
        let complaint = match delivered {
            Ok(DeliveryReport { undelivered: Some(bytes), .. }) => {
                return Some(output_not_taken(bytes));
            }
            Ok(DeliveryReport { failures, calls, first_failure, .. }) => {
                calls_failed(failures, calls, first_failure.as_deref())?
            }
            Err(error) => delivery_ended(&error.to_string()),
        };
        let text = last_warning(&complaint);
        let told =
            timeout(NOTICE, AssertUnwindSafe(async { self.0.host.log(Stream::Stderr, text).await }).catch_unwind());
        (!matches!(told.await, Ok(Ok(Ok(()))))).then_some(complaint)
    }

    /// As long as the host settles its calls, it is waited for.
    async fn patiently(
        &self,
        mut delivery: JoinHandle<DeliveryReport>,
        longest: Duration,
    ) -> Result<DeliveryReport, JoinError> {
        let started = Instant::now();
        loop {
            let until = (self.last_taken().max(started) + LAST_CALL).min(started + longest);
            if until <= Instant::now() {
                self.0.give_up.send_replace(Some(until));
                return delivery.await;
            }
            tokio::select! {
                delivered = &mut delivery => return delivered,
                () = sleep_until(until) => {}
            }
        }
    }

    /// The values that reach nobody.
    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&lock(&self.0.redactor))
    }
}

/// What the delivery calls: the host, and a note of when it settled.
impl HostLog for Output {
    fn log(&self, stream: Stream, chunk: String) -> BoxFuture<'_, Result<(), HostError>> {
        async move {
            let answer = self.0.host.log(stream, chunk).await;
            self.0.taken.send_replace(Instant::now());
            answer
        }
        .boxed()
    }
}

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

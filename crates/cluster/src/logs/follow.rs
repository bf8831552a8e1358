//! Carries out what [`Capture`] decides: opens connections, hands their bytes to [`Intake`] and what is new to the host.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use claude_k8s_core::log::{Action, Capture, Connection, Delivery, Event, Intake, Outage, Refusal, Stream, Tail};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::spool::Item;
use super::{ContainerPhase, LogBody, LogQuery, LogReport, LogSource, LogTarget, OpenError, ReadError, SpoolWriter};

/// Follows the log of one container instance to its end and hands every line to `spool` and `on_line` once.
///
/// `phase` is what the watch says about the container: connections end, fail and fall silent without meaning anything.
/// `on_line` gets every line of output (without `\n`) before it is queued, so what it collects is up to date however slow
/// the host is. Ends with the container's own end line; else within about 10 s after `phase` says that the container
/// ended, plus the time the spool is full. A dropped sender of `phase` stops the capture at once, and so does dropping
/// the future.
pub async fn follow<S, F>(
    source: &S,
    target: &LogTarget,
    mut phase: watch::Receiver<ContainerPhase>,
    spool: &SpoolWriter,
    on_line: F,
) -> LogReport
where
    S: LogSource + ?Sized,
    F: FnMut(&[u8]) + Send,
{
    let mut capture = Capture::new(&target.pod, target.announces_end);
    let mut follower = Follower::new(source, target, spool, on_line);
    let first = *phase.borrow_and_update();
    let mut action = capture.on(Event::Phase(first), Duration::ZERO);
    loop {
        let until = match action {
            Action::Quiet => {
                let event = follower.quiet().await;
                action = capture.on(event, follower.now());
                continue;
            }
            Action::End(tail) => return follower.into_report(tail).await,
            Action::Listen { until } => until,
            Action::Rest { until } => {
                follower.close().await;
                until
            }
            Action::Follow { until } => {
                follower.open(Connection::Follow).await;
                until
            }
            Action::Read { until } => {
                follower.open(Connection::Final).await;
                until
            }
        };
        let event = tokio::select! {
            biased;
            changed = phase.changed() => match changed {
                Ok(()) => Event::Phase(*phase.borrow_and_update()),
                Err(_) => return follower.into_report(Tail::Stopped).await,
            },
            // Before the time: what has arrived counts. A container that never stops talking still has an end, because
            // the capture looks at the time with every chunk (LOG-11).
            arrival = follower.line.next() => follower.arrived(arrival).await,
            () = sleep_until(follower.began + until) => Event::Time,
        };
        action = capture.on(event, follower.now());
    }
}

/// The connection of a capture.
enum Connected<'a> {
    Nothing,
    Asked(BoxFuture<'a, Result<LogBody, OpenError>>),
    Open(LogBody),
}

/// What comes from it.
enum Arrival {
    Answer(Result<LogBody, OpenError>),
    Chunk(Bytes),
    End(Result<(), ReadError>),
}

impl Connected<'_> {
    /// Cancel-safe.
    async fn next(&mut self) -> Arrival {
        match self {
            Self::Nothing => std::future::pending().await,
            Self::Asked(answer) => Arrival::Answer(answer.await),
            Self::Open(body) => match body.next().await {
                Some(Ok(chunk)) => Arrival::Chunk(chunk),
                Some(Err(error)) => Arrival::End(Err(error)),
                None => Arrival::End(Ok(())),
            },
        }
    }
}

/// One capture in progress.
struct Follower<'a, S: ?Sized, F> {
    source: &'a S,
    target: &'a LogTarget,
    spool: &'a SpoolWriter,
    on_line: F,
    intake: Intake,
    /// When the capture began; moves on by the time the host made it wait.
    began: Instant,
    line: Connected<'a>,
    kind: Connection,
    /// Decided but not queued. Empty between two events.
    new: Vec<Delivery>,
    items: VecDeque<Item>,
    outage: Outage,
    /// Follow connections that were opened.
    follows: u64,
    readable: bool,
}

impl<'a, S, F> Follower<'a, S, F>
where
    S: LogSource + ?Sized,
    F: FnMut(&[u8]) + Send,
{
    fn new(source: &'a S, target: &'a LogTarget, spool: &'a SpoolWriter, on_line: F) -> Self {
        Self {
            source,
            target,
            spool,
            on_line,
            intake: Intake::beginning_with(target.first_line),
            began: Instant::now(),
            line: Connected::Nothing,
            kind: Connection::Follow,
            new: Vec::new(),
            items: VecDeque::new(),
            outage: Outage::default(),
            follows: 0,
            readable: false,
        }
    }

    /// The time of the capture.
    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    async fn open(&mut self, kind: Connection) {
        self.close().await;
        let query = LogQuery { follow: kind == Connection::Follow, since: self.intake.since() };
        self.kind = kind;
        self.line = Connected::Asked(self.source.open(self.target, query));
    }

    /// Leaves what is open.
    async fn close(&mut self) {
        if let Connected::Open(_) = std::mem::replace(&mut self.line, Connected::Nothing) {
            self.intake.body_ended(false, &mut self.new);
            self.emit().await;
        }
    }

    async fn arrived(&mut self, arrival: Arrival) -> Event {
        match arrival {
            Arrival::Answer(Ok(body)) => {
                let told = self.outage.over();
                self.tell(told);
                self.readable = true;
                self.follows += u64::from(self.kind == Connection::Follow);
                self.intake.connect(self.kind);
                self.line = Connected::Open(body);
                Event::Opened
            }
            Arrival::Answer(Err(error)) => {
                self.line = Connected::Nothing;
                self.refused(&error)
            }
            Arrival::Chunk(chunk) => {
                self.intake.chunk(chunk, self.began.elapsed(), &mut self.new);
                self.emit().await;
                Event::Chunk(self.intake.shown())
            }
            Arrival::End(result) => {
                self.line = Connected::Nothing;
                let end = self.intake.body_ended(result.is_ok(), &mut self.new);
                self.emit().await;
                Event::BodyEnded(end, self.intake.shown())
            }
        }
    }

    fn refused(&mut self, error: &OpenError) -> Event {
        let cause = error.to_string();
        let refusal = match error {
            OpenError::NoLog(_) => Refusal::NoLog,
            OpenError::Forbidden(_) => Refusal::Forbidden,
            OpenError::NotFound(_) => Refusal::NotFound,
            OpenError::Failed { retry_after, .. } => Refusal::Failed { retry_after: *retry_after },
        };
        let told = self.outage.failed(self.kind, &refusal, &cause, &self.target.namespace, self.now());
        self.tell(told.as_deref());
        Event::Refused(refusal, cause)
    }

    /// A line of ours about the log.
    fn tell(&self, text: Option<&str>) {
        if let Some(text) = text {
            self.spool.status(Stream::Stderr, text);
        }
    }

    async fn quiet(&mut self) -> Event {
        let reconnect = self.intake.quiet(&mut self.new);
        self.emit().await;
        Event::Quieted { reconnect, shown: self.intake.shown() }
    }

    /// Gives what is new to the parser at once, and to the spool as soon as there is room.
    async fn emit(&mut self) {
        if self.new.is_empty() {
            return;
        }
        for Delivery { stream, text, is_output, continues } in self.new.drain(..) {
            if is_output {
                (self.on_line)(text.strip_suffix(b"\n").unwrap_or(&text));
            }
            self.items.extend(Item::of(stream, text, continues));
        }
        let before = Instant::now();
        self.spool.lines(&mut self.items).await;
        self.began += before.elapsed();
    }

    async fn into_report(mut self, tail: Tail) -> LogReport {
        self.close().await;
        self.intake.finish(&mut self.new);
        self.emit().await;
        // What was held back may have shown the end.
        let tail = if self.intake.end().is_some() { Tail::Ended } else { tail };
        self.tell(tail.told().as_deref());
        LogReport {
            tail,
            end: self.intake.end(),
            stderr: self.intake.stderr().map(str::to_owned),
            readable: self.readable,
            reconnects: self.follows.saturating_sub(1),
            counters: self.intake.counters(),
            gaps: self.intake.gaps().to_vec(),
            forbidden: self.outage.is_forbidden(),
        }
    }
}

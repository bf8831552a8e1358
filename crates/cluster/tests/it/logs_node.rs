//! A node in memory: a container that writes lines on paused time, and log requests that misbehave as scripted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use claude_k8s_cluster::logs::{
    ContainerPhase, HostError, HostLog, LogBody, LogQuery, LogSource, LogTarget, OpenError, ReadError,
};
use claude_k8s_core::log::Stream;
use claude_k8s_testkit::kubelet_log::{LogModel, LogReader, ReadOptions};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What the next request meets. A request beyond the script meets `Healthy`.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// As a kubelet answers.
    Healthy,
    /// Ends cleanly after this time.
    CleanEndAfter(Duration),
    /// Ends cleanly so long after the container.
    Lingers(Duration),
    /// Sends what is there, then nothing for ever.
    HalfOpen,
    /// So many bytes, then a clean end or a reset.
    Cut {
        bytes: usize,
        clean: bool,
    },
    /// Everything that is there, then this text without a newline, then a clean end.
    Notice(&'static str),
    /// As a kubelet answers, after this time.
    Late(Duration),
    /// As a kubelet answers, with this time before each line.
    Drips(Duration),
    /// As a kubelet answers, in pieces of so many bytes with this time before each.
    Pieces {
        bytes: usize,
        pause: Duration,
    },
    /// Headers never come.
    Silence,
    /// Sends this for ever.
    Endless(&'static str),
    Refuse(OpenError),
}

/// One request, as the API server sees it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) query: String,
    pub(crate) at: Duration,
}

impl Seen {
    pub(crate) fn is_follow(&self) -> bool {
        self.query.contains("follow=true")
    }
}

#[derive(Clone)]
pub(crate) struct Node(Arc<Inner>);

struct Inner {
    born: Instant,
    log: watch::Sender<LogModel>,
    /// When the newest line was written. Unit: nanoseconds.
    newest: Mutex<i64>,
    phase: watch::Sender<ContainerPhase>,
    script: Mutex<VecDeque<Answer>>,
    seen: Mutex<Vec<Seen>>,
}

/// 2026-01-02T03:04:00Z: the node's clock when a test begins.
const EPOCH: i64 = 1_767_323_040_000_000_000;

impl Node {
    pub(crate) fn running(script: impl IntoIterator<Item = Answer>) -> Self {
        Self(Arc::new(Inner {
            born: Instant::now(),
            log: watch::Sender::new(LogModel::default()),
            newest: Mutex::new(i64::MIN),
            phase: watch::Sender::new(ContainerPhase::Running),
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::new(Vec::new()),
        }))
    }

    /// The container writes a line now.
    pub(crate) fn write(&self, line: &str) {
        self.record(line, true);
    }

    /// The container writes text without a newline, and nothing behind it.
    pub(crate) fn write_unterminated(&self, text: &str) {
        self.record(text, false);
    }

    fn record(&self, text: &str, ends_line: bool) {
        let now = EPOCH + i64::try_from(self.0.born.elapsed().as_nanos()).unwrap();
        let mut newest = self.0.newest.lock().unwrap();
        // Two lines never carry the same nanosecond.
        *newest = now.max(newest.saturating_add(1));
        self.0.log.send_modify(|log| log.write_record(text.as_bytes(), ends_line, time(*newest)));
    }

    /// What was written so far stands in a file that nobody can open any more.
    pub(crate) fn rotate(&self) {
        self.0.log.send_modify(LogModel::rotate);
    }

    pub(crate) fn phase(&self, phase: ContainerPhase) {
        self.0.phase.send_replace(phase);
    }

    pub(crate) fn watch(&self) -> watch::Receiver<ContainerPhase> {
        self.0.phase.subscribe()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.0.seen.lock().unwrap().clone()
    }

    /// What is left of the script: nothing, in a test that checks requests.
    pub(crate) fn unused(&self) -> usize {
        self.0.script.lock().unwrap().len()
    }
}

impl LogSource for Node {
    fn open<'a>(&'a self, target: &'a LogTarget, query: LogQuery) -> BoxFuture<'a, Result<LogBody, OpenError>> {
        let seen = Seen { query: query.path_and_query(target), at: self.0.born.elapsed() };
        self.0.seen.lock().unwrap().push(seen);
        let answer = self.0.script.lock().unwrap().pop_front().unwrap_or(Answer::Healthy);
        Box::pin(async move {
            match answer {
                Answer::Silence => std::future::pending().await,
                Answer::Refuse(error) => Err(error),
                Answer::Endless(text) => Ok(stream::repeat(Ok(Bytes::from_static(text.as_bytes())))
                    .then(|chunk| async {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        chunk
                    })
                    .boxed()),
                Answer::Late(time) => {
                    tokio::time::sleep(time).await;
                    Ok(body(Reading::new(self, query, Answer::Healthy)))
                }
                answer => Ok(body(Reading::new(self, query, answer))),
            }
        })
    }
}

/// One connection in progress.
struct Reading {
    log: watch::Receiver<LogModel>,
    reader: LogReader,
    phase: watch::Receiver<ContainerPhase>,
    follow: bool,
    ends_at: Option<Instant>,
    answer: Answer,
    sent: usize,
    queued: Bytes,
    over: bool,
}

impl Reading {
    fn new(node: &Node, query: LogQuery, answer: Answer) -> Self {
        let ends_at = match answer {
            Answer::CleanEndAfter(time) => Some(Instant::now() + time),
            _ => None,
        };
        let (log, phase) = (node.0.log.subscribe(), node.watch());
        let since = query.since.map(|since| time(since.as_nanoseconds()));
        let asked = ReadOptions { follow: query.follow, timestamps: true, since, ..ReadOptions::default() };
        let reader = log.borrow().open(&asked);
        Self { log, reader, phase, follow: query.follow, ends_at, answer, sent: 0, queued: Bytes::new(), over: false }
    }

    /// What the node sends now.
    fn new_text(&mut self) -> Vec<u8> {
        let log = self.log.borrow_and_update();
        let most = if matches!(self.answer, Answer::Drips(_)) { 1 } else { usize::MAX };
        std::iter::from_fn(|| self.reader.next(&log)).take(most).flatten().collect()
    }

    async fn next(&mut self) -> Option<Result<Bytes, ReadError>> {
        loop {
            if self.over {
                return None;
            }
            if let Answer::Pieces { bytes, pause } = self.answer
                && !self.queued.is_empty()
            {
                tokio::time::sleep(pause).await;
                return Some(Ok(self.queued.split_to(bytes.min(self.queued.len()))));
            }
            let mut text = self.new_text();
            match self.answer {
                Answer::Pieces { .. } if !text.is_empty() => {
                    self.queued = text.into();
                    continue;
                }
                Answer::Cut { bytes, clean } if self.sent + text.len() >= bytes => {
                    text.truncate(bytes - self.sent);
                    self.over = true;
                    if !clean {
                        self.answer = Answer::Healthy;
                        self.over = false;
                        self.ends_at = Some(Instant::now());
                        return Some(if text.is_empty() { Err(reset()) } else { Ok(text.into()) });
                    }
                    return (!text.is_empty()).then(|| Ok(text.into()));
                }
                Answer::Notice(notice) => {
                    text.extend_from_slice(notice.as_bytes());
                    self.over = true;
                    return Some(Ok(text.into()));
                }
                _ => {}
            }
            if !text.is_empty() {
                if let Answer::Drips(time) = self.answer {
                    tokio::time::sleep(time).await;
                }
                self.sent += text.len();
                return Some(Ok(text.into()));
            }
            if matches!(self.answer, Answer::HalfOpen) {
                std::future::pending::<()>().await;
            }
            if !self.follow || self.phase.borrow_and_update().is_ended() {
                let Answer::Lingers(time) = self.answer else { return None };
                self.ends_at.get_or_insert_with(|| Instant::now() + time);
            }
            let end = async {
                match self.ends_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = end => {
                    self.over = true;
                    return if matches!(self.answer, Answer::Healthy) { Some(Err(reset())) } else { None };
                }
                _ = self.log.changed() => {}
                _ = self.phase.changed() => {}
            }
        }
    }
}

fn time(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap()
}

fn reset() -> ReadError {
    ReadError("connection reset by peer".into())
}

fn body(reading: Reading) -> LogBody {
    stream::unfold(reading, |mut reading| async {
        let chunk = reading.next().await?;
        Some((chunk, reading))
    })
    .boxed()
}

pub(crate) fn target() -> LogTarget {
    LogTarget {
        namespace: "agents".into(),
        pod: "run-1".into(),
        container: "claude".into(),
        first_line: None,
        announces_end: false,
    }
}

/// How the host's callback behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    Prompt,
    Takes(Duration),
    NeverSettles,
    Rejects,
}

/// A host that writes down every call.
pub(crate) struct Host {
    manner: Manner,
    calls: Mutex<Vec<(Stream, String)>>,
    in_flight: Mutex<u32>,
}

impl Host {
    pub(crate) fn new(manner: Manner) -> Self {
        Self { manner, calls: Mutex::new(Vec::new()), in_flight: Mutex::new(0) }
    }

    pub(crate) fn calls(&self) -> Vec<(Stream, String)> {
        self.calls.lock().unwrap().clone()
    }

    /// All chunks of a stream, joined as the host's UI joins them.
    pub(crate) fn text(&self, stream: Stream) -> String {
        self.calls().into_iter().filter(|call| call.0 == stream).map(|call| call.1).collect()
    }
}

impl HostLog for Host {
    fn log(&self, stream: Stream, chunk: String) -> BoxFuture<'_, Result<(), HostError>> {
        Box::pin(async move {
            self.calls.lock().unwrap().push((stream, chunk));
            *self.in_flight.lock().unwrap() += 1;
            assert_eq!(*self.in_flight.lock().unwrap(), 1, "HST-03: calls overlap");
            match self.manner {
                Manner::Prompt => {}
                Manner::Takes(time) => tokio::time::sleep(time).await,
                Manner::NeverSettles => std::future::pending().await,
                Manner::Rejects => tokio::task::yield_now().await,
            }
            *self.in_flight.lock().unwrap() -= 1;
            match self.manner {
                Manner::Rejects => Err(HostError("the database is gone".into())),
                _ => Ok(()),
            }
        })
    }
}

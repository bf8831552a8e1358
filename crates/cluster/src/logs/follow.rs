//! The connection loop: one follow after the other until the container has ended, then the tail.
//!
//! What is new is decided by [`LogCursor`]; this file decides when to connect, how long to wait and when to stop.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use claude_k8s_core::log::{Connection, FollowEnds, Gap, Line, LineFramer, LogCursor, LogEvent, Stream, is_notice};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::backoff::Backoff;
use super::spool::Item;
use super::trouble::Trouble;
use super::{
    ContainerPhase, LogBody, LogQuery, LogReport, LogSource, LogTarget, OpenError, ReadError, SpoolWriter, Tail,
};

/// Headers come at once from a healthy server; older ones hold them back until the first byte.
pub(super) const CONNECT: Duration = Duration::from_secs(30);
/// First limit of a connection's silence; doubles while renewed connections bring nothing new.
const IDLE: Duration = Duration::from_secs(60);
const IDLE_LONGEST: Duration = Duration::from_secs(300);
/// Planned renewal: the kubelet ends a connection after 4 h, and file events can get lost.
const MAX_AGE: Duration = Duration::from_secs(3600);
/// Silence while lines are held back.
const QUIET: Duration = Duration::from_secs(3);
/// What an open connection gets after the container's end before it is replaced by final reads.
const LINGER: Duration = Duration::from_secs(3);
/// The kubelet ends a follow up to a second after the container. Plain reads of a pod that stays are faster, unless the
/// follow still brings bytes (END-10). A burst is always finished by the follow: a new connection would not see the part
/// of it that was rotated away (`docs/internals/kubernetes.md` 1.6).
const SETTLED: Duration = Duration::from_millis(50);
/// What the node sent together with the end is on its way. It may be all that a new file holds; then a read could not prove
/// that nothing is missing in front of it.
const TOGETHER: Duration = Duration::from_millis(10);
/// A follow that ended cleanly so long before the end was known ended with the container: a busy kubelet posts late, and
/// the log may be gone by then (`docs/internals/kubernetes.md` 2.5).
const ENDED_WITH: Duration = Duration::from_secs(1);
/// Time for the tail after the container's end, waiting for the host not counted. It begins anew with every new line of a
/// pod that stays: a starved node sends slowly, and giving up costs the result.
const DRAIN: Duration = Duration::from_secs(10);
/// Time for a read that brings bytes and no new line yet: a long line, or a long replay, on a slow way.
const DRAIN_READING: Duration = Duration::from_secs(60);
/// The whole time for the tail, however much comes.
const DRAIN_LONGEST: Duration = Duration::from_secs(300);
/// Pause after a clean end: mostly the container stopped, and the watch says so within a second or two.
const CLEAN_END: Duration = Duration::from_secs(2);
/// Longest `Retry-After` that is obeyed.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// A container that waits is asked for at this interval even if no watch event comes.
const WAITING: Duration = Duration::from_secs(30);

/// Follows the log of one container instance to its end and hands every line to `spool` and `on_line` once.
///
/// `phase` is the only witness of the end: connections end, fail and fall silent without meaning anything. `on_line`
/// gets every line (without `\n`) before it is queued, so what it collects is up to date however slow the host is.
/// Ends within about 10 s after `phase` says the container ended, plus the time the spool is full. A dropped sender of
/// `phase` stops the capture at once, and so does dropping the future.
pub async fn follow<S, F>(
    source: &S,
    target: &LogTarget,
    phase: watch::Receiver<ContainerPhase>,
    spool: &SpoolWriter,
    on_line: F,
) -> LogReport
where
    S: LogSource + ?Sized,
    F: FnMut(&[u8]) + Send,
{
    let mut follower = Follower::new(source, target, phase, spool, on_line);
    let tail = follower.run().await;
    follower.into_report(tail)
}

/// One capture in progress.
pub(super) struct Follower<'a, S: ?Sized, F> {
    pub(super) source: &'a S,
    pub(super) target: &'a LogTarget,
    pub(super) phase: watch::Receiver<ContainerPhase>,
    pub(super) spool: &'a SpoolWriter,
    on_line: F,
    pub(super) cursor: LogCursor,
    pub(super) framer: LineFramer,
    /// Decided but not queued. Empty between two chunks.
    pub(super) events: Vec<LogEvent>,
    items: VecDeque<Item>,
    gaps: Vec<Gap>,
    pub(super) backoff: Backoff,
    pub(super) trouble: Trouble,
    /// Current limit of silence.
    idle: Duration,
    /// Follow connections that were opened.
    pub(super) follows: u64,
    pub(super) readable: bool,
    /// When the end was first seen; moves on by the time the host made us wait.
    ended_at: Option<Instant>,
    /// When the newest line was taken.
    line_at: Option<Instant>,
    /// When the newest bytes of a final read arrived.
    pub(super) read_at: Option<Instant>,
    follow_ends: FollowEnds,
    /// Of the newest follow that has shown something.
    clean_end: Option<CleanEnd>,
}

/// The end of a follow that has shown the tail, if the container ended with it or before.
struct CleanEnd {
    at: Instant,
    /// The first sign of the container's end: its state, or a log that the node has removed.
    known_at: Option<Instant>,
    /// What stood behind the last newline.
    piece: Bytes,
}

/// How a follow connection ended.
enum End {
    /// The server closed it properly. Proves nothing.
    Clean,
    /// It broke.
    Broken,
    /// Our watchdog closed it.
    Planned,
    /// Lines are held back and nothing follows.
    Quiet,
    /// The container ended and the connection had its time.
    Over,
}

/// What a connection is waiting for.
enum Alarm {
    Renew,
    Quiet,
    Over,
}

impl<'a, S, F> Follower<'a, S, F>
where
    S: LogSource + ?Sized,
    F: FnMut(&[u8]) + Send,
{
    fn new(
        source: &'a S,
        target: &'a LogTarget,
        phase: watch::Receiver<ContainerPhase>,
        spool: &'a SpoolWriter,
        on_line: F,
    ) -> Self {
        Self {
            source,
            target,
            phase,
            spool,
            on_line,
            cursor: LogCursor::default().beginning_with(target.first_line),
            framer: LineFramer::default(),
            events: Vec::new(),
            items: VecDeque::new(),
            gaps: Vec::new(),
            backoff: Backoff::new(target),
            trouble: Trouble::default(),
            idle: IDLE,
            follows: 0,
            readable: false,
            ended_at: None,
            line_at: None,
            read_at: None,
            follow_ends: FollowEnds::default(),
            clean_end: None,
        }
    }

    async fn run(&mut self) -> Tail {
        loop {
            if self.notice_end() {
                return self.finish().await;
            }
            if self.phase.has_changed().is_err() {
                return Tail::Stopped;
            }
            // A container that waits has no log: asking for it would only be answered with 400.
            if *self.phase.borrow() == ContainerPhase::Waiting && !self.pause(WAITING).await {
                continue;
            }
            let (end, error) = match self.open_follow().await {
                Some(Ok(body)) => (self.read_follow(body).await, None),
                Some(Err(error)) => (End::Broken, Some(error)),
                None => continue,
            };
            if self.notice_end() {
                continue;
            }
            let pause = match end {
                End::Planned => {
                    self.idle = (self.idle * 2).min(IDLE_LONGEST);
                    continue;
                }
                End::Over => continue,
                End::Clean if *self.phase.borrow() == ContainerPhase::Running => self.backoff.next().max(CLEAN_END),
                End::Clean | End::Broken | End::Quiet => self.backoff.next(),
            };
            let wanted = match error {
                Some(OpenError::Failed { retry_after, .. }) => retry_after.unwrap_or_default().min(RETRY_AFTER),
                _ => Duration::ZERO,
            };
            self.pause(pause.max(wanted)).await;
        }
    }

    /// Waits; a change of the phase ends the wait. Returns whether the time is over.
    async fn pause(&mut self, time: Duration) -> bool {
        tokio::select! {
            biased;
            changed = self.phase.changed() => {
                // A dropped sender is noticed by the loop; without it `changed` would never wait.
                let _ = changed;
                false
            }
            () = sleep(time) => true,
        }
    }

    /// Remembers when the end of the container was first seen.
    pub(super) fn notice_end(&mut self) -> bool {
        let ended = self.phase.borrow_and_update().is_ended();
        if ended {
            self.ended_at.get_or_insert_with(Instant::now);
            self.end_is_known();
        }
        ended
    }

    fn end_is_known(&mut self) {
        if let Some(end) = &mut self.clean_end {
            end.known_at.get_or_insert_with(Instant::now);
        }
    }

    /// When the search for the tail has to stop.
    pub(super) fn deadline(&self) -> Instant {
        let ended_at = self.ended_at.unwrap_or_else(Instant::now);
        // Somebody waits for the answer to a stop (CAN-03), and the log goes with the pod.
        if *self.phase.borrow() != (ContainerPhase::Terminated { pod_deleted: false }) {
            return ended_at + DRAIN;
        }
        let line_at = self.line_at.unwrap_or(ended_at).max(ended_at);
        let read_at = self.read_at.unwrap_or(line_at).clamp(line_at, line_at + DRAIN_READING - DRAIN);
        (read_at + DRAIN).min(ended_at + DRAIN_LONGEST)
    }

    /// Opens the next follow. `None`: the container ended meanwhile, or the caller is gone.
    async fn open_follow(&mut self) -> Option<Result<LogBody, OpenError>> {
        let query = LogQuery { follow: true, since: self.cursor.since(), tail_lines: None };
        let mut phase = self.phase.clone();
        let answer = tokio::select! {
            biased;
            answer = timeout(CONNECT, self.source.open(self.target, query)) => answer,
            _ = phase.wait_for(|phase| phase.is_ended()) => return None,
        };
        let error = match answer {
            Ok(Ok(body)) => {
                self.trouble.over(self.spool);
                self.follows += 1;
                self.readable = true;
                return Some(Ok(body));
            }
            Ok(Err(error)) => error,
            // An old server with a silent container: no failure (1.1).
            Err(_) => return Some(Err(OpenError::NoLog("no answer within 30 s".to_owned()))),
        };
        if !matches!(error, OpenError::NoLog(_)) {
            self.trouble.failed(&error, self.target, self.spool);
        }
        Some(Err(error))
    }

    /// Reads one follow to its end, whatever ends it.
    async fn read_follow(&mut self, mut body: LogBody) -> End {
        self.cursor.connect(Connection::Follow);
        let opened = Instant::now();
        let mut last_byte = opened;
        let end = loop {
            let (at, alarm) = self.alarm(opened, last_byte);
            tokio::select! {
                biased;
                changed = self.phase.changed() => {
                    if changed.is_err() {
                        break End::Over;
                    }
                    self.notice_end();
                }
                // `sleep_until` before the body: a container that never stops talking still has an end (LOG-11).
                () = sleep_until(at) => match alarm {
                    Alarm::Renew => break End::Planned,
                    Alarm::Over => {
                        let arrived = if Instant::now() < self.deadline() { body.next().now_or_never() } else { None };
                        let Some(Some(Ok(chunk))) = arrived else { break End::Over };
                        self.take(chunk).await;
                        last_byte = Instant::now();
                    }
                    Alarm::Quiet => {
                        let reconnect = self.cursor.quiet(&mut self.events);
                        self.emit().await;
                        if reconnect {
                            break End::Quiet;
                        }
                        last_byte = Instant::now();
                    }
                },
                chunk = body.next() => match chunk {
                    Some(Ok(chunk)) => {
                        self.take(chunk).await;
                        last_byte = Instant::now();
                    }
                    Some(Err(ReadError(cause))) => {
                        self.trouble.last_error = Some(cause);
                        break End::Broken;
                    }
                    None => break End::Clean,
                },
            }
        };
        let piece = self.framer.take_open_piece();
        if self.says_log_is_removed(&piece) {
            // What the follow before has shown is all there was.
            self.end_is_known();
        } else {
            let clean = matches!(end, End::Clean) && self.cursor.is_live();
            let shows_tail = self.follow_ends.ended(*self.phase.borrow(), clean, self.cursor.counters().lines);
            let at = Instant::now();
            let known_at = self.ended_at.map(|_| at);
            self.clean_end = shows_tail.then(|| CleanEnd { at, known_at, piece: piece.clone() });
        }
        self.cursor.disconnected(&piece, &mut self.events);
        self.emit().await;
        end
    }

    /// The open piece of the follow that has shown the tail.
    pub(super) fn clean_end(&self) -> Option<Bytes> {
        let end = self.clean_end.as_ref()?;
        (end.known_at? - end.at <= ENDED_WITH).then(|| end.piece.clone())
    }

    /// The connection brought nothing else than the node's notice, in this open piece, that the log is removed.
    pub(super) fn says_log_is_removed(&self, piece: &[u8]) -> bool {
        is_notice(piece) && self.cursor.is_empty_connection()
    }

    /// The next moment at which silence, or age, means something.
    fn alarm(&self, opened: Instant, last_byte: Instant) -> (Instant, Alarm) {
        if let Some(ended_at) = self.ended_at {
            let until = match *self.phase.borrow() {
                ContainerPhase::Terminated { pod_deleted: false } if !self.cursor.is_burst() => {
                    (last_byte + SETTLED).max(ended_at + TOGETHER)
                }
                _ => last_byte.max(ended_at) + LINGER,
            };
            return (until.min(self.deadline()), Alarm::Over);
        }
        if self.cursor.is_holding() {
            return (last_byte + QUIET, Alarm::Quiet);
        }
        let idle = last_byte + self.idle;
        // A planned renewal can wait while the open follow is the only source of the tail (LOG-12).
        let deleting = *self.phase.borrow() == ContainerPhase::Deleting;
        (if deleting { idle } else { idle.min(opened + MAX_AGE) }, Alarm::Renew)
    }

    /// Takes the lines of a chunk and passes on what is new.
    pub(super) async fn take(&mut self, chunk: Bytes) {
        self.framer.push(chunk);
        while let Some(raw) = self.framer.next_line() {
            self.cursor.line(Line::parse(raw), &mut self.events);
        }
        self.emit().await;
    }

    /// Gives what is new to the parser at once, and to the spool as soon as there is room.
    pub(super) async fn emit(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let mut new_lines = false;
        for event in self.events.drain(..) {
            let item = match event {
                LogEvent::Line(text) | LogEvent::Unterminated(text) => {
                    // Only a new line is progress; a connection that opens and repeats is none.
                    new_lines = true;
                    (self.on_line)(text.strip_suffix(b"\n").unwrap_or(&text));
                    Item { stream: Stream::Stdout, text }
                }
                LogEvent::Gap(gap) => {
                    let text = Bytes::from(format!("[paperclip] {}\n", gap.message()));
                    self.gaps.push(gap);
                    Item { stream: Stream::Stderr, text }
                }
            };
            self.items.push_back(item);
        }
        if new_lines {
            self.backoff.reset();
            self.idle = IDLE;
        }
        let before = Instant::now();
        self.spool.lines(&mut self.items).await;
        if new_lines {
            self.line_at = Some(Instant::now());
        }
        // A slow host is no reason to give the tail up (LOG-14).
        if let Some(ended_at) = &mut self.ended_at {
            *ended_at += before.elapsed();
        }
    }

    /// Delivers the open piece, if it is output.
    pub(super) async fn unterminated(&mut self, piece: Bytes) {
        if !is_notice(&piece) {
            self.cursor.unterminated(piece, &mut self.events);
            self.emit().await;
        }
    }

    fn into_report(self, tail: Tail) -> LogReport {
        if let Tail::Unconfirmed(reason) = &tail {
            let text = format!("Log tail unconfirmed: {reason}. The last lines of the container may be missing.");
            self.spool.status(Stream::Stderr, &text);
        }
        LogReport {
            tail,
            readable: self.readable,
            reconnects: self.follows.saturating_sub(1),
            counters: self.cursor.counters(),
            gaps: self.gaps,
            forbidden: self.trouble.forbidden,
            last_error: self.trouble.last_error,
        }
    }
}

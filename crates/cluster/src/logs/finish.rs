//! The tail: plain reads after the container's end until two of them agree (`docs/internals/kubernetes.md` 2.5).

use bytes::Bytes;
use claude_k8s_core::log::{Connection, Finish, FinishStep, Line, LineFramer, Proof, ReadEnd, WholeFile};
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep, timeout_at};

use super::follow::Follower;
use super::{ContainerPhase, LogBody, LogQuery, LogSource, OpenError, ReadError, Tail};

/// Why a final read brought nothing.
enum NoRead {
    /// Worth another try.
    Failed(String),
    /// The log does not exist any more, or may not be read.
    Gone(String),
    /// The time is over.
    Late,
}

impl<S, F> Follower<'_, S, F>
where
    S: LogSource + ?Sized,
    F: FnMut(&[u8]) + Send,
{
    /// Reads the tail. Bounded by [`Self::deadline`].
    pub(super) async fn finish(&mut self) -> Tail {
        if *self.phase.borrow() == ContainerPhase::Gone {
            return self.without_reads("the pod is gone").await;
        }
        // Time is short now: pauses that grew while the container ran would outlast it.
        self.backoff.reset();
        let mut finish = Finish::new(self.follows > 1, self.clean_end());
        let mut step = FinishStep::Read;
        let mut reason = "the final reads did not agree in time".to_owned();
        loop {
            let read = match step {
                FinishStep::Done => break,
                FinishStep::Read => self.read_tail(&mut finish).await,
                FinishStep::WholeFile => self.read_whole_file(&mut finish).await,
            };
            self.emit().await;
            step = match read {
                // A read without progress was cut: give the server a moment.
                Ok((next, true)) => next,
                Ok((next, false)) => {
                    self.pause_until_deadline().await;
                    next
                }
                Err(NoRead::Failed(cause)) => {
                    reason = cause;
                    self.pause_until_deadline().await;
                    FinishStep::Read
                }
                Err(NoRead::Gone(cause)) => return self.without_reads(&cause).await,
                Err(NoRead::Late) if self.is_deleted() => return self.without_reads(&reason).await,
                Err(NoRead::Late) => return Tail::Unconfirmed(reason),
            };
        }
        let proof = finish.proof();
        self.unterminated(finish.into_piece()).await;
        if proof == Proof::Given { Tail::Proven } else { Tail::Confirmed }
    }

    /// The tail is what the last follow gave: complete if it ended cleanly, at the end of a line, with the container.
    async fn without_reads(&mut self, cause: &str) -> Tail {
        match self.clean_end() {
            Some(piece) if piece.is_empty() => Tail::Confirmed,
            piece => {
                self.unterminated(piece.unwrap_or_default()).await;
                Tail::Unconfirmed(cause.to_owned())
            }
        }
    }

    /// One read from the cursor's second. Returns the next step and whether the read brought it nearer.
    async fn read_tail(&mut self, finish: &mut Finish) -> Result<(FinishStep, bool), NoRead> {
        let query = LogQuery { follow: false, since: self.cursor.since(), tail_lines: self.cursor.tail_lines() };
        let mut body = self.open_read(query, self.deadline()).await?;
        self.cursor.connect(Connection::Final);
        loop {
            match Self::next_chunk(&mut body, self.deadline()).await {
                Ok(Some(chunk)) => {
                    self.read_at = Some(Instant::now());
                    self.take(chunk).await;
                }
                Ok(None) => break,
                Err(cause) => {
                    self.framer.take_open_piece();
                    return Err(cause);
                }
            }
        }
        let piece = self.framer.take_open_piece();
        if self.says_log_is_removed(&piece) {
            return Err(NoRead::Gone("the node removed the log".to_owned()));
        }
        let end = self.cursor.read_ended(&mut self.events);
        let anchored = matches!(end, ReadEnd::Anchored { .. });
        Ok((finish.read_ended(end, piece), anchored))
    }

    /// One read of the whole file, given up at its first line if that is another one.
    async fn read_whole_file(&mut self, finish: &mut Finish) -> Result<(FinishStep, bool), NoRead> {
        // Half of the time that is left: two reads that agree have to remain possible.
        let until = Instant::now() + self.deadline().saturating_duration_since(Instant::now()) / 2;
        let Ok(mut body) = self.open_read(LogQuery::default(), until).await else {
            return Ok((finish.whole_file_unreadable(), false));
        };
        let mut file = WholeFile::default();
        'reading: loop {
            match Self::next_chunk(&mut body, until).await {
                Ok(Some(chunk)) => self.framer.push(chunk),
                Ok(None) => break,
                Err(_) => {
                    self.framer.take_open_piece();
                    return Ok((finish.whole_file_unreadable(), true));
                }
            }
            while let Some(raw) = self.framer.next_line() {
                if !file.line(&Line::parse(raw), &self.cursor) {
                    self.framer = LineFramer::default();
                    break 'reading;
                }
            }
        }
        let piece = self.framer.take_open_piece();
        let verdict = file.ended(&self.cursor);
        Ok((finish.whole_file_ended(verdict, piece, &mut self.cursor, &mut self.events), true))
    }

    fn is_deleted(&self) -> bool {
        matches!(*self.phase.borrow(), ContainerPhase::Terminated { pod_deleted: true } | ContainerPhase::Gone)
    }

    async fn open_read(&mut self, query: LogQuery, until: Instant) -> Result<LogBody, NoRead> {
        let opened = timeout_at(until, self.source.open(self.target, query)).await;
        let error = match opened {
            Ok(Ok(body)) => {
                self.readable = true;
                self.trouble.over(self.spool);
                return Ok(body);
            }
            Ok(Err(error)) => error,
            Err(_) => return Err(NoRead::Late),
        };
        self.trouble.failed(&error, self.target, self.spool);
        match error {
            OpenError::NoLog(cause) | OpenError::Forbidden(cause) => Err(NoRead::Gone(cause)),
            OpenError::NotFound(cause) if self.is_deleted() => Err(NoRead::Gone(cause)),
            // A kubelet that was just restarted does not know the pod yet (1.4).
            OpenError::NotFound(cause) | OpenError::Failed { message: cause, .. } => Err(NoRead::Failed(cause)),
        }
    }

    async fn next_chunk(body: &mut LogBody, until: Instant) -> Result<Option<Bytes>, NoRead> {
        match timeout_at(until, body.next()).await {
            Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
            Ok(Some(Err(ReadError(cause)))) => Err(NoRead::Failed(cause)),
            Ok(None) => Ok(None),
            Err(_) => Err(NoRead::Late),
        }
    }

    async fn pause_until_deadline(&mut self) {
        let pause = sleep(self.backoff.next());
        let _ = timeout_at(self.deadline(), pause).await;
    }
}

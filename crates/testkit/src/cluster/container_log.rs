//! The log of one container on this node: the model plus clock, rotation and readers that wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::knobs::{Lags, LogSettings};
use crate::kubelet_log::{LogModel, LogOptions, LogReader, ReadOptions, Stream};

/// Two records are at least this far apart on a real node.
const TICK: SignedDuration = SignedDuration::from_micros(1);

/// Shared by the container (one writer) and any number of readers; the lock is held for one write or one piece.
#[derive(Debug)]
pub(crate) struct ContainerLog {
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
    clock: Arc<Clock>,
}

#[derive(Debug)]
struct Inner {
    model: LogModel,
    settings: LogSettings,
    check: Duration,
    /// Container ended → follows return.
    follow_end: Duration,
    /// When they return.
    follows_end_at: Option<Instant>,
    opened: Instant,
    /// The next look of the kubelet at a file that is too large.
    rotation_due: Option<Instant>,
    /// Time of the last record before the node's clock offset.
    last: Timestamp,
    removed: bool,
}

impl ContainerLog {
    pub(crate) fn new(clock: Arc<Clock>, settings: LogSettings, lags: &Lags) -> Self {
        let inner = Inner {
            model: LogModel::new(LogOptions::default()),
            settings,
            check: lags.log_rotation_check,
            follow_end: lags.follow_end,
            follows_end_at: None,
            opened: Instant::now(),
            rotation_due: None,
            last: Timestamp::MIN,
            removed: false,
        };
        Self { inner: Mutex::new(inner), changed: watch::Sender::new(()), clock }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The container writes.
    pub(crate) fn write(&self, stream: Stream, bytes: &[u8]) {
        {
            let inner = &mut *self.lock();
            if inner.model.is_closed() {
                return;
            }
            inner.rotate_if_due();
            let (last, clock) = (&mut inner.last, &self.clock);
            inner.model.write(stream, bytes, || stamp(clock, last));
            inner.notice_size();
        }
        self.changed.send_replace(());
    }

    /// The container ended: follows read to the end, and return when they notice.
    pub(crate) fn close(&self) {
        {
            let inner = &mut *self.lock();
            if !inner.model.is_closed() {
                inner.rotate_if_due();
                let (last, clock) = (&mut inner.last, &self.clock);
                inner.model.close(|| stamp(clock, last));
                inner.follows_end_at = Some(Instant::now() + inner.follow_end);
            }
        }
        self.changed.send_replace(());
    }

    /// The node removes the files.
    pub(crate) fn remove(&self) {
        self.close();
        self.lock().removed = true;
    }

    /// The kubelet rotates now.
    pub(crate) fn rotate(&self) {
        self.lock().model.rotate();
        self.changed.send_replace(());
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.lock().removed
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().model.is_closed()
    }

    pub(crate) fn open(&self, options: &ReadOptions) -> LogReader {
        let inner = &mut *self.lock();
        inner.rotate_if_due();
        inner.model.open(options)
    }

    /// The next piece that is there already.
    pub(crate) fn read(&self, reader: &mut LogReader) -> Option<Bytes> {
        reader.next(&self.lock().model)
    }

    /// The next piece of a follow, `None` when the container stopped and all was read. Cancel-safe.
    pub(crate) async fn next(&self, reader: &mut LogReader) -> Option<Bytes> {
        let mut changes = self.changed.subscribe();
        loop {
            changes.borrow_and_update();
            let end_at = {
                let inner = self.lock();
                if let Some(piece) = reader.next(&inner.model) {
                    return Some(piece);
                }
                if reader.is_exhausted() || inner.follows_end_at.is_some_and(|at| at <= Instant::now()) {
                    return None;
                }
                inner.follows_end_at
            };
            match end_at {
                Some(at) => sleep_until(at).await,
                None => changes.changed().await.ok()?,
            }
        }
    }

    /// `FallbackToLogsOnError`: the last 80 records, at most 2 KiB.
    pub(crate) fn tail(&self) -> Bytes {
        self.lock().model.tail(80, 2048)
    }
}

impl Inner {
    /// The kubelet looks at running containers only, every ten seconds (kubernetes.md 1.1). Evaluated when somebody touches the
    /// file: between two touches nobody could tell the difference, and no timer has to run.
    fn rotate_if_due(&mut self) {
        if self.rotation_due.is_some_and(|due| Instant::now() >= due) && !self.model.is_closed() {
            self.rotation_due = None;
            self.model.rotate();
        }
    }

    fn notice_size(&mut self) {
        if self.rotation_due.is_some() || self.model.current_size() < self.settings.max_size {
            return;
        }
        if self.check.is_zero() {
            self.model.rotate();
            return;
        }
        let looks = self.opened.elapsed().as_nanos() / self.check.as_nanos() + 1;
        let looks = u32::try_from(looks).unwrap_or(u32::MAX);
        self.rotation_due = Some(self.opened + self.check * looks);
    }
}

/// The node's clock just before a write: advances, unless the node's clock is stepped.
fn stamp(clock: &Clock, last: &mut Timestamp) -> Timestamp {
    let next = last.checked_add(TICK).unwrap_or(*last);
    *last = clock.now().max(next);
    last.checked_add(clock.node_offset()).unwrap_or(*last)
}

//! A bounded queue of text between the log reader and the host.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use claude_k8s_core::log::{Stream, without_split_end};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Default bound: more than one container log file of the default size. Unit: bytes.
pub const SPOOL_BYTES: usize = 12 << 20;
/// What an entry costs beside its text, so that empty lines are bounded as well. Unit: bytes.
const ENTRY: usize = size_of::<Item>() + 32;

/// A line is handed on in parts of this size, so that no copy of a long one is made. Unit: bytes.
const PART: usize = 64 << 10;

/// A complete line (with its `\n`), the unterminated end of the output, or a part of either.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) stream: Stream,
    pub(super) text: Bytes,
    /// It goes on where the item of its stream before stopped.
    pub(super) continues: bool,
}

impl Item {
    /// The text in its parts.
    pub(super) fn of(stream: Stream, mut rest: Bytes, mut continues: bool) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let length = if rest.len() > PART { without_split_end(&rest[..PART]) } else { rest.len() };
            let text = rest.split_to(length);
            Some(Self { stream, text, continues: std::mem::replace(&mut continues, true) })
        })
    }
}

/// Makes a queue of `capacity` bytes.
#[must_use]
pub fn spool(capacity: usize) -> (SpoolWriter, SpoolReader) {
    let state = State { items: VecDeque::new(), used: 0, wanted: 0, writers: 1, closed: false };
    let shared =
        Arc::new(Shared { state: Mutex::new(state), capacity, readable: Notify::new(), writable: Notify::new() });
    (SpoolWriter(Arc::clone(&shared)), SpoolReader(shared))
}

/// Writing end. The log follower waits here when the queue is full; statuses never wait.
#[derive(Debug)]
pub struct SpoolWriter(Arc<Shared>);

/// Reading end, for [`super::deliver`]. Dropping it closes the queue: later text is discarded.
#[derive(Debug)]
pub struct SpoolReader(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// A mutex instead of a channel: a whole network chunk of lines goes in under one lock with one wake-up, and the
    /// bound is in bytes. Never held across an await.
    state: Mutex<State>,
    capacity: usize,
    readable: Notify,
    writable: Notify,
}

#[derive(Debug)]
struct State {
    items: VecDeque<Item>,
    used: usize,
    /// The reader sleeps until so much is queued. Unit: bytes.
    wanted: usize,
    writers: usize,
    closed: bool,
}

impl Shared {
    /// A poisoned lock holds plain data that is valid between any two statements.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpoolWriter {
    /// Queues a line of the adapter: `[paperclip] <text>`, with a newline. Never waits and keeps its place.
    pub fn status(&self, stream: Stream, text: &str) {
        self.text(stream, Bytes::from(format!("[paperclip] {text}\n")));
    }

    /// Queues a text as it is, for example the container's last stderr. Never waits and keeps its place.
    pub fn text(&self, stream: Stream, text: Bytes) {
        let mut state = self.0.lock();
        if !state.closed && !text.is_empty() {
            state.used += text.len() + ENTRY;
            state.items.push_back(Item { stream, text, continues: false });
            let wake = state.used >= state.wanted;
            drop(state);
            if wake {
                self.0.readable.notify_one();
            }
        }
    }

    /// The host has to take something before more of the log is read.
    #[must_use]
    pub(crate) fn is_full(&self) -> bool {
        let state = self.0.lock();
        state.used >= self.0.capacity
    }

    /// Moves all items into the queue, waiting while it is full. A line longer than the queue passes when it is empty.
    ///
    /// Not cancel-safe in the sense that a dropped call leaves the rest in `items`; nothing is lost or doubled.
    pub(super) async fn lines(&self, items: &mut VecDeque<Item>) {
        loop {
            if self.queue(items) {
                return;
            }
            self.0.writable.notified().await;
        }
    }

    /// Moves what fits. `true`: everything did, or the queue is closed.
    fn queue(&self, items: &mut VecDeque<Item>) -> bool {
        let mut state = self.0.lock();
        if state.closed {
            items.clear();
        }
        let before = state.items.len();
        while state.used < self.0.capacity {
            let Some(item) = items.pop_front() else { break };
            state.used += item.text.len() + ENTRY;
            state.items.push_back(item);
        }
        let wake = state.items.len() > before && state.used >= state.wanted;
        drop(state);
        if wake {
            self.0.readable.notify_one();
        }
        items.is_empty()
    }
}

impl Clone for SpoolWriter {
    fn clone(&self) -> Self {
        self.0.lock().writers += 1;
        Self(Arc::clone(&self.0))
    }
}

impl Drop for SpoolWriter {
    fn drop(&mut self) {
        self.0.lock().writers -= 1;
        self.0.readable.notify_one();
    }
}

impl SpoolReader {
    /// Waits for text and takes whole items of one stream, up to `limit` bytes; a longer item comes alone.
    ///
    /// `None`: every writer is gone and the queue is empty. Cancel-safe.
    pub(super) async fn batch(&mut self, limit: usize, batch: &mut Vec<Item>) -> Option<Stream> {
        loop {
            {
                let mut state = self.0.lock();
                if let Some(stream) = take(&mut state, limit, batch) {
                    drop(state);
                    self.0.writable.notify_one();
                    return Some(stream);
                }
                if state.writers == 0 {
                    return None;
                }
            }
            self.0.readable.notified().await;
        }
    }

    /// Waits until `bytes` are queued, every writer is gone, or `until`: a burst becomes few big batches.
    pub(super) async fn fill(&mut self, bytes: usize, until: Instant) {
        let wanted = bytes.min(self.0.capacity);
        self.0.lock().wanted = wanted;
        let filled = async {
            loop {
                {
                    let state = self.0.lock();
                    if state.used >= wanted || state.writers == 0 {
                        return;
                    }
                }
                self.0.readable.notified().await;
            }
        };
        let _in_time = timeout_at(until, filled).await;
        self.0.lock().wanted = 0;
    }

    /// Text that is queued. Unit: bytes.
    pub(super) fn queued(&self) -> usize {
        self.0.lock().items.iter().map(|item| item.text.len()).sum()
    }
}

fn take(state: &mut State, limit: usize, batch: &mut Vec<Item>) -> Option<Stream> {
    let stream = state.items.front()?.stream;
    let (mut count, mut size) = (0, 0);
    for item in &state.items {
        if item.stream != stream || (count > 0 && size + item.text.len() > limit) {
            break;
        }
        count += 1;
        size += item.text.len();
    }
    state.used -= size + count * ENTRY;
    batch.extend(state.items.drain(..count));
    Some(stream)
}

impl Drop for SpoolReader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.items.clear();
        drop(state);
        self.0.writable.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::sleep;

    use super::*;

    fn lines(count: usize, size: usize) -> VecDeque<Item> {
        let text = Bytes::from(vec![b'x'; size]);
        (0..count).map(|_| Item { stream: Stream::Stdout, text: text.clone(), continues: false }).collect()
    }

    #[tokio::test]
    async fn log_13_a_full_queue_makes_the_reader_wait_and_never_a_status() {
        let (writer, mut reader) = spool(1_000);
        let mut items = lines(100, 100);
        assert!(writer.lines(&mut items).now_or_never().is_none(), "the queue is full");
        let queued = 100 - items.len();
        assert!((2..=10).contains(&queued), "{queued}");
        writer.status(Stream::Stderr, "still here");
        let mut batch = Vec::new();
        assert_eq!(reader.batch(150, &mut batch).await, Some(Stream::Stdout));
        assert_eq!(batch.len(), 1, "two lines are more than the limit");
        assert!(writer.lines(&mut items).now_or_never().is_none());
        drop(reader);
        writer.lines(&mut items).await;
        assert!(items.is_empty(), "a closed queue discards");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_waits_for_more_is_woken_by_enough_by_the_time_and_by_the_end() {
        let (writer, mut reader) = spool(10_000);
        let start = Instant::now();
        let (until, writing) = (start + Duration::from_secs(1), async {
            writer.lines(&mut lines(1, 100)).await;
            sleep(Duration::from_millis(400)).await;
            writer.lines(&mut lines(5, 1_000)).await;
        });
        tokio::join!(reader.fill(5_000, until), writing);
        assert_eq!(start.elapsed(), Duration::from_millis(400), "a short text wakes nobody");
        reader.fill(20_000, until).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        drop(writer);
        reader.fill(20_000, until + Duration::from_secs(1)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        assert_eq!(reader.queued(), 5_100, "nothing was taken");
    }

    #[tokio::test]
    async fn a_line_longer_than_the_queue_passes_alone() {
        let (writer, mut reader) = spool(1_000);
        writer.lines(&mut lines(1, 1 << 20)).await;
        drop(writer);
        let mut batch = Vec::new();
        assert_eq!(reader.batch(60, &mut batch).await, Some(Stream::Stdout));
        assert_eq!((batch.len(), batch[0].text.len()), (1, 1 << 20));
        assert_eq!(reader.batch(60, &mut batch).await, None);
    }

    #[test]
    fn tru_23_a_long_line_is_handed_on_without_a_copy() {
        let text = Bytes::from("\u{20ac}".repeat(100_000) + "\n");
        let parts: Vec<Item> = Item::of(Stream::Stdout, text.clone(), false).collect();
        assert!(parts.len() > 4 && parts.iter().all(|part| std::str::from_utf8(&part.text).is_ok()));
        assert!(parts.iter().enumerate().all(|(index, part)| part.continues == (index > 0)));
        let mut at = text.as_ptr();
        for part in parts {
            assert_eq!(part.text.as_ptr(), at);
            at = at.wrapping_add(part.text.len());
        }
    }

    #[tokio::test]
    async fn a_batch_is_of_one_stream_and_statuses_keep_their_place() {
        let (writer, mut reader) = spool(SPOOL_BYTES);
        writer.lines(&mut lines(2, 3)).await;
        writer.status(Stream::Stderr, "gap");
        writer.lines(&mut lines(1, 3)).await;
        drop(writer);
        let mut order = Vec::new();
        loop {
            let mut batch = Vec::new();
            let Some(stream) = reader.batch(SPOOL_BYTES, &mut batch).await else { break };
            order.push((stream, batch.len()));
        }
        assert_eq!(order, [(Stream::Stdout, 2), (Stream::Stderr, 1), (Stream::Stdout, 1)]);
    }
}

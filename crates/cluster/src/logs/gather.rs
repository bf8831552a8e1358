//! Small pieces of a body, gathered into bigger ones.
//!
//! The kubelet sends a burst line by line. A reader that is faster than it would wake up for each of them; so it takes
//! all that has arrived, and after more than a few lines it rests a moment for the next ones to arrive.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep_until};

use super::ReadError;

/// Size of a full piece. Unit: bytes.
const FULL: usize = 64 << 10;
/// A piece of this size belongs to a burst. Unit: bytes.
const BURST: usize = 4 << 10;
/// A piece of this size is worth its wake-up. Unit: bytes.
const BIG: usize = 32 << 10;
/// How long the rest of a burst may gather. Longer, and the window of the connection would limit the speed.
const REST: Duration = Duration::from_millis(2);

/// The same bytes in fewer pieces. A lone line passes at once.
pub(super) struct Gathered<S> {
    pieces: S,
    rest: Pin<Box<Sleep>>,
    /// How the body ended, told after the last bytes.
    end: Option<Result<(), ReadError>>,
}

impl<S> Gathered<S> {
    pub(super) fn new(pieces: S) -> Self {
        Self { pieces, rest: Box::pin(sleep_until(Instant::now())), end: None }
    }
}

impl<S: Stream<Item = Result<Bytes, ReadError>> + Unpin> Stream for Gathered<S> {
    type Item = Result<Bytes, ReadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(end) = &mut self.end {
            return Poll::Ready(told(end));
        }
        ready!(self.rest.as_mut().poll(context));
        let mut gathered = Pieces::default();
        while gathered.len < FULL {
            match self.pieces.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(piece))) => gathered.add(piece),
                Poll::Ready(Some(Err(error))) => self.end = Some(Err(error)),
                Poll::Ready(None) => self.end = Some(Ok(())),
                Poll::Pending if gathered.len == 0 => return Poll::Pending,
                Poll::Pending => {
                    if (BURST..BIG).contains(&gathered.len) {
                        self.rest.as_mut().reset(Instant::now() + REST);
                    }
                    break;
                }
            }
            if let Some(end) = &mut self.end {
                if gathered.len == 0 {
                    return Poll::Ready(told(end));
                }
                break;
            }
        }
        Poll::Ready(Some(Ok(gathered.into_bytes())))
    }
}

/// An error is told once.
fn told(end: &mut Result<(), ReadError>) -> Option<Result<Bytes, ReadError>> {
    std::mem::replace(end, Ok(())).err().map(Err)
}

#[derive(Default)]
struct Pieces {
    parts: Vec<Bytes>,
    len: usize,
}

impl Pieces {
    fn add(&mut self, piece: Bytes) {
        self.len += piece.len();
        self.parts.push(piece);
    }

    /// A copy, a lone piece too: what waits for a slow host must not keep the bigger buffers of the connection alive.
    fn into_bytes(self) -> Bytes {
        Bytes::from(self.parts.concat())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::stream;
    use tokio::sync::mpsc;
    use tokio::time::sleep;

    use super::*;

    type Piece = Result<Bytes, ReadError>;

    fn channel() -> (mpsc::UnboundedSender<Piece>, Gathered<impl Stream<Item = Piece> + Unpin>) {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        (sender, Gathered::new(stream::poll_fn(move |context| receiver.poll_recv(context))))
    }

    fn line(size: usize) -> Bytes {
        Bytes::from(vec![b'x'; size])
    }

    #[tokio::test(start_paused = true)]
    async fn a_lone_line_passes_at_once() {
        let (sender, mut gathered) = channel();
        for _ in 0..3 {
            sender.send(Ok(Bytes::from_static(b"a line\n"))).unwrap();
            assert_eq!(gathered.next().now_or_never().unwrap().unwrap().unwrap(), "a line\n");
        }
        assert!(gathered.next().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn log_13_a_piece_that_waits_keeps_no_memory_but_its_own() {
        for count in [1, 2, 70] {
            let (sender, mut gathered) = channel();
            let buffer = line(400_000);
            (0..count).for_each(|_| sender.send(Ok(buffer.slice(..1_000))).unwrap());
            let piece = gathered.next().now_or_never().unwrap().unwrap().unwrap();
            let length = piece.len();
            assert_eq!(piece.try_into_mut().unwrap().capacity(), length);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_comes_in_few_pieces_and_the_rest_of_it_after_a_rest() {
        let (sender, mut gathered) = channel();
        (0..100).for_each(|_| sender.send(Ok(line(1_000))).unwrap());
        let mut sizes = Vec::new();
        while let Some(Some(Ok(piece))) = gathered.next().now_or_never() {
            sizes.push(piece.len());
        }
        assert_eq!(sizes, [66_000, 34_000], "a big piece at the end is no reason to rest");
        (0..8).for_each(|_| sender.send(Ok(line(1_000))).unwrap());
        assert_eq!(gathered.next().now_or_never().unwrap().unwrap().unwrap().len(), 8_000);
        sender.send(Ok(line(10))).unwrap();
        let start = Instant::now();
        assert_eq!(gathered.next().await.unwrap().unwrap().len(), 10);
        assert_eq!(start.elapsed(), REST);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_comes_behind_the_last_bytes_whatever_it_is() {
        for error in [None, Some(ReadError("reset".to_owned()))] {
            let (sender, mut gathered) = channel();
            sender.send(Ok(line(5))).unwrap();
            sender.send(Ok(line(6))).unwrap();
            if let Some(error) = error.clone() {
                sender.send(Err(error)).unwrap();
            }
            drop(sender);
            assert_eq!(gathered.next().await.unwrap().unwrap().len(), 11);
            assert_eq!(gathered.next().await.map(|end| end.unwrap_err().0), error.map(|error| error.0));
            assert!(gathered.next().await.is_none());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrives_during_the_rest_is_lost_by_no_dropped_wait() {
        let (sender, mut gathered) = channel();
        sender.send(Ok(line(BURST))).unwrap();
        gathered.next().await.unwrap().unwrap();
        for _ in 0..2 {
            sender.send(Ok(line(1))).unwrap();
            assert!(gathered.next().now_or_never().is_none());
        }
        sleep(REST).await;
        assert_eq!(gathered.next().await.unwrap().unwrap().len(), 2);
    }
}

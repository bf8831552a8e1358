//! Hands the spool to the host: redacted, in whole lines, one awaited call at a time.

use std::time::Duration;

use claude_k8s_core::log::Stream;
use claude_k8s_core::redact::{Redactor, StreamRedactor};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::chunk::{CHUNK, next_chunk};
use super::spool::Item;
use super::{HostLog, SpoolReader};

/// Pause between two calls unless a whole chunk waits: each call costs the host a turn of its event loop.
const PACE: Duration = Duration::from_millis(10);

/// How the delivery went. A failure of the host never fails a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReport {
    /// Calls made.
    pub calls: u64,
    /// Calls that threw or rejected.
    pub failures: u64,
    /// The first of them.
    pub first_failure: Option<String>,
    /// The host did not take everything before the deadline: so many bytes were not confirmed.
    pub undelivered: Option<usize>,
}

/// Delivers until every [`super::SpoolWriter`] is dropped and all text is handed over.
///
/// The first line goes at once, later ones are coalesced while a call is pending and 10 ms longer. `give_up` holds `None` while the run
/// lives; once the run has ended, the caller sets the moment at which an unsettled host is left alone (HST-05). After
/// the return no call comes any more.
pub async fn deliver(
    mut spool: SpoolReader,
    host: &dyn HostLog,
    redactor: &Redactor,
    mut give_up: watch::Receiver<Option<Instant>>,
) -> DeliveryReport {
    let mut courier = Courier {
        host,
        stdout: Outbox::new(redactor),
        stderr: Outbox::new(redactor),
        report: DeliveryReport::default(),
    };
    let late = tokio::select! {
        biased;
        () = courier.deliver_all(&mut spool) => false,
        () = passed(&mut give_up) => true,
    };
    if late {
        courier.report.undelivered = Some(spool.queued() + courier.stdout.waiting() + courier.stderr.waiting());
    }
    courier.report
}

/// Ready once the deadline is set and over.
async fn passed(deadline: &mut watch::Receiver<Option<Instant>>) {
    loop {
        let at = *deadline.borrow_and_update();
        let over = async {
            match at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = over => return,
            Ok(()) = deadline.changed() => {}
        }
    }
}

struct Courier<'a> {
    host: &'a dyn HostLog,
    stdout: Outbox,
    stderr: Outbox,
    report: DeliveryReport,
}

impl Courier<'_> {
    async fn deliver_all(&mut self, spool: &mut SpoolReader) {
        let mut batch = Vec::new();
        while let Some(stream) = spool.batch(CHUNK, &mut batch).await {
            self.outbox(stream).add(&mut batch);
            self.send(stream, false).await;
            spool.fill(CHUNK, Instant::now() + PACE).await;
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.outbox(stream).finish();
            self.send(stream, true).await;
        }
    }

    fn outbox(&mut self, stream: Stream) -> &mut Outbox {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// One call in flight: that is the order guarantee and the back-pressure (HST-03).
    async fn send(&mut self, stream: Stream, all: bool) {
        while let Some(chunk) = self.outbox(stream).next(all) {
            self.report.calls += 1;
            if let Err(error) = self.host.log(stream, chunk).await {
                self.report.failures += 1;
                self.report.first_failure.get_or_insert_with(|| error.to_string());
            }
            self.outbox(stream).settled();
        }
    }
}

/// Text of one stream on its way.
struct Outbox {
    redactor: StreamRedactor,
    /// Redacted text. What stands before `sent` was handed over.
    text: String,
    sent: usize,
    /// Length of the chunk that the host holds.
    in_flight: usize,
    /// The newest text ended inside a line.
    inside_line: bool,
}

impl Outbox {
    fn new(redactor: &Redactor) -> Self {
        Self { redactor: redactor.stream(), text: String::new(), sent: 0, in_flight: 0, inside_line: false }
    }

    /// Adds lines, or parts of them. Text that is not UTF-8 is replaced item by item: a character never crosses two.
    fn add(&mut self, batch: &mut Vec<Item>) {
        self.text.drain(..self.sent);
        self.sent = 0;
        let size = batch.iter().map(|item| item.text.len()).sum::<usize>() + 1;
        let mut text = if self.redactor.is_idle() { std::mem::take(&mut self.text) } else { String::new() };
        text.reserve(size);
        for Item { text: bytes, continues, .. } in batch.drain(..) {
            // An unterminated last line must not swallow the status behind it.
            if std::mem::replace(&mut self.inside_line, bytes.last() != Some(&b'\n')) && !continues {
                text.push('\n');
            }
            match std::str::from_utf8(&bytes) {
                Ok(valid) => text.push_str(valid),
                Err(_) => text.push_str(&String::from_utf8_lossy(&bytes)),
            }
        }
        if self.redactor.is_idle() {
            self.text = text;
        } else {
            self.redactor.push(&text, &mut self.text);
        }
    }

    /// No text follows.
    fn finish(&mut self) {
        self.redactor.finish(&mut self.text);
    }

    /// The next chunk. `all`: an open line goes too.
    fn next(&mut self, all: bool) -> Option<String> {
        let rest = &self.text[self.sent..];
        let end = next_chunk(rest, CHUNK).or((all && !rest.is_empty()).then_some(rest.len()))?;
        self.in_flight = end;
        if self.sent == 0 && end == self.text.len() {
            return Some(std::mem::take(&mut self.text));
        }
        let chunk = rest[..end].to_owned();
        self.sent += end;
        Some(chunk)
    }

    fn settled(&mut self) {
        self.in_flight = 0;
    }

    /// Text that the host has not taken. Unit: bytes.
    fn waiting(&self) -> usize {
        self.text.len() - self.sent + self.in_flight
    }
}

//! The adapter as a reader of the kubelet's model: through connections that are cut, and then a final read.

use std::time::Duration;

use bytes::Bytes;
use claude_k8s_core::log::{BodyEnd, Connection, CursorLimits, Delivery, EndLine, Intake, LogCursor, Stream};

use crate::log_kubelet::Kubelet;

/// One connection: how many records are written before it opens and while it follows, and what of its body arrives.
#[derive(Debug, Clone)]
pub(crate) struct Cut {
    pub(crate) before: usize,
    pub(crate) during: usize,
    /// Part of the body that arrives. Unit: 1/10 000.
    pub(crate) arrives: usize,
    pub(crate) chunk: usize,
}

/// What a reader of the adapter saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) lines: Vec<Vec<u8>>,
    pub(crate) unterminated: Vec<u8>,
    pub(crate) stderr: Option<String>,
    pub(crate) gaps: usize,
    /// Lines without a time that were delivered.
    pub(crate) raw_lines: u64,
    /// The end line was the last one.
    pub(crate) end: Option<EndLine>,
    /// A final read reached the end of the log. If not, a run says that its last lines may be missing.
    pub(crate) reached: bool,
}

impl Seen {
    fn take(&mut self, new: &mut Vec<Delivery>) {
        for Delivery { stream, text, is_output, .. } in new.drain(..) {
            match text.strip_suffix(b"\n") {
                _ if stream == Stream::Stderr || !is_output => {}
                Some(line) => self.lines.push(line.to_vec()),
                None => self.unterminated = text.to_vec(),
            }
        }
    }
}

fn transmit(intake: &mut Intake, arriving: &[u8], chunk: usize, seen: &mut Seen) {
    let mut new = Vec::new();
    for chunk in arriving.chunks(chunk) {
        intake.chunk(Bytes::copy_from_slice(chunk), Duration::ZERO, &mut new);
    }
    seen.take(&mut new);
}

/// Follows the log through all cuts and then reads the tail, some of the reads being cut cleanly. Stops when the end
/// line stands last.
pub(crate) fn follow(log: &Kubelet, cuts: &[Cut], read_cuts: &[usize], limits: CursorLimits) -> Seen {
    let (mut intake, mut seen) = (Intake::new(LogCursor::with_limits(limits)), Seen::default());
    let (mut new, mut written) = (Vec::new(), 0);
    for cut in cuts {
        let opened = (written + cut.before).min(log.records.len());
        written = (opened + cut.during).min(log.records.len());
        let body = log.body(since(&intake), opened, written);
        intake.connect(Connection::Follow);
        transmit(&mut intake, &body[..body.len() * cut.arrives / 10_000], cut.chunk, &mut seen);
        if intake.shown().ended {
            break;
        }
        intake.body_ended(true, &mut new);
        seen.take(&mut new);
    }
    let mut read_cuts = read_cuts.iter().copied().chain(std::iter::repeat(10_000));
    for _ in 0..40 {
        if intake.shown().ended {
            break;
        }
        let part = read_cuts.next().unwrap_or(10_000);
        let body = log.body(since(&intake), log.records.len(), log.records.len());
        intake.connect(Connection::Final);
        transmit(&mut intake, &body[..body.len() * part / 10_000], 1_000, &mut seen);
        let end = intake.body_ended(true, &mut new);
        seen.take(&mut new);
        // A read that was cut may have shown the delivered tail; only the end line could tell.
        if part == 10_000 && matches!(end, BodyEnd::Reached { .. }) {
            seen.reached = true;
            break;
        }
    }
    intake.finish(&mut new);
    seen.take(&mut new);
    seen.gaps = intake.gaps().len();
    seen.raw_lines = intake.counters().raw_lines;
    seen.end = intake.end();
    seen.reached |= seen.end.is_some();
    seen.stderr = intake.stderr().map(str::to_owned);
    seen
}

fn since(intake: &Intake) -> Option<i64> {
    intake.since().map(|since| {
        let nanoseconds = since.as_nanoseconds();
        assert_eq!(nanoseconds % 1_000_000_000, 0, "LOG-05");
        nanoseconds
    })
}

/// A rotation happened before any connection delivered a complete line.
pub(crate) fn first_delivery_is_late(log: &Kubelet, cuts: &[Cut]) -> bool {
    let mut written = 0;
    for cut in cuts {
        let opened = (written + cut.before).min(log.records.len());
        written = (opened + cut.during).min(log.records.len());
        let body = log.body(None, opened, written);
        if body[..body.len() * cut.arrives / 10_000].contains(&b'\n') {
            return log.current_file(opened) > 0;
        }
    }
    log.current_file(log.records.len()) > 0
}

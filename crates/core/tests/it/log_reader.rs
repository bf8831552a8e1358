//! The adapter as a reader of a node's log: through connections that are cut, and then a final read.

use std::time::Duration;

use bytes::Bytes;
use claude_k8s_core::log::{BodyEnd, Connection, CursorLimits, Delivery, EndLine, Intake, LogCursor, Stream};

use crate::log_history::{History, Node};

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
    /// The log was rotated before any connection delivered a complete line: what was lost with it, nobody can notice.
    pub(crate) begins_late: bool,
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
pub(crate) fn follow(history: &History, cuts: &[Cut], read_cuts: &[usize], limits: CursorLimits) -> Seen {
    let (mut intake, mut seen) = (Intake::new(LogCursor::with_limits(limits)), Seen::default());
    let (mut new, mut node, mut begins_late) = (Vec::new(), Node::new(history), None);
    for cut in cuts {
        node.write(cut.before);
        let is_late = node.has_lost_its_beginning();
        let body = node.follow(since(&intake), cut.during);
        let arriving = &body[..body.len() * cut.arrives / 10_000];
        if arriving.contains(&b'\n') {
            begins_late.get_or_insert(is_late);
        }
        intake.connect(Connection::Follow);
        transmit(&mut intake, arriving, cut.chunk, &mut seen);
        if intake.shown().ended {
            break;
        }
        intake.body_ended(true, &mut new);
        seen.take(&mut new);
    }
    node.write_all();
    seen.begins_late = begins_late.unwrap_or(node.has_lost_its_beginning());
    let mut read_cuts = read_cuts.iter().copied().chain(std::iter::repeat(10_000));
    for _ in 0..40 {
        if intake.shown().ended {
            break;
        }
        let part = read_cuts.next().unwrap_or(10_000);
        let body = node.read(since(&intake));
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

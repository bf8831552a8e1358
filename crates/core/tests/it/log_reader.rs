//! The adapter as a reader of the kubelet's model: through connections that are cut, and then the final reads.

use bytes::Bytes;
use claude_k8s_core::log::{
    Connection, CursorLimits, Finish, FinishStep, Line, LineFramer, LogCursor, LogEvent, Proof, WholeFile,
};

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
    pub(crate) gaps: usize,
    /// Lines without a time that were delivered.
    pub(crate) raw_lines: u64,
    /// `None`: the reads never agreed, and a run says that its last lines may be missing.
    pub(crate) proof: Option<Proof>,
}

impl Seen {
    fn take(&mut self, events: &mut Vec<LogEvent>) {
        for event in events.drain(..) {
            match event {
                LogEvent::Line(text) => self.lines.push(text.strip_suffix(b"\n").unwrap().to_vec()),
                LogEvent::Unterminated(text) => self.unterminated = text.to_vec(),
                LogEvent::Gap(_) => self.gaps += 1,
            }
        }
    }
}

/// Gives `arriving` to `line` in chunks and returns the open piece.
pub(crate) fn transmit(arriving: &[u8], chunk: usize, mut line: impl FnMut(Line)) -> Bytes {
    let mut framer = LineFramer::default();
    for chunk in arriving.chunks(chunk) {
        framer.push(Bytes::copy_from_slice(chunk));
        while let Some(raw) = framer.next_line() {
            line(Line::parse(raw));
        }
    }
    framer.take_open_piece()
}

/// Follows the log through all cuts and then reads the tail, some of the reads being cut cleanly.
pub(crate) fn follow(log: &Kubelet, cuts: &[Cut], read_cuts: &[usize], limits: CursorLimits) -> Seen {
    let (mut cursor, mut seen, mut out) = (LogCursor::with_limits(limits), Seen::default(), Vec::new());
    let mut written = 0;
    for cut in cuts {
        let opened = (written + cut.before).min(log.records.len());
        written = (opened + cut.during).min(log.records.len());
        let body = log.body(since(&cursor), opened, written);
        cursor.connect(Connection::Follow);
        let arrived = &body[..body.len() * cut.arrives / 10_000];
        let piece = transmit(arrived, cut.chunk, |line| cursor.line(line, &mut out));
        cursor.disconnected(&piece, &mut out);
        seen.take(&mut out);
    }
    let mut read_cuts = read_cuts.iter();
    let mut arriving = |body: Vec<u8>| {
        let part = read_cuts.next().copied().unwrap_or(10_000);
        body[..body.len() * part / 10_000].to_vec()
    };
    let (mut finish, mut step) = (Finish::new(true, None), FinishStep::Read);
    for _ in 0..40 {
        step = match step {
            FinishStep::Done => break,
            FinishStep::Read => {
                let body = arriving(match cursor.tail_lines() {
                    Some(lines) => log.tail(since(&cursor), lines),
                    None => log.body(since(&cursor), log.records.len(), log.records.len()),
                });
                cursor.connect(Connection::Final);
                let piece = transmit(&body, 1_000, |line| cursor.line(line, &mut out));
                let end = cursor.read_ended(&mut out);
                finish.read_ended(end, piece)
            }
            FinishStep::WholeFile => {
                let body = arriving(log.body(None, log.records.len(), log.records.len()));
                let mut file = WholeFile::default();
                let piece = transmit(&body, 1_000, |line| _ = file.line(&line, &cursor));
                finish.whole_file_ended(file.ended(&cursor), piece, &mut cursor, &mut out)
            }
        };
        seen.take(&mut out);
    }
    seen.proof = (step == FinishStep::Done).then(|| finish.proof());
    seen.raw_lines = cursor.counters().raw_lines;
    cursor.unterminated(finish.into_piece(), &mut out);
    seen.take(&mut out);
    seen
}

fn since(cursor: &LogCursor) -> Option<i64> {
    cursor.since().map(|since| {
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

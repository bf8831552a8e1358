//! From the bytes of many connections to what the host is given, every line once.
//!
//! ```text
//!  chunk ──LineFramer──▶ Line ──LogCursor──▶ new lines, gaps ──Epilogue──▶ Delivery
//! ```

use std::time::Duration;

use bytes::Bytes;

use super::super::align::{Connection, Gap, LogCounters, LogCursor, LogEvent, ReadEnd};
use super::super::body::{Line, LineFramer, LogTime, is_notice};
use super::super::epilogue::{EndLine, Epilogue, EpilogueEvent, is_end_line};
use super::super::own_lines::told_apart;
use crate::log::Stream;

/// Text for the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Where it goes.
    pub stream: Stream,
    /// A line with its `\n`; the last output of a container may have none.
    pub text: Bytes,
    /// Claude Code wrote it to stdout, so it is worth parsing.
    pub is_output: bool,
    /// It goes on where the text before it stopped.
    pub continues: bool,
}

/// What is told once of a line that is too long.
const TOO_LONG: &str = "[paperclip] A line of the log is longer than 32 MiB: it is passed on in pieces, and what it says \
                        is not read. Further ones are not mentioned\n";

/// What a connection has shown so far, as far as it matters for when to connect and when to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shown {
    /// Lines delivered, ever.
    pub lines: u64,
    /// Bytes delivered, ever.
    pub bytes: u64,
    /// Something was shown, be it only the first line of the script.
    pub begun: bool,
    /// The end line stands last: the log is complete.
    pub ended: bool,
    /// Something is held back that silence alone can release.
    pub holds: bool,
}

/// How the body of a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    /// It broke, or did not show the delivered tail. More is to come from another connection.
    Cut,
    /// It held nothing but the node's notice that the log is removed.
    Removed,
    /// It reached its end behind the delivered tail. A clean end is no proof, connections are cut cleanly, too
    /// (`docs/internals/kubernetes.md` 1.5).
    Reached {
        /// The connection before has shown the same.
        agrees: bool,
    },
}

/// Everything that is known about the text of one container's log.
#[derive(Debug, Default)]
pub struct Intake {
    framer: LineFramer,
    cursor: LogCursor,
    epilogue: Epilogue,
    connection: Option<Connection>,
    /// What stood behind the last newline of the newest connection that reached the end of its body.
    open: Option<Bytes>,
    stderr: Option<String>,
    /// The line that says the end. The host does not see it, like the first one, unless it turns out to be output.
    end_line: Option<Bytes>,
    /// Bytes of stdout that were delivered.
    bytes: u64,
    gaps: Vec<Gap>,
    told_too_long: bool,
    events: Vec<LogEvent>,
    told: Vec<EpilogueEvent>,
}

impl Intake {
    /// `first_line`: how the log begins, if that is known.
    #[must_use]
    pub fn beginning_with(first_line: Option<&'static str>) -> Self {
        Self::new(LogCursor::default().beginning_with(first_line))
    }

    /// With a cursor of other sizes.
    #[must_use]
    pub fn new(cursor: LogCursor) -> Self {
        Self { cursor, ..Self::default() }
    }

    /// `sinceTime` of the next request.
    #[must_use]
    pub fn since(&self) -> Option<LogTime> {
        self.cursor.since()
    }

    /// A connection from [`Self::since`] delivers from now on.
    pub fn connect(&mut self, connection: Connection) {
        self.framer = LineFramer::default();
        self.cursor.connect(connection);
        self.connection = Some(connection);
    }

    /// The next bytes of the connection, which come `now`. What is new is added to `out`.
    pub fn chunk(&mut self, chunk: Bytes, now: Duration, out: &mut Vec<Delivery>) {
        self.framer.push(chunk);
        self.cursor.arrives(now);
        let before = self.cursor.counters().lines;
        while let Some(raw) = self.framer.next_line() {
            if self.framer.continues() {
                self.cursor.more(raw, &mut self.events);
            } else if raw.ends_with(b"\n") {
                self.cursor.line(Line::parse(raw), &mut self.events);
            } else {
                self.cursor.begin(Line::parse(raw), &mut self.events);
            }
        }
        if self.cursor.counters().lines > before {
            // What stood behind the last newline was the beginning of one of these lines.
            self.open = None;
        }
        // Nothing stands behind the end line, so what is held back can be judged now.
        if self.framer.is_at_line_start() && self.cursor.last_held().is_some_and(is_end_line) {
            self.cursor.complete(&mut self.events);
        }
        self.pass_on(out);
    }

    /// Nothing came for a while although something is held back. Returns whether to connect anew.
    pub fn quiet(&mut self, out: &mut Vec<Delivery>) -> bool {
        let reconnect = self.cursor.quiet(&mut self.events);
        self.pass_on(out);
        self.epilogue.quiet(&mut self.told);
        self.deliver(out);
        reconnect
    }

    /// The connection ended, `cleanly` or because it broke or was left.
    pub fn body_ended(&mut self, cleanly: bool, out: &mut Vec<Delivery>) -> BodyEnd {
        let piece = self.framer.take_open_piece();
        let removed = cleanly && is_notice(&piece) && self.cursor.is_empty_connection();
        let end = match self.connection.take() {
            Some(Connection::Final) if cleanly && !removed => match self.cursor.read_ended(&mut self.events) {
                ReadEnd::Anchored { new } => {
                    let agrees = new == 0 && self.open.as_ref() == Some(&piece);
                    self.open = Some(piece);
                    BodyEnd::Reached { agrees }
                }
                ReadEnd::NotAnchored => BodyEnd::Cut,
            },
            Some(Connection::Follow) => {
                let reached = cleanly && !removed && self.cursor.is_live();
                if reached || !self.cursor.is_empty_connection() {
                    self.open = reached.then(|| piece.clone());
                }
                self.cursor.disconnected(&piece, &mut self.events);
                if reached { BodyEnd::Reached { agrees: false } } else { BodyEnd::Cut }
            }
            _ => BodyEnd::Cut,
        };
        self.pass_on(out);
        if removed { BodyEnd::Removed } else { end }
    }

    /// No connection follows: gives out what is held back.
    pub fn finish(&mut self, out: &mut Vec<Delivery>) {
        if let Some(piece) = self.open.take().filter(|piece| !is_notice(piece)) {
            self.cursor.unterminated(piece, &mut self.events);
        }
        self.pass_on(out);
        self.epilogue.flush(&mut self.told);
        self.deliver(out);
    }

    /// What has been shown.
    #[must_use]
    pub fn shown(&self) -> Shown {
        Shown {
            lines: self.cursor.counters().lines,
            bytes: self.cursor.counters().bytes,
            begun: self.cursor.has_begun(),
            ended: self.end().is_some() && self.framer.is_at_line_start(),
            holds: self.cursor.is_holding() || self.epilogue.holds_blank(),
        }
    }

    /// What the container said about its end, if nothing has followed.
    #[must_use]
    pub fn end(&self) -> Option<EndLine> {
        self.epilogue.ended()
    }

    /// The end of stderr, as the container said it.
    #[must_use]
    pub fn stderr(&self) -> Option<&str> {
        self.stderr.as_deref()
    }

    /// Gaps, in the order in which they were reported.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// What happened on the way.
    #[must_use]
    pub fn counters(&self) -> LogCounters {
        LogCounters { bytes: self.bytes, ..self.cursor.counters() }
    }

    /// Shows what is new to the epilogue, in order with the gaps.
    fn pass_on(&mut self, out: &mut Vec<Delivery>) {
        let mut events = std::mem::take(&mut self.events);
        for event in events.drain(..) {
            match event {
                LogEvent::Line(text) | LogEvent::Unterminated(text) => self.epilogue.line(text, &mut self.told),
                LogEvent::Gap(gap) => {
                    self.epilogue.gap(&mut self.told);
                    self.deliver(out);
                    let text = Bytes::from(format!("[paperclip] {}\n", gap.message()));
                    self.gaps.push(gap);
                    out.push(status(text));
                }
                LogEvent::Begin(text) => {
                    self.deliver(out);
                    if !std::mem::replace(&mut self.told_too_long, true) {
                        out.push(status(Bytes::from_static(TOO_LONG.as_bytes())));
                    }
                    self.epilogue.piece(text, &mut self.told);
                }
                LogEvent::More(text) => {
                    self.deliver(out);
                    self.bytes += text.len() as u64;
                    out.push(Delivery { stream: Stream::Stdout, text, is_output: false, continues: true });
                }
            }
        }
        self.events = events;
        self.deliver(out);
    }

    fn deliver(&mut self, out: &mut Vec<Delivery>) {
        let mut told = std::mem::take(&mut self.told);
        for event in told.drain(..) {
            match event {
                EpilogueEvent::Stdout(text) => self.output(text, true, out),
                EpilogueEvent::Piece(text) => self.output(text, false, out),
                EpilogueEvent::Ended { line, .. } => self.end_line = Some(line),
                EpilogueEvent::Stderr { announced, text } => {
                    self.stderr = Some(String::from_utf8_lossy(&text).into_owned());
                    let newline = if text.ends_with(b"\n") { "" } else { "\n" };
                    let text = told_apart(Bytes::from([&text[..], newline.as_bytes()].concat()));
                    for text in [announced, text] {
                        out.push(status(text));
                    }
                }
                EpilogueEvent::TakenBack => {
                    self.stderr = None;
                    if let Some(line) = self.end_line.take() {
                        self.output(line, true, out);
                    }
                }
            }
        }
        self.told = told;
    }

    fn output(&mut self, text: Bytes, is_output: bool, out: &mut Vec<Delivery>) {
        self.bytes += text.len() as u64;
        out.push(Delivery { stream: Stream::Stdout, text: told_apart(text), is_output, continues: false });
    }
}

fn status(text: Bytes) -> Delivery {
    Delivery { stream: Stream::Stderr, text, is_output: false, continues: false }
}

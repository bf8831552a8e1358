//! Decides, line by line and connection by connection, what is new.
//!
//! ```text
//!  connect ──nothing delivered yet──▶ live ◀──anchor found / gap reported── replaying ◀──connect
//!                                      │ every line is new                     │ lines are held back
//!                                      └────────────── connection ends ────────┘ held lines are thrown away
//! ```
//!
//! The rule and its simulation are `docs/internals/kubernetes.md` 2.2 to 2.5.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use super::long::LongLine;
use super::pace::{Pace, SkippedTo};
use super::replay::{Alignment, Held, Replay};
use super::window::{CAP, MARGIN, Window};
use super::{Gap, GapReason, LogCounters, LogEvent};
use crate::log::body::{Line, LogTime, Record, hash, is_notice, mended, notice_start, shows_a_start};

/// So many connections with the same lines and no anchor are believed.
const STUCK: u32 = 3;
/// Raw lines behind the last line with a time that are remembered.
const RAW_TAIL: usize = 1_024;
/// No node rotates a smaller log, so before that nothing can have been skipped. Unit: bytes.
pub(in crate::log) const SMALLEST_FILE: u64 = 1 << 20;

/// Sizes of a cursor. Tests make them small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorLimits {
    /// Most delivered lines that are remembered, at least 1. Default: 65 536.
    pub window_cap: usize,
}

impl Default for CursorLimits {
    fn default() -> Self {
        Self { window_cap: CAP }
    }
}

/// What kind of request the following lines come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// `follow=true`: the first line that decides is acted on at once.
    Follow,
    /// A plain read after the container ended: judged at its end, when everything is known.
    Final,
}

/// What a final read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadEnd {
    /// The delivered tail was found (or given up with a gap); so many lines were new.
    Anchored {
        /// Lines delivered by this read.
        new: u64,
    },
    /// The delivered tail was not there: the read may have been cut. Read again.
    NotAnchored,
}

/// Position in the log of one container instance. Another instance needs another cursor.
#[derive(Debug, Default)]
pub struct LogCursor {
    window: Window,
    /// How the log begins, if that is known and was not seen.
    first_line: Option<&'static str>,
    /// Lines with a time that were delivered.
    count: u64,
    /// Hashes of raw lines delivered behind the last line with a time; a replay repeats them behind its anchor.
    raw_tail: Vec<u64>,
    /// How many of them are behind the current connection; `None` when no more can come.
    raw_repeated: Option<usize>,
    /// Start of the line behind the last delivered one, as the connection showed it before it ended.
    open: Bytes,
    /// Held lines while the connection has not reached the tail; `None`: live.
    replay: Option<Replay>,
    connection: Option<Connection>,
    /// The last line with a time, if it is too long to be held whole.
    long: LongLine,
    /// Of the current connection.
    pace: Pace,
    /// Where the file begins to which the current connection may have skipped.
    skipped_to: Option<SkippedTo>,
    /// Lines delivered before the current connection.
    before_connection: u64,
    /// The current connection brought a line with a time.
    connection_had_lines: bool,
    /// What unanchored connections showed, and how often in a row.
    stuck: (u64, u32),
    /// What they showed when that was believed, and how many lines were delivered then: it is reported once.
    believed: Option<(u64, u64)>,
    counters: LogCounters,
}

impl LogCursor {
    /// A cursor with other sizes than usual.
    #[must_use]
    pub fn with_limits(limits: CursorLimits) -> Self {
        Self { window: Window::with_cap(limits.window_cap), ..Self::default() }
    }

    /// Says how the log begins. That line is not delivered; a log that shows a later line first lacks its beginning, and
    /// that is reported.
    #[must_use]
    pub fn beginning_with(self, first_line: Option<&'static str>) -> Self {
        Self { first_line, ..self }
    }

    /// `sinceTime` of the next request: a whole second, at least two before the last line's (LOG-05).
    ///
    /// `None` while nothing was delivered: read from the start.
    #[must_use]
    pub fn since(&self) -> Option<LogTime> {
        self.window.since()
    }

    /// A connection with [`Self::since`] delivers from now on. What an earlier one held back is forgotten.
    pub fn connect(&mut self, connection: Connection) {
        self.replay = Replay::new(&self.window);
        self.connection = Some(connection);
        self.pace.connect();
        self.skipped_to = None;
        self.before_connection = self.counters.lines;
        self.raw_repeated = None;
        self.connection_had_lines = false;
    }

    /// What comes from now on comes at this time.
    pub fn arrives(&mut self, now: Duration) {
        self.pace.arrives(now);
    }

    /// The beginning of a line of the connection that is too long to be held whole; [`Self::more`] follows.
    pub fn begin(&mut self, line: Line, out: &mut Vec<LogEvent>) {
        let record = line.at.map(|at| Record::new(at, line.body()));
        let before = (self.counters.lines, self.is_live());
        self.line(line, out);
        let is_new = self.counters.lines > before.0;
        // Behind the anchor, or new: either way it is the last delivered line.
        let is_last = record.is_none_or(|record| self.window.last() == Some(record));
        if self.is_live() && is_last && (is_new || !before.1) { self.long.begins() } else { self.long.begins_other() }
    }

    /// The next piece of that line.
    pub fn more(&mut self, piece: Bytes, out: &mut Vec<LogEvent>) {
        if let Some(piece) = self.long.take(piece) {
            self.counters.bytes += piece.len() as u64;
            out.push(LogEvent::More(piece));
        }
    }

    /// The next complete line of the connection. What has to be delivered is added to `out`.
    pub fn line(&mut self, line: Line, out: &mut Vec<LogEvent>) {
        self.connection_had_lines |= line.at.is_some();
        let Some(replay) = &mut self.replay else { return self.live(line, out) };
        let Some(at) = line.at else {
            // The tail of a line whose head lies before `sinceTime`. It need not be the first line (kubernetes.md 1.3, case 2).
            self.counters.dropped_fragments += 1;
            return;
        };
        replay.hold(at, line);
        let alignment = replay.align();
        let is_final = self.connection == Some(Connection::Final);
        match alignment {
            // A later line of a final read can change everything but a certain anchor.
            Alignment::Anchor { certain, .. } if is_final && !certain && !replay.is_full() => {}
            Alignment::Anchor { .. } => self.settle(alignment, out),
            Alignment::Partial => {}
            // What cannot be held any longer has to go.
            Alignment::Nothing if replay.is_full() => self.give_up(GapReason::HeldTooLong, out),
            Alignment::Nothing if is_final => {}
            Alignment::Nothing => {
                if self.window.last().is_some_and(|last| at > last.at.plus(MARGIN)) {
                    self.give_up(GapReason::Rotated, out);
                }
            }
        }
    }

    /// Lines are held back, so silence has to be limited.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.replay.as_ref().is_some_and(|replay| !replay.is_empty())
    }

    /// The newest line that is held back, if its text was kept.
    pub(in crate::log) fn last_held(&self) -> Option<&[u8]> {
        self.replay.as_ref()?.last_text()
    }

    /// The log ends with what is held back: no later line can change what it means.
    pub(in crate::log) fn complete(&mut self, out: &mut Vec<LogEvent>) {
        match self.replay.as_ref().map(Replay::align) {
            Some(anchor @ Alignment::Anchor { .. }) => self.settle(anchor, out),
            Some(Alignment::Nothing) => self.give_up(GapReason::Rotated, out),
            Some(Alignment::Partial) | None => {}
        }
    }

    /// The delivered tail is behind us: what comes now is new.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.replay.is_none()
    }

    /// The current connection brought no line with a time, neither old nor new.
    #[must_use]
    pub fn is_empty_connection(&self) -> bool {
        !self.connection_had_lines
    }

    /// Nothing came for a while although lines are held back. Returns whether to reconnect; the third time in a row
    /// that the same lines are held, they are delivered behind a gap and the connection stays.
    pub fn quiet(&mut self, out: &mut Vec<LogEvent>) -> bool {
        let reconnect = self.is_holding() && !self.believe_repetition(out);
        if reconnect {
            self.replay = None;
            // Not live: an open piece behind lines that were thrown away is not the next one.
            self.connection = None;
        }
        reconnect
    }

    /// A follow ended, for whatever reason, with this open piece. Held lines are thrown away: the next connection brings
    /// them again.
    pub fn disconnected(&mut self, piece: &Bytes, out: &mut Vec<LogEvent>) {
        if self.is_live() && self.connection.is_some() {
            let line = Line::parse(piece.clone());
            self.open = line.at.map(|_| line.text).unwrap_or_default();
        }
        // Of a cut replay of a whole window something would fit. So this is a file that was rotated, on connections
        // too short for anybody to call them quiet.
        if self.replay.as_ref().is_some_and(Replay::is_other_file) {
            self.believe_repetition(out);
        }
        self.replay = None;
    }

    /// A final read ended.
    pub fn read_ended(&mut self, out: &mut Vec<LogEvent>) -> ReadEnd {
        if let Some(replay) = &self.replay {
            match replay.align() {
                anchor @ Alignment::Anchor { .. } => self.settle(anchor, out),
                // The read may have been cut with a clean end (kubernetes.md 1.5).
                Alignment::Partial | Alignment::Nothing => {
                    if !self.believe_repetition(out) {
                        self.replay = None;
                        return ReadEnd::NotAnchored;
                    }
                }
            }
        }
        ReadEnd::Anchored { new: self.counters.lines - self.before_connection }
    }

    /// Delivers what the container wrote last without a newline: the open piece of the last final read.
    ///
    /// Only a piece that begins with a time is output; a notice at its end is cut off.
    pub fn unterminated(&mut self, piece: Bytes, out: &mut Vec<LogEvent>) {
        let mut line = Line::parse(piece);
        if let Some(start) = notice_start(&line.text) {
            self.counters.notices += 1;
            line.text.truncate(start);
        }
        if line.at.is_some() && !line.text.is_empty() {
            self.count(&line.text);
            out.push(LogEvent::Unterminated(line.text));
        }
    }

    /// The program that writes the log has begun: the line that it begins with was taken, or one that stands behind it.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.count > 0 && self.first_line.is_none()
    }

    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> LogCounters {
        self.counters
    }

    /// The anchor is behind us: every line is new.
    fn live(&mut self, line: Line, out: &mut Vec<LogEvent>) {
        match line.at {
            Some(at) => {
                let record = Record::new(at, line.body());
                if self.skipped_to.as_mut().is_some_and(|file| file.shows_again(&record)) {
                    self.counters.replayed_lines += 1;
                    return;
                }
                self.doubt(record, out);
                self.deliver(record, line.text, out);
            }
            None => self.raw(line, out),
        }
    }

    /// Reports that lines before this one may be missing, if the follow can have skipped a file.
    fn doubt(&mut self, record: Record, out: &mut Vec<LogEvent>) {
        let is_follow = self.connection == Some(Connection::Follow);
        if is_follow && self.counters.bytes >= SMALLEST_FILE && self.pace.may_have_skipped(record.at) {
            let after = self.window.last().map(|last| last.at);
            self.report(Gap { after, before: Some(record.at), reason: GapReason::Outrun }, out);
            self.skipped_to = Some(SkippedTo::new(record));
        }
    }

    /// A line without a time on a live connection: two streams glued together. It never moves the position.
    fn raw(&mut self, line: Line, out: &mut Vec<LogEvent>) {
        if is_notice(&line.text) {
            self.counters.notices += 1;
            return;
        }
        let hash = hash(line.body());
        if let Some(index) = self.raw_repeated {
            // Those before it can be hidden: `sinceTime` is compared with each record.
            if let Some(hidden) = self.raw_tail[index..].iter().position(|delivered| *delivered == hash) {
                self.raw_repeated = Some(index + hidden + 1);
                self.counters.dropped_fragments += 1;
                return;
            }
            self.raw_repeated = None;
        }
        if self.raw_tail.len() < RAW_TAIL {
            self.raw_tail.push(hash);
        }
        self.counters.raw_lines += 1;
        self.push(line.text, out);
    }

    fn deliver(&mut self, record: Record, text: Bytes, out: &mut Vec<LogEvent>) {
        self.window.push(record);
        self.pace.took(record.at);
        self.count += 1;
        self.raw_tail.clear();
        self.raw_repeated = None;
        self.open.clear();
        if let Some(first_line) = self.first_line {
            if text.strip_suffix(b"\n") == Some(first_line.as_bytes()) {
                self.first_line = None;
                return;
            }
            if shows_a_start(&text) {
                self.first_line = None;
                // The beginning can only be lost together with the whole file that held it.
                self.report(Gap { after: None, before: Some(record.at), reason: GapReason::RotatedUnread }, out);
            }
        }
        self.push(text, out);
    }

    fn push(&mut self, text: Bytes, out: &mut Vec<LogEvent>) {
        self.long.delivered_another();
        self.count(&text);
        out.push(if text.ends_with(b"\n") { LogEvent::Line(text) } else { LogEvent::Begin(text) });
    }

    fn count(&mut self, text: &Bytes) {
        self.counters.lines += 1;
        self.counters.bytes += text.len() as u64;
    }

    /// The anchor is found: what stands behind it is new, and the connection is live.
    fn settle(&mut self, alignment: Alignment, out: &mut Vec<LogEvent>) {
        let Alignment::Anchor { position, weak, .. } = alignment else { return };
        let Some(replay) = self.replay.take() else { return };
        self.stuck = (0, 0);
        self.counters.weak_anchors += u64::from(weak);
        let (forgotten, mut held) = replay.into_held();
        // The anchor is never among lines that are older than the window.
        let fresh = held.split_off(position.saturating_sub(forgotten).min(held.len()));
        self.counters.replayed_lines += (forgotten + held.len()) as u64;
        self.raw_repeated = Some(0);
        if let Some(last) = self.window.last() {
            self.pace.took(last.at);
        }
        self.deliver_held(fresh, out);
    }

    /// The delivered tail is not in the replay: say so, and go on with what was not delivered.
    fn give_up(&mut self, reason: GapReason, out: &mut Vec<LogEvent>) {
        let Some(replay) = self.replay.take() else { return };
        self.stuck = (0, 0);
        let mut delivered: HashMap<Record, usize> = HashMap::new();
        for record in self.window.iter() {
            *delivered.entry(*record).or_default() += 1;
        }
        let (forgotten, mut held) = replay.into_held();
        self.counters.replayed_lines += forgotten as u64;
        held.retain(|held| match delivered.get_mut(&held.record) {
            Some(times) if *times > 0 => {
                *times -= 1;
                self.counters.replayed_lines += 1;
                false
            }
            _ => true,
        });
        let after = self.window.last().map(|last| last.at);
        let before = held.first().map(|held| held.record.at);
        self.report(Gap { after, before, reason }, out);
        if let Some(Held { text: Some(text), .. }) = held.first_mut()
            && let Some(whole) = mended(&self.open, text)
        {
            *text = whole;
        }
        self.deliver_held(held, out);
    }

    fn deliver_held(&mut self, held: Vec<Held>, out: &mut Vec<LogEvent>) {
        for Held { record, text } in held {
            if let Some(text) = text {
                self.deliver(record, text, out);
            } else if !matches!(out.last(), Some(LogEvent::Gap(_))) {
                // Not kept because it looked like a replay to the end of a long window. Never silent.
                let after = self.window.last().map(|last| last.at);
                self.report(Gap { after, before: Some(record.at), reason: GapReason::HeldTooLong }, out);
            }
        }
    }

    fn report(&mut self, gap: Gap, out: &mut Vec<LogEvent>) {
        self.counters.gaps += 1;
        out.push(LogEvent::Gap(gap));
    }

    /// Counts connections that showed the same lines and no anchor. Returns whether they are believed now.
    fn believe_repetition(&mut self, out: &mut Vec<LogEvent>) -> bool {
        let Some(digest) = self.replay.as_ref().map(Replay::digest) else { return false };
        if self.believed == Some((digest, self.count)) {
            self.replay = None;
            return true;
        }
        let times = if self.stuck.0 == digest { self.stuck.1 + 1 } else { 1 };
        self.stuck = (digest, times);
        if times < STUCK {
            return false;
        }
        self.give_up(GapReason::Rotated, out);
        self.believed = Some((digest, self.count));
        true
    }
}

#[cfg(test)]
mod tests;

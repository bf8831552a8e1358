//! How the log of a run's container ends: the script says so itself, behind everything that Claude Code wrote.
//!
//! ```text
//!                                                              a line feed, so that the end begins on its own line
//!  [paperclip] Claude Code wrote 70000 bytes to stderr; the last 32768 follow:         only if there are any
//!  (so many bytes, then a line feed)
//!  [paperclip] Container ended (exit 0)                                                 the end line
//! ```
//!
//! Claude Code can print all of this too. So a line counts as the end line only while nothing follows it, and a
//! section counts as stderr only if an end line or the end of the log stands behind it; else both are output.

use std::ops::Range;

use bytes::Bytes;

/// So much of the end of stderr comes through the log. Unit: bytes.
pub const STDERR_TAIL: u64 = 32 << 10;

/// What stands around the two numbers of the line in front of stderr.
const STDERR_LINE: [&str; 3] = ["[paperclip] Claude Code wrote ", " bytes to stderr; the last ", " follow:"];

/// What stands around the exit code of the end line.
const END_LINE: [&str; 2] = [END_LINE_BEGIN, ")"];

/// How the end line begins.
pub const END_LINE_BEGIN: &str = "[paperclip] Container ended (exit ";

/// A runtime that stores logs as JSON makes three bytes of one that is not UTF-8, so a section can be longer than said.
const LONGER: u64 = 3;

/// The line in front of stderr, without line feed.
#[must_use]
pub fn stderr_line(written: &str, shown: &str) -> String {
    let [before, between, after] = STDERR_LINE;
    format!("{before}{written}{between}{shown}{after}")
}

/// The end line, without line feed.
#[must_use]
pub fn end_line(exit_code: &str) -> String {
    let [before, after] = END_LINE;
    format!("{before}{exit_code}{after}")
}

/// The container said that it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndLine {
    /// The exit code of Claude Code, which is the container's. 128 and more: a signal ended it.
    pub exit_code: u8,
}

/// What the lines of a log turn out to be, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EpilogueEvent {
    /// Output of Claude Code, or a line of the script before it.
    Stdout(Bytes),
    /// The same, of a line that is too long to be held whole: its beginning, or what follows.
    Piece(Bytes),
    /// The end of what Claude Code wrote to stderr.
    Stderr {
        /// The line that says how much was written.
        announced: Bytes,
        /// As many bytes as were announced, or what the log shows of them. Any bytes: a first character may be cut.
        text: Bytes,
    },
    /// Everything was shown, if nothing follows.
    Ended {
        /// The line itself.
        line: Bytes,
        /// What it says.
        end: EndLine,
    },
    /// Something follows the end line, so Claude Code has printed that one, and there is no end yet.
    TakenBack,
}

/// Tells the script's end from output. A filter behind the cursor: it sees every line once.
///
/// ```text
///        ┌──────────────────────── too much, no end line ──────────────────────┐
///        ▼                                                                     │
///     Output ──stderr line──▶ Section ──announced bytes, then the end line──▶ Ended ──any line──▶ Output
///        └──────────────────────────── end line ───────────────────────────────▲
/// ```
#[derive(Debug, Default)]
pub struct Epilogue {
    state: State,
    /// An empty line that may be the script's.
    blank: Option<Bytes>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Output,
    Section(Section),
    Ended(EndLine),
}

/// Lines behind a stderr line.
#[derive(Debug)]
struct Section {
    /// The empty line before it, if there was one.
    blank: Option<Bytes>,
    announced: Bytes,
    lines: Vec<Bytes>,
    /// Their bytes.
    length: u64,
    /// How many there have to be, the script's line feed included.
    expected: Range<u64>,
}

impl Epilogue {
    /// Takes a line with its `\n`, or output without one that is the last of its log.
    pub fn line(&mut self, line: Bytes, out: &mut Vec<EpilogueEvent>) {
        match &mut self.state {
            State::Output => self.output(line, out),
            State::Section(section) => {
                if let Some(end) = section.ended_by(&line) {
                    self.close(out);
                    self.end(line, end, out);
                } else if section.is_refuted_by(&line) {
                    let lines = std::mem::take(&mut section.lines);
                    out.extend(section.start().chain(lines).map(EpilogueEvent::Stdout));
                    self.state = State::Output;
                    self.output(line, out);
                } else {
                    section.push(line);
                }
            }
            State::Ended(_) => {
                self.state = State::Output;
                out.push(EpilogueEvent::TakenBack);
                self.output(line, out);
            }
        }
    }

    /// Takes a piece of a line that is too long to be the script's.
    pub fn piece(&mut self, piece: Bytes, out: &mut Vec<EpilogueEvent>) {
        match std::mem::take(&mut self.state) {
            State::Output => self.release_blank(out),
            State::Section(mut section) => {
                let lines = std::mem::take(&mut section.lines);
                out.extend(section.start().chain(lines).map(EpilogueEvent::Stdout));
            }
            State::Ended(_) => out.push(EpilogueEvent::TakenBack),
        }
        out.push(EpilogueEvent::Piece(piece));
    }

    /// Lines may be missing here: nothing that was said before is known to be the end.
    pub fn gap(&mut self, out: &mut Vec<EpilogueEvent>) {
        match &mut self.state {
            State::Output => self.release_blank(out),
            // How many bytes are missing nobody knows; the end line ends the section wherever it stands.
            State::Section(section) => section.expected.start = 0,
            State::Ended(_) => {
                self.state = State::Output;
                out.push(EpilogueEvent::TakenBack);
            }
        }
    }

    /// An empty line is held back, because the script may have written it.
    #[must_use]
    pub fn holds_blank(&self) -> bool {
        self.blank.is_some()
    }

    /// Nothing came for a while: the script writes its empty line and its end at once, so this one is output.
    pub fn quiet(&mut self, out: &mut Vec<EpilogueEvent>) {
        self.release_blank(out);
    }

    /// Nothing follows: gives out what was held back. That may show the end.
    pub fn flush(&mut self, out: &mut Vec<EpilogueEvent>) {
        self.release_blank(out);
        while let State::Section(section) = &mut self.state {
            if section.lines.last().and_then(|line| parse_end_line(line)).is_none() {
                self.close(out);
                return;
            }
            // Too little for what was announced, and yet the end: the announcement was output, and what it seemed to
            // announce may be a true section.
            let lines = std::mem::take(&mut section.lines);
            out.extend(section.start().map(EpilogueEvent::Stdout));
            self.state = State::Output;
            for line in lines {
                self.line(line, out);
            }
            self.release_blank(out);
        }
    }

    /// The end that was said, if nothing has followed.
    #[must_use]
    pub fn ended(&self) -> Option<EndLine> {
        match self.state {
            State::Ended(end) => Some(end),
            State::Output | State::Section(_) => None,
        }
    }

    fn output(&mut self, line: Bytes, out: &mut Vec<EpilogueEvent>) {
        if let Some(end) = parse_end_line(&line) {
            self.blank = None;
            self.end(line, end, out);
        } else if let Some(shown) = parse_stderr_line(&line) {
            self.state = State::Section(Section {
                blank: self.blank.take(),
                announced: line,
                lines: Vec::new(),
                length: 0,
                expected: shown + 1..LONGER * shown + 2,
            });
        } else {
            self.release_blank(out);
            if line.as_ref() == b"\n" {
                self.blank = Some(line);
            } else {
                out.push(EpilogueEvent::Stdout(line));
            }
        }
    }

    fn end(&mut self, line: Bytes, end: EndLine, out: &mut Vec<EpilogueEvent>) {
        self.state = State::Ended(end);
        out.push(EpilogueEvent::Ended { line, end });
    }

    /// The section was what it said.
    fn close(&mut self, out: &mut Vec<EpilogueEvent>) {
        if let State::Section(section) = std::mem::take(&mut self.state) {
            let text = section.text();
            out.push(EpilogueEvent::Stderr { announced: section.announced, text });
        }
    }

    fn release_blank(&mut self, out: &mut Vec<EpilogueEvent>) {
        out.extend(self.blank.take().map(EpilogueEvent::Stdout));
    }
}

impl Section {
    fn push(&mut self, line: Bytes) {
        self.length += line.len() as u64;
        self.lines.push(line);
    }

    /// An end line inside of the announced bytes is a part of stderr.
    fn ended_by(&self, line: &[u8]) -> Option<EndLine> {
        parse_end_line(line).filter(|_| self.expected.contains(&self.length))
    }

    /// More than the script can have written.
    fn is_refuted_by(&self, line: &[u8]) -> bool {
        self.length + (line.len() as u64) >= self.expected.end
    }

    /// What stands before the first byte of stderr.
    fn start(&mut self) -> impl Iterator<Item = Bytes> + use<> {
        self.blank.take().into_iter().chain([self.announced.clone()])
    }

    /// Without the line feed that the script wrote behind it.
    fn text(&self) -> Bytes {
        let mut text = self.lines.concat();
        if self.expected.contains(&self.length) && text.last() == Some(&b'\n') {
            text.pop();
        }
        Bytes::from(text)
    }
}

/// The line says that the container ended.
pub(super) fn is_end_line(line: &[u8]) -> bool {
    parse_end_line(line).is_some()
}

fn parse_end_line(line: &[u8]) -> Option<EndLine> {
    let [before, after] = END_LINE;
    let code = content(line).strip_prefix(before.as_bytes())?.strip_suffix(after.as_bytes())?;
    Some(EndLine { exit_code: u8::try_from(number(code)?).ok()? })
}

/// How many bytes follow. The script shows all, or as many as it may.
fn parse_stderr_line(line: &[u8]) -> Option<u64> {
    let [before, between, after] = STDERR_LINE;
    let numbers = content(line).strip_prefix(before.as_bytes())?.strip_suffix(after.as_bytes())?;
    let at = memchr::memmem::find(numbers, between.as_bytes())?;
    let written = number(numbers.get(..at)?)?;
    let shown = number(numbers.get(at + between.len()..)?)?;
    (shown > 0 && shown == written.min(STDERR_TAIL)).then_some(shown)
}

fn content(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// A number as the script prints it: digits only, no zero in front.
fn number(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse().ok().filter(|_| text == "0" || !text.starts_with('0'))
}

#[cfg(test)]
mod tests;

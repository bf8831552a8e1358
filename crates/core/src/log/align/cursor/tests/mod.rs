//! Every row of the table of worked edge cases, `docs/internals/kubernetes.md` 2.6.
//!
//! A line is written as `<milliseconds> <text>`; `-` instead of a number is a line without a time.

use super::*;

mod gaps;
mod long;
mod reads;
mod replay;

const BASE: i64 = 1_700_000_000_000_000_000;

fn line(text: &str) -> Line {
    let (at, text) = text.split_once(' ').unwrap();
    let at = at.parse::<i64>().ok().map(|ms| LogTime::from_nanoseconds(BASE + ms * 1_000_000));
    Line { at, text: Bytes::from(format!("{text}\n")) }
}

/// What was delivered: texts, and `GAP` where a gap was reported.
fn texts(events: &[LogEvent]) -> Vec<String> {
    let text = |event: &LogEvent| match event {
        LogEvent::Line(text) => String::from_utf8_lossy(text).trim_end_matches('\n').to_owned(),
        LogEvent::Unterminated(text) => format!("{}<", String::from_utf8_lossy(text)),
        LogEvent::Begin(text) | LogEvent::More(text) => format!("{}~", String::from_utf8_lossy(text)),
        LogEvent::Gap(_) => "GAP".to_owned(),
    };
    events.iter().map(text).collect()
}

/// Lines of one follow, without its end.
fn feed(cursor: &mut LogCursor, lines: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    for text in lines {
        cursor.line(line(text), &mut out);
    }
    texts(&out)
}

/// One follow from begin to end.
fn follow(cursor: &mut LogCursor, lines: &[&str]) -> Vec<String> {
    follow_to(cursor, lines, "")
}

/// One follow that ends inside a line.
fn follow_to(cursor: &mut LogCursor, lines: &[&str], open_piece: &'static str) -> Vec<String> {
    cursor.connect(Connection::Follow);
    let mut delivered = feed(cursor, lines);
    let mut out = Vec::new();
    cursor.disconnected(&Bytes::from_static(open_piece.as_bytes()), &mut out);
    delivered.extend(texts(&out));
    delivered
}

/// One final read.
fn read(cursor: &mut LogCursor, lines: &[&str]) -> (Vec<String>, ReadEnd) {
    cursor.connect(Connection::Final);
    let mut delivered = feed(cursor, lines);
    let mut out = Vec::new();
    let end = cursor.read_ended(&mut out);
    delivered.extend(texts(&out));
    (delivered, end)
}

const NOTHING: [&str; 0] = [];

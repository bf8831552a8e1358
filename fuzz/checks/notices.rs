//! A notice of the kubelet is never output, and output before or around one is never lost with it (LOG-09).

use bytes::Bytes;
use claude_k8s_core::log::{Connection, Line, LogCursor, LogEvent, is_notice};

const STAMP: &str = "2026-01-02T03:04:05.000000006Z ";
/// What the kubelet appends to a body.
const NOTICES: [&str; 5] = [
    "unable to retrieve container logs for containerd://abc",
    "failed to create fsnotify watcher: too many open files",
    "failed to watch directory \"/var/log/pods/x\": gone",
    "failed to open log file \"/var/log/pods/x/0.log\"",
    "failed to get parse function: unsupported log format: \"x\"",
];
const BEGINNINGS: [&str; 5] = [
    "unable to retrieve container logs for ",
    "failed to create fsnotify watcher: ",
    "failed to watch directory ",
    "failed to open log file ",
    "failed to get parse function: unsupported log format",
];

/// The first byte chooses a notice and whether a time stands before the output, the rest is output.
pub(crate) fn check(data: &[u8]) {
    let Some((&first, output)) = data.split_first() else { return };
    let notice = NOTICES[usize::from(first) % NOTICES.len()];
    let stamp = if first & 0x80 == 0 { STAMP } else { "" };
    let holds_one = BEGINNINGS.iter().any(|beginning| holds(output, beginning.as_bytes()));

    // At the end of a body.
    let piece = [stamp.as_bytes(), output, notice.as_bytes()].concat();
    let delivered = unterminated(&piece);
    let line = Line::parse(Bytes::from([stamp.as_bytes(), output].concat()));
    if line.at.is_some() {
        assert!(line.text.starts_with(&delivered[..]));
        assert!(holds_one || delivered == line.text, "output before a notice was lost");
    } else if Line::parse(Bytes::from(piece.clone())).at.is_none() {
        assert!(delivered.is_empty(), "what has no time is no output");
    }
    assert!(holds_one || !BEGINNINGS.iter().any(|beginning| delivered.starts_with(beginning.as_bytes())));

    // On a live connection: a notice is dropped, a line with a time never is.
    let mut cursor = LogCursor::default();
    cursor.connect(Connection::Follow);
    let mut out = Vec::new();
    cursor.line(Line::parse(Bytes::from([STAMP.as_bytes(), output, b"\n"].concat())), &mut out);
    assert_eq!(out.len(), 1);
    let raw = Bytes::from([output, b"\n"].concat());
    let parsed = Line::parse(raw.clone());
    out.clear();
    let dropped = parsed.at.is_none() && is_notice(&raw);
    cursor.line(parsed, &mut out);
    assert_eq!(out.is_empty(), dropped);
}

fn unterminated(piece: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    LogCursor::default().unterminated(Bytes::copy_from_slice(piece), &mut out);
    match out.as_slice() {
        [] => Vec::new(),
        [LogEvent::Unterminated(text)] => text.to_vec(),
        other => unreachable!("{other:?}"),
    }
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

//! Replays and lines that are too long to be kept.

use super::*;

#[test]
fn log_13_text_of_a_long_replay_is_not_kept() {
    let text = "x".repeat(100_000);
    let lines: Vec<String> = (0..200).map(|n| format!("{n} {text}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &lines);
    cursor.connect(Connection::Follow);
    feed(&mut cursor, &lines[..199]);
    assert!(!cursor.replay.as_ref().unwrap().is_full(), "20 MB came again, at most 1 MiB of it is kept");
    assert_eq!(feed(&mut cursor, &[lines[199], "300 new"]), ["new"]);
}

#[test]
fn log_13_a_replay_longer_than_the_window_is_counted_and_not_kept() {
    let text = "x".repeat(100_000);
    let lines: Vec<String> = (0..300).map(|n| format!("{n} {n}{text}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let limits = CursorLimits { window_cap: 150 };
    for (connection, first, held) in [
        (Connection::Follow, 0, 149),
        (Connection::Final, 0, 149),
        // The file begins inside the window.
        (Connection::Follow, 170, 129),
    ] {
        let mut cursor = LogCursor::with_limits(limits);
        follow(&mut cursor, &lines);
        cursor.connect(connection);
        assert_eq!(feed(&mut cursor, &lines[first..299]), NOTHING);
        let replay = cursor.replay.as_ref().unwrap();
        let kept = replay.kept();
        assert!(kept.0 <= held && kept.1 < 2 << 20, "30 MB came again: {kept:?}");
        let mut delivered = feed(&mut cursor, &[lines[299], "400 new"]);
        if connection == Connection::Final {
            let mut out = Vec::new();
            assert_eq!(cursor.read_ended(&mut out), ReadEnd::Anchored { new: 1 });
            delivered = texts(&out);
        }
        assert_eq!(delivered, ["new"]);
        assert_eq!((cursor.counters().replayed_lines, cursor.counters().gaps), (300 - first as u64, 0));
    }
}

#[test]
fn log_13_a_replay_that_cannot_be_held_is_given_up_with_a_gap() {
    let text = "y".repeat(1 << 20);
    let lines: Vec<String> = (0..17).map(|n| format!("{} {text}", n + 2)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    for connection in [Connection::Follow, Connection::Final] {
        let mut cursor = LogCursor::default();
        follow(&mut cursor, &["1 a"]);
        cursor.connect(connection);
        let delivered = feed(&mut cursor, &lines);
        assert_eq!((delivered[0].as_str(), delivered.len()), ("GAP", 18), "{connection:?}");
    }
}

/// One follow of a line that is too long: its time, its first piece and the pieces behind that.
fn follow_long(cursor: &mut LogCursor, before: &[&str], begin: &str, more: &[&'static str]) -> Vec<String> {
    cursor.connect(Connection::Follow);
    let mut delivered = feed(cursor, before);
    let mut out = Vec::new();
    let whole = line(begin);
    let text = whole.text.slice(..whole.text.len() - 1);
    cursor.begin(Line { text, ..whole }, &mut out);
    for piece in more {
        cursor.more(Bytes::from_static(piece.as_bytes()), &mut out);
    }
    delivered.extend(texts(&out));
    delivered
}

#[test]
fn tru_23_a_line_that_is_too_long_goes_on_where_the_connection_before_was_cut() {
    let mut cursor = LogCursor::default();
    assert_eq!(follow_long(&mut cursor, &["1 a"], "2 long", &["er", " and"]), ["a", "long~", "er~", " and~"]);
    assert_eq!(follow_long(&mut cursor, &["1 a"], "2 long", &["e", "r and lon", "ger\n"]), [" lon~", "ger\n~"]);
    // The whole line again, and one behind it.
    let mut all = follow_long(&mut cursor, &["1 a"], "2 long", &["er and longer\n"]);
    all.extend(feed(&mut cursor, &["3 b"]));
    assert_eq!(all, ["b"]);
    assert_eq!(follow_long(&mut cursor, &["1 a"], "2 long", &["er and longer\n"]), NOTHING);
    assert_eq!(feed(&mut cursor, &["3 b", "4 c"]), ["c"]);
    assert_eq!(cursor.counters().gaps, 0);
}

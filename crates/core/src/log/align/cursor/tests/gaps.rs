//! What a connection does not show any more: reported, once, and never guessed.

use super::*;

#[test]
fn log_06_a_rotated_log_is_reported_instead_of_guessed() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "2 b"]);
    cursor.connect(Connection::Follow);
    let mut out = Vec::new();
    cursor.line(line("1999 near"), &mut out);
    assert_eq!(texts(&out), NOTHING, "within the margin it may still be a replay out of order");
    cursor.line(line("2003 far"), &mut out);
    assert_eq!(texts(&out), ["GAP", "near", "far"]);
    let LogEvent::Gap(gap) = &out[0] else { panic!("{out:?}") };
    assert_eq!(gap.reason, GapReason::Rotated);
    assert_eq!((gap.after, gap.before), (line("2 b").at, line("1999 near").at));
    assert_eq!(feed(&mut cursor, &["2004 next"]), ["next"]);
}

#[test]
fn a_gap_does_not_repeat_lines_that_were_delivered() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "1 a", "2 b"]);
    assert_eq!(follow(&mut cursor, &["1 a", "1 a", "1 a", "3000 c"]), ["GAP", "a", "c"]);
}

#[test]
fn what_stands_behind_a_rotation_is_delivered_at_once_when_the_log_ends_with_it() {
    for (held, delivered) in [
        (&["3 end"][..], &["GAP", "end"][..]),
        (&["1 a", "2 b", "3 end"], &["end"]),
        (&["1 other", "2 b", "3 end"], &["end"]),
    ] {
        for connection in [Connection::Follow, Connection::Final] {
            let mut cursor = LogCursor::default();
            follow(&mut cursor, &["1 a", "2 b"]);
            cursor.connect(connection);
            let mut told = feed(&mut cursor, held);
            let mut out = Vec::new();
            cursor.complete(&mut out);
            told.extend(texts(&out));
            assert_eq!(told, delivered, "{held:?} {connection:?}");
        }
    }
}

#[test]
fn an_empty_replay_teaches_nothing_and_the_first_line_decides() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a"]);
    cursor.connect(Connection::Follow);
    assert!(!cursor.is_holding());
    assert_eq!(feed(&mut cursor, &["9000 b"]), ["GAP", "b"]);
}

#[test]
fn the_same_lines_on_three_quiet_connections_are_believed() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a"]);
    for attempt in 1..=3 {
        cursor.connect(Connection::Follow);
        assert_eq!(feed(&mut cursor, &["500 b"]), NOTHING);
        let mut out = Vec::new();
        assert_eq!(cursor.quiet(&mut out), attempt < 3);
        assert_eq!(texts(&out).len(), if attempt < 3 { 0 } else { 2 });
        if attempt < 3 {
            cursor.disconnected(&Bytes::new(), &mut out);
        }
    }
    assert_eq!(feed(&mut cursor, &["600 c"]), ["c"], "the third connection stays and is live");
}

#[test]
fn connections_that_end_before_anybody_is_quiet_are_believed_the_third_time_too() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a"]);
    assert_eq!(follow(&mut cursor, &["500 b"]), NOTHING);
    assert_eq!(follow(&mut cursor, &["500 b", "501 c"]), NOTHING, "other lines: the count starts again");
    assert_eq!(follow(&mut cursor, &["500 b", "501 c"]), NOTHING);
    assert_eq!(follow(&mut cursor, &["500 b", "501 c"]), ["GAP", "b", "c"]);
}

#[test]
fn a_gap_without_new_lines_is_reported_once() {
    let mut cursor = LogCursor::default();
    for lines in [&["1 a"][..], &["1 a", "2 b"]] {
        follow(&mut cursor, lines);
        let reads: Vec<_> = (0..5).map(|_| read(&mut cursor, &[])).collect();
        let gaps: Vec<usize> = reads.iter().map(|(delivered, _)| delivered.len()).collect();
        assert_eq!(gaps, [0, 0, 1, 0, 0], "the file was rotated and is empty");
        assert_eq!(reads[4].1, ReadEnd::Anchored { new: 0 });
    }
}

#[test]
fn log_06_a_log_without_its_beginning_is_a_gap_and_a_log_with_it_is_none() {
    for (first, gap) in [("1 begin", false), ("1 [paperclip] later", true), ("1 {\"type\":\"user\"}", true)] {
        let mut cursor = LogCursor::default().beginning_with(Some("begin"));
        assert_eq!(follow(&mut cursor, &[]), NOTHING, "silence is no loss");
        let delivered = follow(&mut cursor, &[first, "2 b", "3 begin"]);
        let start: &[&str] = if gap { &["GAP", &first[2..]] } else { &[] };
        assert_eq!(delivered, [start, &["b", "begin"]].concat());
        assert_eq!(follow(&mut cursor, &[first, "2 b", "3 begin", "4 c"]), ["c"], "told once");
        assert_eq!((cursor.counters().gaps, cursor.counters().lines), (u64::from(gap), 3 + u64::from(gap)));
    }
}

/// A follow that has delivered a whole file whose last line was written at 10 s and comes at `came`.
fn behind_a_file(came: u64) -> LogCursor {
    let mut cursor = LogCursor::default();
    cursor.connect(Connection::Follow);
    cursor.arrives(Duration::ZERO);
    cursor.line(line(&format!("0 {}", "x".repeat(1 << 20))), &mut Vec::new());
    cursor.arrives(Duration::from_secs(came));
    feed(&mut cursor, &["10000 a"]);
    cursor
}

#[test]
fn log_06_a_file_that_a_follow_skipped_is_reported() {
    // It was still in the first file when the third began.
    let mut cursor = behind_a_file(25);
    let mut out = Vec::new();
    cursor.line(line("20000 b"), &mut out);
    assert_eq!(texts(&out), ["GAP", "b"]);
    let LogEvent::Gap(gap) = &out[0] else { panic!("{out:?}") };
    assert_eq!((gap.reason, gap.after, gap.before), (GapReason::Outrun, line("10000 a").at, line("20000 b").at));
    // It waited in the first file until it was told of the third one.
    let mut cursor = behind_a_file(12);
    cursor.arrives(Duration::from_secs(20));
    assert_eq!(feed(&mut cursor, &["20000 b", "20001 c"]), ["GAP", "b", "c"]);
}

#[test]
fn log_06_a_pause_of_the_container_is_no_gap() {
    let mut cursor = behind_a_file(10);
    cursor.arrives(Duration::from_secs(20));
    assert_eq!(feed(&mut cursor, &["20000 b"]), ["b"]);
    // A log that is too short to be rotated.
    let mut cursor = LogCursor::default();
    cursor.connect(Connection::Follow);
    feed(&mut cursor, &["0 a"]);
    cursor.arrives(Duration::from_secs(25));
    assert_eq!(feed(&mut cursor, &["10000 a", "20000 b"]), ["a", "b"]);
}

#[test]
fn log_01_a_file_that_the_node_opens_again_is_not_delivered_again() {
    let mut cursor = behind_a_file(35);
    assert_eq!(feed(&mut cursor, &["20000 b", "20001 c", "20001 c"]), ["GAP", "b", "c", "c"]);
    assert_eq!(feed(&mut cursor, &["20000 b", "20001 c", "20001 c", "20002 d"]), ["d"]);
    assert_eq!(feed(&mut cursor, &["20000 b", "20001 c", "20001 c", "20002 d", "20003 e"]), ["e"]);
    assert_eq!(cursor.counters().gaps, 1);
}

#[test]
fn fld_20_only_a_line_of_ours_or_of_the_cli_shows_that_something_stood_before_it() {
    const FIRST: Option<&str> = Some(crate::log::FIRST_LINE);
    for (lines, delivered, gaps) in [
        (&["1 exec /bin/sh: exec format error"][..], &["exec /bin/sh: exec format error"][..], 0),
        (
            &["1 a warning", "2 [paperclip] Container started", "3 {\"type\":\"system\"}"],
            &["a warning", "{\"type\":\"system\"}"],
            0,
        ),
        (&["1 tail\"}", "2 {\"type\":\"user\"}"], &["tail\"}", "GAP", "{\"type\":\"user\"}"], 1),
        (&["1 [paperclip] Warning: x"], &["GAP", "[paperclip] Warning: x"], 1),
    ] {
        let mut cursor = LogCursor::default().beginning_with(FIRST);
        assert_eq!(follow(&mut cursor, lines), delivered);
        assert_eq!((cursor.counters().gaps, cursor.has_begun()), (gaps, !lines[0].contains("exec")));
    }
}

//! Every row of the table of worked edge cases, `docs/internals/kubernetes.md` 2.6.
//!
//! A line is written as `<milliseconds> <text>`; `-` instead of a number is a line without a time.

use super::*;

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

#[test]
fn forty_lines_in_one_second_cut_after_25_bring_the_other_15() {
    let lines: Vec<String> = (0..40).map(|n| format!("{} line {n}", 100 + n)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &lines[..25]);
    let fresh = follow(&mut cursor, &lines);
    assert_eq!(fresh, (25..40).map(|n| format!("line {n}")).collect::<Vec<_>>());
    assert_eq!(cursor.counters().replayed_lines, 25);
}

#[test]
fn log_02_the_line_after_the_anchor_comes_in_the_same_step() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "2 b"]);
    cursor.connect(Connection::Follow);
    assert_eq!(feed(&mut cursor, &["1 a", "2 b"]), NOTHING);
    assert_eq!(feed(&mut cursor, &["3 c"]), ["c"]);
}

#[test]
fn a_reconnect_drops_the_replay_and_keeps_equal_lines() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 tick", "1 tick", "2 done"]);
    assert_eq!(follow(&mut cursor, &["1 tick", "1 tick", "2 done", "2 done"]), ["done"]);
    // Equal to the nanosecond: position decides, a shorter overlap is not accepted while the whole window fits.
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 x", "1 x", "1 x"]);
    assert_eq!(follow(&mut cursor, &["1 x", "1 x"]), NOTHING);
    assert_eq!(follow(&mut cursor, &["1 x", "1 x", "1 x", "1 x"]), ["x"]);
}

#[test]
fn a_tail_without_a_time_is_dropped_wherever_it_stands_in_the_replay() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 long", "5 a"]);
    assert_eq!(follow(&mut cursor, &["- tail of long", "1 long", "- another", "5 a", "6 b"]), ["b"]);
    assert_eq!(cursor.counters().dropped_fragments, 2);
}

#[test]
fn a_rotation_inside_a_long_line_leaves_a_fragment_with_a_time_at_the_start() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 long", "5 a", "6 b"]);
    assert_eq!(follow(&mut cursor, &["2 ng", "5 a", "6 b", "7 c"]), ["c"]);
    assert_eq!(cursor.counters().gaps, 0);
}

#[test]
fn log_01_a_json_line_that_a_rotation_tore_apart_behind_the_delivered_ones_is_whole_again() {
    const OPEN: &str = "2023-11-14T22:13:20.002000000Z {\"type\":\"assis";
    let mut cursor = LogCursor::default();
    follow_to(&mut cursor, &["1 a"], OPEN);
    assert_eq!(follow(&mut cursor, &["2003 tant\"}", "2004 b"]), ["GAP", "{\"type\":\"assistant\"}", "b"]);
    // The halves of an old line are no matter of a later gap.
    assert_eq!(follow(&mut cursor, &["9000 tant\"}"]), ["GAP", "tant\"}"]);
    let mut cursor = LogCursor::default();
    follow_to(&mut cursor, &["1 a"], OPEN);
    assert_eq!(follow(&mut cursor, &["1 a", "2 {\"type\":\"assistant\"}"]), ["{\"type\":\"assistant\"}"]);
}

#[test]
fn a_file_that_begins_inside_the_window_is_anchored() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "2 b", "3 c"]);
    assert_eq!(follow(&mut cursor, &["2 b", "3 c", "4 d"]), ["d"]);
    assert_eq!(cursor.counters().gaps, 0);
}

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
fn a_replay_longer_than_the_window_is_searched_for_it() {
    let mut cursor = LogCursor::with_limits(CursorLimits { window_cap: 3 });
    follow(&mut cursor, &["1 a", "2 b", "3 c", "4 d", "5 e"]);
    assert_eq!(follow(&mut cursor, &["1 a", "2 b", "3 c", "4 d", "5 e", "6 f"]), ["f"]);
    assert_eq!((cursor.counters().weak_anchors, cursor.counters().gaps), (0, 0));
}

#[test]
fn a_known_last_line_between_unknown_ones_is_a_weak_anchor() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "2 b", "3 c"]);
    assert_eq!(follow(&mut cursor, &["1 other", "2 other", "3 c", "4 d"]), ["d"]);
    assert_eq!(cursor.counters().weak_anchors, 1);
}

#[test]
fn a_clock_that_steps_back_within_the_margin_changes_nothing() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["5000 a", "3500 b"]);
    assert_eq!(cursor.since(), line("1000 x").at);
    assert_eq!(follow(&mut cursor, &["5000 a", "3500 b", "3400 c"]), ["c"]);
}

#[test]
fn since_follows_the_last_line_so_it_comes_back_with_the_clock() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1000 a", "900000 stepped forward", "2000 back"]);
    assert_eq!(cursor.since(), line("0 x").at);
    assert_eq!(follow(&mut cursor, &["1000 a", "900000 stepped forward", "2000 back", "2100 c"]), ["c"]);
}

#[test]
fn log_05_since_is_a_whole_second_two_seconds_before_the_last_line() {
    let mut cursor = LogCursor::default();
    assert_eq!(cursor.since(), None);
    follow(&mut cursor, &["60700 a"]);
    let since = cursor.since().unwrap();
    assert_eq!(since, line("58000 x").at.unwrap());
    assert_eq!(since.to_string(), "2023-11-14T22:14:18Z");
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
fn a_reconnect_before_any_line_reads_from_the_start() {
    let mut cursor = LogCursor::default();
    assert_eq!(follow(&mut cursor, &[]), NOTHING);
    assert_eq!(cursor.since(), None);
    assert_eq!(follow(&mut cursor, &["1 a"]), ["a"]);
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
fn raw_lines_behind_the_anchor_are_not_repeated() {
    let mut cursor = LogCursor::default();
    assert_eq!(follow(&mut cursor, &["1 a", "- glue", "- glue"]), ["a", "glue", "glue"]);
    assert_eq!(follow(&mut cursor, &["1 a", "- glue", "- glue", "- glue", "2 b"]), ["glue", "b"]);
    assert_eq!(cursor.counters().raw_lines, 3);
}

#[test]
fn a_raw_line_is_not_repeated_when_one_before_it_is_hidden() {
    let mut cursor = LogCursor::default();
    assert_eq!(follow(&mut cursor, &["1 a", "- head", "- tail"]), ["a", "head", "tail"]);
    assert_eq!(read(&mut cursor, &["1 a", "- tail"]), (vec![], ReadEnd::Anchored { new: 0 }));
}

#[test]
fn log_09_a_notice_on_a_line_of_its_own_is_dropped() {
    let mut cursor = LogCursor::default();
    let lines = ["1 a", "- unable to retrieve container logs for containerd://x"];
    assert_eq!(follow(&mut cursor, &lines), ["a"]);
    assert_eq!(cursor.counters().notices, 1);
}

#[test]
fn log_11_a_final_read_that_was_cut_is_read_again() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "2 b"]);
    assert_eq!(read(&mut cursor, &["1 a"]), (vec![], ReadEnd::NotAnchored));
    assert_eq!(read(&mut cursor, &["1 a", "2 b", "3 c"]), (vec!["c".to_owned()], ReadEnd::Anchored { new: 1 }));
    assert_eq!(read(&mut cursor, &["1 a", "2 b", "3 c"]), (vec![], ReadEnd::Anchored { new: 0 }));
}

#[test]
fn log_11_a_final_read_that_shows_only_the_start_of_what_is_known_was_cut_although_its_end_fits_too() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 same", "1 same", "1 other", "1 same"]);
    assert_eq!(read(&mut cursor, &["1 same", "1 same", "1 other"]), (vec![], ReadEnd::NotAnchored));
}

#[test]
fn three_equal_final_reads_without_an_anchor_are_a_gap() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "2 b"]);
    for _ in 0..2 {
        assert_eq!(read(&mut cursor, &["9000 z"]), (vec![], ReadEnd::NotAnchored), "no guess before the third");
    }
    let (delivered, end) = read(&mut cursor, &["9000 z"]);
    assert_eq!((delivered, end), (vec!["GAP".to_owned(), "z".to_owned()], ReadEnd::Anchored { new: 1 }));
}

#[test]
fn a_final_read_is_judged_at_its_end() {
    let mut cursor = LogCursor::default();
    follow(&mut cursor, &["1 a", "2 b"]);
    // A follow would take the first `2 b` as a weak anchor; a final read knows the last one.
    let (delivered, _) = read(&mut cursor, &["1 x", "1 y", "2 b", "3 c", "2 b", "4 d"]);
    assert_eq!(delivered, ["d"]);
}

#[test]
fn the_open_piece_is_delivered_without_its_notice_and_only_with_a_time() {
    let time = "2023-11-14T22:13:21.000000000Z";
    for (piece, delivered) in [
        (format!("{time} half"), Some("half<")),
        (format!("{time} halfunable to retrieve container logs for x"), Some("half<")),
        (format!("{time} unable to retrieve container logs for x"), None),
        ("unable to retrieve container logs for x".to_owned(), None),
        ("half".to_owned(), None),
        (time.to_owned(), None),
        (String::new(), None),
    ] {
        let mut out = Vec::new();
        LogCursor::default().unterminated(Bytes::from(piece.clone()), &mut out);
        assert_eq!(texts(&out).first().map(String::as_str), delivered, "{piece}");
    }
}

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

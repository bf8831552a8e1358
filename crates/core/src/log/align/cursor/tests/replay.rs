//! What a connection shows again: found by its position, and not delivered a second time.

use super::*;

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
fn a_reconnect_before_any_line_reads_from_the_start() {
    let mut cursor = LogCursor::default();
    assert_eq!(follow(&mut cursor, &[]), NOTHING);
    assert_eq!(cursor.since(), None);
    assert_eq!(follow(&mut cursor, &["1 a"]), ["a"]);
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

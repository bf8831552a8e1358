//! The reader's habits, fact by fact (docs/internals/kubernetes.md 1.1 to 1.6).

use jiff::{SignedDuration, Timestamp};

use super::{LogModel, LogOptions, LogReader, ReadOptions, Stream};

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(milliseconds)
}

fn small() -> LogModel {
    LogModel::new(LogOptions { record_limit: 4, ..LogOptions::default() })
}

fn write(log: &mut LogModel, stream: Stream, text: &str, milliseconds: i64) {
    log.write(stream, text.as_bytes(), || at(milliseconds));
}

fn stamped(since: Option<i64>) -> ReadOptions {
    ReadOptions { timestamps: true, since: since.map(|second| at(second * 1000)), ..ReadOptions::default() }
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

#[test]
fn a_line_carries_a_fixed_width_timestamp() {
    let mut log = LogModel::default();
    write(&mut log, Stream::Stdout, "one\r\n\ntwo", 1_007);
    assert_eq!(
        text(&log.read(&stamped(None))),
        "1970-01-01T00:00:01.007000000Z one\n1970-01-01T00:00:01.007000000Z \n"
    );
    assert_eq!(text(&log.read(&ReadOptions::default())), "one\n\n");
}

#[test]
fn the_time_zone_of_the_node_appears_in_the_record() {
    let mut log = LogModel::new(LogOptions { zone_minutes: 330, ..LogOptions::default() });
    write(&mut log, Stream::Stdout, "x\n", 0);
    assert_eq!(text(&log.read(&stamped(None))), "1970-01-01T05:30:00.000000000+05:30 x\n");
}

#[test]
fn records_of_a_long_line_are_joined_and_stamped_once() {
    let mut log = small();
    write(&mut log, Stream::Stdout, "abcdefgh", 1_000);
    write(&mut log, Stream::Stdout, "i\nnext\n", 2_000);
    assert_eq!(
        text(&log.read(&stamped(None))),
        "1970-01-01T00:00:01.000000000Z abcdefghi\n1970-01-01T00:00:02.000000000Z next\n"
    );
}

#[test]
fn the_tail_of_a_line_whose_head_is_older_than_since_has_no_timestamp() {
    let mut log = small();
    write(&mut log, Stream::Stdout, "abcdefg", 1_000);
    write(&mut log, Stream::Stdout, "\nnext\n", 5_000);
    assert_eq!(text(&log.read(&stamped(Some(3)))), "efg\n1970-01-01T00:00:05.000000000Z next\n");
}

#[test]
fn since_is_inclusive_and_judges_each_record() {
    let mut log = LogModel::default();
    for milliseconds in [1_000, 3_000, 2_000, 4_000] {
        write(&mut log, Stream::Stdout, &format!("{milliseconds}\n"), milliseconds);
    }
    let body = text(&log.read(&stamped(Some(3))));
    assert_eq!(body.lines().map(|line| &line[31..]).collect::<Vec<_>>(), ["3000", "4000"]);
}

#[test]
fn stderr_between_two_records_of_a_line_destroys_both_lines() {
    let mut log = small();
    write(&mut log, Stream::Stdout, "abcdefg", 1_000);
    write(&mut log, Stream::Stderr, "err\n", 2_000);
    write(&mut log, Stream::Stdout, "\n", 3_000);
    assert_eq!(
        text(&log.read(&stamped(None))),
        "1970-01-01T00:00:01.000000000Z abcderr\n1970-01-01T00:00:03.000000000Z efg\n"
    );
}

#[test]
fn a_follow_crosses_a_rotation_and_a_new_connection_sees_a_stamped_tail() {
    let mut log = small();
    let mut follow = log.open(&ReadOptions { follow: true, ..stamped(None) });
    write(&mut log, Stream::Stdout, "abcdefg", 1_000);
    let mut seen = rest(&mut follow, &log);
    log.rotate();
    write(&mut log, Stream::Stdout, "\nnext\n", 2_000);
    seen += &rest(&mut follow, &log);
    assert_eq!(seen, "1970-01-01T00:00:01.000000000Z abcdefg\n1970-01-01T00:00:02.000000000Z next\n");
    assert_eq!(
        text(&log.read(&stamped(None))),
        "1970-01-01T00:00:02.000000000Z efg\n1970-01-01T00:00:02.000000000Z next\n"
    );
}

fn rest(follow: &mut LogReader, log: &LogModel) -> String {
    let mut seen = Vec::new();
    while let Some(piece) = follow.next(log) {
        seen.extend_from_slice(&piece);
    }
    text(&seen)
}

#[test]
fn a_follow_that_lags_two_rotations_skips_the_middle_file_and_reads_the_last_one_twice() {
    let mut log = LogModel::default();
    let mut follow = log.open(&ReadOptions { follow: true, ..ReadOptions::default() });
    assert_eq!(rest(&mut follow, &log), "");
    write(&mut log, Stream::Stdout, "one\n", 1_000);
    log.rotate();
    write(&mut log, Stream::Stdout, "two\n", 2_000);
    log.rotate();
    write(&mut log, Stream::Stdout, "three\n", 3_000);
    assert_eq!(rest(&mut follow, &log), "one\nthree\nthree\n");
}

#[test]
fn a_follow_that_was_never_through_with_its_file_learns_of_a_rotation_by_the_next_one() {
    let mut log = LogModel::default();
    write(&mut log, Stream::Stdout, "one\n", 1_000);
    let mut follow = log.open(&ReadOptions { follow: true, ..ReadOptions::default() });
    log.rotate();
    write(&mut log, Stream::Stdout, "two\n", 2_000);
    assert_eq!(rest(&mut follow, &log), "one\n");
    log.rotate();
    write(&mut log, Stream::Stdout, "three\n", 3_000);
    assert_eq!(rest(&mut follow, &log), "three\n");
}

#[test]
fn unterminated_output_is_written_at_the_end_without_a_newline() {
    let mut log = LogModel::default();
    write(&mut log, Stream::Stdout, "one\ntwo", 1_000);
    assert_eq!(text(&log.read(&ReadOptions::default())), "one\n");
    log.close(|| at(2_000));
    assert!(log.is_closed());
    assert_eq!(text(&log.read(&ReadOptions::default())), "one\ntwo");
}

#[test]
fn tail_counts_records_and_limit_cuts_anywhere() {
    let mut log = small();
    write(&mut log, Stream::Stdout, "abcdefghij\n", 1_000);
    let tail = ReadOptions { tail_records: Some(2), ..ReadOptions::default() };
    assert_eq!(text(&log.read(&tail)), "efghij\n");
    let none = ReadOptions { tail_records: Some(0), ..ReadOptions::default() };
    assert_eq!(text(&log.read(&none)), "");
    let limited = ReadOptions { limit_bytes: Some(3), ..ReadOptions::default() };
    assert_eq!(text(&log.read(&limited)), "abc");
}

#[test]
fn bytes_that_are_no_utf_8_pass_unchanged() {
    let mut log = LogModel::default();
    log.write(Stream::Stdout, b"\xff\xfe\n", || at(0));
    assert_eq!(log.read(&ReadOptions::default()), b"\xff\xfe\n");
}

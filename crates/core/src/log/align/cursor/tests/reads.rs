//! Final reads, and what stands behind the last newline.

use super::*;

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

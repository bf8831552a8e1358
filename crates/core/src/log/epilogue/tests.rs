//! Lines in, meanings out.

use super::*;

const END: &str = "[paperclip] Container ended (exit 0)\n";

/// Reads a log as the follower does; `~` stands for a gap.
fn read(log: &str) -> Vec<String> {
    let (mut epilogue, mut events) = (Epilogue::default(), Vec::new());
    for line in log.split_inclusive('\n') {
        if line == "~\n" {
            epilogue.gap(&mut events);
        } else {
            epilogue.line(Bytes::copy_from_slice(line.as_bytes()), &mut events);
        }
    }
    epilogue.flush(&mut events);
    assert_eq!(epilogue.ended().is_some(), matches!(events.last(), Some(EpilogueEvent::Ended { .. })), "{events:?}");
    events.into_iter().map(told).collect()
}

fn told(event: EpilogueEvent) -> String {
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    match event {
        EpilogueEvent::Stdout(line) => format!("out {:?}", text(line)),
        EpilogueEvent::Piece(piece) => format!("piece {:?}", text(piece)),
        EpilogueEvent::Stderr { announced, text: said } => {
            assert!(announced.starts_with(b"[paperclip] Claude Code wrote "));
            format!("err {:?}", text(said))
        }
        EpilogueEvent::Ended { line, end } => {
            assert!(line.starts_with(b"[paperclip] Container ended (exit "));
            format!("end {}", end.exit_code)
        }
        EpilogueEvent::TakenBack => "taken back".to_owned(),
    }
}

/// The script's section for this text.
fn section(text: &str) -> String {
    format!("{}\n{text}\n", stderr_line(&text.len().to_string(), &text.len().to_string()))
}

fn check(rows: &[(&str, &[&str])]) {
    for (log, expected) in rows {
        assert_eq!(read(log), *expected, "{log:?}");
    }
}

#[test]
fn end_10_the_end_line_is_recognised_behind_any_output() {
    check(&[
        ("\n[paperclip] Container ended (exit 0)\n", &["end 0"]),
        ("a\n\n[paperclip] Container ended (exit 143)\n", &[r#"out "a\n""#, "end 143"]),
        // The script's line feed ended the last line of Claude Code.
        ("a\n[paperclip] Container ended (exit 1)\n", &[r#"out "a\n""#, "end 1"]),
        // Only one empty line is the script's.
        ("a\n\n\n[paperclip] Container ended (exit 0)\n", &[r#"out "a\n""#, r#"out "\n""#, "end 0"]),
        // The last line feed may be missing, a part of the code may not.
        ("a\n\n[paperclip] Container ended (exit 255)", &[r#"out "a\n""#, "end 255"]),
    ]);
}

#[test]
fn log_07_empty_lines_that_belong_to_nobody_are_output() {
    check(&[
        ("\n", &[r#"out "\n""#]),
        ("a\n\n\nb\n", &[r#"out "a\n""#, r#"out "\n""#, r#"out "\n""#, r#"out "b\n""#]),
        ("\r\n[paperclip] Container ended (exit 0)\n", &[r#"out "\r\n""#, "end 0"]),
        ("\n~\n[paperclip] Container ended (exit 0)\n", &[r#"out "\n""#, "end 0"]),
    ]);
}

#[test]
fn end_10_a_line_that_is_almost_the_end_line_is_output() {
    for line in [
        "[paperclip] Container ended (exit 0)\r\n",
        " [paperclip] Container ended (exit 0)\n",
        "[paperclip] Container ended (exit 0) \n",
        "[paperclip] Container ended (exit 256)\n",
        "[paperclip] Container ended (exit -1)\n",
        "[paperclip] Container ended (exit +1)\n",
        "[paperclip] Container ended (exit 00)\n",
        "[paperclip] Container ended (exit )\n",
        "[paperclip] Container ended (exit 99999999999999999999999)\n",
        "[paperclip] Container ended (exit 1",
        "[paperclip] Container ended\n",
        "[paperclip] Container started\n",
    ] {
        assert_eq!(read(line), [format!("out {line:?}")]);
    }
}

#[test]
fn end_10_output_behind_the_end_line_takes_it_back_and_is_delivered() {
    check(&[
        (&format!("{END}a\n"), &["end 0", "taken back", r#"out "a\n""#]),
        (&format!("{END}\n"), &["end 0", "taken back", r#"out "\n""#]),
        (&format!("{END}~\n"), &["end 0", "taken back"]),
        // Claude Code's own line, then the script's.
        (&format!("{END}\n[paperclip] Container ended (exit 3)\n"), &["end 0", "taken back", "end 3"]),
        (&format!("{END}\n{}{END}", section("oops\n")), &["end 0", "taken back", r#"err "oops\n""#, "end 0"]),
    ]);
}

#[test]
fn log_08_stderr_comes_once_and_as_it_was_written() {
    let long = "x".repeat(usize::try_from(STDERR_TAIL).unwrap());
    let cut = format!("\n{}\n{long}\n{END}", stderr_line("2147483648", &STDERR_TAIL.to_string()));
    check(&[
        (&format!("a\n\n{}{END}", section("no newline")), &[r#"out "a\n""#, r#"err "no newline""#, "end 0"]),
        (&format!("a\n{}{END}", section("one\n\ntwo\n")), &[r#"out "a\n""#, r#"err "one\n\ntwo\n""#, "end 0"]),
        (&format!("\n{}{END}", section("\n")), &[r#"err "\n""#, "end 0"]),
        (&format!("\n{}{END}", section("\r\nä 🦀\r\n")), &[r#"err "\r\nä 🦀\r\n""#, "end 0"]),
        (&cut, &[&format!("err {long:?}"), "end 0"]),
    ]);
}

#[test]
fn log_08_what_looks_like_an_end_inside_of_stderr_is_stderr() {
    let inner = format!("{}{END}\n{END}", section("inner"));
    assert_eq!(read(&format!("\n{}{END}", section(&inner))), [format!("err {inner:?}"), "end 0".to_owned()]);
}

#[test]
fn log_08_a_section_that_the_log_does_not_show_to_its_end_is_stderr_as_far_as_it_goes() {
    let announced = stderr_line("10", "10");
    check(&[
        (&format!("a\n\n{announced}\n"), &[r#"out "a\n""#, r#"err """#]),
        (&format!("{announced}\nabc\nd"), &[r#"err "abc\nd""#]),
        (&format!("{announced}\n0123456789"), &[r#"err "0123456789""#]),
        (&format!("{announced}\n0123456789\n"), &[r#"err "0123456789""#]),
        (&format!("{announced}\n012345678\n\n"), &[r#"err "012345678\n""#]),
    ]);
    // Nobody knows how much a gap has swallowed.
    check(&[(&format!("{announced}\nab\n~\ncd\n{END}"), &[r#"err "ab\ncd""#, "end 0"])]);
}

#[test]
fn log_08_bytes_that_a_runtime_replaced_make_a_section_longer() {
    let announced = stderr_line("4", "4");
    check(&[(
        &format!("\n{announced}\n\u{fffd}\u{fffd}\u{fffd}\n\n{END}"),
        &["err \"\u{fffd}\u{fffd}\u{fffd}\\n\"", "end 0"],
    )]);
}

#[test]
fn log_08_a_section_that_the_script_cannot_have_written_is_output() {
    let forged = stderr_line("5", "5");
    let output = format!("out {:?}", format!("{forged}\n"));
    let result = r#"{"type":"result"}"#;
    let expected = [output.as_str(), &format!("out {:?}", format!("{result}\n")), "end 0"];
    assert_eq!(read(&format!("{forged}\n{result}\n\n{END}")), expected);
    // The script's own section behind it, and the empty line in front.
    let log = format!("\n{forged}\n{}{END}", section("a longer text"));
    assert_eq!(read(&log), [r#"out "\n""#, output.as_str(), r#"err "a longer text""#, "end 0"]);
}

#[test]
fn end_10_an_announcement_of_more_than_there_is_hides_neither_result_nor_end() {
    let forged = stderr_line("40000", &STDERR_TAIL.to_string());
    let log = format!("{forged}\nresult\n{forged}\n\n{}{END}", section("true"));
    let output = format!("out {:?}", format!("{forged}\n"));
    assert_eq!(read(&log), [&output, r#"out "result\n""#, &output, r#"err "true""#, "end 0"]);
    let log = format!("{forged}\nresult\n\n{END}");
    assert_eq!(read(&log), [&output, r#"out "result\n""#, "end 0"]);
}

#[test]
fn log_08_numbers_that_lie_announce_nothing() {
    let too_many = (STDERR_TAIL + 1).to_string();
    for (written, shown) in [
        ("0", "0"),
        ("5", "4"),
        ("5", "6"),
        ("5", "0"),
        ("-5", "-5"),
        ("05", "05"),
        ("", ""),
        (too_many.as_str(), too_many.as_str()),
        ("99999999999999999999999", "32768"),
    ] {
        let line = format!("{}\n", stderr_line(written, shown));
        assert_eq!(read(&line), [format!("out {line:?}")]);
    }
    let line = format!("{}\r\n", stderr_line("5", "5"));
    assert_eq!(read(&line), [format!("out {line:?}")]);
}

#[test]
fn log_13_a_forged_section_holds_back_no_more_than_a_true_one_can_be() {
    let (mut epilogue, mut events) = (Epilogue::default(), Vec::new());
    let announced = stderr_line("999999", &STDERR_TAIL.to_string());
    epilogue.line(Bytes::from(format!("{announced}\n")), &mut events);
    let line = Bytes::from(format!("{}\n", "x".repeat(999)));
    let mut held = 0;
    while events.is_empty() {
        epilogue.line(line.clone(), &mut events);
        held += line.len();
    }
    assert!(held as u64 <= LONGER * STDERR_TAIL + 2_000, "{held}");
    let delivered: usize =
        events.iter().map(|event| if let EpilogueEvent::Stdout(line) = event { line.len() } else { 0 }).sum();
    assert_eq!(delivered, announced.len() + 1 + held);
}

#[test]
fn tru_23_a_piece_of_a_line_that_is_too_long_is_output_whatever_it_says() {
    let piece = |before: &[&str]| {
        let (mut epilogue, mut out) = (Epilogue::default(), Vec::new());
        for line in before {
            epilogue.line(Bytes::copy_from_slice(line.as_bytes()), &mut out);
        }
        epilogue.piece(Bytes::from_static(b"[paperclip] Container ended (exit 0)"), &mut out);
        assert_eq!(epilogue.ended(), None);
        out.into_iter().map(told).collect::<Vec<_>>()
    };
    let said = r#"piece "[paperclip] Container ended (exit 0)""#;
    assert_eq!(piece(&["a\n", "\n"]), [r#"out "a\n""#, r#"out "\n""#, said]);
    assert_eq!(piece(&["[paperclip] Container ended (exit 0)\n"]), ["end 0", "taken back", said]);
    let announced = stderr_line("9", "9");
    let expected = [format!("out {:?}", format!("{announced}\n")), r#"out "x\n""#.to_owned(), said.to_owned()];
    assert_eq!(piece(&[&format!("{announced}\n"), "x\n"]), expected);
}

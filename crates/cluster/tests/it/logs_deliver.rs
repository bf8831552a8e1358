//! From the spool to the host: chunks, order, redaction, hosts that misbehave.

use std::time::Duration;

use bytes::Bytes;
use claude_k8s_cluster::logs::{SPOOL_BYTES, deliver, spool};
use claude_k8s_core::log::Stream;
use claude_k8s_core::redact::Redactor;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::logs_node::{Host, Manner};

/// Delivers these texts and returns the host.
async fn delivered(texts: &[&[u8]], values: &[&str], manner: Manner) -> Host {
    let (writer, reader) = spool(SPOOL_BYTES);
    for text in texts {
        writer.text(Stream::Stdout, Bytes::copy_from_slice(text));
    }
    drop(writer);
    let (host, redactor) = (Host::new(manner), Redactor::new(values.iter().map(|value| (*value).to_owned())));
    let (_run, give_up) = watch::channel(None);
    deliver(reader, &host, &redactor, give_up).await;
    host
}

#[tokio::test(start_paused = true)]
async fn hst_04_a_line_of_4_mb_arrives_in_consecutive_pieces_between_characters() {
    let line = format!("{}\n", "ab🦀".repeat(700_000));
    let host = delivered(&[b"before\n", line.as_bytes(), b"after\n"], &[], Manner::Prompt).await;
    assert_eq!(host.text(Stream::Stdout), format!("before\n{line}after\n"));
    let calls = host.calls();
    assert_eq!(calls[0].1, "before\n", "whole lines first");
    assert!(calls.iter().all(|(_, chunk)| chunk.len() <= 60 << 10));
}

#[tokio::test(start_paused = true)]
async fn text_that_is_not_utf_8_is_replaced_and_nothing_else_changes() {
    let host = delivered(&[b"\xf0\x9f\xa6\n", "🦀\r\n".as_bytes(), b"\xffx\n"], &[], Manner::Prompt).await;
    assert_eq!(host.text(Stream::Stdout), "\u{FFFD}\n🦀\r\n\u{FFFD}x\n");
}

#[tokio::test(start_paused = true)]
async fn prm_07_a_value_is_removed_wherever_a_long_line_is_cut() {
    let value = "secret-value-🦀";
    for padding in (60 << 10) - 30..(60 << 10) + 10 {
        let line = format!("{}{value}{}\n", "x".repeat(padding), "y".repeat(100));
        let host = delivered(&[line.as_bytes()], &[value], Manner::Prompt).await;
        assert_eq!(host.text(Stream::Stdout), line.replace(value, "***REDACTED***"));
    }
}

#[tokio::test(start_paused = true)]
async fn prm_07_a_value_of_several_lines_is_removed() {
    let value = "-----BEGIN KEY-----\nabcdef\n-----END KEY-----";
    let lines: [&[u8]; 5] = [b"a\n", b"-----BEGIN KEY-----\n", b"abcdef\n", b"-----END KEY-----\n", b"z\n"];
    let host = delivered(&lines, &[value], Manner::Takes(Duration::from_millis(1))).await;
    assert_eq!(host.text(Stream::Stdout), "a\n***REDACTED***\nz\n");
}

#[tokio::test(start_paused = true)]
async fn lines_are_coalesced_while_a_call_is_pending_and_statuses_keep_their_place() {
    let (writer, reader) = spool(SPOOL_BYTES);
    let host = Host::new(Manner::Takes(Duration::from_millis(100)));
    let (_run, give_up) = watch::channel(None);
    let redactor = Redactor::default();
    let writing = async {
        for number in 0..1_000 {
            writer.text(Stream::Stdout, Bytes::from(format!("{number}\n")));
            tokio::time::sleep(Duration::from_millis(1)).await;
            if number == 499 {
                writer.status(Stream::Stderr, "Log gap");
            }
        }
        drop(writer);
    };
    let (report, ()) = tokio::join!(deliver(reader, &host, &redactor, give_up), writing);
    let calls = host.calls();
    assert_eq!(calls[0], (Stream::Stdout, "0\n".to_owned()), "the first line goes at once");
    assert!((10..16).contains(&calls.len()), "{}", calls.len());
    assert_eq!((report.calls, report.failures), (calls.len() as u64, 0));
    let gap = calls.iter().position(|call| call.0 == Stream::Stderr).unwrap();
    assert_eq!(calls[gap].1, "[paperclip] Log gap\n");
    assert!(calls[gap - 1].1.ends_with("499\n") && calls[gap + 1].1.starts_with("500\n"));
}

#[tokio::test(start_paused = true)]
async fn an_unterminated_last_line_does_not_swallow_the_status_behind_it() {
    let host = delivered(&[b"half", b"[paperclip] keepalive\n"], &[], Manner::Prompt).await;
    assert_eq!(host.text(Stream::Stdout), "half\n[paperclip] keepalive\n");
}

#[tokio::test(start_paused = true)]
async fn hst_02_a_host_that_rejects_is_counted_and_gets_everything() {
    let (writer, reader) = spool(SPOOL_BYTES);
    writer.status(Stream::Stdout, "one");
    writer.status(Stream::Stderr, "two");
    drop(writer);
    let (host, (_run, give_up)) = (Host::new(Manner::Rejects), watch::channel(None));
    let report = deliver(reader, &host, &Redactor::default(), give_up).await;
    assert_eq!((report.calls, report.failures), (2, 2));
    assert_eq!(report.first_failure.as_deref(), Some("the database is gone"));
    assert_eq!(report.undelivered, None);
}

#[tokio::test(start_paused = true)]
async fn hst_05_a_host_that_never_settles_is_left_at_the_deadline() {
    let (writer, reader) = spool(SPOOL_BYTES);
    writer.text(Stream::Stdout, Bytes::from_static(b"one\n"));
    let (host, (run, give_up)) = (Host::new(Manner::NeverSettles), watch::channel(None));
    let redactor = Redactor::default();
    let start = Instant::now();
    let ending = async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        writer.text(Stream::Stdout, Bytes::from_static(b"three\n"));
        drop(writer);
        run.send_replace(Some(Instant::now() + Duration::from_secs(30)));
    };
    let (report, ()) = tokio::join!(deliver(reader, &host, &redactor, give_up), ending);
    assert_eq!(start.elapsed().as_secs(), 3630);
    assert_eq!((report.calls, report.undelivered), (1, Some(10)));
    assert_eq!(host.calls().len(), 1, "no call comes after the deadline");
}

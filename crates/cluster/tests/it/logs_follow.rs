//! The connection loop on paused time, against a node that misbehaves as scripted.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use claude_k8s_cluster::logs::{ContainerPhase, OpenError, SPOOL_BYTES, Tail, deliver, follow, spool};
use claude_k8s_core::log::Stream;
use claude_k8s_core::redact::Redactor;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::logs_capture::{TERMINATED, capture, lines, numbered, seconds};
use crate::logs_node::{Answer, Host, Manner, Node, target};

#[tokio::test(start_paused = true)]
async fn log_03_an_undisturbed_run_without_an_end_line_uses_one_follow_and_one_read() {
    let node = Node::running([Answer::Lingers(seconds(1))]);
    let capture = capture(&node, numbered(&node, 30, seconds(10))).await;
    assert_eq!(capture.stdout, lines(30));
    assert_eq!((capture.follows(), capture.seen.len()), (1, 2));
    assert_eq!((capture.report.tail, capture.report.reconnects), (Tail::Confirmed, 0));
    assert_eq!(capture.stderr, "");
    assert!(capture.drain < Duration::from_millis(1_050), "{:?}", capture.drain);
}

#[tokio::test(start_paused = true)]
async fn log_03_a_clean_end_every_3_s_for_hours_loses_and_repeats_nothing() {
    let node = Node::running(vec![Answer::CleanEndAfter(seconds(3)); 1_402]);
    let capture = capture(&node, numbered(&node, 1_400, seconds(5))).await;
    assert_eq!(capture.stdout, lines(1_400));
    assert_eq!((capture.report.tail, capture.report.gaps.len()), (Tail::Confirmed, 0));
    assert!(capture.report.reconnects > 1_000);
}

#[tokio::test(start_paused = true)]
async fn log_04_a_half_open_connection_is_replaced_and_idle_doubles_only_while_nothing_comes() {
    let node = Node::running([Answer::HalfOpen, Answer::HalfOpen, Answer::HalfOpen]);
    node.write("line 0");
    let life = async {
        sleep(seconds(500)).await;
        node.write("line 1");
        sleep(seconds(1)).await;
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!(capture.stdout, lines(2));
    let follows: Vec<u64> = capture.seen.iter().filter(|seen| seen.is_follow()).map(|seen| seen.at.as_secs()).collect();
    // 60 s after the first line, then nothing new: 120 s, 240 s.
    assert_eq!(follows, [0, 60, 180, 420]);
}

#[tokio::test(start_paused = true)]
async fn log_05_the_request_after_a_line_at_0_7_s_carries_58() {
    let node = Node::running([Answer::CleanEndAfter(seconds(1))]);
    let life = async {
        sleep(Duration::from_millis(700)).await;
        node.write("line 0");
        sleep(seconds(5)).await;
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!(capture.seen[0].query.split('?').nth(1), Some("container=claude&timestamps=true&follow=true"));
    assert!(capture.seen[1].query.ends_with("&sinceTime=2026-01-02T03:03:58Z"), "{:?}", capture.seen[1]);
    assert_eq!(capture.stdout, lines(1));
}

#[tokio::test(start_paused = true)]
async fn log_07_a_reset_in_the_middle_of_a_line_brings_the_whole_line_later() {
    for bytes in 1..160 {
        let node = Node::running([Answer::Cut { bytes, clean: bytes % 2 == 0 }]);
        let capture = capture(&node, numbered(&node, 4, Duration::from_millis(10))).await;
        assert_eq!(capture.stdout, lines(4), "cut after {bytes} bytes");
        assert_eq!(capture.report.gaps, []);
    }
}

#[tokio::test(start_paused = true)]
async fn log_09_a_notice_is_neither_delivered_nor_parsed_and_a_reconnect_follows() {
    let node = Node::running([Answer::Notice("unable to retrieve container logs for containerd://x")]);
    let life = async {
        node.write("line 0");
        sleep(seconds(20)).await;
        node.write("line 1");
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!((capture.stdout.as_str(), capture.parsed.join("|")), (lines(2).as_str(), "line 0|line 1".into()));
    assert!(capture.follows() >= 2);
}

#[tokio::test(start_paused = true)]
async fn log_10_a_container_that_ended_before_the_first_request_yields_its_output() {
    let node = Node::running([]);
    node.write("line 0");
    node.write_unterminated("open");
    node.phase(TERMINATED);
    let capture = capture(&node, async {}).await;
    assert_eq!(capture.stdout, "line 0\nopen");
    assert_eq!((capture.follows(), capture.seen.len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn log_10_a_waiting_container_is_not_asked_until_the_watch_says_it_runs() {
    let node = Node::running([Answer::Refuse(OpenError::NoLog("HTTP 400: waiting to start".into()))]);
    node.phase(ContainerPhase::Waiting);
    let life = async {
        sleep(seconds(25)).await;
        node.phase(ContainerPhase::Running);
        sleep(seconds(180)).await;
        numbered(&node, 2, seconds(1)).await;
    };
    let capture = capture(&node, life).await;
    assert_eq!(capture.stdout, lines(2));
    assert_eq!(capture.seen[0].at, seconds(25));
    assert!(capture.seen[1].at < Duration::from_millis(25_300), "a kubelet that lags behind is asked again soon");
    assert_eq!(capture.stderr, "");
}

#[tokio::test(start_paused = true)]
async fn errors_of_every_kind_are_retried_and_told_once() {
    let failed = |message: &str, seconds: Option<u64>| {
        let retry_after = seconds.map(Duration::from_secs);
        Answer::Refuse(OpenError::Failed { message: message.into(), retry_after })
    };
    let mut script = vec![failed("HTTP 429: slow down", Some(20)), Answer::Silence];
    script.extend(vec![failed("HTTP 500: dial tcp: timeout", None); 12]);
    script.push(Answer::Refuse(OpenError::NotFound("HTTP 404: pods/log not found".into())));
    let node = Node::running(script);
    let capture = capture(&node, numbered(&node, 100, seconds(10))).await;
    assert_eq!(capture.stdout, lines(100));
    assert!(capture.seen[1].at >= seconds(20), "`Retry-After` is obeyed");
    assert_eq!(capture.stderr.matches("could not be read for").count(), 1, "{}", capture.stderr);
    assert_eq!(capture.stderr.matches("can be read again").count(), 1, "{}", capture.stderr);
    assert_eq!(capture.report.gaps, []);
}

#[tokio::test(start_paused = true)]
async fn log_06_a_missing_permission_is_one_line_that_names_the_verb() {
    let forbidden = Answer::Refuse(OpenError::Forbidden("HTTP 403: pods \"run-1\" is forbidden".into()));
    let node = Node::running(vec![forbidden; 200]);
    let life = async {
        sleep(seconds(700)).await;
        node.phase(TERMINATED);
    };
    let (writer, reader) = spool(SPOOL_BYTES);
    let (host, target, (_run, give_up)) = (Host::new(Manner::Prompt), target(), watch::channel(None));
    let following = async {
        let report = follow(&node, &target, node.watch(), &writer, |_: &[u8]| {}).await;
        drop(writer);
        report
    };
    let redactor = Redactor::default();
    let (report, (), _) = tokio::join!(following, life, deliver(reader, &host, &redactor, give_up));
    let stderr = host.text(Stream::Stderr);
    assert_eq!(stderr.matches("may not `get` `pods/log` in namespace `agents`").count(), 1, "{stderr}");
    assert!(report.forbidden && !report.readable && matches!(report.tail, Tail::Unconfirmed(_)));
    assert!(node.seen().len() > 20, "it keeps trying");
}

#[tokio::test(start_paused = true)]
async fn log_06_a_rotation_during_an_outage_is_one_gap_in_its_place() {
    let node = Node::running([Answer::CleanEndAfter(seconds(2)), Answer::Silence]);
    let life = async {
        node.write("before");
        sleep(seconds(4)).await;
        node.write("lost");
        sleep(seconds(4)).await;
        node.rotate();
        node.write("after");
        sleep(seconds(60)).await;
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!(capture.stdout, "before\nafter\n");
    assert_eq!((capture.report.gaps.len(), capture.report.counters.gaps), (1, 1));
    let expected = "[paperclip] Log gap: lines between 2026-01-02T03:04:00Z and 2026-01-02T03:04:08Z may be missing";
    assert!(capture.stderr.starts_with(expected), "{}", capture.stderr);
    assert_eq!(capture.report.summary().gaps[0]["reason"], "rotated");
}

#[tokio::test(start_paused = true)]
async fn lines_that_nobody_can_place_are_delivered_after_three_quiet_connections() {
    let node = Node::running([Answer::CleanEndAfter(seconds(1))]);
    let life = async {
        node.write("before");
        sleep(Duration::from_millis(1_100)).await;
        node.rotate();
        node.write("soon after");
        sleep(seconds(30)).await;
        assert!(node.seen().len() == 4, "{:?}", node.seen());
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!(capture.stdout, "before\nsoon after\n");
    assert_eq!(capture.report.gaps.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn log_14_a_slow_host_slows_neither_reading_nor_parsing() {
    let node = Node::running([]);
    let (host, (writer, reader)) = (Host::new(Manner::Takes(Duration::from_millis(200))), spool(SPOOL_BYTES));
    let (_run, give_up) = watch::channel(None);
    let (target, redactor) = (target(), Redactor::default());
    let (parsed, start) = (std::sync::atomic::AtomicUsize::new(0), Instant::now());
    let text = "x".repeat(1_000);
    let following = async {
        let report = follow(&node, &target, node.watch(), &writer, |_: &[u8]| _ = parsed.fetch_add(1, Relaxed)).await;
        let read = start.elapsed();
        drop(writer);
        (report, read)
    };
    let life = async {
        for _ in 0..6_000 {
            node.write(&text);
        }
        sleep(seconds(1)).await;
        assert_eq!(parsed.load(Relaxed), 6_000, "the parser is up to date although the host took 5 calls");
        node.phase(TERMINATED);
    };
    let ((report, read), (), delivery) = tokio::join!(following, life, deliver(reader, &host, &redactor, give_up));
    assert!(read < seconds(2), "the tail is confirmed before the host has it: {read:?}");
    assert_eq!((report.tail, report.counters.lines), (Tail::Confirmed, 6_000));
    assert_eq!(host.text(Stream::Stdout).len(), 6_000 * 1_001);
    assert!(delivery.calls > 90 && start.elapsed() > seconds(19));
}

#[tokio::test(start_paused = true)]
async fn a_full_spool_does_not_cost_the_tail_its_time() {
    let node = Node::running(vec![Answer::Late(seconds(1)); 2]);
    let (host, (writer, reader)) = (Host::new(Manner::Takes(seconds(1))), spool(100_000));
    let (_run, give_up) = watch::channel(None);
    let (target, redactor) = (target(), Redactor::default());
    let text = "x".repeat(1_000);
    let following = async {
        let report = follow(&node, &target, node.watch(), &writer, |_: &[u8]| {}).await;
        drop(writer);
        report
    };
    let start = Instant::now();
    for _ in 0..3_000 {
        node.write(&text);
    }
    node.phase(TERMINATED);
    let (report, _) = tokio::join!(following, deliver(reader, &host, &redactor, give_up));
    assert!(start.elapsed() > seconds(40), "much longer than the 10 s for the tail");
    assert!(matches!(report.tail, Tail::Unconfirmed(_)), "it was read once");
    assert_eq!(report.counters.lines, 3_000);
    assert_eq!(host.text(Stream::Stdout).len(), 3_000 * 1_001);
}

#[tokio::test(start_paused = true)]
async fn hst_05_a_host_that_never_settles_does_not_keep_the_parser_from_the_end() {
    let node = Node::running([]);
    let (host, (writer, reader)) = (Host::new(Manner::NeverSettles), spool(10_000));
    let (run, give_up) = watch::channel(None);
    let (target, redactor) = (target(), Redactor::default());
    let mut parsed = 0;
    let following = async {
        let report = follow(&node, &target, node.watch(), &writer, |_: &[u8]| parsed += 1).await;
        drop(writer);
        report
    };
    let life = async {
        for _ in 0..1_000 {
            node.write("a line that nobody takes");
            sleep(Duration::from_millis(1)).await;
        }
        node.phase(TERMINATED);
        run.send_replace(Some(Instant::now() + seconds(30)));
    };
    let (report, (), delivery) = tokio::join!(following, life, deliver(reader, &host, &redactor, give_up));
    assert_eq!((parsed, report.tail), (1_000, Tail::Confirmed));
    assert!(delivery.undelivered.is_some_and(|bytes| bytes > 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_silent_run_is_renewed_every_hour_at_least() {
    let node = Node::running([]);
    let life = async {
        for number in 0..250 {
            node.write(&format!("line {number}"));
            sleep(seconds(50)).await;
        }
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!(capture.stdout, lines(250));
    assert_eq!(capture.follows(), 4, "250 × 50 s are 3.5 hours");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_drops_the_phase_stops_the_capture() {
    let node = Node::running([]);
    let (phase, watched) = watch::channel(ContainerPhase::Running);
    let (writer, _reader) = spool(SPOOL_BYTES);
    let target = target();
    let stopping = async {
        sleep(seconds(5)).await;
        drop(phase);
    };
    let (report, ()) = tokio::join!(follow(&node, &target, watched, &writer, |_: &[u8]| {}), stopping);
    assert_eq!(report.tail, Tail::Stopped);
}

/// The addon's runtime has two workers: both futures must be able to move between them.
#[test]
fn both_futures_are_send() {
    fn is_send<T: Send>(value: T) {
        drop(value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (node, target, (writer, reader)) = (Node::running([]), target(), spool(SPOOL_BYTES));
        is_send(follow(&node, &target, node.watch(), &writer, |_: &[u8]| {}));
        is_send(deliver(reader, &Host::new(Manner::Prompt), &Redactor::default(), watch::channel(None).1));
    });
}

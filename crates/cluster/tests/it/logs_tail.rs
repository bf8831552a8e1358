//! The tail on paused time: how the end of a log is confirmed, and what happens when it cannot be.

use std::time::Duration;

use claude_k8s_cluster::logs::{ContainerPhase, OpenError, Tail};
use tokio::time::sleep;

use crate::logs_capture::{TERMINATED, capture, lines, numbered, seconds};
use crate::logs_node::{Answer, Node};

const DELETED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: true };

#[tokio::test(start_paused = true)]
async fn log_11_a_final_read_that_is_cut_cleanly_is_read_again() {
    let first_line = "2026-01-02T03:04:00.000000000Z line 0\n".len();
    let cut = Answer::Cut { bytes: first_line, clean: true };
    let node = Node::running([cut.clone(), cut]);
    let capture = capture(&node, numbered(&node, 10, Duration::from_millis(1))).await;
    assert_eq!(capture.stdout, lines(10));
    assert_eq!(capture.seen.len(), 4, "the follow, the cut read, the whole one and one that agrees");
    assert!(matches!(capture.report.tail, Tail::Confirmed | Tail::Proven), "{:?}", capture.report);
}

#[tokio::test(start_paused = true)]
async fn log_11_an_outage_before_the_end_does_not_lengthen_the_pauses_between_final_reads() {
    let failed = Answer::Refuse(OpenError::Failed { message: "HTTP 500: dial tcp: timeout".into(), retry_after: None });
    let outage = 10;
    let node = Node::running(vec![failed; outage + 1]);
    let life = async {
        node.write("said during the outage");
        while node.seen().len() < outage {
            sleep(seconds(1)).await;
        }
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!(capture.stdout, "said during the outage\n");
    assert!(matches!(capture.report.tail, Tail::Confirmed | Tail::Proven), "{:?}", capture.report);
    assert!(capture.drain < seconds(1), "{:?}", capture.drain);
}

/// A burst: everything comes within the two seconds that every read shows again.
async fn burst(node: &Node, megabytes: usize) {
    for number in 0..megabytes * 1_000 {
        node.write(&format!("{number} {}", "x".repeat(1_000)));
    }
    sleep(Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn log_11_the_tail_of_a_burst_is_confirmed_by_its_last_lines() {
    let node = Node::running([]);
    let life = async {
        burst(&node, 2).await;
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert!(capture.seen[1].query.ends_with("sinceTime=2026-01-02T03:03:58Z&tailLines=500"), "{:?}", capture.seen);
    assert_eq!((capture.seen.len(), capture.report.tail), (2, Tail::Confirmed), "the follow ended by itself");
    assert_eq!((capture.report.counters.lines, capture.report.counters.replayed_lines), (2_000, 500));
}

#[tokio::test(start_paused = true)]
async fn log_01_a_burst_is_finished_by_the_follow_because_older_files_of_it_are_nowhere_else() {
    let node = Node::running([Answer::Lingers(seconds(1))]);
    let life = async {
        burst(&node, 2).await;
        node.phase(TERMINATED);
        // A node under load still sends what stands in rotated files.
        sleep(Duration::from_millis(700)).await;
        node.write("last");
    };
    let capture = capture(&node, life).await;
    assert!(capture.stdout.ends_with("\nlast\n"));
    assert_eq!((capture.seen.len(), capture.report.tail), (2, Tail::Confirmed), "the follow ended by itself");
    assert!(capture.drain < Duration::from_millis(400), "{:?}", capture.drain);
}

#[tokio::test(start_paused = true)]
async fn log_06_what_comes_together_with_the_end_is_taken_from_the_follow_because_it_may_be_all_of_a_new_file() {
    for late in [0, 5] {
        let node = Node::running([Answer::Lingers(seconds(1))]);
        let life = async {
            node.write("line 0");
            sleep(seconds(1)).await;
            node.rotate();
            sleep(Duration::from_millis(1)).await;
            if late > 0 {
                node.phase(TERMINATED);
                sleep(Duration::from_millis(late)).await;
            }
            node.write("line 1");
            node.phase(TERMINATED);
        };
        let capture = capture(&node, life).await;
        assert_eq!((capture.stdout, capture.report.gaps.len()), (lines(2), 0), "{}", capture.stderr);
        assert!(capture.drain <= Duration::from_millis(100), "{:?}", capture.drain);
    }
}

#[tokio::test(start_paused = true)]
async fn log_11_last_lines_that_do_not_show_the_delivered_tail_are_followed_by_a_complete_read() {
    let node = Node::running([Answer::CleanEndAfter(seconds(1))]);
    let life = async {
        burst(&node, 2).await;
        sleep(Duration::from_millis(1_100)).await;
        // The follow ended, and the watch is late.
        burst(&node, 1).await;
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!((capture.report.counters.lines, capture.report.counters.gaps), (3_000, 0));
    assert_eq!(capture.report.tail, Tail::Confirmed);
    let tails: Vec<bool> = capture.seen.iter().skip(1).map(|seen| seen.query.contains("tailLines=500")).collect();
    assert_eq!(tails, [true, false, true]);
}

#[tokio::test(start_paused = true)]
async fn log_11_an_endless_final_read_ends_at_the_bound_with_a_report() {
    let node = Node::running([Answer::CleanEndAfter(seconds(600)), Answer::Endless("2026-01-02T03:03:59.0Z x\n")]);
    let capture = capture(&node, numbered(&node, 2, seconds(1))).await;
    assert_eq!(capture.stdout, lines(2));
    assert!(capture.drain >= seconds(58) && capture.drain <= seconds(61), "{:?}", capture.drain);
    assert!(capture.stderr.contains("Log tail unconfirmed"), "{}", capture.stderr);
    assert!(!capture.report.summary().complete);
}

#[tokio::test(start_paused = true)]
async fn log_11_a_long_line_that_comes_slowly_is_read_to_its_end() {
    // 1 MiB in 16 s, twice.
    let slowly = Answer::Pieces { bytes: 64 << 10, pause: seconds(1) };
    let node = Node::running([Answer::CleanEndAfter(seconds(600)), slowly.clone(), slowly]);
    let long = "x".repeat(1 << 20);
    let life = async {
        node.write("line 0");
        sleep(seconds(599)).await;
        sleep(Duration::from_millis(1_500)).await;
        node.write(&long);
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert!(capture.stdout == format!("line 0\n{long}\n"), "{}", capture.stderr);
    assert!(matches!(capture.report.tail, Tail::Confirmed | Tail::Proven), "{:?}", capture.report.tail);
}

#[tokio::test(start_paused = true)]
async fn log_11_a_tail_that_keeps_coming_is_read_to_its_end_and_no_longer_than_five_minutes() {
    for (count, complete) in [(40, true), (400, false)] {
        let node = Node::running([Answer::Silence, Answer::Drips(seconds(1))]);
        let life = async {
            (0..count).for_each(|number| node.write(&format!("line {number}")));
            sleep(seconds(1)).await;
            node.phase(TERMINATED);
        };
        let capture = capture(&node, life).await;
        assert_eq!(capture.report.summary().complete, complete, "{:?}", capture.report.tail);
        assert_eq!(capture.stdout == lines(count), complete);
        assert!(capture.drain <= seconds(301), "{:?}", capture.drain);
        assert_eq!(capture.stderr.contains("Log tail unconfirmed"), !complete, "{}", capture.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn can_03_a_tail_of_a_deleted_pod_that_keeps_coming_is_left_after_ten_seconds() {
    let node = Node::running([Answer::Silence, Answer::Drips(seconds(1))]);
    let life = async {
        (0..40).for_each(|number| node.write(&format!("line {number}")));
        sleep(seconds(1)).await;
        node.phase(DELETED);
    };
    let capture = capture(&node, life).await;
    assert!(capture.drain <= seconds(11), "{:?}", capture.drain);
    assert!(capture.stderr.contains("Log tail unconfirmed"), "{}", capture.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_look_at_the_whole_file_that_hangs_does_not_cost_the_confirmation() {
    let whole_file = Answer::HalfOpen;
    let node = Node::running([Answer::CleanEndAfter(seconds(1)), Answer::Healthy, Answer::Healthy, whole_file]);
    let capture = capture(&node, numbered(&node, 10, seconds(1))).await;
    assert_eq!((capture.stdout, capture.report.tail), (lines(10), Tail::Confirmed));
    assert!(capture.drain < seconds(6), "{:?}", capture.drain);
}

#[tokio::test(start_paused = true)]
async fn log_11_a_log_that_the_node_removed_is_unconfirmed_without_a_gap() {
    let notice = Answer::Notice("unable to retrieve container logs for containerd://x");
    let node = Node::running([Answer::HalfOpen, notice]);
    node.write("line 0");
    let life = async {
        sleep(seconds(5)).await;
        node.rotate();
        node.phase(TERMINATED);
    };
    let capture = capture(&node, life).await;
    assert_eq!((capture.stdout.as_str(), capture.report.gaps.len()), ("line 0\n", 0));
    assert_eq!(capture.report.tail, Tail::Unconfirmed("the node removed the log".into()));
    assert!(capture.drain < seconds(4), "the open connection lingers, then one read: {:?}", capture.drain);
}

#[tokio::test(start_paused = true)]
async fn log_12_the_follow_of_a_deleted_pod_is_kept_to_its_own_end() {
    let node = Node::running([]);
    let life = async {
        node.write("line 0");
        node.phase(ContainerPhase::Deleting);
        for number in 1..2_001 {
            sleep(Duration::from_millis(10)).await;
            node.write(&format!("line {number}"));
        }
        node.phase(DELETED);
        sleep(Duration::from_millis(1)).await;
    };
    let capture = capture(&node, life).await;
    assert_eq!((capture.stdout.as_str(), capture.follows()), (lines(2_001).as_str(), 1));
    assert_eq!(capture.report.tail, Tail::Confirmed);
}

#[tokio::test(start_paused = true)]
async fn log_12_a_planned_renewal_waits_while_the_pod_is_being_deleted() {
    let node = Node::running([]);
    let life = async {
        node.phase(ContainerPhase::Deleting);
        for number in 0..80 {
            node.write(&format!("line {number}"));
            sleep(seconds(50)).await;
        }
        node.phase(DELETED);
    };
    let capture = capture(&node, life).await;
    assert_eq!((capture.follows(), capture.stdout), (1, lines(80)));
}

#[tokio::test(start_paused = true)]
async fn log_12_after_the_pod_is_gone_the_clean_end_of_the_follow_decides() {
    let gone = Answer::Refuse(OpenError::NotFound("HTTP 404: pods \"run-1\" not found".into()));
    for (answer, text, tail) in [
        (Answer::Healthy, "line 0\n", Tail::Confirmed),
        (Answer::Healthy, "line 0\nopen", Tail::Unconfirmed("HTTP 404: pods \"run-1\" not found".into())),
        (Answer::HalfOpen, "line 0\n", Tail::Unconfirmed("HTTP 404: pods \"run-1\" not found".into())),
    ] {
        let node = Node::running([answer, gone.clone()]);
        node.write("line 0");
        let life = async {
            node.phase(ContainerPhase::Deleting);
            sleep(seconds(1)).await;
            if text.ends_with("open") {
                node.write_unterminated("open");
                sleep(seconds(1)).await;
            }
            node.phase(DELETED);
        };
        let capture = capture(&node, life).await;
        assert_eq!((capture.stdout.as_str(), capture.report.tail), (text, tail));
    }
}

/// A busy node ends the follow, and has removed the log, before it posts the container's end.
#[tokio::test(start_paused = true)]
async fn log_12_a_follow_that_ends_with_the_container_shows_the_tail_though_the_end_is_known_later() {
    let gone = || Tail::Unconfirmed("the pod is gone".into());
    let ends_after = |milliseconds| Answer::CleanEndAfter(Duration::from_millis(milliseconds));
    let cut = Answer::Cut { bytes: 5, clean: true };
    let removed = Answer::Notice("unable to retrieve container logs for containerd://0");
    for (why, script, text, known_after, tail) in [
        ("known at once", vec![ends_after(2_000)], "line 0\n", 1_020, Tail::Confirmed),
        ("known after the next one", vec![ends_after(2_000), ends_after(0)], "line 0\n", 20, Tail::Confirmed),
        (
            "known late, but the log was removed at once",
            vec![ends_after(2_000), removed.clone(), removed.clone(), removed.clone()],
            "line 0\n",
            500,
            Tail::Confirmed,
        ),
        ("the next one stays", vec![ends_after(2_000), Answer::HalfOpen], "line 0\n", 1_500, gone()),
        ("known too late", vec![ends_after(2_000), Answer::Silence], "line 0\n", 1_500, gone()),
        (
            "known too late, of a log that was back",
            vec![removed, ends_after(2_000), Answer::Silence],
            "line 0\n",
            1_500,
            gone(),
        ),
        ("a text without newline", vec![ends_after(2_000)], "line 0\nopen", 1_020, gone()),
        ("the container writes on", vec![ends_after(2_000), ends_after(10)], "line 0\nline 1\n", 20, gone()),
        ("the next one is cut", vec![ends_after(2_000), cut], "line 0\n", 20, gone()),
        ("one ended in the running container", vec![ends_after(500), ends_after(1_000)], "line 0\n", 1_020, gone()),
    ] {
        let requests = script.len();
        let node = Node::running(script);
        let life = async {
            sleep(Duration::from_millis(1)).await;
            node.write("line 0");
            sleep(seconds(1)).await;
            node.phase(ContainerPhase::Deleting);
            if text.ends_with("open") {
                node.write_unterminated("open");
            }
            if why.contains("removed") {
                sleep(Duration::from_millis(1_050)).await;
                node.rotate();
            }
            while node.seen().len() < requests {
                sleep(Duration::from_millis(1)).await;
            }
            if text.contains("line 1") {
                node.write("line 1");
            }
            sleep(Duration::from_millis(known_after)).await;
            node.phase(ContainerPhase::Gone);
        };
        let capture = capture(&node, life).await;
        assert_eq!((capture.stdout.as_str(), capture.report.tail), (text, tail), "{why}: {:?}", capture.seen);
    }
}

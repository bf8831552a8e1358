//! The tail on paused time: a log that says its end is complete; without that, one read, bounded, and a report.

use std::time::Duration;

use claude_k8s_cluster::logs::{ContainerPhase, OpenError, Tail};
use claude_k8s_core::log::end_line;
use tokio::time::sleep;

use crate::logs_capture::{TERMINATED, capture, capture_to_the_end_line, lines, numbered, seconds};
use crate::logs_node::{Answer, Node};

const DELETED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: true, killed: false };
const KILLED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: false, killed: true };

fn unconfirmed(reason: &str) -> Tail {
    Tail::Unconfirmed(reason.into())
}

fn read_once() -> Tail {
    unconfirmed("the container did not say its end, and its log was read once")
}

/// The script's end.
fn say_end(node: &Node) {
    node.write("");
    node.write(&end_line("0"));
}

#[tokio::test(start_paused = true)]
async fn log_11_a_log_that_says_its_end_is_complete_although_the_container_runs() {
    let node = Node::running([]);
    let life = async {
        node.write("line 0");
        sleep(seconds(5)).await;
        say_end(&node);
    };
    let capture = capture_to_the_end_line(&node, life).await;
    assert_eq!((capture.stdout, capture.parsed), ("line 0\n".to_owned(), vec!["line 0".to_owned()]));
    assert_eq!((capture.seen.len(), capture.report.tail), (1, Tail::Ended));
    assert_eq!(capture.drain, Duration::ZERO);
    assert_eq!(capture.report.end.map(|end| end.exit_code), Some(0));
}

#[tokio::test(start_paused = true)]
async fn log_11_output_behind_the_end_line_takes_it_back() {
    let node = Node::running([]);
    let life = async {
        say_end(&node);
        node.write("printed by the agent, and this follows");
        sleep(seconds(5)).await;
        say_end(&node);
    };
    let capture = capture_to_the_end_line(&node, life).await;
    let end = end_line("0");
    assert_eq!(capture.stdout, format!("[container] {end}\nprinted by the agent, and this follows\n"));
    assert_eq!(capture.report.tail, Tail::Ended);
}

#[tokio::test(start_paused = true)]
async fn log_11_a_final_read_that_is_cut_cleanly_is_read_again_until_the_end_line_comes() {
    let first_line = "2026-01-02T03:04:00.000000000Z line 0\n".len();
    // Behind a line, and inside the next one, whose beginning must not be taken for the end of the output.
    for bytes in [first_line, 2 * first_line - 3] {
        let cut = Answer::Cut { bytes, clean: true };
        let node = Node::running([cut.clone(), cut]);
        let life = async {
            (0..10).for_each(|number| node.write(&format!("line {number}")));
            say_end(&node);
            sleep(Duration::from_millis(1)).await;
            node.phase(TERMINATED);
        };
        let capture = capture_to_the_end_line(&node, life).await;
        assert_eq!(capture.stdout, lines(10), "{bytes}");
        assert_eq!(
            (capture.seen.len(), capture.report.tail),
            (3, Tail::Ended),
            "the follow, the cut read, a whole one"
        );
        assert!(capture.drain < seconds(1), "{:?}", capture.drain);
    }
}

#[tokio::test(start_paused = true)]
async fn log_11_a_final_read_that_is_cut_cleanly_without_an_end_line_is_said_to_be_unconfirmed() {
    let first_line = "2026-01-02T03:04:00.000000000Z line 0\n".len();
    let node = Node::running([Answer::HalfOpen, Answer::Cut { bytes: first_line, clean: true }]);
    let capture = capture(&node, numbered(&node, 1, Duration::from_millis(1))).await;
    assert_eq!((capture.stdout, capture.report.tail.clone()), (lines(1), read_once()));
    assert_eq!(capture.seen.len(), 2);
    assert!(capture.stderr.contains("Log tail unconfirmed"), "{}", capture.stderr);
    assert!(!capture.report.summary().complete);
}

#[tokio::test(start_paused = true)]
async fn log_11_a_stream_that_is_cut_inside_the_end_line_is_opened_again_at_once() {
    let until_end = "2026-01-02T03:04:00.000000000Z line 0\n2026-01-02T03:04:00.000000001Z \n".len();
    for bytes in until_end..until_end + 60 {
        let node = Node::running([Answer::Cut { bytes, clean: bytes % 2 == 0 }]);
        let life = async {
            node.write("line 0");
            say_end(&node);
        };
        let capture = capture_to_the_end_line(&node, life).await;
        assert_eq!(capture.stdout, lines(1), "cut after {bytes} bytes");
        assert_eq!((capture.follows(), capture.report.tail), (2, Tail::Ended));
        assert!(capture.drain < Duration::from_millis(300), "{:?}", capture.drain);
    }
}

#[tokio::test(start_paused = true)]
async fn log_06_a_rotation_between_the_last_line_and_the_end_line_is_one_gap_and_no_wait() {
    let node = Node::running([Answer::CleanEndAfter(seconds(1))]);
    let life = async {
        node.write("line 0");
        // Behind the end of the first connection.
        sleep(Duration::from_millis(1_001)).await;
        node.rotate();
        say_end(&node);
    };
    let capture = capture_to_the_end_line(&node, life).await;
    assert_eq!(capture.stdout, lines(1));
    assert_eq!((capture.report.gaps.len(), capture.report.tail), (1, Tail::Ended));
    assert!(capture.drain < seconds(1), "{:?}", capture.drain);
}

#[tokio::test(start_paused = true)]
async fn log_11_a_killed_container_says_no_end_and_its_log_is_read_once() {
    let node = Node::running([Answer::Lingers(seconds(1))]);
    let life = async {
        node.write("line 0");
        sleep(seconds(1)).await;
        node.phase(KILLED);
    };
    let capture = capture_to_the_end_line(&node, life).await;
    assert_eq!((capture.stdout, capture.report.tail), (lines(1), Tail::Confirmed), "the follow and the read agree");
    assert_eq!(capture.seen.len(), 2);
    assert!(capture.drain <= Duration::from_millis(1_100), "{:?}", capture.drain);
}

#[tokio::test(start_paused = true)]
async fn log_11_an_end_line_that_never_comes_is_waited_for_no_longer_than_ten_seconds() {
    let node = Node::running([]);
    let life = async {
        node.write("line 0");
        node.phase(TERMINATED);
    };
    let capture = capture_to_the_end_line(&node, life).await;
    assert_eq!(capture.report.tail, unconfirmed("the line with which its log ends did not come"));
    assert!(capture.drain <= seconds(11), "{:?}", capture.drain);
}

#[tokio::test(start_paused = true)]
async fn log_01_an_empty_line_is_shown_without_waiting_for_the_next() {
    let node = Node::running([]);
    let life = async {
        node.write("line 0");
        node.write("");
        sleep(seconds(60)).await;
        say_end(&node);
    };
    let capture = capture_to_the_end_line(&node, life).await;
    assert_eq!(capture.stdout, "line 0\n\n", "its own empty line, and not the script's");
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
    assert_eq!(capture.report.tail, read_once());
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
        assert!(capture.drain <= Duration::from_millis(1_100), "{:?}", capture.drain);
    }
}

#[tokio::test(start_paused = true)]
async fn log_11_an_endless_final_read_ends_at_the_bound_with_a_report() {
    let node = Node::running([Answer::Lingers(seconds(600)), Answer::Endless("2026-01-02T03:03:59.0Z x\n")]);
    let capture = capture(&node, numbered(&node, 2, seconds(1))).await;
    assert_eq!(capture.stdout, lines(2));
    assert!(capture.drain >= seconds(58) && capture.drain <= seconds(64), "{:?}", capture.drain);
    assert!(capture.stderr.contains("Log tail unconfirmed"), "{}", capture.stderr);
    assert!(!capture.report.summary().complete);
}

#[tokio::test(start_paused = true)]
async fn log_11_a_long_line_that_comes_slowly_is_read_to_its_end() {
    // 1 MiB in 16 s, twice.
    let slowly = Answer::Pieces { bytes: 64 << 10, pause: seconds(1) };
    let node = Node::running([Answer::CleanEndAfter(seconds(600)), slowly]);
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
    assert_eq!(capture.report.tail, Tail::Confirmed);
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
        assert_eq!(capture.stdout == lines(count), complete);
        assert!(capture.drain <= seconds(301), "{:?}", capture.drain);
        assert!(capture.stderr.contains("Log tail unconfirmed"), "{}", capture.stderr);
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
    assert_eq!(capture.report.tail, unconfirmed("the node removed the log"));
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
async fn log_12_after_the_pod_is_gone_what_the_follow_showed_is_delivered() {
    let gone = Answer::Refuse(OpenError::NotFound("HTTP 404: pods \"run-1\" not found".into()));
    for (answer, text, tail) in [
        (Answer::Healthy, "line 0\n", unconfirmed("HTTP 404: pods \"run-1\" not found")),
        (Answer::Healthy, "line 0\nopen", unconfirmed("HTTP 404: pods \"run-1\" not found")),
        (Answer::HalfOpen, "line 0\n", unconfirmed("HTTP 404: pods \"run-1\" not found")),
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

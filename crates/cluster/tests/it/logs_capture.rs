//! One capture of a scripted node's log, with a prompt host, and what came out of it.

use std::time::Duration;

use claude_k8s_cluster::logs::{ContainerPhase, LogReport, LogTarget, SPOOL_BYTES, deliver, follow, spool};
use claude_k8s_core::log::Stream;
use claude_k8s_core::redact::Redactor;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::logs_node::{Host, Manner, Node, Seen, target};

pub(crate) const TERMINATED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: false, killed: false };

/// What came out of a capture.
pub(crate) struct Capture {
    pub(crate) report: LogReport,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) parsed: Vec<String>,
    pub(crate) seen: Vec<Seen>,
    /// From the end of `life` to the report.
    pub(crate) drain: Duration,
}

impl Capture {
    pub(crate) fn follows(&self) -> usize {
        self.seen.iter().filter(|seen| seen.is_follow()).count()
    }
}

/// Follows the node while `life` happens, with a prompt host. The container does not say its end.
pub(crate) async fn capture(node: &Node, life: impl Future<Output = ()>) -> Capture {
    capture_of(node, target(), life).await
}

/// The same for a container that says its end unless it is killed.
pub(crate) async fn capture_to_the_end_line(node: &Node, life: impl Future<Output = ()>) -> Capture {
    capture_of(node, LogTarget { announces_end: true, ..target() }, life).await
}

async fn capture_of(node: &Node, target: LogTarget, life: impl Future<Output = ()>) -> Capture {
    let (host, (writer, reader)) = (Host::new(Manner::Prompt), spool(SPOOL_BYTES));
    let (_run, give_up) = watch::channel(None);
    let (mut parsed, redactor) = (Vec::new(), Redactor::default());
    let mut ended = Instant::now();
    let following = async {
        let parse = |line: &[u8]| parsed.push(String::from_utf8_lossy(line).into_owned());
        let report = follow(node, &target, node.watch(), &writer, parse).await;
        drop(writer);
        (report, Instant::now())
    };
    let living = async {
        life.await;
        ended = Instant::now();
    };
    let ((report, done), (), _) = tokio::join!(following, living, deliver(reader, &host, &redactor, give_up));
    assert_eq!(node.unused(), 0, "every scripted answer was asked for");
    let (stdout, stderr) = (host.text(Stream::Stdout), host.text(Stream::Stderr));
    Capture { report, stdout, stderr, parsed, seen: node.seen(), drain: done.saturating_duration_since(ended) }
}

/// Writes `count` numbered lines, one per `pause`, and ends the container.
pub(crate) async fn numbered(node: &Node, count: usize, pause: Duration) {
    for number in 0..count {
        node.write(&format!("line {number}"));
        sleep(pause).await;
    }
    node.phase(TERMINATED);
}

pub(crate) fn lines(count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|number| format!("line {number}\n")).collect();
    lines.concat()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

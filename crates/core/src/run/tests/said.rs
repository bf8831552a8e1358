//! The container's own end line: what it decides at once, and what the cluster is asked about first.

use super::*;
use crate::log::EndLine;
use crate::outcome::{ContainerEnd, PlatformLoss};
use crate::run::Fate;

/// The log up to its end line.
fn said(exit_code: u8, good_result: bool) -> Input {
    Input::LogEnded(LogSummary { end: Some(EndLine { exit_code }), good_result, ..log() })
}

#[track_caller]
fn exit_of(run: &Run) -> &Terminated {
    match &run.ending().container {
        ContainerEnd::Said(end) => end,
        other => panic!("not by its own word: {other:?}"),
    }
}

#[test]
fn end_10_exit_code_0_behind_a_good_result_decides_at_once_whatever_the_cluster_says() {
    let pods = [running(), deleting(running(), 90), failed(running(), ""), absent(running())];
    for pod in pods {
        let run = Run::running(unbounded()).sees(99, job(), [pod.clone()]).on(100, said(0, true));
        assert_eq!(run.commands, [], "{pod:?}");
        let end = exit_of(&run);
        assert_eq!((end.exit_code, end.started_at, end.finished_at), (0, Some(at(0)), Some(at(100))), "{pod:?}");
        assert_eq!(run.ending().log.end, Some(EndLine { exit_code: 0 }));
        assert_eq!((run.ending().fate(false), run.ending().fate(true)), (Fate::Delete, Fate::Retain), "{pod:?}");
    }
    // Without contact, too: there is nothing to ask.
    exit_of(&Run::running(unbounded()).loses_contact(1).on(2, said(0, true)));
}

#[test]
fn a_node_whose_clock_is_ahead_does_not_end_a_container_before_its_start() {
    let mut pod = running();
    pod.claude.state = ContainerState::Running { started_at: Some(at(500)) };
    let run = Run::running(unbounded()).sees(1, job(), [pod]).on(100, said(0, true));
    assert_eq!(exit_of(&run).finished_at, Some(at(500)));
}

#[test]
fn end_01_every_other_end_line_asks_the_cluster_before_the_verdict() {
    for (exit_code, good) in [(0, false), (1, true), (1, false), (137, true)] {
        let run = Run::running(unbounded()).on(10, said(exit_code, good));
        run.is("AwaitingState");
        assert_eq!((run.commands.as_slice(), run.wakes()), (&[][..], Some(40)));
        let mut pod = exited(exit_code.into());
        if let ContainerState::Terminated(end) = &mut pod.claude.state {
            end.reason = Some("OOMKilled".into());
        }
        let run = run.sees(11, job(), [pod]);
        assert!(
            matches!(&run.ending().container, ContainerEnd::Exited(end) if end.reason.as_deref() == Some("OOMKilled")),
            "{exit_code} {good}"
        );
    }
}

#[test]
fn end_01_a_good_result_of_a_log_with_an_unread_end_is_no_end() {
    let cut = LogSummary { complete: false, end: Some(EndLine { exit_code: 0 }), good_result: true, ..log() };
    Run::running(unbounded()).on(1, Input::LogEnded(cut)).is("AwaitingState");
    let unsaid = LogSummary { good_result: true, ..log() };
    Run::running(unbounded()).on(1, Input::LogEnded(unsaid)).is("Running");
}

#[test]
fn end_05_the_reason_of_a_kill_is_waited_for_behind_an_end_line_as_well() {
    let run = Run::running(limited(60)).on(50, said(143, false)).sees(51, job(), [exited(143)]);
    run.is("Draining");
    let run = run.sees(52, job(), [failed(exited(143), "DeadlineExceeded")]);
    assert!(run.ending().deadline_passed);
}

#[test]
fn end_11_a_kubelet_that_reports_no_end_has_30_s_in_contact_and_then_the_containers_word_has_to_do() {
    let run = Run::running(unbounded()).on(10, said(3, false)).ticks(39);
    run.is("AwaitingState");
    let run = run.ticks(40);
    assert_eq!(exit_of(&run).exit_code, 3);
    assert_eq!((run.ending().fate(false), run.ending().fate(true)), (Fate::Delete, Fate::Retain));
}

#[test]
fn end_02_without_contact_the_word_of_a_failed_container_waits_ten_minutes_for_the_clusters() {
    let run = Run::running(unbounded()).loses_contact(5).on(10, said(3, false)).ticks(600);
    run.is("AwaitingState");
    assert_eq!(run.wakes(), Some(610));
    let known = run.sees(609, job(), [failed(exited(3), "Evicted")]);
    assert!(matches!(&known.ending().platform, Some(PlatformLoss::Evicted { .. })));
    let run = Run::running(unbounded()).loses_contact(5).on(10, said(3, false)).ticks(610);
    assert_eq!(exit_of(&run).exit_code, 3);
}

#[test]
fn can_03_a_cancel_asks_for_the_end_of_the_pods_although_the_container_said_its_own() {
    for input in [said(1, false), said(0, false)] {
        let run = Run::running(unbounded()).on(10, input).on(11, Input::Cancel);
        assert_eq!(run.deletes(), [DeleteReason::Cancelled]);
        let run = run.ticks(40);
        run.is("Stopping");
        assert!(!run.ticks(56).ending().termination_verified, "its word is no proof");
    }
    // The other way round: the last words of a container that is being stopped.
    let run = Run::running(unbounded()).on(10, Input::Cancel).on(10, Input::Deleted).on(11, said(0, true));
    run.is("Stopping");
    let run = run.sees(12, absent_job(), [deleting(exited(0), 10)]);
    assert!(run.ending().termination_verified && matches!(run.ending().container, ContainerEnd::Exited(_)));
}

#[test]
fn end_04_a_deadline_that_has_begun_to_act_asks_for_the_real_end() {
    let run = Run::running(limited(60)).ticks(60).on(61, said(0, true));
    run.is("Stopping");
    run.sees(62, job(), [exited(0)]).ending();
    // Before it acts, the end comes first.
    assert!(!Run::running(limited(60)).on(61, said(0, true)).ending().deadline_passed);
}

#[test]
fn a_pod_that_goes_without_a_state_leaves_the_containers_word() {
    let run = Run::running(unbounded()).on(1, said(1, false)).sees(2, job(), [absent(running())]);
    let run =
        run.on(3, Input::Proven(ProofOf::Pod, Proof::Gone)).sees(4, with(job(), "Failed", "x"), [absent(running())]);
    assert_eq!(exit_of(&run).exit_code, 1);
}

#[test]
fn end_14_a_container_that_said_its_end_was_not_taken_away_by_a_second_pod() {
    for (exit_code, taken) in [(1, false), (143, true)] {
        let run = Run::running(unbounded()).on(1, said(exit_code, false)).sees(2, job(), [running(), second_pod()]);
        assert_eq!(run.deletes(), [DeleteReason::Replaced]);
        let run = run.ticks(47);
        assert_eq!(run.ending().platform.is_some(), taken, "{exit_code}");
    }
}

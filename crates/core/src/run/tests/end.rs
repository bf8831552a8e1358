//! Ends that nobody here ordered: exits, deletions, evictions, lost nodes, and everything that is no end.

use super::*;
use crate::log::ContainerPhase;
use crate::outcome::{ContainerEnd, PlatformLoss};

fn proves(run: &Run) -> Vec<ProofOf> {
    let of = |command: &Command| if let Command::Prove(of) = command { Some(*of) } else { None };
    run.commands.iter().filter_map(of).collect()
}

#[test]
fn end_01_neither_the_end_of_a_log_nor_silence_nor_lost_contact_ends_a_run() {
    let run = Run::running(unbounded()).log_ends(1).ticks(1200).log_ends(1201).loses_contact(1300).log_ends(90_000);
    run.is("Running");
    assert_eq!(run.deletes(), []);
    run.sees(90_001, job(), [running()]).log_ends(90_002).is("Running");
}

#[test]
fn end_10_the_container_state_is_enough_without_phase_or_job_condition() {
    for code in [0, 1, 7] {
        let run = Run::running(unbounded()).sees(100, job(), [exited(code)]);
        assert!(
            run.commands.contains(&Command::LogPhase(ContainerPhase::Terminated { pod_deleted: false, killed: false }))
        );
        let run = run.log_ends(100);
        assert!(matches!(&run.ending().container, ContainerEnd::Exited(end) if end.exit_code == code));
        assert_eq!(run.ending().log, log());
    }
}

#[test]
fn an_ended_container_is_decided_only_when_its_log_is_read() {
    let run = Run::running(unbounded()).sees(1, job(), [exited(0)]).ticks(3600);
    run.is("Draining");
    assert_eq!(run.wakes(), None);
}

#[test]
fn end_05_the_reason_of_a_kill_is_waited_for_because_it_comes_after_the_container_state() {
    for code in [137, 143] {
        let killed = Run::running(limited(60)).sees(50, job(), [exited(code)]).log_ends(50);
        killed.is("Draining");
        assert_eq!(killed.wakes(), Some(55));
        let overrun = killed.sees(51, job(), [failed(exited(code), "DeadlineExceeded")]);
        assert!(overrun.ending().deadline_passed && overrun.ending().termination_verified);

        let killed = Run::running(unbounded()).sees(50, job(), [exited(code)]).log_ends(50);
        let evicted = killed.sees(51, job(), [failed(exited(code), "Evicted")]);
        assert!(matches!(evicted.ending().platform, Some(PlatformLoss::Evicted { .. })));

        let killed = Run::running(unbounded()).sees(50, job(), [exited(code)]).log_ends(50);
        assert!(killed.ticks(55).ending().platform.is_none(), "nothing came: the exit code is all there is");
    }
}

#[test]
fn end_05_the_backstop_of_the_job_deletes_the_pod_first_and_says_why_later() {
    let run = Run::running(limited(60)).sees(50, job(), [deleting(running(), 49)]);
    run.is("Running");
    let run = run.sees(51, job(), [deleting(exited(143), 49)]).log_ends(51);
    run.is("Draining");
    let run = run.sees(52, with(job(), "FailureTarget", "DeadlineExceeded"), [deleting(exited(143), 49)]);
    assert!(run.ending().deadline_passed);
}

#[test]
fn an_explained_kill_is_decided_at_once() {
    let out_of_memory = {
        let mut pod = exited(137);
        if let ContainerState::Terminated(end) = &mut pod.claude.state {
            end.reason = Some("OOMKilled".into());
        }
        pod
    };
    for pod in [out_of_memory, failed(exited(137), ""), disrupted(deleting(exited(143), 1), "EvictionByEvictionAPI")] {
        Run::running(unbounded()).sees(1, job(), [pod]).log_ends(1).ending();
    }
}

#[test]
fn end_13_a_decided_job_is_not_a_finished_one() {
    let decided = with(job(), "FailureTarget", "BackoffLimitExceeded");
    let run = Run::running(unbounded()).sees(1, decided, [running()]).ticks(600);
    run.is("Running");
    let run = run.sees(601, with(job(), "SuccessCriteriaMet", "x"), [running()]).ticks(1200);
    run.is("Running");
}

#[test]
fn a_finished_job_whose_container_never_reports_is_given_up_after_the_grace() {
    let run = Run::running(unbounded()).sees(1, with(job(), "Failed", "BackoffLimitExceeded"), [running()]);
    run.is("AwaitingState");
    let run = run.ticks(30);
    run.is("AwaitingState");
    let run = run.ticks(31);
    run.is("Draining");
    assert_eq!(run.deletes(), []);

    // An old server finishes the Job while the deleted pod still has its grace period.
    let run = Run::running(unbounded()).sees(1, with(job(), "Failed", "x"), [deleting(running(), 0)]);
    run.is("Running");
}

#[test]
fn end_13_a_silent_node_is_bounded_by_grace_and_slack_on_our_clock_and_named() {
    // The server's clock is an hour behind: what counts is when the deletion was first seen here.
    let run = Run::running(unbounded()).sees(100, job(), [deleting(running(), -3600)]).ticks(189);
    run.is("Running");
    let run = run.ticks(190).log_ends(191);
    assert_eq!(run.ending().platform, Some(PlatformLoss::NodeLost { node: "node-a".into() }));
    assert_eq!(run.ending().container, ContainerEnd::Running);
    assert_eq!(run.ending().deletion, None, "the platform deleted the pod of a dead node");
    assert_eq!(run.deletes(), []);
}

#[test]
fn end_13_a_node_that_reports_in_the_end_was_not_lost() {
    let run = Run::running(unbounded()).sees(100, job(), [deleting(running(), 100)]).ticks(190);
    let run = run.sees(191, job(), [failed(deleting(exited(143), 100), "")]).ticks(196).log_ends(197);
    assert_eq!(run.ending().platform, None);
    assert!(matches!(run.ending().container, ContainerEnd::Exited(_)));
}

#[test]
fn end_02_a_node_is_not_lost_because_the_api_server_is() {
    let run = Run::running(unbounded()).sees(100, job(), [deleting(running(), 100)]).loses_contact(105).ticks(9000);
    run.is("Running");
    let run = run.sees(9001, with(job(), "Failed", "x"), [absent(exited(0))]).log_ends(9001);
    assert_eq!(run.ending().platform, None);
    assert!(matches!(run.ending().container, ContainerEnd::Exited(_)));
}

#[test]
fn end_11_three_findings_stay_three() {
    let late = Run::running(unbounded()).sees(1, job(), [failed(running(), "")]);
    late.is("AwaitingState");
    let known = late.sees(4, job(), [failed(exited(3), "")]).log_ends(4);
    assert!(matches!(&known.ending().container, ContainerEnd::Exited(end) if end.exit_code == 3));

    let never = Run::running(unbounded()).sees(1, job(), [failed(running(), "")]).ticks(30);
    never.is("AwaitingState");
    let never = never.ticks(31).log_ends(31);
    assert_eq!(never.ending().container, ContainerEnd::NotReported { pod_phase: "Failed".into() });
    assert_eq!(never.ending().deletion, None);

    let gone =
        Run::running(unbounded()).sees(1, job(), [absent(running())]).on(2, Input::Proven(ProofOf::Pod, Proof::Gone));
    let gone = gone.sees(3, with(job(), "Failed", "x"), [absent(running())]).log_ends(3);
    assert_eq!(gone.ending().container, ContainerEnd::PodGone);
}

#[test]
fn end_02_the_grace_for_a_late_state_does_not_run_out_without_contact() {
    let run = Run::running(unbounded()).sees(1, job(), [failed(running(), "")]).loses_contact(2).ticks(900);
    run.is("AwaitingState");
    assert_eq!(run.wakes(), None);
    let run = run.sees(901, job(), [failed(exited(3), "")]).log_ends(901);
    assert!(matches!(&run.ending().container, ContainerEnd::Exited(end) if end.exit_code == 3));
}

#[test]
fn end_07_absence_is_a_claim_that_is_asked_about_every_five_seconds() {
    let mut run = Run::running(unbounded()).sees(1, absent_job(), [absent(running())]);
    assert_eq!(proves(&run), [ProofOf::Pod, ProofOf::Job]);
    for (second, answer) in [(2, Proof::Present), (3, Proof::Unknown)] {
        run = run.on(second, Input::Proven(ProofOf::Pod, answer)).on(second, Input::Proven(ProofOf::Job, answer));
        assert_eq!(proves(&run), []);
        run.is("Running");
    }
    assert_eq!(run.wakes(), Some(6));
    let run = run.ticks(6);
    assert_eq!(proves(&run), [ProofOf::Pod, ProofOf::Job]);
    let run = run.ticks(3600).sees(3601, job(), [running()]).ticks(3607);
    run.is("Running");
    assert_eq!(proves(&run), []);
}

#[test]
fn end_07_nothing_is_proven_without_contact() {
    let run = Run::running(unbounded());
    let stale = RunView { stale_since: Some(at(1)), ..view(absent_job(), [absent(running())]) };
    assert_eq!(proves(&run.on(1, Input::View(stale))), []);
}

#[test]
fn end_07_a_proven_deletion_is_recorded_with_its_circumstances() {
    for (of, proof, detected_via) in [
        (ProofOf::Job, Proof::Gone, "job_404"),
        (ProofOf::Pod, Proof::Gone, "pod_404"),
        (ProofOf::Job, Proof::OtherUid, "other_uid"),
    ] {
        let gone = JobFacts { absent: true, ..with(job(), "FailureTarget", "BackoffLimitExceeded") };
        let run = Run::running(unbounded()).sees(10, gone, [absent(running())]).on(12, Input::Proven(of, proof));
        let run = run.on(13, Input::Proven(ProofOf::Pod, Proof::Gone)).on(13, Input::Proven(ProofOf::Job, Proof::Gone));
        let run = run.log_ends(14);
        let deletion = run.ending().deletion.clone().unwrap();
        assert_eq!(deletion.detected_via, detected_via);
        assert_eq!(deletion.job_conditions, ["FailureTarget=BackoffLimitExceeded"]);
        assert_eq!(deletion.elapsed_since_running, Some(12));
        assert_eq!(run.ending().container, ContainerEnd::PodGone);
    }
}

#[test]
fn a_pod_that_is_gone_while_its_job_stays_waits_for_the_jobs_word() {
    let gone = || {
        Run::running(unbounded()).sees(1, job(), [absent(running())]).on(2, Input::Proven(ProofOf::Pod, Proof::Gone))
    };
    gone().is("AwaitingState");
    let deadline = gone().sees(5, with(job(), "Failed", "DeadlineExceeded"), [absent(running())]).log_ends(5);
    assert!(deadline.ending().deadline_passed);
    let nothing = gone().ticks(31);
    nothing.is("AwaitingState");
    nothing.ticks(32).is("Draining");
}

#[test]
fn a_pod_that_is_left_behind_by_its_deleted_job_gets_45_s() {
    let run =
        Run::running(unbounded()).sees(10, absent_job(), [running()]).on(12, Input::Proven(ProofOf::Job, Proof::Gone));
    run.is("Running");
    let ended = run.sees(13, absent_job(), [exited(0)]).log_ends(13);
    assert!(matches!(&ended.ending().container, ContainerEnd::Exited(end) if end.exit_code == 0));

    let run =
        Run::running(unbounded()).sees(10, absent_job(), [running()]).on(12, Input::Proven(ProofOf::Job, Proof::Gone));
    let run = run.ticks(56);
    run.is("Running");
    let run = run.ticks(57).log_ends(57);
    assert_eq!(run.ending().deletion.as_ref().unwrap().detected_via, "job_404");
    assert_eq!(run.ending().container, ContainerEnd::Running);
}

#[test]
fn a_deletion_that_the_objects_themselves_show_is_observed() {
    let deleted_job = JobFacts { deletion_timestamp: Some(at(5)), ..job() };
    for (job_facts, pod, detected_via) in [
        (deleted_job, exited(143), Some("job_deletion")),
        (with(job(), "FailureTarget", "BackoffLimitExceeded"), deleting(exited(143), 5), Some("pod_deletion")),
        (job(), disrupted(deleting(exited(143), 5), "DeletionByTaintManager"), None),
    ] {
        let run = Run::running(unbounded()).sees(6, job_facts, [failed(pod, "")]).log_ends(6);
        assert_eq!(run.ending().deletion.as_ref().map(|deletion| deletion.detected_via.as_str()), detected_via);
    }
}

#[test]
fn evictions_are_named_by_condition_or_reason() {
    for (pod, reason) in [
        (disrupted(exited(143), "PreemptionByScheduler"), "PreemptionByScheduler"),
        (failed(exited(137), "Evicted"), "Evicted"),
        (failed(exited(143), "Terminated"), "Terminated"),
        (failed(running(), "NodeShutdown"), "NodeShutdown"),
    ] {
        let run = Run::running(unbounded()).sees(1, job(), [pod]).ticks(31).log_ends(31);
        assert!(matches!(&run.ending().platform, Some(PlatformLoss::Evicted { reason: seen, .. }) if seen == reason));
    }
}

#[test]
fn a_finished_job_that_is_adopted_is_drained_at_once() {
    let bounds = Bounds { adopted: true, ..unbounded() };
    let run = Run::adopted(bounds.clone(), view(with(job(), "Complete", ""), [exited(0)]));
    run.is("Draining");
    assert!(run.commands.contains(&Command::Started));
    // Its pod is gone: whether and how it ran is unknown, not "never".
    let run = Run::adopted(bounds, view(with(job(), "Complete", ""), [])).log_ends(1);
    assert_eq!(run.ending().container, ContainerEnd::PodGone);
}

#[test]
fn the_log_follower_hears_of_every_change_once() {
    let phases = |run: &Run| -> Vec<ContainerPhase> {
        let phase = |command: &Command| if let Command::LogPhase(phase) = command { Some(*phase) } else { None };
        run.commands.iter().filter_map(phase).collect()
    };
    let run = Run::released(unbounded());
    assert_eq!(phases(&run), []);
    let run = run.sees(1, job(), [waiting("ContainerCreating", "")]);
    assert_eq!(phases(&run), []);
    let run = run.sees(2, job(), [running()]);
    assert_eq!(phases(&run), [ContainerPhase::Running]);
    let run = run.sees(3, job(), [deleting(running(), 3)]);
    assert_eq!(phases(&run), [ContainerPhase::Deleting]);
    let run = run.sees(4, job(), [deleting(exited(143), 3)]);
    assert_eq!(phases(&run), [ContainerPhase::Terminated { pod_deleted: true, killed: false }]);
    assert_eq!(phases(&run.ticks(5)), []);
    let run = Run::running(unbounded()).sees(1, job(), [failed(running(), "")]).ticks(31);
    assert_eq!(phases(&run), [ContainerPhase::Gone]);
}

fn lost(exit_code: i32, reason: &str) -> PodFacts {
    let mut pod = PodFacts { announces_end: true, ..running() };
    let reason = Some(reason.to_owned());
    pod.claude.state = ContainerState::Terminated(Terminated { exit_code, reason, ..Terminated::default() });
    pod
}

#[test]
fn fld_17_a_container_that_the_node_lost_is_a_loss_of_the_platform() {
    for (code, reason) in [(255, "Unknown"), (137, "ContainerStatusUnknown")] {
        // A reason of the pod may come a few seconds later.
        let run = Run::running(unbounded()).sees(5, job(), [lost(code, reason)]).log_ends(6).ticks(20);
        let expected = PlatformLoss::ContainerLost { reason: reason.into(), message: String::new() };
        assert_eq!(run.ending().platform, Some(expected), "{code} {reason}");
    }
    let shut_down = PodFacts { reason: Some("Terminated".into()), ..failed(lost(255, "Unknown"), "Terminated") };
    let run = Run::running(unbounded()).sees(5, job(), [shut_down]).log_ends(6);
    assert!(matches!(run.ending().platform, Some(PlatformLoss::Evicted { .. })), "a shutdown says so itself");
}

#[test]
fn fld_17_a_process_that_says_its_own_255_or_is_deleted_was_not_lost() {
    let said = LogSummary { end: Some(crate::log::EndLine { exit_code: 255 }), ..log() };
    let run = Run::running(unbounded()).sees(5, job(), [lost(255, "Error")]).on(6, Input::LogEnded(said));
    assert_eq!(run.ending().platform, None);
    let run = Run::running(unbounded())
        .sees(5, job(), [deleting(lost(137, "ContainerStatusUnknown"), 1)])
        .log_ends(6)
        .ticks(60);
    assert_eq!(run.ending().platform, None);
    assert!(run.ending().deletion.is_some());
    let run = Run::running(unbounded()).sees(5, job(), [lost(255, "Error")]).log_ends(6);
    assert_eq!(run.ending().platform, None, "an image that cannot be executed ends like this, too");
}

#[test]
fn fld_18_an_eviction_for_the_pods_own_limit_names_the_key_and_one_for_the_node_stays_what_it_is() {
    for (message, key) in [
        ("Usage of EmptyDir volume \"paperclip-scratch\" exceeds the limit \"1Mi\". ", Some("cacheSizeLimit")),
        ("Usage of EmptyDir volume \"mine\" exceeds the limit \"1Mi\". ", Some("podTemplate")),
        (
            "Container claude exceeded its local ephemeral storage limit \"1Gi\". ",
            Some("resources.limits.ephemeral-storage"),
        ),
        (
            "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
            Some("resources.limits.ephemeral-storage"),
        ),
        ("The node was low on resource: ephemeral-storage. Container claude was using 5Gi, request is 0. ", None),
        ("The node was low on resource: memory.", None),
    ] {
        let pod = PodFacts { message: Some(message.into()), ..failed(exited(137), "Evicted") };
        let run = Run::running(unbounded()).sees(5, job(), [pod]).log_ends(6);
        let key = key.map(|key| PlatformLoss::OverLimit { message: message.into(), key });
        let node = PlatformLoss::Evicted { reason: "Evicted".into(), message: message.into() };
        assert_eq!(run.ending().platform, Some(key.unwrap_or(node)), "{message}");
    }
}

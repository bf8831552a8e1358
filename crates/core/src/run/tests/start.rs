//! Queue, schedule and start-up.

use super::*;
use crate::names::key;
use crate::outcome::{ContainerEnd, PlatformLoss};
use crate::plan::ClaimsInUse;
use crate::run::Cause;

fn bounded() -> Bounds {
    Bounds { schedule: Some(seconds(600)), startup: Some(seconds(300)), ..unbounded() }
}

fn queued() -> Bounds {
    Bounds { queued: true, ..bounded() }
}

fn unschedulable() -> PodFacts {
    PodFacts { unscheduled: Some(("Unschedulable".into(), "0/3 nodes are available".into())), ..pod() }
}

/// The answer of a server that knows no events, or may not tell.
fn no_causes() -> Input {
    Input::Events(vec![])
}

fn in_queue(name: &str) -> JobFacts {
    let mut job = suspended(job());
    job.labels.insert(key::QUEUE_NAME.into(), name.into());
    job
}

/// Seconds at which something is said, and the first text.
fn told(mut run: Run, until: i64) -> (Vec<i64>, String) {
    let (mut times, mut first) = (vec![], String::new());
    for second in 1..=until {
        run = run.ticks(second);
        if let Some(text) = run.says().first() {
            if first.is_empty() {
                (*text).clone_into(&mut first);
            }
            times.push(second);
        }
    }
    (times, first)
}

#[test]
fn fld_15_a_queue_may_take_as_long_as_it_likes_but_not_without_a_word() {
    let run = Run::adopted(queued(), view(in_queue("team-a"), []));
    run.is("Queued");
    assert_eq!(run.wakes(), Some(5), "the look at the events comes first");
    let (times, first) = told(run, 200);
    assert_eq!(times, [10, 70, 130, 190]);
    assert_eq!(first, "waiting for 10 s in queue `team-a`: it has not admitted Job job-1");
    let run = Run::adopted(queued(), view(in_queue("team-a"), [])).ticks(86_400);
    run.is("Queued");
    let run = run.sees(86_400, job(), []);
    run.is("Scheduling");
    assert_eq!(run.ticks(86_400 + 599).deletes(), []);
}

#[test]
fn fld_15_a_queue_that_a_policy_chose_is_waited_for_like_our_own() {
    let run = Run::released(bounded()).sees(1, in_queue("default"), []);
    run.is("Queued");
    let (times, first) = told(run, 100);
    assert_eq!((times, first.contains("queue `default`")), (vec![11, 71], true));
}

#[test]
fn fld_15_a_job_that_nobody_queued_and_somebody_suspended_is_told_as_that() {
    let run = Run::released(bounded()).sees(1, suspended(job()), []);
    let (times, first) = told(run, 700);
    assert_eq!(times.first(), Some(&11));
    assert!(first.contains("suspended for 10 s although nobody queued it"), "{first}");
    let run = Run::released(bounded()).sees(1, suspended(job()), []).ticks(650).sees(660, job(), []);
    run.is("Scheduling");
    assert_eq!(run.ticks(700).deletes(), [], "the bound of the schedule begins with the admission");
}

#[test]
fn fld_15_a_queue_that_does_not_exist_is_named_as_soon_as_the_events_do() {
    let run = Run::adopted(queued(), view(in_queue("nowhere"), [])).ticks(5);
    assert_eq!(run.commands, [Command::ReadEvents]);
    let missing = || Input::Events(vec!["Inadmissible: LocalQueue nowhere doesn't exist".into()]);
    let run = run.on(6, missing());
    assert_eq!(run.says(), ["waiting for the queue: Inadmissible: LocalQueue nowhere doesn't exist"]);
    assert_eq!(run.on(9, missing()).says(), [""; 0], "told once");
}

#[test]
fn fld_15_the_bound_of_the_queue_ends_the_wait_and_names_it() {
    let bounds = Bounds { queue: Some(seconds(300)), ..queued() };
    let run = Run::adopted(bounds.clone(), view(in_queue("team-a"), []));
    let run = run.on(6, Input::Events(vec!["Pending: insufficient quota".into()])).ticks(299);
    assert_eq!(run.deletes(), []);
    let stale = Run::adopted(bounds, view(in_queue("team-a"), [])).loses_contact(1).ticks(301);
    assert_eq!(stale.deletes(), [], "without contact it may have been admitted");
    let run = run.ticks(300);
    assert_eq!(run.deletes(), [DeleteReason::CannotStart]);
    let run = run.on(300, Input::Deleted).on(300, no_causes()).sees(301, absent_job(), []).log_ends(301);
    let failure = run.ending().start_failure.clone().unwrap();
    assert!(failure.is_unscheduled(), "it may pass");
    assert_eq!(
        failure.message(),
        "The Job was not admitted within 300s (queueTimeoutSec): queue `team-a` has not admitted it; events: Pending: insufficient quota"
    );
}

fn refused(times: u32) -> Input {
    let text = "FailedCreate: Error creating: pods \"job-1-*\" is forbidden: violates PodSecurity \"restricted\"";
    Input::Events(vec![Cause { text: text.into(), times }])
}

#[test]
fn fld_16_a_pod_that_admission_refuses_three_times_alike_ends_the_run_at_once() {
    let run = Run::released(bounded()).ticks(15).on(15, refused(2));
    assert_eq!((run.deletes(), run.wakes()), (vec![], Some(30)), "looked at again soon");
    let run = run.ticks(30).on(30, refused(4));
    assert_eq!(run.deletes(), [DeleteReason::CannotStart]);
    let run = run.on(31, Input::Deleted).on(31, refused(4)).sees(32, absent_job(), []).log_ends(32);
    let failure = run.ending().start_failure.clone().unwrap();
    assert!(!failure.is_unscheduled(), "it will not pass");
    assert_eq!(failure.message().matches("violates PodSecurity").count(), 1, "{}", failure.message());
}

#[test]
fn fld_16_a_quota_is_waited_for_until_the_bound_and_a_pod_that_came_is_no_refusal() {
    let full = || Input::Events(vec![Cause { text: "FailedCreate: exceeded quota: q is forbidden".into(), times: 40 }]);
    let run = Run::released(bounded()).on(15, full()).ticks(599);
    assert_eq!(run.deletes(), []);
    assert_eq!(run.ticks(600).deletes(), [DeleteReason::CannotStart]);
    let run = Run::released(bounded()).sees(1, job(), [unschedulable()]).on(15, refused(9));
    assert_eq!(run.deletes(), []);
}

#[test]
fn an_admission_that_is_taken_back_before_a_pod_came_is_waited_for_again() {
    let run = Run::adopted(queued(), view(suspended(job()), [])).sees(10, job(), []).sees(20, suspended(job()), []);
    run.is("Queued");
    let run = run.sees(5000, job(), []);
    run.is("Scheduling");
    assert_eq!(run.ticks(5599).deletes(), []);
}

#[test]
fn a_queued_job_that_is_proven_gone_ends_the_run() {
    let run =
        Run::adopted(queued(), view(suspended(job()), [])).sees(5, JobFacts { absent: true, ..suspended(job()) }, []);
    assert_eq!(run.commands, [Command::Prove(ProofOf::Job)]);
    let run = run.on(6, Input::Proven(ProofOf::Job, Proof::Gone)).log_ends(6);
    assert_eq!(run.ending().container, ContainerEnd::NeverStarted);
    assert_eq!(run.ending().deletion.as_ref().unwrap().detected_via, "job_404");
}

#[test]
fn pod_01_each_step_has_its_own_bound_and_the_message_names_it() {
    let run = Run::released(bounded()).sees(1, job(), [unschedulable()]);
    let run = run.ticks(599);
    assert_eq!(run.deletes(), []);
    let run = run.ticks(600);
    assert_eq!(run.deletes(), [DeleteReason::CannotStart]);
    let run = run
        .on(600, Input::Deleted)
        .on(600, no_causes())
        .sees(601, absent_job(), [absent(unschedulable())])
        .log_ends(601);
    let failure = run.ending().start_failure.clone().unwrap();
    assert!(failure.is_unscheduled());
    assert_eq!(
        failure.message(),
        "Pod did not start within 600s (scheduleTimeoutSec): pod Pending, Unschedulable: 0/3 nodes are available"
    );
    assert!(run.ending().termination_verified);

    let pulling = waiting("ImagePullBackOff", "Back-off pulling image");
    let run = Run::released(bounded()).sees(590, job(), [pulling.clone()]).ticks(889);
    assert_eq!(run.deletes(), []);
    let run = run.ticks(890);
    assert_eq!(run.deletes(), [DeleteReason::CannotStart]);
    let run = run.on(890, Input::Deleted).on(890, no_causes()).sees(891, absent_job(), [absent(pulling)]).log_ends(891);
    let failure = run.ending().start_failure.clone().unwrap();
    assert!(!failure.is_unscheduled());
    assert_eq!(
        failure.message(),
        "Pod did not start within 300s (startupTimeoutSec): pod Pending, container waiting: ImagePullBackOff: Back-off pulling image"
    );
    assert_eq!(run.ending().container, ContainerEnd::NeverStarted);
}

#[test]
fn a_bound_of_zero_never_ends_a_start() {
    let run = Run::released(unbounded()).sees(1, job(), [unschedulable()]).ticks(30 * 86_400);
    run.is("Scheduling");
    let run = run.sees(30 * 86_400, job(), [waiting("ImagePullBackOff", "")]).ticks(60 * 86_400);
    run.is("Starting");
}

#[test]
fn end_02_no_bound_is_over_while_the_api_server_cannot_be_reached() {
    let run = Run::released(bounded()).loses_contact(10).ticks(5000);
    assert_eq!(run.deletes(), []);
    let run = run.sees(5001, job(), [running()]);
    run.is("Running");
    assert_eq!(run.deletes(), []);

    let config_error = waiting("CreateContainerConfigError", "secret not found");
    let run = Run::released(bounded()).sees(1, job(), [config_error]).loses_contact(2).ticks(5000);
    assert_eq!(run.deletes(), []);
}

#[test]
fn pod_02_waiting_for_a_node_is_progress_and_each_cause_is_told_once() {
    let run = Run::released(bounded()).sees(1, job(), [unschedulable()]);
    assert_eq!(run.says(), ["waiting for a node: Unschedulable: 0/3 nodes are available"]);
    let run = run.on(15, Input::Events(vec!["FailedScheduling: 0/3 nodes are available".into()]));
    assert_eq!(run.says(), [""; 0], "the condition has said so");
    let run = run.sees(100, job(), [unschedulable()]);
    assert_eq!(run.says(), [""; 0]);
    let run = run.on(115, Input::Events(vec!["FailedScheduling: 0/3 nodes are available".into()]));
    assert_eq!(run.says(), [""; 0]);
    let run = run.sees(200, job(), [running()]);
    run.is("Running");
    assert!(run.commands.contains(&Command::Started));
}

#[test]
fn pod_03_a_container_that_ended_at_once_is_not_a_start_failure() {
    let run = Run::released(bounded()).sees(1, job(), [PodFacts { phase: PodPhase::Pending, ..exited(7) }]);
    run.is("Draining");
    let run = run.log_ends(1);
    assert_eq!(run.ending().start_failure, None);
    assert!(matches!(&run.ending().container, ContainerEnd::Exited(end) if end.exit_code == 7));
}

#[test]
fn pod_03_a_terminal_pod_without_a_container_state_gets_its_grace_and_no_start_failure() {
    for phase in [PodPhase::Succeeded, PodPhase::Failed] {
        let run = Run::released(bounded()).sees(1, job(), [PodFacts { phase, ..scheduled() }]);
        run.is("AwaitingState");
        let run = run.sees(4, job(), [PodFacts { phase, ..exited(3) }]).log_ends(4);
        assert!(matches!(&run.ending().container, ContainerEnd::Exited(end) if end.exit_code == 3));

        let run = Run::released(bounded()).sees(1, job(), [PodFacts { phase, ..scheduled() }]).ticks(31).log_ends(31);
        assert_eq!(run.ending().container, ContainerEnd::NotReported { pod_phase: format!("{phase:?}") });
        assert_eq!(run.ending().start_failure, None);
    }
}

#[test]
fn pod_04_errors_that_cannot_heal_fail_at_once() {
    for reason in ["InvalidImageName", "ErrImageNeverPull", "SignatureValidationFailed"] {
        let run = Run::released(unbounded()).sees(1, job(), [waiting(reason, "bad")]);
        assert_eq!(run.deletes(), [DeleteReason::CannotStart], "{reason}");
    }
}

#[test]
fn pod_04_configuration_errors_get_thirty_seconds_and_start_again_when_they_heal() {
    for reason in ["CreateContainerConfigError", "CreateContainerError", "RunContainerError"] {
        let broken = || waiting(reason, "secret \"x\" not found");
        let run = Run::released(unbounded()).sees(1, job(), [broken()]);
        assert_eq!(run.wakes(), Some(16), "the look at the events comes first");
        let run = run.ticks(16).ticks(30);
        assert_eq!(run.deletes(), [], "{reason}");
        let healed = run.sees(30, job(), [waiting("ContainerCreating", "")]).sees(40, job(), [broken()]).ticks(69);
        assert_eq!(healed.deletes(), [], "{reason}");
        assert_eq!(healed.ticks(70).deletes(), [DeleteReason::CannotStart], "{reason}");
    }
}

#[test]
fn pod_04_image_pulls_are_retried_to_the_bound() {
    let mut run = Run::released(bounded());
    for second in 1..300 {
        let reason = if second % 2 == 0 { "ErrImagePull" } else { "ImagePullBackOff" };
        run = run.sees(second, job(), [waiting(reason, "")]);
        assert_eq!(run.deletes(), []);
        assert_eq!(run.says().len(), usize::from(second < 3), "told once each, at {second}");
    }
    assert_eq!(run.ticks(301).deletes(), [DeleteReason::CannotStart]);
}

#[test]
fn pod_04_a_failed_extra_container_and_a_node_that_refuses_name_themselves() {
    let init = PodFacts { other_failures: vec![("fetch".into(), "exit code 2, reason Error".into())], ..scheduled() };
    for (pod, text) in [
        (failed(init, ""), "Pod cannot start: container `fetch` failed: exit code 2, reason Error"),
        (failed(scheduled(), "OutOfcpu"), "Pod cannot start: the node refused the pod: OutOfcpu: "),
    ] {
        let run = Run::released(bounded()).sees(1, job(), [pod.clone()]);
        assert_eq!(run.deletes(), [DeleteReason::CannotStart]);
        let run = run.on(1, Input::Deleted).on(1, no_causes()).sees(2, absent_job(), [absent(pod)]).log_ends(2);
        assert_eq!(run.ending().start_failure.as_ref().unwrap().message(), text);
        assert_eq!(run.ending().container, ContainerEnd::NeverStarted);
    }
}

#[test]
fn a_pod_that_the_platform_takes_before_it_started_is_no_start_failure() {
    let run = Run::released(bounded()).sees(1, job(), [failed(scheduled(), "NodeShutdown")]).ticks(31).log_ends(31);
    assert!(matches!(&run.ending().platform, Some(PlatformLoss::Evicted { reason, .. }) if reason == "NodeShutdown"));
    assert_eq!(run.ending().start_failure, None);
}

#[test]
fn pod_05_the_message_of_a_failed_start_ends_with_the_last_three_causes() {
    let causes = |names: &[&str]| Input::Events(names.iter().map(|name| Cause::from(*name)).collect());
    let run = Run::released(bounded()).on(15, causes(&["A", "B"])).ticks(600);
    let run = run.on(600, causes(&["A", "B", "FailedMount: x", "FailedCreate: exceeded quota"]));
    let run = run.on(601, Input::Deleted).sees(602, absent_job(), []).log_ends(602);
    assert_eq!(
        run.ending().start_failure.as_ref().unwrap().message(),
        "Pod did not start within 600s (scheduleTimeoutSec): no pod was created; events: B | FailedMount: x | FailedCreate: exceeded quota"
    );
}

#[test]
fn pod_05_a_cause_that_condition_and_event_both_name_is_told_once() {
    let event = || Input::Events(vec!["FailedMount: x".into(), "FailedScheduling: 0/3 nodes are available".into()]);
    let run = Run::released(bounded()).sees(1, job(), [unschedulable()]).on(15, event());
    let run = run.ticks(600).on(600, event()).on(601, Input::Deleted).sees(602, absent_job(), []).log_ends(602);
    assert_eq!(
        run.ending().start_failure.as_ref().unwrap().message(),
        "Pod did not start within 600s (scheduleTimeoutSec): pod Pending, Unschedulable: 0/3 nodes are available; events: FailedMount: x"
    );
}

#[test]
fn pod_05_a_job_that_is_gone_before_its_events_were_read_is_still_explained() {
    let bounds = Bounds { schedule: Some(seconds(5)), ..bounded() };
    let run = Run::released(bounds.clone()).ticks(5).on(5, Input::Deleted).sees(5, absent_job(), []).log_ends(5);
    run.is("Stopping");
    let run = run.on(6, Input::Events(vec!["FailedCreate: no such account".into()])).log_ends(6);
    assert_eq!(
        run.ending().start_failure.as_ref().unwrap().message(),
        "Pod did not start within 5s (scheduleTimeoutSec): no pod was created; events: FailedCreate: no such account"
    );
    let unanswered = Run::released(bounds).ticks(5).on(5, Input::Deleted).sees(5, absent_job(), []);
    let last = unanswered.wakes().unwrap();
    let unanswered = unanswered.ticks(last).log_ends(last);
    assert!(unanswered.ending().start_failure.is_some());
}

#[test]
fn pod_05_events_are_read_after_fifteen_seconds_and_then_every_minute() {
    let mut run = Run::released(unbounded());
    let mut reads = vec![];
    for second in 0..200 {
        run = run.ticks(second);
        if run.commands.contains(&Command::ReadEvents) {
            reads.push(second);
        }
    }
    assert_eq!(reads, [15, 75, 135, 195]);
}

#[test]
fn a_pod_that_starts_while_its_deletion_is_on_the_way_is_no_start_failure() {
    let run = Run::released(bounded()).ticks(600).on(600, no_causes()).sees(601, job(), [deleting(running(), 600)]);
    run.is("Stopping");
    let run = run.sees(602, job(), [exited(143)]).log_ends(602);
    assert_eq!(run.ending().start_failure, None);
    assert!(matches!(run.ending().container, ContainerEnd::Exited(_)));
}

#[test]
fn a_finished_job_without_a_pod_is_believed_only_in_contact() {
    let finished = with(job(), "Failed", "DeadlineExceeded");
    let stale = RunView { stale_since: Some(at(1)), ..view(finished.clone(), []) };
    let run = Run::released(bounded()).on(1, Input::View(stale));
    run.is("Scheduling");
    let run = run.sees(2, finished, []).log_ends(2);
    assert!(run.ending().deadline_passed);
    assert_eq!(run.ending().container, ContainerEnd::PodGone, "a finished Job may have run in a pod nobody saw");
}

#[test]
fn end_09_a_container_that_started_is_never_a_failed_start_although_a_sidecar_failed() {
    let sidecar = PodFacts { other_failures: vec![("proxy".into(), "exit code 1".into())], ..failed(running(), "") };
    let run = Run::released(bounded()).sees(1, job(), [sidecar]);
    run.is("AwaitingState");
    assert_eq!(run.deletes(), []);
}

fn attached_elsewhere(after: &[&str]) -> Input {
    let words = "FailedAttachVolume: Multi-Attach error for volume \"pv-1\" Volume is already used by pod(s) host-0";
    Input::Events([words].iter().chain(after).map(|text| Cause::from(*text)).collect())
}

fn on_node(name: &str) -> PodFacts {
    PodFacts { node: Some(name.into()), ..scheduled() }
}

#[test]
fn fld_21_a_volume_that_the_servers_pod_has_elsewhere_ends_the_start_at_once() {
    let in_use = Some(ClaimsInUse { claims: vec!["data".into()], node: "node-a".into() });
    let run = Run::released(Bounds { in_use: in_use.clone(), ..bounded() }).sees(1, job(), [on_node("node-b")]);
    let run = run.ticks(16).on(17, attached_elsewhere(&[]));
    assert_eq!(run.deletes(), [DeleteReason::CannotStart]);
    let run = run.on(18, Input::Deleted).on(18, Input::Events(vec![])).sees(19, absent_job(), []).log_ends(19);
    let failure = run.ending().start_failure.clone().unwrap();
    assert!(!failure.is_unscheduled(), "the server's pod stays");
    let message = failure.message();
    for words in ["Claim `data`", "on node `node-a`", "this pod is on `node-b`", "Multi-Attach", "ReadWriteMany"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    // On the server's own node it is somebody else who has it.
    let run = Run::released(Bounds { in_use, ..bounded() }).sees(1, job(), [on_node("node-a")]);
    assert_eq!(run.ticks(16).on(17, attached_elsewhere(&[])).deletes(), []);
}

#[test]
fn fld_21_a_volume_of_another_pod_has_a_minute_to_be_detached() {
    let run = Run::released(bounded()).sees(1, job(), [on_node("node-b")]).ticks(16).on(17, attached_elsewhere(&[]));
    assert_eq!((run.deletes(), run.wakes()), (vec![], Some(76)));
    let late = run.ticks(76).on(77, attached_elsewhere(&[]));
    assert_eq!(late.deletes(), [DeleteReason::CannotStart]);
    let late = late.on(78, Input::Deleted).on(78, Input::Events(vec![])).sees(79, absent_job(), []).log_ends(79);
    let failure = late.ending().start_failure.clone().unwrap();
    assert!(failure.is_unscheduled() && failure.message().contains("another node than `node-b`"), "{failure:?}");

    let run = Run::released(bounded()).sees(1, job(), [on_node("node-b")]).ticks(16).on(17, attached_elsewhere(&[]));
    let run = run.ticks(76).on(77, attached_elsewhere(&["SuccessfulAttachVolume: AttachVolume.Attach succeeded"]));
    assert_eq!(run.ticks(200).on(200, Input::Events(vec![])).deletes(), [], "it was attached");
}

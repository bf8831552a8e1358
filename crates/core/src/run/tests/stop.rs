//! Cancel, deadline, replacement: deletions on purpose.

use super::*;
use crate::outcome::{ContainerEnd, PlatformLoss, Stop};

fn cancelled(forced: bool) -> Stop {
    Stop::Cancelled { forced }
}

#[test]
fn can_02_a_cancel_deletes_the_job_at_once_in_every_phase_before_the_end() {
    let queued = Bounds { queued: true, ..unbounded() };
    let runs = [
        ("Queued", Run::adopted(queued, view(suspended(job()), []))),
        ("Scheduling", Run::released(unbounded())),
        ("Starting", Run::released(unbounded()).sees(1, job(), [waiting("ContainerCreating", "")])),
        ("Running", Run::running(unbounded())),
        ("Running", Run::running(unbounded()).loses_contact(1)),
        ("AwaitingState", Run::running(unbounded()).sees(1, job(), [failed(running(), "")])),
    ];
    for (phase, run) in runs {
        run.is(phase);
        let run = run.on(10, Input::Cancel);
        run.is("Stopping");
        assert_eq!(run.deletes(), [DeleteReason::Cancelled], "{phase}");
        let run = run.on(11, Input::Cancel);
        assert_eq!(run.deletes(), [], "{phase}: twice is harmless");
        let run = run.ticks(55).log_ends(55);
        assert_eq!(run.ending().stop, Some(cancelled(false)), "{phase}");
    }
}

#[test]
fn can_02_a_cancel_after_the_end_is_answered_without_a_deletion() {
    let run = Run::running(unbounded()).sees(1, job(), [exited(0)]).on(2, Input::Cancel);
    assert_eq!(run.deletes(), []);
    let run = run.log_ends(3);
    assert_eq!((&run.ending().stop, run.ending().termination_verified), (&Some(cancelled(false)), true));

    let decided = run.on(4, Input::Cancel);
    assert_eq!(decided.commands, []);
    assert_eq!(decided.ending().stop, Some(cancelled(false)));
}

#[test]
fn can_03_the_stop_is_verified_by_the_container_end_and_137_means_force() {
    for (code, forced) in [(143, false), (137, true), (0, false)] {
        let run = Run::running(unbounded()).on(10, Input::Cancel).on(10, Input::Deleted);
        let run = run.sees(12, absent_job(), [deleting(exited(code), 10)]);
        run.is("Draining");
        let run = run.log_ends(12);
        assert_eq!(run.ending().stop, Some(cancelled(forced)));
        assert!(run.ending().termination_verified);
        assert_eq!(run.ending().deletion, None, "our own deletion is not somebody else's");
    }
}

#[test]
fn end_07_our_own_deletion_needs_no_proof_and_never_waits_for_one() {
    let run = Run::running(unbounded()).on(10, Input::Cancel).on(10, Input::Deleted);
    let run = run.sees(11, absent_job(), [absent(deleting(running(), 10))]);
    assert!(!run.commands.iter().any(|command| matches!(command, Command::Prove(_))));
    run.is("Draining");
    let run = run.log_ends(11);
    assert!(run.ending().termination_verified);
    assert_eq!(run.ending().container, ContainerEnd::PodGone);
    assert_eq!(run.ending().deletion, None);
}

#[test]
fn can_03_absence_verifies_nothing_before_the_deletion_was_accepted() {
    let run = Run::running(unbounded()).on(10, Input::Cancel).sees(11, absent_job(), [absent(running())]);
    run.is("Stopping");
    assert!(run.commands.contains(&Command::Prove(ProofOf::Pod)));
    let run = run.on(12, Input::Deleted);
    run.is("Draining");
}

#[test]
fn can_03_what_is_not_seen_within_45_s_is_not_verified() {
    let run = Run::running(unbounded()).on(10, Input::Cancel).loses_contact(10);
    assert_eq!(run.wakes(), Some(55));
    let run = run.ticks(54);
    run.is("Stopping");
    let run = run.ticks(55).log_ends(56);
    assert_eq!((&run.ending().stop, run.ending().termination_verified), (&Some(cancelled(false)), false));
}

#[test]
fn can_03_an_end_that_is_seen_while_draining_still_counts() {
    let run = Run::running(unbounded()).on(10, Input::Cancel).ticks(55).sees(56, job(), [exited(143)]).log_ends(57);
    assert!(run.ending().termination_verified);
}

#[test]
fn can_06_a_cancel_during_another_stop_is_answered_too() {
    let run = Run::running(limited(60)).ticks(60).on(61, Input::Cancel);
    assert_eq!(run.deletes(), [], "at most one deletion");
    let run = run.sees(62, job(), [exited(143)]).log_ends(63);
    assert_eq!((&run.ending().stop, run.ending().termination_verified), (&Some(cancelled(false)), true));

    // Verified already: a later cancel takes nothing back.
    let run = Run::running(limited(60)).ticks(60).on(60, Input::Deleted);
    let run = run.sees(61, absent_job(), [absent(running())]).on(62, Input::Cancel).log_ends(63);
    assert_eq!((&run.ending().stop, run.ending().termination_verified), (&Some(cancelled(false)), true));
}

#[test]
fn can_04_a_lost_lease_leaves_the_job_alone() {
    let run = Run::running(unbounded()).on(10, Input::LeaseLost);
    assert_eq!(run.deletes(), []);
    assert_eq!(run.ending().stop, Some(Stop::LeaseLost));
    assert_eq!(run.wakes(), None);
}

#[test]
fn end_05_fld_07_the_deadline_counts_from_the_first_look_at_the_started_pod() {
    let pod_of_another_clock = PodFacts { start_time: Some(at(-5000)), ..running() };
    let run = Run::released(limited(60)).sees(100, job(), [pod_of_another_clock.clone()]).ticks(159);
    assert_eq!(run.deletes(), []);
    let run = run.ticks(160);
    assert_eq!(run.deletes(), [DeleteReason::PastDeadline]);
    let run = run.sees(161, job(), [exited(137)]).log_ends(162);
    assert!(run.ending().deadline_passed && run.ending().termination_verified);

    // A Job that was found running as well: its node ends it by the clock that its start was read from.
    for start in [-5000, -50, 5000] {
        let adopted = Bounds { adopted: true, ..limited(60) };
        let run = Run::adopted(adopted, view(job(), [PodFacts { start_time: Some(at(start)), ..running() }]));
        let run = run.ticks(59);
        assert_eq!(run.deletes(), [], "FLD-07: {start}");
        assert_eq!(run.ticks(60).deletes(), [DeleteReason::PastDeadline], "{start}");
    }
}

#[test]
fn end_03_without_a_limit_no_timer_ends_a_started_container() {
    let mut run = Run::running(unbounded());
    let mut second = 0;
    while second < 30 * 86_400 {
        second = run.wakes().unwrap();
        run = run.ticks(second);
        run.is("Running");
        assert_eq!(run.deletes(), []);
    }
}

#[test]
fn end_04_a_success_that_races_with_the_deadline_stays_a_success() {
    let run = Run::running(limited(60)).sees(61, job(), [exited(0)]);
    assert_eq!(run.deletes(), [], "the newest fact counts before the clock");
    let run = run.log_ends(61);
    assert!(!run.ending().deadline_passed);
    assert!(matches!(&run.ending().container, ContainerEnd::Exited(end) if end.exit_code == 0));
}

#[test]
fn end_04_a_deadline_in_an_outage_waits_for_the_real_end() {
    let run = Run::running(limited(60)).loses_contact(30);
    assert_eq!(run.ticks(60).deletes(), []);
    let run = Run::running(limited(60)).loses_contact(30).ticks(90).sees(91, job(), [exited(0)]).log_ends(92);
    assert!(!run.ending().deadline_passed);

    let run = Run::running(limited(60)).loses_contact(30).ticks(90).sees(91, job(), [running()]);
    assert_eq!(run.deletes(), [DeleteReason::PastDeadline]);
}

#[test]
fn end_05_a_deadline_nobody_can_enforce_is_reported_unverified_and_the_job_left() {
    let run = Run::running(limited(60)).loses_contact(30).ticks(104);
    run.is("Running");
    let run = run.ticks(105);
    assert_eq!(run.deletes(), []);
    let run = run.log_ends(106);
    assert!(run.ending().deadline_passed && !run.ending().termination_verified);
    assert_eq!(run.ending().container, ContainerEnd::Running);
}

#[test]
fn end_05_an_unverified_deadline_is_not_taken_for_somebody_elses_deletion() {
    let run = Run::running(limited(60)).ticks(60).sees(61, job(), [deleting(running(), 60)]).ticks(105).log_ends(106);
    assert!(!run.ending().termination_verified);
    assert_eq!(run.ending().deletion, None);
}

#[test]
fn end_14_a_second_pod_or_a_new_suspension_stops_the_run() {
    let replaced = [
        (job(), vec![absent(running()), second_pod()]),
        (job(), vec![running(), second_pod()]),
        (job(), vec![absent(scheduled()), second_pod()]),
        (suspended(job()), vec![running()]),
        (suspended(job()), vec![deleting(waiting("ContainerCreating", ""), 1)]),
    ];
    for (job_facts, pods) in replaced {
        let facts = RunView { job: Some(job_facts), pods, stale_since: None };
        let run = Run::released(unbounded()).on(1, Input::View(facts.clone()));
        assert_eq!(run.deletes(), [DeleteReason::Replaced], "{facts:?}");
        let run = run.ticks(46).log_ends(46);
        assert!(matches!(run.ending().platform, Some(PlatformLoss::Replaced { .. })), "{facts:?}");
        assert_eq!(run.ending().deletion, None);
    }
}

#[test]
fn end_14_a_view_that_has_not_seen_the_release_yet_is_no_new_suspension() {
    let run = Run::adopted(unbounded(), view(suspended(job()), [])).sees(1, suspended(job()), [running()]);
    run.is("Running");
    assert_eq!(run.deletes(), []);
}

#[test]
fn end_14_a_second_pod_is_stopped_even_when_the_first_is_gone_or_ended() {
    let gone =
        Run::running(unbounded()).sees(1, job(), [absent(running())]).on(2, Input::Proven(ProofOf::Pod, Proof::Gone));
    gone.is("AwaitingState");
    assert_eq!(gone.sees(3, job(), [absent(running()), second_pod()]).deletes(), [DeleteReason::Replaced]);

    let ended = Run::running(unbounded()).sees(1, job(), [exited(0)]).sees(2, job(), [exited(0), second_pod()]);
    assert_eq!(ended.deletes(), [DeleteReason::Replaced]);
    let ended = ended.log_ends(3);
    assert_eq!(ended.ending().platform, None, "a container that ended by itself was not taken away");
}

#[test]
fn end_14_the_stop_is_verified_only_when_the_second_pod_ended_too() {
    let run = Run::running(unbounded()).sees(1, job(), [exited(143), second_pod()]);
    run.is("Stopping");
    // The follower was told of the first container's end; its answer is kept.
    let run = run.log_ends(2);
    run.is("Stopping");
    let run = run.on(3, Input::Deleted).sees(4, absent_job(), [exited(143), absent(second_pod())]);
    assert!(run.ending().termination_verified);
    assert_eq!(run.ending().log, log());
}

#[test]
fn a_finished_job_cannot_be_suspended_again() {
    let finished = suspended(with(job(), "Complete", ""));
    let run = Run::running(unbounded()).sees(1, finished, [exited(0)]);
    assert_eq!(run.deletes(), []);
}

#[test]
fn fld_19_a_container_that_is_started_again_is_stopped_like_a_second_pod() {
    let mut again = running();
    again.claude.again = Some("container `claude` was started again (restart 1)".into());
    let run = Run::running(unbounded()).sees(5, job(), [again.clone()]);
    assert_eq!(run.deletes(), [DeleteReason::Replaced]);
    let run = run.on(6, Input::Deleted).sees(7, job(), [PodFacts { claude: exited(143).claude, ..again }]).log_ends(7);
    let detail = "container `claude` was started again (restart 1)".to_owned();
    assert_eq!(run.ending().platform, Some(PlatformLoss::Replaced { detail }));
}

//! A process that stays after its result, and one that falls silent.

use super::*;
use crate::outcome::Stop;

fn patient() -> Bounds {
    Bounds { exit_grace: Some(seconds(900)), silence: Some(seconds(3600)), ..unbounded() }
}

fn result_in(second: i64) -> Heard {
    Heard { last_output: Some(at(second)), result: Some(at(second)), is_deaf: false }
}

fn hears(run: Run, second: i64, heard: Heard) -> Run {
    run.on(second, Input::Tick(heard))
}

#[test]
fn fld_12_a_process_that_stays_after_its_result_is_mentioned_once_then_stopped() {
    let run = hears(Run::running(patient()), 15, result_in(10));
    assert_eq!(run.wakes(), Some(25));
    let run = hears(run, 69, result_in(10));
    assert!(run.says().iter().all(|text| text.starts_with("keepalive")), "{:?}", run.says());
    let run = hears(run, 70, result_in(10));
    assert_eq!(run.says(), ["The result is in; waiting for Claude Code to exit (60 s)"]);
    let run = hears(run, 969, result_in(10));
    assert_eq!((run.says(), run.deletes()), (vec![], vec![]), "said once");
    let run = hears(run, 970, result_in(10));
    assert_eq!(run.deletes(), [DeleteReason::AfterResult]);
    let run = run.on(971, Input::Deleted).sees(972, job(), [exited(143)]).log_ends(972);
    assert_eq!(run.ending().stop, Some(Stop::AfterResult));
    assert!(run.ending().termination_verified && run.ending().deletion.is_none());
}

#[test]
fn fld_12_a_turn_behind_the_result_starts_the_wait_anew() {
    let run = hears(Run::running(patient()), 75, result_in(10));
    assert_eq!(
        run.says(),
        [
            "keepalive — job job-1 running (65s since last output)",
            "The result is in; waiting for Claude Code to exit (65 s)"
        ]
    );
    let working = Heard { last_output: Some(at(900)), ..Heard::default() };
    let run = hears(hears(run, 900, working), 975, result_in(920));
    assert_eq!(run.deletes(), []);
    let run = hears(run, 980, result_in(920));
    assert_eq!(run.says().last(), Some(&"The result is in; waiting for Claude Code to exit (60 s)"));
    assert_eq!(hears(run, 920 + 960, result_in(920)).deletes(), [DeleteReason::AfterResult]);
}

#[test]
fn fld_12_with_0_a_process_may_stay_as_long_as_it_likes() {
    let run = hears(Run::running(unbounded()), 30 * 86_400, result_in(10));
    assert_eq!(run.deletes(), []);
    run.is("Running");
}

#[test]
fn fld_12_without_contact_nothing_is_stopped() {
    let run = hears(Run::running(patient()), 20, result_in(10)).loses_contact(30);
    let run = hears(run, 5000, result_in(10));
    assert_eq!(run.deletes(), []);
    let run = hears(run.sees(5001, job(), [running()]), 5002, result_in(10));
    assert_eq!(run.deletes(), [DeleteReason::AfterResult]);
}

#[test]
fn fld_12_a_deadline_that_passes_while_the_pod_is_stopped_is_not_why_it_ended() {
    let run = hears(Run::running(patient()), 970, result_in(10));
    let run = run.on(971, Input::Deleted).sees(972, job(), [failed(exited(143), "DeadlineExceeded")]).log_ends(973);
    assert!(!run.ending().deadline_passed);
}

#[test]
fn fld_13_a_silent_process_is_stopped_when_the_bound_is_over_and_not_before() {
    let spoke = Heard { last_output: Some(at(100)), ..Heard::default() };
    let run = hears(Run::running(patient()), 3699, spoke);
    assert_eq!(run.deletes(), []);
    let run = run.sees(3800, job(), [running()]);
    assert_eq!(run.deletes(), [], "only a tick knows of the newest output");
    let run = hears(run, 3800, spoke);
    assert_eq!(run.deletes(), [DeleteReason::Silent]);
    let run = run.on(3801, Input::Deleted).sees(3802, job(), [exited(137)]).log_ends(3802);
    assert_eq!(run.ending().stop, Some(Stop::Silent { bound: seconds(3600) }));
}

#[test]
fn fld_13_what_nobody_could_hear_is_no_silence() {
    let deaf = Heard { is_deaf: true, ..Heard::default() };
    let run = hears(Run::running(patient()), 9000, deaf);
    assert_eq!(run.deletes(), []);
    let run = hears(run, 9015, Heard::default());
    assert_eq!(run.deletes(), [], "what was said meanwhile is about to arrive");
    let run = hears(run, 9015 + 3599, Heard::default()).loses_contact(12_615);
    let run = hears(run, 20_000, Heard::default());
    assert_eq!(run.deletes(), []);
    let run = hears(run.sees(20_003, job(), [running()]), 20_004, Heard::default());
    assert_eq!(run.deletes(), []);
    assert_eq!(hears(run, 23_603, Heard::default()).deletes(), [DeleteReason::Silent]);
}

#[test]
fn fld_13_a_result_outlasts_the_silence_behind_it() {
    let bounds = Bounds { silence: Some(seconds(100)), ..unbounded() };
    let run = hears(Run::running(bounds), 200, result_in(10));
    assert_eq!(run.deletes(), [DeleteReason::AfterResult], "by the result, not as a silent run");
}

#[test]
fn can_02_a_cancel_outranks_what_the_run_decided_by_itself() {
    let run = hears(Run::running(patient()), 970, result_in(10)).on(971, Input::Cancel);
    assert_eq!(run.deletes(), [], "a deletion is on its way");
    let run = run.on(972, Input::Deleted).sees(973, job(), [exited(143)]).log_ends(973);
    assert_eq!(run.ending().stop, Some(Stop::Cancelled { forced: false }));
}

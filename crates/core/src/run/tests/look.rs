//! A look by name before a verdict that rests on something that was not seen.

use super::*;
use crate::outcome::ContainerEnd;

fn looks(run: &Run) -> bool {
    run.commands.contains(&Command::Look)
}

fn bounded() -> Bounds {
    Bounds { schedule: Some(seconds(60)), startup: Some(seconds(60)), limit: Some(seconds(600)), ..unbounded() }
}

#[test]
fn fld_06_every_verdict_about_something_unseen_is_preceded_by_a_look() {
    let lost = || Run::running(bounded()).sees(1, job(), [deleting(running(), 1)]);
    let job_gone =
        || Run::released(bounded()).sees(1, absent_job(), []).on_unlooked(2, Input::Proven(ProofOf::Job, Proof::Gone));
    let finished = || Run::running(bounded()).sees(1, with(job(), "Complete", ""), [running()]);
    let cases: [(&str, Run); 7] = [
        ("never scheduled", Run::released(bounded()).on_unlooked(60, Input::Tick(Heard::default()))),
        ("never started", {
            let run = Run::released(bounded()).sees(1, job(), [waiting("ContainerCreating", "")]);
            run.on_unlooked(61, Input::Tick(Heard::default()))
        }),
        ("past its deadline", Run::running(bounded()).on_unlooked(600, Input::Tick(Heard::default()))),
        ("node lost", lost().on_unlooked(600, Input::Tick(Heard::default()))),
        ("job gone", job_gone()),
        ("no state", finished().on_unlooked(31, Input::Tick(Heard::default()))),
        ("not stopped", Run::running(bounded()).on(1, Input::Cancel).on_unlooked(46, Input::Tick(Heard::default()))),
    ];
    for (name, run) in cases {
        assert!(looks(&run), "{name}");
        assert!(run.state.ending().is_none() && run.deletes().is_empty(), "{name}");
        assert_eq!(run.wakes(), None, "{name}: nothing is due before the answer");
    }
}

#[test]
fn fld_06_what_a_look_finds_is_the_verdict_and_what_it_does_not_find_changes_nothing() {
    let waiting = || {
        let run = Run::running(unbounded()).sees(1, with(job(), "Failed", "BackoffLimitExceeded"), [running()]);
        run.on_unlooked(31, Input::Tick(Heard::default()))
    };
    let ended = waiting().sees(32, with(job(), "Failed", "BackoffLimitExceeded"), [failed(exited(3), "")]);
    let ended = ended.on(32, Input::Looked).log_ends(33);
    assert!(matches!(&ended.ending().container, ContainerEnd::Exited(end) if end.exit_code == 3));
    let nothing = waiting().on(32, Input::Looked).log_ends(33);
    assert_eq!(nothing.ending().container, ContainerEnd::Running);

    // The pod did start: no bound was over.
    let run = Run::released(bounded()).on_unlooked(60, Input::Tick(Heard::default()));
    let run = run.sees(61, job(), [running()]).on(61, Input::Looked);
    run.is("Running");
    assert_eq!(run.deletes(), []);
}

#[test]
fn fld_06_an_end_that_was_seen_and_read_needs_no_look() {
    let run = Run::running(unbounded()).sees(1, job(), [exited(0)]).on_unlooked(2, Input::LogEnded(log()));
    assert!(!looks(&run));
    run.ending();
    let unreadable = LogSummary { readable: false, complete: false, ..log() };
    let run = Run::running(unbounded()).sees(1, job(), [exited(0)]).on_unlooked(2, Input::LogEnded(unreadable));
    assert!(looks(&run) && run.state.ending().is_none());
    run.on(3, Input::Looked).ending();
}

//! The status line of a silent pod.

use super::*;

/// Seconds at which something is said when every second ticks.
fn lines(mut run: Run, until: i64, output: impl Fn(i64) -> Option<i64>) -> Vec<i64> {
    let mut said = vec![];
    for second in 1..=until {
        run = run.on(second, Input::Tick(Heard { last_output: output(second).map(at), ..Heard::default() }));
        said.extend(run.commands.iter().filter_map(alive).map(|_| second));
    }
    said
}

#[test]
fn live_01_a_silent_pod_is_mentioned_every_15_s_and_after_two_minutes_every_60_s() {
    let said = lines(Run::running(unbounded()), 300, |_| None);
    assert_eq!(said, [15, 30, 45, 60, 75, 90, 105, 120, 180, 240, 300]);
}

#[test]
fn live_01_output_starts_the_silence_anew() {
    let said = lines(Run::running(unbounded()), 220, |second| Some(if second < 20 { 10 } else { 200 }.min(second)));
    // Silent from 10 s on, then a line at each second up to 200 s.
    assert_eq!(said, [215]);
}

#[test]
fn fld_14_the_log_hears_once_of_a_silence_and_the_status_line_always() {
    let mut run = Run::running(unbounded());
    let (mut log, mut status) = (vec![], 0);
    for second in 1..=3600 {
        // One line of output half an hour later: another silence.
        let last_output = Some(at(if second < 1800 { 0 } else { 1800 }));
        run = run.on(second, Input::Tick(Heard { last_output, ..Heard::default() }));
        log.extend(run.says().iter().map(|_| second));
        status += run.commands.iter().filter_map(alive).count();
    }
    assert_eq!(log, [15, 1815]);
    assert_eq!(status, 2 * (8 + 28) - 1, "the minute of the new output has none");
}

#[test]
fn live_01_only_a_tick_knows_of_the_newest_output() {
    let run = Run::running(unbounded()).sees(16, job(), [running()]);
    assert_eq!(run.commands, []);
    assert_eq!(run.wakes(), Some(15));
    let run = run.on(16, Input::Tick(Heard { last_output: Some(at(14)), ..Heard::default() }));
    assert_eq!(run.commands, []);
    assert_eq!(run.wakes(), Some(29));
}

#[test]
fn live_01_the_line_goes_on_without_contact_and_says_so() {
    let alive = |run: &Run| run.commands.iter().filter_map(alive).map(str::to_owned).collect::<Vec<_>>();
    let run = Run::running(unbounded()).ticks(15);
    assert_eq!(run.says(), ["keepalive — job job-1 running (15s since last output)"]);
    let run = run.loses_contact(20).ticks(30);
    let lost =
        "keepalive — API server not reachable for 10s, job job-1 was running when last seen (30s since last output)";
    assert_eq!((run.says(), alive(&run)), (vec![lost], vec![lost.to_owned()]), "news for the log");
    let run = run.sees(40, job(), [running()]).ticks(45);
    assert_eq!(run.says(), [""; 0]);
    assert_eq!(alive(&run), ["keepalive — job job-1 running (45s since last output)"]);
}

#[test]
fn live_01_nothing_is_said_after_the_end() {
    let ended = [
        Run::running(unbounded()).sees(1, job(), [exited(0)]),
        Run::running(unbounded()).sees(1, job(), [failed(running(), "")]),
        Run::running(unbounded()).on(1, Input::Cancel),
    ];
    for run in ended {
        assert_eq!(lines(run, 600, |_| None), [0; 0]);
    }
}

//! A capture as an array: what happens when, and what is done about it. Times are milliseconds.

use super::*;

const RUNNING: ContainerPhase = ContainerPhase::Running;
const TERMINATED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: false, killed: false };
const KILLED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: false, killed: true };
const DELETED: ContainerPhase = ContainerPhase::Terminated { pod_deleted: true, killed: false };

const REACHED: BodyEnd = BodyEnd::Reached { agrees: false };
const AGREES: BodyEnd = BodyEnd::Reached { agrees: true };

/// What is done, and until when; `None`: pauses have jitter.
#[derive(Debug, PartialEq)]
enum Does {
    Follows,
    Reads(u64),
    Listens(u64),
    Rests,
    RestsUntil(u64),
    Quiet,
    Ends,
    Confirmed,
    Unconfirmed(&'static str),
}
use Does::{Confirmed, Ends, Follows, Listens, Quiet, Reads, Rests, RestsUntil, Unconfirmed};

fn shows(lines: u64) -> Shown {
    Shown { lines, begun: lines > 0, ..Shown::default() }
}

fn ended(lines: u64) -> Shown {
    Shown { ended: true, ..shows(lines) }
}

fn holds(lines: u64) -> Shown {
    Shown { holds: true, ..shows(lines) }
}

fn failed(seconds: Option<u64>) -> Event {
    Event::Refused(Refusal::Failed { retry_after: seconds.map(Duration::from_secs) }, "HTTP 500".to_owned())
}

fn refused(refusal: Refusal) -> Event {
    Event::Refused(refusal, "no".to_owned())
}

#[track_caller]
fn plays(announces_end: bool, story: Vec<(u64, Event, Does)>) {
    let mut capture = Capture::new("pod", announces_end);
    for (index, (at, event, does)) in story.into_iter().enumerate() {
        let action = capture.on(event.clone(), Duration::from_millis(at));
        let until = |until: &Duration| u64::try_from(until.as_millis()).unwrap();
        let same = match (&action, &does) {
            (Action::Follow { .. }, Follows)
            | (Action::Rest { .. }, Rests)
            | (Action::Quiet, Quiet)
            | (Action::End(Tail::Ended), Ends)
            | (Action::End(Tail::Confirmed), Confirmed) => true,
            (Action::Read { until: is }, Reads(wanted))
            | (Action::Listen { until: is }, Listens(wanted))
            | (Action::Rest { until: is }, RestsUntil(wanted)) => until(is) == *wanted,
            (Action::End(Tail::Unconfirmed(is)), Unconfirmed(wanted)) => is.contains(wanted),
            _ => false,
        };
        assert!(same, "{index}: {event:?} at {at} ms: {action:?} instead of {does:?}");
    }
}

#[test]
fn log_11_the_end_line_ends_a_capture_in_every_phase_and_on_every_connection() {
    for phase in [RUNNING, ContainerPhase::Deleting, TERMINATED, DELETED, KILLED, ContainerPhase::Gone] {
        plays(
            true,
            vec![
                (0, Event::Phase(RUNNING), Follows),
                (10, Event::Opened, Listens(60_010)),
                (20, Event::Chunk(shows(1)), Listens(60_020)),
                (30, Event::Phase(phase), Listens(if phase.is_ended() { 3_030 } else { 60_020 })),
                (40, Event::Chunk(ended(2)), Ends),
            ],
        );
    }
    for end in [BodyEnd::Cut, REACHED] {
        plays(
            true,
            vec![
                (0, Event::Phase(TERMINATED), Reads(10_000)),
                (10, Event::Opened, Listens(10_010)),
                (20, Event::BodyEnded(end, ended(2)), Ends),
            ],
        );
    }
}

#[test]
fn fld_02_a_read_that_is_never_answered_is_asked_once_more_while_the_pod_stays() {
    plays(
        true,
        vec![
            (0, Event::Phase(TERMINATED), Reads(10_000)),
            (10_000, Event::Time, Reads(20_000)),
            (10_010, Event::Opened, Listens(20_010)),
            (10_020, Event::Chunk(ended(2)), Ends),
        ],
    );
    plays(
        true,
        vec![
            (0, Event::Phase(TERMINATED), Reads(10_000)),
            (10_000, Event::Time, Reads(20_000)),
            (20_000, Event::Time, Unconfirmed("in time")),
        ],
    );
    // Somebody waits for the answer to a stop.
    plays(true, vec![(0, Event::Phase(DELETED), Reads(10_000)), (10_000, Event::Time, Unconfirmed("in time"))]);
}

#[test]
fn log_11_without_an_end_line_one_read_follows_the_follow() {
    for (announces_end, phase) in [(false, TERMINATED), (true, KILLED)] {
        for (read, does) in [
            (AGREES, Confirmed),
            (REACHED, Unconfirmed("read once")),
            (BodyEnd::Removed, Unconfirmed("removed")),
            (BodyEnd::Cut, Rests),
        ] {
            plays(
                announces_end,
                vec![
                    (0, Event::Phase(RUNNING), Follows),
                    (10, Event::Opened, Listens(60_010)),
                    (20, Event::Chunk(shows(1)), Listens(60_020)),
                    (1_000, Event::Phase(phase), Listens(4_000)),
                    (1_900, Event::BodyEnded(REACHED, shows(1)), Reads(11_000)),
                    (1_910, Event::Opened, Listens(11_910)),
                    (1_920, Event::BodyEnded(read, shows(1)), does),
                ],
            );
        }
    }
}

#[test]
fn log_11_an_end_line_that_has_to_come_is_read_for_until_ten_seconds_after_the_last_line() {
    plays(
        true,
        vec![
            (0, Event::Phase(RUNNING), Follows),
            (10, Event::Opened, Listens(60_010)),
            (20, Event::Chunk(shows(1)), Listens(60_020)),
            (1_000, Event::Phase(TERMINATED), Listens(4_000)),
            // Half-open.
            (4_000, Event::Time, Reads(11_000)),
            (4_010, Event::Opened, Listens(14_010)),
            (4_020, Event::BodyEnded(AGREES, shows(1)), Rests),
            (5_000, Event::Time, Reads(11_000)),
            (5_010, Event::Opened, Listens(15_010)),
            (5_020, Event::Chunk(shows(2)), Listens(15_020)),
            (5_030, Event::BodyEnded(REACHED, shows(2)), Rests),
            (6_000, Event::Time, Reads(15_020)),
            (15_020, Event::Time, Reads(25_020)),
            (25_020, Event::Time, Unconfirmed("did not come")),
        ],
    );
}

#[test]
fn log_11_what_never_stops_has_an_end() {
    // Bytes without a new line.
    let mut story = vec![(0, Event::Phase(TERMINATED), Reads(10_000)), (0, Event::Opened, Listens(10_000))];
    for second in 1..60 {
        story.push((second * 1_000, Event::Chunk(shows(0)), Listens((second * 1_000 + 10_000).min(60_000))));
    }
    story.push((60_000, Event::Chunk(shows(0)), Unconfirmed("not seen in time")));
    plays(false, story);
    // New lines for ever.
    let mut story = vec![(0, Event::Phase(TERMINATED), Reads(10_000)), (0, Event::Opened, Listens(10_000))];
    for second in 1..300 {
        story.push((second * 1_000, Event::Chunk(shows(second)), Listens((second * 1_000 + 10_000).min(300_000))));
    }
    story.push((300_000, Event::Chunk(shows(300)), Unconfirmed("not seen in time")));
    plays(false, story);
}

#[test]
fn can_03_the_tail_of_a_deleted_pod_gets_ten_seconds_whatever_comes() {
    plays(
        true,
        vec![
            (0, Event::Phase(ContainerPhase::Deleting), Follows),
            (0, Event::Opened, Listens(60_000)),
            (5_000, Event::Phase(DELETED), Listens(8_000)),
            (7_000, Event::Chunk(shows(1)), Listens(10_000)),
            (14_900, Event::Chunk(shows(2)), Listens(15_000)),
            (15_000, Event::Chunk(shows(3)), Unconfirmed("not seen in time")),
        ],
    );
    plays(true, vec![(0, Event::Phase(DELETED), Reads(10_000)), (10, refused(Refusal::NotFound), Unconfirmed("no"))]);
}

#[test]
fn log_06_a_refusal_after_the_end_is_tried_again_unless_it_is_final() {
    for (refusal, does) in [
        (refused(Refusal::NoLog), Unconfirmed("no")),
        (refused(Refusal::Forbidden), Rests),
        (refused(Refusal::NotFound), Rests),
        (failed(None), Rests),
    ] {
        plays(true, vec![(0, Event::Phase(TERMINATED), Reads(10_000)), (10, refusal, does)]);
    }
}

#[test]
fn errors_and_ends_of_a_running_container_only_mean_another_connection() {
    for event in [
        refused(Refusal::NoLog),
        refused(Refusal::Forbidden),
        refused(Refusal::NotFound),
        failed(None),
        Event::BodyEnded(BodyEnd::Cut, shows(1)),
        Event::BodyEnded(BodyEnd::Removed, shows(1)),
        Event::BodyEnded(REACHED, shows(1)),
    ] {
        plays(true, vec![(0, Event::Phase(RUNNING), Follows), (10, event, Rests), (300, Event::Time, Follows)]);
    }
    plays(true, vec![(0, Event::Phase(RUNNING), Follows), (0, failed(Some(20)), RestsUntil(20_000))]);
    plays(true, vec![(0, Event::Phase(RUNNING), Follows), (0, failed(Some(900)), RestsUntil(60_000))]);
    // A server that never answers.
    plays(true, vec![(0, Event::Phase(RUNNING), Follows), (30_000, Event::Time, Rests)]);
}

#[test]
fn log_10_a_waiting_container_is_asked_for_twice_a_minute_at_most() {
    plays(
        true,
        vec![
            (0, Event::Phase(ContainerPhase::Waiting), RestsUntil(30_000)),
            (30_000, Event::Time, Follows),
            (30_010, refused(Refusal::NoLog), RestsUntil(60_010)),
            (40_000, Event::Phase(RUNNING), Follows),
        ],
    );
}

#[test]
fn log_04_silence_replaces_a_connection_and_counts_double_until_a_line_comes() {
    plays(
        true,
        vec![
            (0, Event::Phase(RUNNING), Follows),
            (0, Event::Opened, Listens(60_000)),
            (60_000, Event::Time, Follows),
            (60_000, Event::Opened, Listens(180_000)),
            (180_000, Event::Time, Follows),
            (180_000, Event::Opened, Listens(420_000)),
            (200_000, Event::Chunk(shows(1)), Listens(260_000)),
        ],
    );
}

#[test]
fn log_12_a_connection_is_renewed_every_hour_unless_the_pod_is_being_deleted() {
    for (phase, until) in [(RUNNING, 3_600_000), (ContainerPhase::Deleting, 3_650_000)] {
        let mut story = vec![(0, Event::Phase(phase), Follows), (0, Event::Opened, Listens(60_000))];
        for at in (10_000..3_540_000).step_by(10_000) {
            story.push((at, Event::Chunk(shows(at)), Listens(at + 60_000)));
        }
        story.push((3_590_000, Event::Chunk(shows(3_590_000)), Listens(until)));
        plays(true, story);
    }
}

#[test]
fn log_02_what_silence_alone_can_release_is_asked_for_after_three_seconds() {
    for (reconnect, does) in [(true, Rests), (false, Listens(63_020))] {
        plays(
            true,
            vec![
                (0, Event::Phase(RUNNING), Follows),
                (10, Event::Opened, Listens(60_010)),
                (20, Event::Chunk(holds(1)), Listens(3_020)),
                (3_020, Event::Time, Quiet),
                (3_020, Event::Quieted { reconnect, shown: shows(1) }, does),
            ],
        );
    }
}

#[test]
fn log_12_the_log_of_a_pod_that_is_gone_is_not_asked_for() {
    plays(true, vec![(0, Event::Phase(ContainerPhase::Gone), Unconfirmed("gone"))]);
    plays(
        true,
        vec![
            (0, Event::Phase(RUNNING), Follows),
            (10, Event::Opened, Listens(60_010)),
            (20, Event::Phase(ContainerPhase::Gone), Listens(3_020)),
            (500, Event::BodyEnded(REACHED, shows(3)), Unconfirmed("gone")),
        ],
    );
}

#[test]
fn log_06_silence_after_a_burst_replaces_a_connection_that_was_never_silent_before() {
    let burst = Shown { bytes: 2 << 20, ..shows(9) };
    let more = Shown { bytes: 5 << 20, ..shows(10) };
    plays(
        true,
        vec![
            (0, Event::Phase(RUNNING), Follows),
            (0, Event::Opened, Listens(60_000)),
            (400, Event::Chunk(burst), Listens(3_400)),
            (3_400, Event::Time, Follows),
            // The next one brings the end of the same file, and nothing new.
            (3_600, Event::Opened, Listens(63_600)),
            (3_700, Event::Chunk(burst), Listens(63_700)),
        ],
    );
    // It was silent, so its reader has seen the end of the file and knows of the next one.
    plays(
        true,
        vec![
            (0, Event::Phase(RUNNING), Follows),
            (0, Event::Opened, Listens(60_000)),
            (1_500, Event::Chunk(burst), Listens(61_500)),
            (2_000, Event::Chunk(more), Listens(62_000)),
        ],
    );
    // The open follow is the only source of the tail.
    plays(
        true,
        vec![
            (0, Event::Phase(ContainerPhase::Deleting), Follows),
            (0, Event::Opened, Listens(60_000)),
            (500, Event::Chunk(burst), Listens(60_500)),
        ],
    );
}

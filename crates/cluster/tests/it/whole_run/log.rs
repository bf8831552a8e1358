//! Connections come and go; every line reaches the host once, or its loss is reported.

use std::time::Duration;

use claude_k8s_testkit::{Fault, FaultAction, Lags, LogSettings, RequestMatch, Script};
use tokio::time::sleep;

use super::claude::{Ends, begins, init, result, says, works};
use super::heard::Manner;
use super::requests::{forbidden, hangs};
use super::world::{NAMESPACE, World, assert_success, minutes, seconds};

/// Prints `count` different lines, `every` so often.
fn talks(script: Script, count: usize, every: Duration) -> Script {
    (0..count).fold(script, |script, number| script.print(says(&number.to_string())).wait(every))
}

fn all_lines(count: usize) -> Vec<String> {
    let first = [init(), says("hello")];
    first.into_iter().chain((0..count).map(|number| says(&number.to_string()))).chain([result("done")]).collect()
}

#[tokio::test(start_paused = true)]
async fn log_02_a_stream_that_ends_every_3_s_for_35_minutes_loses_and_repeats_nothing() {
    for reset in [false, true] {
        let world = World::new(talks(begins(), 2_100, seconds(1)).ends());
        let call = world.call();
        let cutting = async {
            world.running().await;
            for _ in 0..700 {
                sleep(seconds(3)).await;
                world.knobs().close_follows(reset);
            }
        };
        let outcome = call.run_while(cutting).await;
        assert_success(&outcome, &call.heard);
        assert!(call.heard.lines() == all_lines(2_100), "reset: {reset}");
        assert_eq!(outcome.result_json["k8s"]["logGaps"], 0);
        assert!(outcome.result_json["k8s"]["reconnects"].as_u64() >= Some(600), "{}", outcome.result_json["k8s"]);
        assert!(call.heard.status_with("Log gap").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn log_02_a_silent_stream_that_ends_every_3_s_is_no_end_either() {
    let world = World::new(begins().wait(minutes(30)).ends());
    let call = world.call();
    let cutting = async {
        world.running().await;
        for _ in 0..590 {
            sleep(seconds(3)).await;
            world.knobs().close_follows(false);
        }
    };
    let outcome = call.run_while(cutting).await;
    assert_success(&outcome, &call.heard);
    assert_eq!(call.heard.lines(), all_lines(0));
}

#[tokio::test(start_paused = true)]
async fn log_10_a_container_that_ended_before_the_first_log_connection_yields_everything() {
    let slow = Fault::new(RequestMatch::of("get", "pods/log"), FaultAction::Delay { ms: 3_000 }).times(1);
    let refused = Fault::new(RequestMatch::of("get", "pods/log"), FaultAction::status(500)).times(2);
    for fault in [None, Some(slow), Some(refused)] {
        let world = World::new(talks(begins(), 20, Duration::ZERO).ends());
        fault.clone().into_iter().for_each(|fault| world.fault(fault));
        let call = world.call();
        let outcome = call.run().await;
        assert_success(&outcome, &call.heard);
        assert_eq!(call.heard.lines(), all_lines(20), "{fault:?}");
        assert_eq!(outcome.result_json["k8s"]["logGaps"], 0, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn log_06_rotation_during_a_disconnect_is_reported_unless_every_line_came() {
    const COUNT: usize = 3_000;
    let mut lossless = Vec::new();
    for away in [0, 1, 5, 60, 200] {
        let world = World::new(talks(begins(), COUNT, Duration::from_millis(100)).ends());
        world.knobs().log_settings(LogSettings { max_size: 64 * 1024 });
        world.knobs().set_lags(Lags { log_rotation_check: Duration::ZERO, ..Lags::default() });
        let call = world.call();
        let disturbing = async {
            world.running().await;
            sleep(seconds(47)).await;
            let down = Fault::new(RequestMatch::of("get", "pods/log"), FaultAction::status(503));
            let fault = world.knobs().fault(down).unwrap();
            world.knobs().close_follows(true);
            sleep(seconds(away)).await;
            world.knobs().clear_fault(fault);
        };
        let outcome = call.run_while(disturbing).await;
        assert_success(&outcome, &call.heard);
        let gaps = outcome.result_json["k8s"]["logGaps"].as_u64().unwrap();
        let (lines, expected) = (call.heard.lines(), all_lines(COUNT));
        let mut rest = expected.iter();
        assert!(lines.iter().all(|line| rest.any(|other| other == line)), "{away}: out of order or twice");
        assert!(lines == expected || gaps > 0, "{away}: {} of {} lines and no gap", lines.len(), expected.len());
        assert_eq!(
            call.heard.events().iter().filter(|kind| kind.contains("gap")).count(),
            usize::from(gaps > 0),
            "{away}"
        );
        lossless.push(lines == expected);
    }
    assert_eq!((lossless.first(), lossless.last()), (Some(&true), Some(&false)), "the test has to see both");
}

#[tokio::test(start_paused = true)]
async fn log_06_rotation_without_a_disconnect_loses_nothing() {
    let world = World::new(talks(begins(), 2_000, Duration::from_millis(50)).ends());
    world.knobs().log_settings(LogSettings { max_size: 32 * 1024 });
    let call = world.call();
    let rotating = async {
        let pod = world.running().await;
        sleep(seconds(15)).await;
        assert!(world.knobs().rotate_log(NAMESPACE, &pod));
    };
    let outcome = call.run_while(rotating).await;
    assert_success(&outcome, &call.heard);
    assert!(call.heard.lines() == all_lines(2_000));
    assert_eq!(outcome.result_json["k8s"]["logGaps"], 0);
}

#[tokio::test(start_paused = true)]
async fn log_06_output_that_was_rotated_away_before_the_first_connection_is_reported() {
    for rotated in [true, false] {
        let world = World::new(talks(begins(), 20, seconds(1)).ends());
        let down = Fault::new(RequestMatch::of("get", "pods/log"), FaultAction::status(503));
        let fault = world.knobs().fault(down).unwrap();
        let call = world.call();
        let outcome = call
            .run_while(async {
                let pod = world.running().await;
                sleep(seconds(5)).await;
                if rotated {
                    assert!(world.knobs().rotate_log(NAMESPACE, &pod));
                }
                world.knobs().clear_fault(fault);
            })
            .await;
        assert_success(&outcome, &call.heard);
        assert_eq!(call.heard.lines() == all_lines(20), !rotated, "the test has to see both");
        assert_eq!(outcome.result_json["k8s"]["logGaps"], u64::from(rotated));
        let told = call.heard.status_with("before it was first read");
        assert_eq!(told.len(), usize::from(rotated), "{:#?}", call.heard.status());
        assert_eq!(call.heard.events().iter().filter(|kind| kind.contains("gap")).count(), usize::from(rotated));
    }
}

#[tokio::test(start_paused = true)]
async fn log_14_a_slow_host_gets_a_log_that_is_longer_than_the_queue() {
    const COUNT: usize = 26_000;
    let long = says(&"x".repeat(900));
    let world = World::new((0..COUNT).fold(begins(), |script, _| script.print(long.as_str())).ends());
    // 26 MB at 600 KB a second: twenty seconds after the container's end the queue is still full.
    let call = world.call().with_host(Manner::Slow(Duration::from_millis(100)));
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    assert_eq!(call.heard.lines().len(), COUNT + 3);
    assert_eq!(outcome.result_json["k8s"]["logGaps"], 0);
    assert!(call.heard.status_with("unconfirmed").is_empty(), "{:#?}", call.heard.status());
}

#[tokio::test(start_paused = true)]
async fn fld_02_one_answer_that_is_missing_when_the_container_has_ended_does_not_cost_the_result() {
    for action in [hangs(), forbidden("get", "pods/log")] {
        let world = World::new(works(seconds(20)));
        // The one that the container's end cuts off, and the first one after it.
        world.goes_wrong("get pods/log", 1, hangs());
        world.goes_wrong("get pods/log", 1, action);
        let call = world.call();
        assert_success(&call.run().await, &call.heard);
        assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
    }
}

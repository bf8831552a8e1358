//! A container that says nothing is left in peace, and the reader of the log is told that it lives.

use claude_k8s_testkit::{Fault, FaultAction, RequestMatch};
use tokio::time::{Instant, advance, sleep};

use super::claude::{Ends, begins, init, result, says};
use super::world::{World, assert_success, minutes, seconds};

#[tokio::test(start_paused = true)]
async fn end_01_fifty_minutes_of_silence_are_no_end() {
    let world = World::new(begins().wait(minutes(50)).ends());
    let call = world.call();
    let started = Instant::now();
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    assert!(
        started.elapsed() >= minutes(50) && started.elapsed() < minutes(50) + seconds(10),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
    assert_eq!(outcome.result_json["k8s"]["logGaps"], 0);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn end_03_without_a_deadline_a_run_of_thirty_days_ends_by_itself() {
    let month = minutes(30 * 24 * 60);
    let world = World::new(begins().wait(month).ends());
    let call = world.call().with("timeoutSec", 0);
    let started = Instant::now();
    // Leaps of an hour: every timer of a run fires in each, most of them late.
    let leaping = async {
        world.running().await;
        for _ in 0..30 * 24 {
            advance(minutes(60)).await;
            sleep(seconds(1)).await;
        }
    };
    assert_success(&call.run_while(leaping).await, &call.heard);
    assert!(started.elapsed() >= month);
    assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
}

#[tokio::test(start_paused = true)]
async fn live_01_a_silent_pod_is_reported_every_15_s_then_every_minute_also_across_a_500() {
    let world = World::new(begins().wait(seconds(310)).ends());
    let call = world.call();
    let outcome = call
        .run_while(async {
            world.running().await;
            sleep(seconds(50)).await;
            for resource in ["jobs", "pods"] {
                world.fault(Fault::new(RequestMatch::of("watch", resource), FaultAction::status(500)).times(1));
            }
            world.knobs().end_watches();
        })
        .await;
    assert_success(&outcome, &call.heard);
    let silent: Vec<String> = call
        .heard
        .status_with("keepalive")
        .into_iter()
        .map(|(_, line)| line.rsplit('(').next().unwrap_or_default().replace("s since last output)", ""))
        .collect();
    assert_eq!(silent, ["15", "30", "45", "60", "75", "90", "105", "120", "180", "240", "300"]);
    let (last, _) = call.heard.status_with("keepalive").pop().unwrap();
    assert!(last < seconds(310), "a keepalive after the end: {last:?}");
    assert_eq!(call.heard.lines().len(), 3, "status lines are no output");
}

//! An order to stop while something is wrong: before the release, in doubt, without an API server, without a permission.

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_core::outcome::RunResult;
use serde_json::json;

use super::claude::{COST, SESSION, begins, init, result, says, works};
use super::requests::{REVIEW, done_but, fails, hangs, slow};
use super::world::{NAMESPACE, World, code, seconds};

fn acknowledged(result: &RunResult) -> bool {
    result.result_json.get("executionCancellation").is_some_and(|said| said["state"] == "acknowledged")
}

/// A container that has said everything and does not end.
fn endless() -> World {
    World::new(begins().print(result("done")).never_ends())
}

#[tokio::test(start_paused = true)]
async fn can_02_a_cancel_before_the_release_leaves_nothing_and_is_answered_at_once() {
    for (moment, action) in [
        (REVIEW, fails(503)),
        (REVIEW, hangs()),
        ("list jobs", hangs()),
        ("create jobs", fails(503)),
        ("create secrets", hangs()),
        ("create secrets", fails(503)),
        ("patch jobs", fails(503)),
    ] {
        let world = World::new(works(seconds(1)));
        world.goes_wrong(moment, 0, action.clone());
        let (result, took) = world.call().stopped_after(StopOrder::Cancel, world.asked(moment)).await;
        assert_eq!(code(&result), "cancelled", "{moment} {action:?}: {:?}", result.error_message);
        assert!(took <= seconds(1), "{moment} {action:?}: {took:?}");
        assert!(acknowledged(&result) && result.result_json["executionRecovery"]["kind"] == "bootstrap", "{moment}");
        assert_eq!(world.remains().await, Vec::<String>::new(), "{moment} {action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_the_creation_is_in_doubt_removes_what_was_created() {
    for action in [done_but(504), slow(seconds(3))] {
        let world = World::new(works(seconds(1)));
        world.goes_wrong("create jobs", 1, action.clone());
        world.goes_wrong("get jobs", 2, fails(503));
        let (result, took) = world.call().stopped_after(StopOrder::Cancel, world.asked("create jobs")).await;
        assert_eq!(code(&result), "cancelled", "{:?}", result.error_message);
        assert!(took <= seconds(10), "{took:?}");
        assert_eq!(world.remains().await, Vec::<String>::new(), "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_waiting_for_a_competitor_wakes_the_wait() {
    let world = World::new(works(seconds(1)));
    world.foreign_job("other", |_| {});
    let call = world.call().with("guardWaitSec", 600);
    let (result, took) = call.stopped_after(StopOrder::Cancel, world.asked_times("list jobs", 4)).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(1), "{took:?}");
    assert_eq!(world.remains().await, ["other"]);
}

#[tokio::test(start_paused = true)]
async fn can_06_a_cancelled_run_keeps_output_session_and_usage_and_its_pod_is_gone() {
    let world = endless();
    let call = world.call();
    let (outcome, took) = call.stopped_after(StopOrder::Cancel, world.asked("get pods/log")).await;
    assert_eq!(code(&outcome), "cancelled");
    assert!(took <= seconds(3), "{took:?}");
    assert!(acknowledged(&outcome));
    assert_eq!(outcome.result_json["executionCancellation"]["forced"], false);
    assert_eq!(outcome.result_json["k8s"]["exitCode"], 143);
    let json = serde_json::to_value(&outcome).unwrap();
    assert_eq!((&json["sessionId"], &json["costUsd"]), (&json!(SESSION), &json!(COST)));
    assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn can_03_a_stop_that_cannot_be_verified_is_answered_in_time_and_not_acknowledged() {
    let world = endless();
    let moment = async {
        let pod = world.running().await;
        assert!(world.knobs().node_lost(NAMESPACE, &pod, true));
    };
    let (result, took) = world.call().stopped_after(StopOrder::Cancel, moment).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(60), "{took:?}");
    assert!(!acknowledged(&result), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn can_03_a_cancel_without_an_api_server_is_answered_in_time() {
    let world = endless();
    let moment = async {
        world.running().await;
        world.fault_everywhere(hangs());
    };
    let (result, took) = world.call().stopped_after(StopOrder::Cancel, moment).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(75), "{took:?}");
    assert!(!acknowledged(&result), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn can_04_a_lease_lost_before_the_release_leaves_nothing_that_nobody_would_start() {
    let world = World::new(works(seconds(1)));
    world.goes_wrong("create secrets", 0, fails(503));
    let (result, _) = world.call().stopped_after(StopOrder::LeaseLost, world.asked("create secrets")).await;
    assert_eq!(code(&result), "k8s_controller_lease_lost");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_delete_a_cancel_suspends_and_the_ttl_cleans_up() {
    let world = endless();
    world.knobs().deny("delete", "jobs");
    let (result, took) = world.call().stopped_after(StopOrder::Cancel, world.asked("get pods/log")).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(60), "{took:?}");
    let job = world.job_object();
    assert_eq!(job["spec"]["suspend"], true);
    assert_eq!(job["metadata"]["annotations"]["paperclip.io/delivered"], "true", "no orphan for the next run");
}

//! Orders to stop, at every moment of a run.

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_core::outcome::RunResult;
use serde_json::{Value, json};

use super::api_server::{ApiServer, Fault};
use super::launch::foreign_job;
use super::scene::{SESSION, Scene, code, seconds};

fn acknowledged(result: &RunResult) -> bool {
    result.result_json.get("executionCancellation").is_some_and(|said| said["state"] == "acknowledged")
}

#[tokio::test(start_paused = true)]
async fn can_02_a_cancel_before_the_release_leaves_nothing_and_is_answered_at_once() {
    for (moment, fault) in [
        ("review", Fault::Fails(503)),
        ("review", Fault::Hangs),
        ("list jobs", Fault::Hangs),
        ("create jobs", Fault::Fails(503)),
        ("create secrets", Fault::Hangs),
        ("create secrets", Fault::Fails(503)),
        ("patch jobs", Fault::Fails(503)),
    ] {
        let scene = Scene::new();
        scene.server.fault(moment, 1000, fault);
        let when = |server: &ApiServer| if moment == "review" { server.reviews() > 0 } else { server.asked(moment) };
        let (result, took) = scene.stopped_when(StopOrder::Cancel, when).await;
        assert_eq!(code(&result), "cancelled", "{moment} {fault:?}: {:?}", result.error_message);
        assert!(took <= seconds(1), "{moment} {fault:?}: {took:?}");
        assert!(acknowledged(&result) && result.result_json["executionRecovery"]["kind"] == "bootstrap", "{moment}");
        assert!(scene.server.remains().is_empty(), "{moment}: {:?}", scene.server.remains());
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_the_creation_is_in_doubt_removes_what_was_created() {
    for fault in [Fault::DoneBut(504), Fault::Slow(seconds(3))] {
        let scene = Scene::new();
        scene.server.fault("create jobs", 1, fault);
        scene.server.fault("get jobs", 2, Fault::Fails(503));
        let (result, took) = scene.stopped_when(StopOrder::Cancel, |server| server.asked("create jobs")).await;
        assert_eq!(code(&result), "cancelled", "{:?}", result.error_message);
        assert!(took <= seconds(10), "{took:?}");
        assert_eq!(scene.server.remains(), Vec::<String>::new(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_waiting_for_a_competitor_wakes_the_wait() {
    let scene = Scene::new().with("guardWaitSec", json!(600));
    scene.server.put("jobs", foreign_job("other", false));
    let (result, took) = scene.stopped_when(StopOrder::Cancel, |server| server.requests().len() > 6).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(1), "{took:?}");
    assert_eq!(scene.server.remains(), ["other"]);
}

#[tokio::test(start_paused = true)]
async fn can_06_a_cancelled_run_keeps_output_session_and_usage_and_its_pod_is_gone() {
    let scene = Scene::new();
    scene.runs_for(None);
    let (result, took) = scene.stopped_when(StopOrder::Cancel, |server| server.asked("log")).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took >= seconds(1) && took <= seconds(3), "{took:?}");
    assert!(acknowledged(&result));
    assert_eq!(result.result_json["executionCancellation"]["forced"], false);
    assert_eq!(result.result_json["k8s"]["exitCode"], 143);
    let json = serde_json::to_value(&result).unwrap();
    assert_eq!((&json["sessionId"], &json["costUsd"]), (&json!(SESSION), &json!(0.25)));
    assert!(scene.host.stdout().contains("hello"));
    assert!(scene.server.remains().iter().all(|name| name.ends_with("-pod")), "{:?}", scene.server.remains());
}

#[tokio::test(start_paused = true)]
async fn can_03_a_stop_that_cannot_be_verified_is_answered_in_time_and_not_acknowledged() {
    let scene = Scene::new();
    scene.runs_for(None);
    scene.server.state().life.dies_within = None;
    let (result, took) = scene.stopped_when(StopOrder::Cancel, |server| server.asked("log")).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(60), "{took:?}");
    assert!(!acknowledged(&result), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn can_03_a_cancel_without_an_api_server_is_answered_in_time() {
    let scene = Scene::new();
    scene.runs_for(None);
    let when = |server: &ApiServer| {
        let now = server.asked("log");
        if now {
            for what in ["delete", "list", "watch", "get", "log", "patch"] {
                server.fault(what, 1_000_000, Fault::Hangs);
            }
        }
        now
    };
    let (result, took) = scene.stopped_when(StopOrder::Cancel, when).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(75), "{took:?}");
    assert!(!acknowledged(&result));
}

#[tokio::test(start_paused = true)]
async fn can_04_a_lost_lease_leaves_the_job_alone() {
    let scene = Scene::new();
    scene.runs_for(None);
    let (result, _) = scene.stopped_when(StopOrder::LeaseLost, |server| server.asked("log")).await;
    assert_eq!(code(&result), "k8s_controller_lease_lost");
    assert!(!scene.server.asked("delete"), "{:?}", scene.server.requests());
    assert!(scene.server.remains().contains(&"run-1-pod".to_owned()));
    let told = scene.host.of_events("message").pop().unwrap_or_default();
    assert!(told.ends_with("is no longer followed; its pod may still run"), "{told}");

    // Before the release nothing may be left that nobody would ever start.
    let scene = Scene::new();
    scene.server.fault("create secrets", 1000, Fault::Fails(503));
    let (result, _) = scene.stopped_when(StopOrder::LeaseLost, |server| server.asked("create secrets")).await;
    assert_eq!(code(&result), "k8s_controller_lease_lost");
    assert!(scene.server.remains().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_delete_a_cancel_suspends_and_the_ttl_cleans_up() {
    let scene = Scene::new();
    scene.server.deny("delete jobs");
    scene.runs_for(None);
    let when = |server: &ApiServer| server.asked("log");
    let (result, took) = scene.stopped_when(StopOrder::Cancel, when).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(60), "{took:?}");
    let job = scene.server.job_of("run-1");
    let job: Value = scene.server.object("jobs", &job).unwrap();
    assert_eq!(job["spec"]["suspend"], true);
    assert_eq!(job["metadata"]["annotations"]["paperclip.io/delivered"], "true", "no orphan for the next run");
}

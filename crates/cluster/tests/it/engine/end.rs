//! Following a Job to its end, through everything that is no end.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api_server::{ApiServer, Fault};
use super::scene::{SESSION, Scene, code, full_context, seconds, success};

const EVERYTHING: [&str; 6] = ["list", "watch", "get", "log", "patch", "delete"];

async fn once_asked(server: &ApiServer, what: &str) {
    while !server.asked(what) {
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn end_02_ten_minutes_of_500s_end_nothing_and_the_real_state_decides() {
    for (exit_code, expected) in [(0, ""), (3, "claude_truncated")] {
        let scene = Scene::new();
        scene.runs_for(Some(seconds(300)));
        scene.server.state().life.exit_code = exit_code;
        if exit_code != 0 {
            scene.log(success().lines().take(2).collect::<Vec<_>>().join("\n").as_str());
        }
        let server = scene.server.clone();
        let outage = async {
            once_asked(&server, "log").await;
            sleep(seconds(60)).await;
            for what in EVERYTHING {
                server.fault(what, 1_000_000, Fault::Fails(500));
            }
            sleep(seconds(600)).await;
            assert!(!server.asked("delete"), "no DELETE before the recovery");
            server.heal();
        };
        let (result, ()) = tokio::join!(scene.run(), outage);
        assert_eq!(code(&result), expected, "{:?}", result.error_message);
        let observed = result.result_json["k8s"]["exitCode"].as_i64();
        assert_eq!(observed, Some(exit_code.into()));
        assert!(scene.host.stdout().contains("API server not reachable"), "{}", scene.host.stdout());
        assert_eq!(scene.host.stdout().matches("hello").count(), 1);
        assert!(scene.server.remains().is_empty(), "{:?}", scene.server.remains());
    }
}

#[tokio::test(start_paused = true)]
async fn end_03_without_a_deadline_a_silent_run_of_hours_is_left_in_peace() {
    let scene = Scene::new();
    scene.runs_for(Some(seconds(6 * 3600)));
    let started = Instant::now();
    assert_eq!(code(&scene.run().await), "");
    assert!(started.elapsed() >= seconds(6 * 3600));
}

#[tokio::test(start_paused = true)]
async fn end_08_a_result_that_was_read_decides_although_the_job_vanishes() {
    let scene = Scene::new();
    scene.runs_for(None);
    let server = scene.server.clone();
    let deletion = async {
        once_asked(&server, "log").await;
        sleep(seconds(5)).await;
        server.collect("jobs", &server.job_of("run-1"));
    };
    let (result, ()) = tokio::join!(scene.run(), deletion);
    assert_eq!((code(&result), result.exit_code), ("", Some(0)), "{:?}", result.error_message);
}

#[tokio::test(start_paused = true)]
async fn end_06_a_job_that_vanishes_without_a_result_was_deleted_and_is_no_success() {
    let scene = Scene::new();
    scene.log("");
    scene.runs_for(None);
    let server = scene.server.clone();
    let deletion = async {
        once_asked(&server, "log").await;
        sleep(seconds(5)).await;
        server.collect("jobs", &server.job_of("run-1"));
    };
    let (result, ()) = tokio::join!(scene.run(), deletion);
    assert_eq!(code(&result), "k8s_job_deleted_externally", "{:?}", result.error_message);
}

#[tokio::test(start_paused = true)]
async fn end_15_a_clean_up_that_fails_for_ever_changes_nothing_and_says_so_once() {
    for fault in [Fault::Fails(500), Fault::Hangs] {
        let scene = Scene::new();
        scene.server.fault("delete", 1000, fault);
        let started = Instant::now();
        let result = scene.run().await;
        assert_eq!((code(&result), result.exit_code), ("", Some(0)));
        assert!(started.elapsed() <= seconds(12), "{:?}", started.elapsed());
        assert_eq!(scene.host.stderr().matches("clean-up:").count(), 1, "{}", scene.host.stderr());
        assert_eq!(scene.server.remains().len(), 3, "Job, pod and Secret stay: {:?}", scene.server.remains());
    }
}

#[tokio::test(start_paused = true)]
async fn grd_06_what_a_failed_clean_up_leaves_is_not_delivered_again_by_the_same_process() {
    let scene = Scene::new();
    scene.server.fault("delete", 1000, Fault::Fails(500));
    scene.run().await;
    scene.server.heal();
    let next = scene.again("run-2");
    let result = next.run().await;
    assert_eq!((code(&result), result.cost_usd), ("", Some(0.25)), "its own cost only");
    assert_eq!(result.result_json["k8s"]["adoptedRun"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_retained_job_loses_its_payload_and_is_marked_as_delivered() {
    let scene = Scene::new().with("retainJobs", json!(true));
    assert_eq!(code(&scene.run().await), "");
    assert_eq!(scene.server.remains(), ["run-1", "run-1-pod"]);
    let job = scene.server.object("jobs", &scene.server.job_of("run-1")).unwrap();
    assert_eq!(job["metadata"]["annotations"]["paperclip.io/delivered"], "true");
    // The next run of the task takes nothing from it.
    let next = scene.restarted("run-2");
    let result = next.run().await;
    assert_eq!((code(&result), result.cost_usd), ("", Some(0.25)));
    assert_eq!(result.result_json["k8s"]["adoptedRun"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_kept_payload_is_named_when_it_may_not_be_removed() {
    let scene = Scene::new().with("retainJobs", json!(true));
    scene.server.deny("delete secrets");
    assert_eq!(code(&scene.run().await), "");
    assert_eq!(scene.server.remains().len(), 3);
    assert!(scene.host.stderr().contains("`delete` on `secrets` is not granted"), "{}", scene.host.stderr());
}

fn resuming() -> Scene {
    let mut scene = Scene::new();
    scene.request["session"] = json!({ "sessionId": SESSION, "cwd": "/paperclip" });
    scene.log(&full_context());
    scene.server.state().life.exit_code = 1;
    scene
}

#[tokio::test(start_paused = true)]
async fn ses_03_a_full_session_costs_one_fresh_attempt_in_the_same_run() {
    let scene = resuming();
    scene.server.state().logs.insert("ac-agent-1-run-1-0ec508-r2".to_owned(), success());
    let result = scene.run().await;
    assert_eq!(code(&result), "", "{:?} {}", result.error_message, scene.host.stdout());
    assert_eq!(result.result_json["k8s"]["attempts"], 2);
    assert_eq!(result.cost_usd, Some(0.75), "both attempts are booked");
    assert_eq!(scene.host.dispatches(), 1, "HST-08");
    assert!(scene.server.remains().is_empty());
    assert_eq!(scene.host.stdout().matches("starting a fresh one").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn ses_03_a_second_attempt_that_fails_the_same_way_is_the_last() {
    let scene = resuming();
    let result = scene.run().await;
    assert_eq!(code(&result), "claude_prompt_too_long");
    assert_eq!((result.cost_usd, result.clear_session), (Some(1.0), true));
    let creates = scene.server.requests().iter().filter(|one| one.starts_with("create jobs")).count();
    assert_eq!(creates, 2);
}

#[tokio::test(start_paused = true)]
async fn ses_03_a_fresh_attempt_that_is_refused_leaves_the_first_ones_evidence() {
    let scene = resuming();
    scene.server.fault("create jobs/ac-agent-1-run-1-0ec508-r2", 1, Fault::Fails(422));
    let result = scene.run().await;
    assert_eq!(code(&result), "claude_prompt_too_long", "{:?}", result.error_message);
    assert_eq!((result.cost_usd, result.exit_code), (Some(0.5), Some(1)));
    assert!(scene.host.stderr().contains("HTTP 422"));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_between_two_attempts_keeps_what_the_first_one_spent() {
    let scene = resuming();
    scene.server.fault("create secrets/ac-agent-1-run-1-0ec508-r2", 1000, Fault::Fails(503));
    let when = |server: &ApiServer| server.asked("create secrets/run-1-r2");
    let (result, _) = scene.stopped_when(claude_k8s_cluster::host::StopOrder::Cancel, when).await;
    assert_eq!((code(&result), result.cost_usd), ("cancelled", Some(0.5)));
    assert!(scene.server.remains().is_empty(), "{:?}", scene.server.remains());
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_never_comes_is_a_start_failure_within_its_bound() {
    let scene = Scene::new().with("scheduleTimeoutSec", json!(60));
    scene.server.state().life.no_pod = true;
    let started = Instant::now();
    let result = scene.run().await;
    assert_eq!(code(&result), "k8s_pod_schedule_failed");
    assert!(result.error_message.unwrap().contains("scheduleTimeoutSec"));
    assert!(started.elapsed() >= seconds(60) && started.elapsed() <= seconds(64), "{:?}", started.elapsed());
    assert!(scene.server.remains().is_empty());
}

#[tokio::test(start_paused = true)]
async fn end_05_the_adapters_own_limit_stops_a_pod_whose_kubelet_did_not() {
    let scene = Scene::new().with("timeoutSec", json!(100)).with("graceSec", json!(20));
    scene.runs_for(None);
    scene.log(success().lines().next().unwrap());
    let started = Instant::now();
    let result = scene.run().await;
    assert_eq!((code(&result), result.timed_out), ("timeout", true));
    assert!(started.elapsed() >= seconds(120) && started.elapsed() <= seconds(125), "{:?}", started.elapsed());
}

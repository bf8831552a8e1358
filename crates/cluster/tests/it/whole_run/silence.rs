//! A container that says nothing is left in peace, and the reader of the log is told that it lives.

use claude_k8s_testkit::{Fault, FaultAction, RequestMatch, Script};
use serde_json::{Value, json};
use tokio::time::{Instant, advance, sleep};

use super::claude::{Ends, begins, init, result, says};
use super::requests::fails;
use super::world::{Call, NAMESPACE, World, assert_success, code, minutes, name, seconds};

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
async fn fld_14_a_silent_pod_is_told_to_the_status_line_again_and_again_and_to_the_log_once_also_across_a_500() {
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
    let alive = call.heard.progress().len();
    assert!((8 + 3..20).contains(&alive), "every 15 s, later every minute: {:#?}", call.heard.progress());
    let mut told = call.heard.status_with("keepalive");
    told.retain(|(_, line)| !line.contains("API server not reachable"));
    assert_eq!(told.len(), 1, "FLD-14: the host's own clock of output moves once in a silence: {told:#?}");
    assert_eq!(call.heard.lines().len(), 3, "status lines are no output");
}

#[tokio::test(start_paused = true)]
async fn fld_12_a_process_that_stays_after_its_result_is_stopped_and_the_run_succeeds() {
    let world = World::new(begins().print(result("done")).wait(minutes(24 * 60)).exit(0));
    let call = world.call();
    let started = Instant::now();
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    assert_eq!(outcome.result_json["k8s"]["stopped"], "after_result");
    let took = started.elapsed();
    assert!(took >= seconds(960) && took < seconds(990), "{took:?}");
    let told = call.heard.status_with("The result is in; waiting for Claude Code to exit (60 s)");
    assert_eq!(told.len(), 1, "{:#?}", call.heard.status());
    assert!(world.remains().await.is_empty());
}

/// Runs that are stopped although they are retained: after a result, and in silence.
fn stopped_by_the_run() -> [(&'static str, Script, Value); 2] {
    let forever = minutes(120);
    [
        ("after_result", begins().print(result("done")).wait(forever).exit(0), json!({ "exitGraceSec": 60 })),
        ("silent", begins().wait(forever).ends(), json!({ "silenceTimeoutSec": 60 })),
    ]
}

fn retained(world: &World, config: &Value) -> Call {
    config
        .as_object()
        .unwrap()
        .iter()
        .fold(world.call().with("retainJobs", true), |call, (key, value)| call.with(key, value.clone()))
}

#[tokio::test(start_paused = true)]
async fn fld_26_and_fld_12_a_retained_job_that_had_to_be_stopped_stays_with_its_ended_pod_and_its_log() {
    for deaf in [false, true] {
        for (stopped, script, config) in stopped_by_the_run() {
            let world = World::new(if deaf { script.ignores_term() } else { script });
            let call = retained(&world, &config);
            let outcome = call.run().await;
            assert_eq!(outcome.result_json["k8s"]["stopped"], stopped, "{:?}", outcome.error_message);
            assert_eq!(outcome.error_code.is_none(), stopped == "after_result");
            assert_eq!(world.deletes(), 0, "{stopped}");
            let left = world.remains().await;
            assert_eq!(left.len(), 2, "{stopped}: Job and pod, without the payload: {left:?}");
            let pod = world.knobs().objects("pods", NAMESPACE).remove(0);
            assert_eq!(
                (&pod["status"]["phase"], &pod["status"]["reason"]),
                (&"Failed".into(), &"DeadlineExceeded".into())
            );
            assert!(world.log_of(&name(&pod)).await.contains("hello"), "{stopped}");
            assert_eq!(world.job_object()["metadata"]["annotations"]["paperclip.io/delivered"], "true");
            assert!(!call.heard.stderr().contains("patch"), "{}", call.heard.stderr());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fld_26_without_the_permission_to_patch_pods_the_job_stays_and_the_missing_log_is_told() {
    for (stopped, script, config) in stopped_by_the_run() {
        let world = World::new(script);
        world.knobs().deny("patch", "pods");
        let call = retained(&world, &config);
        let outcome = call.run().await;
        assert_eq!(outcome.result_json["k8s"]["stopped"], stopped, "{:?}", outcome.error_message);
        assert_eq!(world.deletes(), 0, "{stopped}");
        assert_eq!(world.remains().await, [world.job()], "{stopped}: the Job alone");
        let told = call.heard.stderr();
        assert_eq!(told.matches("grant `patch` on `pods` to keep both").count(), 1, "{stopped}: {told}");
        let next = world.process().call("run-2");
        assert_eq!(next.run().await.result_json["k8s"]["adoptedRun"], Value::Null, "{stopped}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_26_a_retained_job_is_stopped_by_deletion_where_nothing_else_is_possible() {
    for (stopped, script, config) in stopped_by_the_run() {
        let world = World::new(script);
        world.goes_wrong("patch pods", 0, fails(500));
        let refusing = async {
            world.running().await;
            world.goes_wrong("patch jobs", 0, fails(500));
        };
        let call = retained(&world, &config);
        let outcome = call.run_while(refusing).await;
        assert_eq!(outcome.result_json["k8s"]["stopped"], stopped, "{:?}", outcome.error_message);
        assert!(world.remains().await.is_empty(), "{stopped}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_12_with_0_the_process_may_stay() {
    let world = World::new(begins().print(result("done")).wait(minutes(300)).exit(0));
    let call = world.call().with("exitGraceSec", 0);
    let started = Instant::now();
    assert_success(&call.run().await, &call.heard);
    assert!(started.elapsed() >= minutes(300));
}

#[tokio::test(start_paused = true)]
async fn fld_13_a_silent_run_ends_by_its_bound_and_names_the_open_tool() {
    let tool = r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t1","name":"Bash"}]}}"#;
    let world = World::new(begins().wait(seconds(100)).print(tool).wait(minutes(24 * 60)).ends());
    let call = world.call().with("silenceTimeoutSec", 300);
    let started = Instant::now();
    let outcome = call.run().await;
    let lasted = started.elapsed();
    assert_eq!(code(&outcome), "k8s_silent_run");
    assert!(lasted >= seconds(400) && lasted < seconds(430), "{lasted:?}");
    let message = outcome.error_message.unwrap();
    assert!(message.contains("silent for 300s (silenceTimeoutSec)"), "{message}");
    assert!(message.contains("an answer of the model, tool `Bash` had not returned"), "{message}");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn fld_13_a_log_that_cannot_be_read_is_no_silence() {
    let world = World::new(begins().wait(seconds(90)).print(says("again")).wait(seconds(400)).ends());
    let call = world.call().with("silenceTimeoutSec", 120);
    let deaf = async {
        world.running().await;
        sleep(seconds(2)).await;
        world.fault(Fault::new(RequestMatch::of("get", "pods/log"), FaultAction::status(500)));
        world.knobs().close_follows(false);
        sleep(seconds(430)).await;
        world.knobs().clear_faults();
    };
    assert_success(&call.run_while(deaf).await, &call.heard);
}

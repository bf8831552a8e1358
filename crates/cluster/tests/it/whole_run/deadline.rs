//! `timeoutSec`: exact, and told as a timeout also when it is seen late.

use claude_k8s_testkit::{FaultAction, HoldKind};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::claude::{Ends, begins, init, result, says};
use super::world::{NAMESPACE, World, assert_success, code, name, seconds};

#[tokio::test(start_paused = true)]
async fn end_05_the_pod_deadline_is_exact() {
    let world = World::new(begins().never_ends());
    let call = world.call().with("timeoutSec", 100).with("graceSec", 20);
    let started = Instant::now();
    let outcome = call.run().await;
    assert_eq!((code(&outcome), outcome.timed_out), ("timeout", true), "{:?}", outcome.error_message);
    let took = started.elapsed();
    assert!(took >= seconds(100) && took <= seconds(104), "{took:?}");
    assert_eq!(call.heard.lines(), [init(), says("hello")]);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn end_05_a_deadline_that_is_seen_two_minutes_late_is_a_timeout() {
    let world = World::new(begins().never_ends());
    let call = world.call().with("timeoutSec", 100).with("graceSec", 20);
    let outage = async {
        world.running().await;
        sleep(seconds(60)).await;
        world.fault_everywhere(FaultAction::status(503));
        world.knobs().end_watches();
        world.knobs().close_follows(true);
        sleep(seconds(160)).await;
        world.knobs().clear_faults();
    };
    let outcome = call.run_while(outage).await;
    assert_eq!((code(&outcome), outcome.timed_out), ("timeout", true), "{:?}", outcome.error_message);
}

#[tokio::test(start_paused = true)]
async fn end_04_a_success_just_before_the_deadline_or_when_asked_to_end_is_a_success() {
    let obeys = begins().never_ends().on_term(claude_k8s_testkit::Script::new().print(result("done")).exit(143));
    for script in [begins().wait(seconds(98)).ends(), obeys] {
        let world = World::new(script);
        let call = world.call().with("timeoutSec", 100).with("graceSec", 20);
        let outcome = call.run().await;
        assert_success(&outcome, &call.heard);
        assert!(!outcome.timed_out);
    }
}

#[tokio::test(start_paused = true)]
async fn end_05_the_adapters_own_limit_stops_a_pod_whose_kubelet_did_not() {
    let world = World::new(begins().never_ends());
    let call = world.call().with("timeoutSec", 100).with("graceSec", 20);
    world.knobs().hold(HoldKind::Scheduling);
    let started = Instant::now();
    let forgetting = async {
        let pod = name(&world.knobs().wait_for("pods", |_| true).await);
        let no_deadline = json!({ "spec": { "activeDeadlineSeconds": null } });
        assert!(world.knobs().patch("pods", NAMESPACE, &pod, &no_deadline));
        world.knobs().release(HoldKind::Scheduling);
    };
    let outcome = call.run_while(forgetting).await;
    assert_eq!((code(&outcome), outcome.timed_out), ("timeout", true), "{:?}", outcome.error_message);
    assert!(started.elapsed() >= seconds(120) && started.elapsed() <= seconds(125), "{:?}", started.elapsed());
}

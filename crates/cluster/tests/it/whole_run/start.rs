//! From the release to the first line: waiting for a node is progress, up to a bound.

use claude_k8s_testkit::{Hold, HoldKind};
use tokio::time::{Instant, sleep};

use super::claude::{Ends, begins};
use super::world::{World, assert_success, code, seconds};

const CAUSE: &str = "0/3 nodes are available: 3 Insufficient cpu.";

fn without_a_node() -> World {
    let world = World::new(begins().wait(seconds(10)).ends());
    world.knobs().hold_with(Hold { kind: HoldKind::Scheduling, name: None, message: Some(CAUSE.to_owned()) });
    world
}

#[tokio::test(start_paused = true)]
async fn pod_02_a_pod_that_gets_its_node_after_200_s_runs() {
    let world = without_a_node();
    let call = world.call();
    let scaling_up = async {
        sleep(seconds(200)).await;
        world.knobs().release(HoldKind::Scheduling);
    };
    assert_success(&call.run_while(scaling_up).await, &call.heard);
    assert_eq!(call.heard.status_with("waiting for a node").len(), 1, "{:#?}", call.heard.status());
}

#[tokio::test(start_paused = true)]
async fn pod_01_the_bounds_of_schedule_and_start_are_two_and_each_is_named() {
    for (hold, bound) in [(HoldKind::Scheduling, "scheduleTimeoutSec"), (HoldKind::ContainerStart, "startupTimeoutSec")]
    {
        let world = World::new(begins().ends());
        world.knobs().hold_with(Hold { kind: hold, name: None, message: Some(CAUSE.to_owned()) });
        let call = world.call().with("scheduleTimeoutSec", 70).with("startupTimeoutSec", 90);
        let started = Instant::now();
        let outcome = call.run().await;
        let took = started.elapsed();
        assert_eq!(code(&outcome), "k8s_pod_schedule_failed");
        let message = outcome.error_message.unwrap();
        assert!(message.contains(bound), "{message}");
        assert_eq!(message.contains("Insufficient cpu"), hold == HoldKind::Scheduling, "{message}");
        let least = if hold == HoldKind::Scheduling { 70 } else { 90 };
        assert!(took >= seconds(least) && took <= seconds(least + 5), "{took:?}");
        assert!(world.remains().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_never_comes_is_a_start_failure_within_its_bound() {
    let world = World::new(begins().ends());
    world.knobs().hold(HoldKind::JobController);
    let started = Instant::now();
    let outcome = world.call().with("scheduleTimeoutSec", 60).run().await;
    assert_eq!(code(&outcome), "k8s_pod_schedule_failed");
    assert!(outcome.error_message.unwrap().contains("scheduleTimeoutSec"));
    assert!(started.elapsed() >= seconds(60) && started.elapsed() <= seconds(64), "{:?}", started.elapsed());
    assert!(world.remains().await.is_empty());
}

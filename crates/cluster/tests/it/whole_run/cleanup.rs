//! What a settled run leaves in the cluster, and that it is never taken for somebody's work.

use serde_json::Value;
use tokio::time::Instant;

use super::claude::{COST, works};
use super::requests::{fails, hangs, short};
use super::world::{World, assert_success, seconds};

fn world() -> World {
    World::new(works(seconds(1)))
}

#[tokio::test(start_paused = true)]
async fn end_15_a_clean_up_that_fails_for_ever_changes_nothing_and_says_so_once() {
    for action in [fails(500), hangs()] {
        let world = world();
        world.goes_wrong("delete", 0, action);
        let call = world.call();
        let started = Instant::now();
        assert_success(&call.run().await, &call.heard);
        assert!(started.elapsed() <= seconds(14), "{:?}", started.elapsed());
        assert_eq!(call.heard.stderr().matches("clean-up:").count(), 1, "{}", call.heard.stderr());
        let remains = world.remains().await;
        assert_eq!(remains.len(), 3, "Job, pod and Secret stay: {remains:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_06_what_a_failed_clean_up_leaves_is_not_delivered_again_by_the_same_process() {
    let world = world();
    let process = world.process();
    world.goes_wrong("delete", 0, fails(500));
    process.call("run-1").run().await;
    world.knobs().clear_faults();
    let next = process.call("run-2");
    let result = next.run().await;
    assert_success(&result, &next.heard);
    assert_eq!(result.cost_usd, Some(COST), "its own cost only");
    assert_eq!(result.result_json["k8s"]["adoptedRun"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_retained_job_loses_its_payload_and_is_marked_as_delivered() {
    let world = world();
    let call = world.call().with("retainJobs", true);
    assert_success(&call.run().await, &call.heard);
    let remains: Vec<_> = world.remains().await.iter().map(|name| short(name)).collect();
    assert_eq!((remains.len(), remains[0].as_str()), (2, "run-1"), "Job and pod: {remains:?}");
    assert_eq!(world.job_object()["metadata"]["annotations"]["paperclip.io/delivered"], "true");
    // The next run of the task takes nothing from it.
    let next = world.process().call("run-2");
    let result = next.run().await;
    assert_success(&result, &next.heard);
    assert_eq!(result.cost_usd, Some(COST));
    assert_eq!(result.result_json["k8s"]["adoptedRun"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_kept_payload_is_named_when_it_may_not_be_removed() {
    let world = world();
    world.knobs().deny("delete", "secrets");
    let call = world.call().with("retainJobs", true);
    assert_success(&call.run().await, &call.heard);
    assert_eq!(world.remains().await.len(), 3);
    assert!(call.heard.stderr().contains("`delete` on `secrets` is not granted"), "{}", call.heard.stderr());
}

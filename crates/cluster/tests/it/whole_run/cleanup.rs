//! What a settled run leaves in the cluster, and that it is never taken for somebody's work.

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_core::log::end_line;
use claude_k8s_testkit::Script;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::claude::{COST, begins, result, works};
use super::requests::{fails, hangs, short, slow};
use super::world::{Call, NAMESPACE, World, assert_success, code, minutes, name, seconds};

fn world() -> World {
    World::new(works(seconds(1)))
}

#[tokio::test(start_paused = true)]
async fn end_15_a_clean_up_that_fails_for_ever_changes_nothing_and_says_so_once() {
    let world = world();
    world.goes_wrong("delete", 0, fails(500));
    let call = world.call();
    let started = Instant::now();
    assert_success(&call.run().await, &call.heard);
    assert!(started.elapsed() <= seconds(14), "{:?}", started.elapsed());
    assert_eq!(call.heard.stderr().matches("clean-up:").count(), 1, "{}", call.heard.stderr());
    let remains = world.remains().await;
    assert_eq!(remains.len(), 3, "Job, pod and Secret stay: {remains:?}");
}

#[tokio::test(start_paused = true)]
async fn end_15_a_result_waits_for_no_slow_answer_and_what_it_could_not_tell_the_next_run_tells_once() {
    let world = world();
    let process = world.process();
    world.goes_wrong("delete", 0, hangs());
    let call = process.call("run-1");
    let ended = async {
        world.asked("delete").await;
        Instant::now()
    };
    let (result, ended) = tokio::join!(call.run(), ended);
    assert!(ended.elapsed() < seconds(1), "{:?}", ended.elapsed());
    assert_success(&result, &call.heard);
    assert!(!call.heard.stderr().contains("clean-up:"), "{}", call.heard.stderr());
    sleep(seconds(20)).await;
    world.knobs().clear_faults();
    for (run, times) in [("run-2", 1), ("run-3", 0)] {
        let call = process.call(run);
        let result = call.run().await;
        assert_success(&result, &call.heard);
        assert_eq!(call.heard.stderr().matches("clean-up:").count(), times, "{run}: {}", call.heard.stderr());
        let told = result.result_json["k8s"]["warnings"].to_string();
        assert_eq!(told.matches("the TTL of Job ac-agent-1-run-1-").count(), times, "{run}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_06_a_run_that_starts_during_a_slow_clean_up_takes_nothing_from_it_and_is_not_refused() {
    for retain in [false, true] {
        let world = world();
        let process = world.process();
        world.goes_wrong("delete", 0, slow(seconds(5)));
        let first = process.call("run-1").with("retainJobs", retain);
        let released = async {
            world.running().await;
            if retain {
                world.goes_wrong("patch jobs", 1, slow(seconds(5)));
            }
        };
        let (result, ()) = tokio::join!(first.run(), released);
        assert_success(&result, &first.heard);
        let started = Instant::now();
        let next = process.call("run-2").with("retainJobs", retain);
        let result = next.run().await;
        assert_success(&result, &next.heard);
        assert!(next.heard.status_with("Reattached").is_empty(), "retained: {retain}");
        assert!(started.elapsed() < seconds(4), "retained: {retain}, {:?}", started.elapsed());
        assert_eq!((result.cost_usd, world.knobs().launches().len()), (Some(COST), 2), "retained: {retain}");
        sleep(seconds(20)).await;
        assert_eq!(world.remains().await.len(), if retain { 4 } else { 0 }, "retained: {retain}");
        assert!(!next.heard.stderr().contains("clean-up:"), "{}", next.heard.stderr());
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
async fn grd_05_a_cancelled_job_that_could_not_be_stopped_is_no_orphan_during_its_clean_up_nor_afterwards() {
    let world = World::new(begins().never_ends());
    let process = world.process();
    world.goes_wrong("delete", 0, hangs());
    let call = process.call("run-1");
    let (result, _) = call.stopped_after(StopOrder::Cancel, async { drop(world.running().await) }).await;
    assert_eq!(code(&result), "cancelled");
    world.knobs().clear_faults();
    for run in ["run-2", "run-3"] {
        let next = process.call(run);
        assert_eq!(code(&next.run().await), "k8s_concurrent_run_blocked", "{run}: {:#?}", next.heard.status());
        sleep(seconds(20)).await;
    }
    assert_eq!(world.knobs().launches().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn end_15_what_is_known_while_the_run_is_heard_is_told_by_itself() {
    let world = world();
    world.knobs().deny("delete", "secrets");
    let process = world.process();
    let first = process.call("run-1").with("retainJobs", true);
    let released = async {
        world.running().await;
        world.goes_wrong("patch jobs", 1, slow(seconds(5)));
    };
    let (result, ()) = tokio::join!(first.run(), released);
    assert_success(&result, &first.heard);
    assert!(first.heard.stderr().contains("`delete` on `secrets` is not granted"), "{}", first.heard.stderr());
    let next = process.call("run-2");
    assert_success(&next.run().await, &next.heard);
    assert!(!next.heard.stderr().contains("is not granted"), "{}", next.heard.stderr());
}

/// A container beside `claude` that never ends.
fn with_a_companion(world: &World) -> Call {
    let companion = json!({ "name": "companion", "image": "claude:test" });
    world.call().with("retainJobs", true).with("podTemplate", json!({ "spec": { "containers": [companion] } }))
}

fn with_companions() -> World {
    World::choosing(|launch| match launch.container.as_str() {
        "claude" => works(seconds(20)),
        _ => Script::new().never_ends(),
    })
}

#[tokio::test(start_paused = true)]
async fn fld_26_a_container_that_outlives_the_run_does_not_keep_the_pod_of_a_retained_job() {
    let world = with_companions();
    let call = with_a_companion(&world);
    assert_success(&call.run().await, &call.heard);
    assert_eq!(world.remains().await.len(), 2, "Job and pod stay");
    let pod = || world.knobs().objects("pods", NAMESPACE).remove(0);
    assert_eq!(pod()["status"]["phase"], "Running", "a container that ends by itself has time for it");
    sleep(minutes(11)).await;
    let pod = pod();
    assert_eq!(pod["status"]["phase"], "Failed");
    assert!(world.log_of(&name(&pod)).await.contains("hello"));
    assert!(!call.heard.stderr().contains("patch"), "{}", call.heard.stderr());
}

#[tokio::test(start_paused = true)]
async fn fld_26_without_the_permission_to_patch_pods_the_deadline_of_the_job_ends_the_pod() {
    let world = with_companions();
    world.knobs().deny("patch", "pods");
    let call = with_a_companion(&world);
    assert_success(&call.run().await, &call.heard);
    let told = call.heard.stderr();
    assert!(told.contains("because of its container `companion`: within 10 minutes the deadline of Job"), "{told}");
    sleep(minutes(12)).await;
    assert_eq!(world.remains().await, [world.job()]);
}

#[tokio::test(start_paused = true)]
async fn fld_26_a_cluster_that_refuses_the_deadline_still_gets_the_mark() {
    let world = World::new(works(seconds(1)));
    let call = world.call().with("retainJobs", true);
    let refusing = async {
        world.running().await;
        world.goes_wrong("patch jobs", 1, fails(422));
    };
    assert_success(&call.run_while(refusing).await, &call.heard);
    assert_eq!(world.job_object()["metadata"]["annotations"]["paperclip.io/delivered"], "true");
    assert!(!call.heard.stderr().contains("clean-up"), "{}", call.heard.stderr());
}

#[tokio::test(start_paused = true)]
async fn fld_26_without_any_permission_to_patch_a_pod_that_goes_on_is_named() {
    let world = with_companions();
    world.knobs().deny("patch", "pods");
    world.knobs().deny("patch", "jobs");
    let call = with_a_companion(&world);
    assert_success(&call.run().await, &call.heard);
    let told = call.heard.stderr();
    assert!(told.contains("may run on because of its container `companion`: delete Job"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn fld_26_a_retained_job_whose_container_only_said_its_end_is_bounded() {
    let silent = begins().print(result("done")).print(end_line("0")).never_ends().ignores_term();
    let world = World::new(silent);
    let call = world.call().with("retainJobs", true);
    let started = Instant::now();
    assert_success(&call.run().await, &call.heard);
    assert!(started.elapsed() < seconds(60), "{:?}", started.elapsed());
    assert_eq!(world.remains().await.len(), 2, "Job and pod stay for the time being");
    sleep(minutes(12)).await;
    assert_eq!(world.remains().await, [world.job()], "the deadline of the Job ended the pod");
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

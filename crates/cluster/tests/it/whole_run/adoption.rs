//! Which Jobs of an earlier process are adopted, and what an adoption may and may not do.

use std::time::Duration;

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_testkit::{FaultAction, HoldKind, Script};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::claude::{COST, begins, result, says, works};
use super::requests::{done_but, fails, forbidden, slow};
use super::world::{Call, NAMESPACE, World, assert_success, code, minutes, name, process_start_ms, seconds};

/// A Job whose process was killed while it followed the container.
async fn orphaned(script: Script) -> World {
    let world = World::new(script);
    world.call().killed_after(world.asked("get pods/log")).await;
    world
}

#[tokio::test(start_paused = true)]
async fn grd_06_this_runs_own_finished_job_is_its_result() {
    let world = orphaned(works(seconds(1))).await;
    sleep(seconds(30)).await;
    let again = world.call();
    let result = again.run().await;
    assert_success(&result, &again.heard);
    assert_eq!(result.cost_usd, Some(COST));
    assert_eq!(result.result_json["k8s"]["adopted"], true);
    assert_eq!(again.heard.status_with("the prompt is not delivered again").len(), 1);
    assert_eq!(world.count("create jobs"), 1);
}

#[tokio::test(start_paused = true)]
async fn prm_05_a_process_killed_at_any_step_leaves_a_launch_that_the_same_run_finishes() {
    for step in ["create jobs", "create secrets/run-1-prompt", "create secrets/run-1-run", "patch jobs"] {
        let world = World::new(works(seconds(1)));
        for what in ["create", "patch"] {
            world.goes_wrong(what, 0, slow(Duration::from_millis(5)));
        }
        world.call().with_large_prompt().killed_after(world.asked(step)).await;
        sleep(seconds(1)).await;
        world.knobs().clear_faults();
        let again = world.call().with_large_prompt();
        let result = again.run().await;
        assert_eq!((code(&result), result.cost_usd), ("", Some(COST)), "{step}: {:?}", result.error_message);
        assert_eq!(world.remains().await, Vec::<String>::new(), "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_05_only_the_supervisor_annotation_of_an_adopted_job_changes() {
    let world = orphaned(works(minutes(1))).await;
    sleep(seconds(5)).await;
    let mut expected = world.job_object();
    let mut next = world.process().call("run-2");
    next.request["host"]["startedAtMs"] = json!(9_000_000);
    let patches = world.count("patch jobs");
    let looking = async {
        world.asked_times("patch jobs", patches + 1).await;
        sleep(seconds(1)).await;
        let mut after = world.job_object();
        let supervisor = after["metadata"]["annotations"]["paperclip.io/supervisor"].take();
        assert_eq!(supervisor, "machine/4194305/9000000");
        expected["metadata"]["annotations"]["paperclip.io/supervisor"].take();
        expected["metadata"]["resourceVersion"] = after["metadata"]["resourceVersion"].clone();
        assert_eq!(after, expected);
    };
    assert_success(&next.run_while(looking).await, &next.heard);
}

#[tokio::test(start_paused = true)]
async fn grd_05_what_is_no_orphan_of_the_task_is_never_adopted() {
    type Change = fn(&World, &mut Call);
    let cases: [(Change, &str); 5] = [
        (|_, call| call.request["context"]["taskId"] = json!("task-2"), "k8s_concurrent_run_blocked"),
        (|_, call| call.request["context"] = json!({}), "k8s_orphan_task_unknown"),
        (|_, call| call.request["config"]["reattachOrphanedJobs"] = json!(false), "k8s_concurrent_run_blocked"),
        // Another machine's process cannot be proven gone.
        (|_, call| call.request["host"]["machineId"] = json!("another"), "k8s_concurrent_run_blocked"),
        // The supervisor lives.
        (|world, _| supervised_by_the_living(world), "k8s_concurrent_run_blocked"),
    ];
    for (change, expected) in cases {
        let world = orphaned(begins().never_ends()).await;
        let mut next = world.process().call("run-2");
        change(&world, &mut next);
        let writes = world.writes();
        let result = next.run().await;
        assert_eq!(code(&result), expected, "{:?}", result.error_message);
        assert_eq!(world.writes(), writes, "GRD-08");
    }
}

fn supervised_by_the_living(world: &World) {
    let process = std::process::id();
    let supervisor = format!("machine/{process}/{}", process_start_ms(process));
    let patch = json!({ "metadata": { "annotations": { "paperclip.io/supervisor": supervisor } } });
    assert!(world.knobs().patch("jobs", NAMESPACE, &world.job(), &patch));
}

#[tokio::test(start_paused = true)]
async fn grd_07_a_cancel_while_adopting_ends_the_orphan_and_the_own_prompt_never_starts() {
    let world = orphaned(begins().never_ends()).await;
    let next = world.process().call("run-2");
    let followed = world.count("get pods/log");
    let (result, took) = next.stopped_after(StopOrder::Cancel, world.asked_times("get pods/log", followed + 1)).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(3), "{took:?}");
    assert!(next.heard.lines().contains(&says("hello")), "its output is complete");
    assert_eq!((world.count("create jobs"), world.knobs().launches().len()), (1, 1));
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_adopted_job_without_pod_and_end_is_given_up_after_a_minute() {
    let world = World::new(works(seconds(1)));
    world.knobs().hold(HoldKind::JobController);
    world.call().killed_after(world.asked("watch pods")).await;
    let started = Instant::now();
    let result = world.call().run().await;
    assert_eq!(code(&result), "k8s_pod_reattach_failed", "{:?}", result.error_message);
    assert!(started.elapsed() >= seconds(60) && started.elapsed() <= seconds(62), "{:?}", started.elapsed());
    assert_eq!(world.deletes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_the_host_remembers_is_adopted_only_if_name_uid_and_run_match() {
    for (uid, run_id, present, expected) in [
        ("right", "run-1", true, ""),
        ("wrong", "run-1", true, "k8s_pod_reattach_failed"),
        ("right", "run-2", true, "k8s_pod_reattach_failed"),
        ("right", "run-1", false, "k8s_pod_reattach_failed"),
    ] {
        let world = orphaned(works(seconds(20))).await;
        let job = world.job_object();
        if !present {
            assert!(world.knobs().delete_job(NAMESPACE, &name(&job)));
        }
        let mut again = world.process().call(run_id);
        let uid = if uid == "right" { job["metadata"]["uid"].clone() } else { json!(uid) };
        again.request["externalRuntime"] = json!({ "jobName": name(&job), "jobUid": uid });
        let result = again.run().await;
        assert_eq!(code(&result), expected, "{:?}", result.error_message);
        assert_eq!(world.count("create jobs"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_orphan_whose_node_is_lost_keeps_the_own_prompt_from_starting() {
    let world = orphaned(begins().print(result("done")).never_ends()).await;
    let pod = world.running().await;
    let next = world.process().call("run-2");
    let drained = async {
        sleep(seconds(5)).await;
        assert!(world.knobs().node_lost(NAMESPACE, &pod, true));
        assert!(world.knobs().delete_pod(NAMESPACE, &pod, None, None));
    };
    let result = next.run_while(drained).await;
    assert_eq!(code(&result), "k8s_concurrent_run_blocked", "{:?}", result.error_message);
    assert_eq!(result.cost_usd, Some(COST), "what the orphan spent is booked");
    assert_eq!(world.count("create jobs"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_adopted_job_keeps_the_deadline_it_was_made_with() {
    let world = orphaned(works(minutes(10))).await;
    world.goes_wrong("create jobs", 1, fails(422));
    let next = world.process().call("run-2").with("timeoutSec", 60).with("graceSec", 10);
    let result = next.run().await;
    assert_eq!(result.result_json["k8s"]["adoptedRun"]["outcome"], "success", "{:?}", result.error_message);
}

#[tokio::test(start_paused = true)]
async fn grd_05_an_orphan_that_cannot_be_claimed_is_a_competitor() {
    for denied_when in ["known", "noticed by a 403"] {
        let world = orphaned(begins().never_ends()).await;
        let next = world.process().call("run-2");
        if denied_when == "known" {
            world.knobs().deny("patch", "jobs");
        } else {
            world.goes_wrong("patch jobs", 0, forbidden("patch", "jobs"));
        }
        let result = next.run().await;
        assert_eq!(code(&result), "k8s_concurrent_run_blocked", "{denied_when}: {:?}", result.error_message);
        assert!(next.heard.lines().is_empty(), "{denied_when}");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_05_a_claim_whose_answer_was_lost_is_made_again() {
    let actions: [FaultAction; 3] = [done_but(504), fails(503), fails(409)];
    for action in actions {
        let world = orphaned(works(minutes(1))).await;
        world.goes_wrong("patch jobs", 2, action.clone());
        let next = world.process().call("run-2");
        let result = next.run().await;
        assert_success(&result, &next.heard);
        assert_eq!(result.cost_usd, Some(2.0 * COST), "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_05_an_orphan_that_nobody_can_claim_for_a_minute_refuses_the_run() {
    let world = orphaned(begins().never_ends()).await;
    world.goes_wrong("patch jobs", 0, fails(503));
    let started = Instant::now();
    let result = world.process().call("run-2").run().await;
    assert_eq!(code(&result), "k8s_pod_reattach_failed");
    assert!(result.error_message.unwrap_or_default().contains("HTTP 503"));
    assert!(started.elapsed() >= seconds(60) && started.elapsed() < seconds(95), "{:?}", started.elapsed());
    assert_eq!(world.deletes(), 0);
}

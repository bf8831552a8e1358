//! What the platform or somebody else does to a running pod is told as what it was.

use claude_k8s_testkit::{Eviction, FaultAction, HoldKind, Script};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::claude::{COST, SESSION, begins, init, result, says};
use super::world::{NAMESPACE, World, assert_success, code, minutes, seconds};

fn endless() -> World {
    World::new(begins().never_ends())
}

#[tokio::test(start_paused = true)]
async fn res_06_out_of_memory_names_the_key_to_raise() {
    let world = endless();
    let call = world.call();
    let outcome = call
        .run_while(async {
            let pod = world.running().await;
            sleep(minutes(3)).await;
            assert!(world.knobs().out_of_memory(NAMESPACE, &pod));
        })
        .await;
    assert_eq!(code(&outcome), "claude_truncated");
    let message = outcome.error_message.unwrap();
    assert!(message.contains("OOMKilled") && message.contains("resources"), "{message}");
    assert_eq!(outcome.result_json["k8s"]["exitCode"], 137);
    assert_eq!(call.heard.lines(), [init(), says("hello")]);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_evicted_pod_is_told_to_be_evicted_and_keeps_its_output() {
    for disruption in [true, false] {
        let world = endless();
        let call = world.call();
        let outcome = call
            .run_while(async {
                let pod = world.running().await;
                sleep(minutes(3)).await;
                let eviction = Eviction { message: "The node was low on resource: memory.".to_owned(), disruption };
                assert!(world.knobs().evict(NAMESPACE, &pod, eviction));
            })
            .await;
        assert_eq!(code(&outcome), "k8s_pod_evicted", "{:?}", outcome.error_message);
        assert!(outcome.error_message.unwrap().contains("low on resource: memory"));
        assert_eq!(call.heard.lines(), [init(), says("hello")]);
    }
}

#[tokio::test(start_paused = true)]
async fn end_06_end_07_a_job_deleted_by_somebody_else_is_no_success_and_its_last_words_are_heard() {
    let dying = Script::new().print(says("dying")).wait(seconds(2)).print(says("dead")).exit(143);
    let world = World::new(begins().never_ends().on_term(dying));
    let call = world.call();
    let outcome = call
        .run_while(async {
            world.running().await;
            sleep(minutes(3)).await;
            assert!(world.knobs().delete_job(NAMESPACE, &world.job()));
        })
        .await;
    assert_eq!(code(&outcome), "k8s_job_deleted_externally", "{:?}", outcome.error_message);
    assert_eq!(call.heard.lines(), [init(), says("hello"), says("dying"), says("dead")], "LOG-12");
}

#[tokio::test(start_paused = true)]
async fn end_08_a_result_that_was_read_decides_although_the_job_is_deleted() {
    let world = World::new(begins().print(result("done")).never_ends());
    let call = world.call();
    let outcome = call
        .run_while(async {
            world.running().await;
            sleep(minutes(1)).await;
            assert!(world.knobs().delete_job(NAMESPACE, &world.job()));
        })
        .await;
    assert_success(&outcome, &call.heard);
    assert_eq!(outcome.cost_usd, Some(COST));
}

#[tokio::test(start_paused = true)]
async fn end_08_a_finished_job_that_its_ttl_removed_unseen_is_judged_by_what_was_read() {
    for result_was_read in [true, false] {
        let script = if result_was_read { begins().print(result("done")) } else { begins() };
        let world = World::new(script.wait(minutes(3)).exit(0));
        let call = world.call().with("ttlSecondsAfterFinished", 60);
        let outage = async {
            world.running().await;
            sleep(minutes(1)).await;
            world.fault_everywhere(FaultAction::Reset { after_write: false });
            world.knobs().end_watches();
            world.knobs().close_follows(true);
            sleep(minutes(10)).await;
            assert!(world.knobs().objects("jobs", NAMESPACE).is_empty(), "its time is over");
            world.knobs().clear_faults();
        };
        let outcome = call.run_while(outage).await;
        if result_was_read {
            assert_success(&outcome, &call.heard);
        } else {
            // The watches make up for what they missed: the end of the container and the deletion, in any order.
            assert!(["claude_truncated", "k8s_job_deleted_externally"].contains(&code(&outcome)), "{}", code(&outcome));
            assert_eq!(outcome.exit_code, Some(0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn end_13_a_lost_node_is_bounded_and_named() {
    let world = endless();
    let call = world.call();
    let started = Instant::now();
    let outcome = call
        .run_while(async {
            let pod = world.running().await;
            sleep(minutes(3)).await;
            assert!(world.knobs().node_lost(NAMESPACE, &pod, true));
            // As the taint manager does after its toleration.
            sleep(minutes(5)).await;
            assert!(world.knobs().delete_pod(NAMESPACE, &pod, None, Some("DeletionByTaintManager")));
        })
        .await;
    let expected = ["k8s_node_lost", "k8s_pod_evicted"];
    assert!(expected.contains(&code(&outcome)), "{}: {:?}", code(&outcome), outcome.error_message);
    assert!(started.elapsed() <= minutes(12), "{:?}", started.elapsed());
    assert_eq!(call.heard.lines(), [init(), says("hello")]);
}

#[tokio::test(start_paused = true)]
async fn end_14_a_job_suspended_in_mid_run_never_runs_its_prompt_twice() {
    let world = endless();
    let call = world.call();
    let outcome = call
        .run_while(async {
            world.running().await;
            sleep(minutes(3)).await;
            let job = world.job();
            assert!(world.knobs().suspend_job(NAMESPACE, &job, true));
            sleep(seconds(1)).await;
            let _gone_already = world.knobs().suspend_job(NAMESPACE, &job, false);
        })
        .await;
    assert_eq!(code(&outcome), "k8s_pod_evicted", "{:?}", outcome.error_message);
    assert_eq!(world.knobs().launches().len(), 1, "a second container");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn end_11_a_state_that_is_posted_late_still_gives_the_exit_code() {
    let world = World::new(begins().wait(minutes(1)).exit(3));
    world.knobs().hold(HoldKind::ContainerState);
    let call = world.call();
    let outcome = call
        .run_while(async {
            world.knobs().wait_for("pods", |pod| pod["status"]["phase"] == "Failed").await;
            sleep(seconds(3)).await;
            world.knobs().release(HoldKind::ContainerState);
        })
        .await;
    assert_eq!(outcome.result_json["k8s"]["exitCode"], 3, "{:?}", outcome.error_message);
    assert_eq!(serde_json::to_value(&outcome).unwrap()["sessionId"], json!(SESSION));
}

//! From the request to a released Job: what failing steps leave behind, and what they are told as.

use std::time::Duration;

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_testkit::FaultAction;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::claude::{begins, works};
use super::heard::Manner;
use super::requests::{REVIEW, done_but, fails, forbidden, hangs, slow};
use super::world::{NAMESPACE, World, assert_success, code, minutes, seconds};

fn world() -> World {
    World::new(works(seconds(1)))
}

/// A run in which a request goes wrong once and that succeeds all the same.
async fn survives(what: &str, action: &FaultAction) -> World {
    let world = world();
    world.goes_wrong(what, 1, action.clone());
    let call = world.call();
    let result = call.run().await;
    assert_eq!(code(&result), "", "{what} {action:?}");
    assert_success(&result, &call.heard);
    world
}

#[tokio::test(start_paused = true)]
async fn grd_11_a_create_whose_answer_was_lost_is_resolved_by_reading_back() {
    for action in [done_but(504), done_but(500), slow(seconds(9))] {
        let world = survives("create jobs", &action).await;
        assert_eq!(world.count("create jobs"), 1, "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_not_done_is_tried_again_under_the_same_name() {
    let world = world();
    world.goes_wrong("create jobs", 3, fails(503));
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    let writes = world.writes();
    let creates = writes.iter().filter(|one| one.starts_with("create jobs"));
    assert_eq!(creates.collect::<Vec<_>>(), ["create jobs/run-1"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_job_is_refused_with_the_servers_words() {
    let world = world();
    world.goes_wrong("create jobs", 1, fails(422));
    let result = world.call().run().await;
    assert_eq!(code(&result), "k8s_job_create_failed");
    assert!(result.error_message.unwrap().contains("HTTP 422"));
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn prm_05_whatever_step_fails_nothing_is_left_behind() {
    for (what, expected) in [
        ("create secrets/ac-agent-1-run-1-0ec508-prompt-0", "k8s_prompt_secret_create_failed"),
        ("create secrets/ac-agent-1-run-1-0ec508-run", "k8s_prompt_secret_create_failed"),
        ("patch jobs", "k8s_job_create_failed"),
    ] {
        let world = world();
        world.goes_wrong(what, 1, fails(422));
        let result = world.call().with_large_prompt().run().await;
        assert_eq!(code(&result), expected, "{what}");
        assert_eq!(result.result_json["executionRecovery"]["kind"], "bootstrap");
        assert_eq!(world.remains().await, Vec::<String>::new(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn prm_05_a_failing_recheck_withdraws_the_job() {
    let world = world();
    world.goes_wrong("create jobs", 1, slow(seconds(1)));
    let failing = async {
        world.asked("create jobs").await;
        world.goes_wrong("list jobs", 0, fails(500));
    };
    let result = world.call().run_while(failing).await;
    assert_eq!(code(&result), "k8s_concurrency_guard_unreachable");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_secret_whose_answer_was_lost_is_written_anew() {
    survives("create secrets", &done_but(504)).await;
}

/// What the payload of a Job of the same name left.
fn stale_secret(world: &World) {
    let secret = json!({ "kind": "Secret", "metadata": { "name": "ac-agent-1-run-1-0ec508-run", "namespace": NAMESPACE,
        "ownerReferences": [{ "kind": "Job", "name": "ac-agent-1-run-1-0ec508", "uid": "old" }] }, "data": {} });
    assert!(world.knobs().seed(secret));
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_a_deleted_job_with_the_same_name_is_replaced_never_used() {
    let world = World::new(begins().never_ends());
    stale_secret(&world);
    let (stopped, _) = world.call().stopped_after(StopOrder::Cancel, world.asked("get pods/log")).await;
    assert_eq!(code(&stopped), "cancelled", "{:?}", stopped.error_message);
    let requests = world.requests();
    let about: Vec<_> = requests.iter().filter(|one| one.contains("secrets/run-1-run")).collect();
    assert_eq!(about, ["create secrets/run-1-run", "delete secrets/run-1-run", "create secrets/run-1-run"]);
}

#[tokio::test(start_paused = true)]
async fn a_stale_secret_that_may_not_be_deleted_is_left_to_the_garbage_collector() {
    let world = world();
    world.knobs().deny("delete", "secrets");
    stale_secret(&world);
    let call = world.call();
    let collected = async {
        sleep(seconds(5)).await;
        assert!(world.knobs().remove("secrets", NAMESPACE, "ac-agent-1-run-1-0ec508-run"));
    };
    assert_success(&call.run_while(collected).await, &call.heard);
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_answer_was_lost_is_a_release() {
    let world = survives("patch jobs", &done_but(504)).await;
    assert_eq!(world.count("patch jobs"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_released_is_followed_and_never_reported_as_not_started() {
    let world = World::new(works(minutes(10)));
    world.goes_wrong("patch jobs", 1, done_but(504));
    world.goes_wrong("patch jobs", 0, fails(503));
    world.goes_wrong("get jobs", 0, fails(503));
    let call = world.call();
    let heals = async {
        sleep(minutes(5)).await;
        world.knobs().clear_faults();
    };
    assert_success(&call.run_while(heals).await, &call.heard);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_vanishes_before_its_release_is_said_to_be_deleted() {
    let world = world();
    world.goes_wrong("patch jobs", 1, slow(Duration::from_millis(100)));
    let deleting = async {
        world.asked("patch jobs").await;
        assert!(world.knobs().delete_job(NAMESPACE, &world.job()));
    };
    let result = world.call().run_while(deleting).await;
    assert_eq!(code(&result), "k8s_job_deleted_externally", "{:?}", result.error_message);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_forbidden_is_replaced_by_a_job_created_unsuspended() {
    let world = world();
    world.goes_wrong("patch jobs", 1, forbidden("patch", "jobs"));
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    assert_eq!(world.count("create jobs"), 2, "{:?}", world.requests());
    assert_eq!(call.heard.dispatches(), 1, "HST-08");
}

#[tokio::test(start_paused = true)]
async fn hst_08_a_launch_that_is_not_acknowledged_is_withdrawn() {
    let world = world();
    let call = world.call().with_host(Manner::RefusesLaunch);
    let result = call.run().await;
    assert_eq!(code(&result), "k8s_job_identity_unacknowledged");
    assert!(world.remains().await.is_empty());
    assert_eq!(call.heard.dispatches(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_refuses_after_a_minute_without_a_write() {
    for action in [fails(503), hangs()] {
        let world = world();
        world.goes_wrong(REVIEW, 0, action.clone());
        let started = Instant::now();
        let result = world.call().run().await;
        assert_eq!(code(&result), "k8s_api_unreachable", "{:?}", result.error_message);
        assert_eq!(result.error_family.map(claude_k8s_core::failure::ErrorFamily::as_str), Some("transient_upstream"));
        let took = started.elapsed();
        assert!(took >= seconds(60) && took <= seconds(71), "{action:?}: {took:?}");
        assert!(world.requests().is_empty());
    }
}

//! From the request to a released Job: what is asked, in which order, and what failures leave behind.

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api_server::Fault;
use super::host::Manner;
use super::scene::{Scene, code, seconds};

#[tokio::test(start_paused = true)]
async fn an_undisturbed_run_makes_exactly_these_requests() {
    let scene = Scene::new();
    let result = scene.run().await;
    assert_eq!((code(&result), result.exit_code, result.summary.as_deref()), ("", Some(0), Some("done")));
    let mut requests = scene.server.requests();
    // Simultaneous ones have no order.
    for pair in [0..2, 3..5, 6..10] {
        requests[pair].sort_unstable();
    }
    assert_eq!(
        requests,
        [
            "list jobs",
            "list pods", // guard
            "create jobs/run-1",
            "create secrets/run-1-run",
            "list jobs", // re-check
            "patch jobs/run-1",
            "list jobs",
            "list pods",
            "watch jobs",
            "watch pods", // index
            "log pods",
            "log pods",
            "log pods", // follow, two reads of the tail
            "delete jobs/run-1",
        ]
    );
    assert_eq!(scene.server.reviews(), 13, "one contact, twelve permissions");
    assert!(scene.server.remains().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_run_shares_permissions_and_watches_with_the_first() {
    let first = Scene::new();
    first.run().await;
    let before = first.server.requests().len();
    let second = first.again("run-2");
    assert_eq!(code(&second.run().await), "");
    let requests = first.server.requests().split_off(before);
    assert_eq!(first.server.reviews(), 13, "nothing is asked again");
    assert!(!requests.iter().any(|request| request.starts_with("watch")), "{requests:?}");
    assert_eq!(requests.len(), 10, "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn grd_01_without_both_lists_nothing_is_created() {
    for (what, fault) in [
        ("list jobs", Fault::Fails(500)),
        ("list pods", Fault::Fails(500)),
        ("list jobs", Fault::Fails(429)),
        ("list pods", Fault::Hangs),
    ] {
        let scene = Scene::new();
        scene.server.fault(what, 1, fault);
        let started = Instant::now();
        let result = scene.run().await;
        assert_eq!(code(&result), "k8s_concurrency_guard_unreachable", "{what} {fault:?}");
        assert!(started.elapsed() <= seconds(16), "GRD-02: {:?}", started.elapsed());
        assert!(scene.server.writes().is_empty(), "{:?}", scene.server.writes());
    }
}

#[tokio::test(start_paused = true)]
async fn grd_11_a_create_whose_answer_was_lost_is_resolved_by_reading_back() {
    for fault in [Fault::DoneBut(504), Fault::DoneBut(500), Fault::Slow(seconds(9))] {
        let scene = Scene::new();
        scene.server.fault("create jobs", 1, fault);
        let result = scene.run().await;
        assert_eq!(code(&result), "", "{fault:?}: {:?}", result.error_message);
        let creates = scene.server.requests().iter().filter(|one| one.starts_with("create jobs")).count();
        assert_eq!(creates, 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_was_not_done_is_tried_again_under_the_same_name() {
    let scene = Scene::new();
    scene.server.fault("create jobs", 3, Fault::Fails(503));
    assert_eq!(code(&scene.run().await), "");
    let creates: Vec<_> = scene.server.requests().into_iter().filter(|one| one.starts_with("create jobs")).collect();
    assert_eq!(creates, ["create jobs/run-1"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_job_is_refused_with_the_servers_words() {
    let scene = Scene::new();
    scene.server.fault("create jobs", 1, Fault::Fails(422));
    let result = scene.run().await;
    assert_eq!(code(&result), "k8s_job_create_failed");
    assert!(result.error_message.unwrap().contains("HTTP 422"));
    assert!(scene.server.remains().is_empty());
}

#[tokio::test(start_paused = true)]
async fn prm_05_whatever_step_fails_nothing_is_left_behind() {
    for (what, expected) in [
        ("create secrets/ac-agent-1-run-1-0ec508-prompt-0", "k8s_prompt_secret_create_failed"),
        ("create secrets/ac-agent-1-run-1-0ec508-run", "k8s_prompt_secret_create_failed"),
        ("patch jobs", "k8s_job_create_failed"),
    ] {
        let scene = Scene::new().large_prompt();
        scene.server.fault(what, 1, Fault::Fails(422));
        let result = scene.run().await;
        assert_eq!(code(&result), expected, "{what}");
        assert_eq!(result.result_json["executionRecovery"]["kind"], "bootstrap");
        assert_eq!(scene.server.remains(), Vec::<String>::new(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn prm_05_a_failing_recheck_withdraws_the_job() {
    let scene = Scene::new();
    let server = scene.server.clone();
    let failing = async {
        while !server.asked("create jobs") {
            sleep(std::time::Duration::from_millis(1)).await;
        }
        server.fault("list jobs", 1, Fault::Fails(500));
    };
    scene.server.fault("create jobs", 1, Fault::Slow(seconds(1)));
    let (result, ()) = tokio::join!(scene.run(), failing);
    assert_eq!(code(&result), "k8s_concurrency_guard_unreachable");
    assert!(scene.server.remains().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_secret_whose_answer_was_lost_is_written_anew() {
    let scene = Scene::new();
    scene.server.fault("create secrets", 1, Fault::DoneBut(504));
    assert_eq!(code(&scene.run().await), "");
}

#[tokio::test(start_paused = true)]
async fn a_secret_of_a_deleted_job_with_the_same_name_is_replaced_never_used() {
    let scene = Scene::new();
    let stale = json!({ "metadata": { "name": "ac-agent-1-run-1-0ec508-run",
        "ownerReferences": [{ "kind": "Job", "name": "ac-agent-1-run-1-0ec508", "uid": "old" }] }, "data": {} });
    scene.server.put("secrets", stale.clone());
    scene.runs_for(None);
    let server = scene.server.clone();
    let (stopped, _) =
        scene.stopped_when(claude_k8s_cluster::host::StopOrder::Cancel, |server| server.asked("log")).await;
    assert_eq!(code(&stopped), "cancelled", "{:?}", stopped.error_message);
    let requests = server.requests();
    let about = requests.iter().filter(|one| one.contains("secrets/run-1-run")).cloned().collect::<Vec<_>>();
    assert_eq!(about, ["create secrets/run-1-run", "delete secrets/run-1-run", "create secrets/run-1-run"]);

    // Without the permission to delete it the run waits for the garbage collector.
    let scene = Scene::new();
    scene.server.deny("delete secrets");
    scene.server.put("secrets", stale);
    let server = scene.server.clone();
    let collected = async {
        sleep(seconds(5)).await;
        server.collect("secrets", "ac-agent-1-run-1-0ec508-run");
    };
    let (result, ()) = tokio::join!(scene.run(), collected);
    assert_eq!(code(&result), "", "{:?}", result.error_message);
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_answer_was_lost_is_a_release() {
    let scene = Scene::new();
    scene.server.fault("patch jobs", 1, Fault::DoneBut(504));
    assert_eq!(code(&scene.run().await), "");
    assert_eq!(scene.server.requests().iter().filter(|one| one.starts_with("patch")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_released_is_followed_and_never_reported_as_not_started() {
    let scene = Scene::new();
    scene.runs_for(Some(seconds(600)));
    scene.server.fault("patch jobs", 1, Fault::DoneBut(504));
    scene.server.fault("patch jobs", 1000, Fault::Fails(503));
    scene.server.fault("get jobs", 1000, Fault::Fails(503));
    let server = scene.server.clone();
    let heals = async {
        sleep(seconds(300)).await;
        server.heal();
    };
    let (result, ()) = tokio::join!(scene.run(), heals);
    assert_eq!((code(&result), result.summary.as_deref()), ("", Some("done")), "{:?}", result.error_message);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_vanishes_before_its_release_is_said_to_be_deleted() {
    let scene = Scene::new();
    scene.server.fault("patch jobs", 1, Fault::Vanished);
    let result = scene.run().await;
    assert_eq!(code(&result), "k8s_job_deleted_externally", "{:?}", result.error_message);
    assert!(scene.server.remains().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_forbidden_is_replaced_by_a_job_created_unsuspended() {
    let scene = Scene::new();
    scene.server.fault("patch jobs", 1, Fault::Forbidden);
    let result = scene.run().await;
    assert_eq!(code(&result), "", "{:?}", result.error_message);
    let creates = scene.server.requests().iter().filter(|one| one.starts_with("create jobs")).count();
    assert_eq!(creates, 2, "{:?}", scene.server.requests());
    assert_eq!(scene.host.dispatches(), 1, "HST-08");
}

#[tokio::test(start_paused = true)]
async fn a_competitor_blocks_the_run_and_is_never_touched() {
    let scene = Scene::new();
    scene.server.put("jobs", foreign_job("other", false));
    let result = scene.run().await;
    assert_eq!(code(&result), "k8s_orphan_task_unknown");
    assert!(result.error_message.unwrap().contains("`other`"));
    assert!(scene.server.writes().is_empty(), "GRD-08");
    assert!(scene.host.stderr().contains("Another run of this agent"));
}

#[tokio::test(start_paused = true)]
async fn grd_03_a_released_rival_in_the_recheck_makes_the_run_withdraw() {
    let scene = Scene::new();
    let server = scene.server.clone();
    scene.server.fault("create jobs", 1, Fault::Slow(seconds(1)));
    let rival = async {
        while !server.asked("create jobs") {
            sleep(std::time::Duration::from_millis(1)).await;
        }
        server.put("jobs", foreign_job("rival", false));
    };
    let (result, ()) = tokio::join!(scene.run(), rival);
    assert_eq!(code(&result), "k8s_orphan_task_unknown");
    assert_eq!(scene.server.remains(), ["rival"]);
    assert_eq!(scene.host.dispatches(), 0);
}

#[tokio::test(start_paused = true)]
async fn grd_03_of_two_processes_that_launch_at_once_at_most_one_is_released() {
    for pause in 0..12 {
        let one = Scene::new();
        let mut two = one.restarted("run-2");
        two.request["context"]["taskId"] = json!("task-2");
        one.runs_for(Some(seconds(60)));
        let late = async {
            sleep(std::time::Duration::from_millis(pause)).await;
            two.run().await
        };
        for create in ["create jobs", "create secrets", "list", "patch"] {
            one.server.fault(create, 100, Fault::Slow(std::time::Duration::from_millis(3)));
        }
        let (first, second) = tokio::join!(one.run(), late);
        let succeeded = [&first, &second].iter().filter(|result| code(result).is_empty()).count();
        assert!(succeeded <= 1, "{pause}: {first:?} {second:?}");
        assert_eq!(one.server.most_running(), succeeded, "{pause}");
        assert!(one.server.remains().is_empty(), "{pause}: {:?}", one.server.remains());
    }
}

#[tokio::test(start_paused = true)]
async fn runs_of_one_process_queue_at_the_launch_lock_and_the_second_finds_the_first() {
    let one = Scene::new();
    one.runs_for(Some(seconds(60)));
    let mut two = one.again("run-2");
    two.request["context"]["taskId"] = json!("task-2");
    let (first, second) = tokio::join!(one.run(), two.run());
    let mut codes = [code(&first), code(&second)];
    codes.sort_unstable();
    assert_eq!(codes, ["", "k8s_concurrent_run_blocked"]);
    assert_eq!(one.server.requests().iter().filter(|one| one.starts_with("create jobs")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_the_same_task_never_adopts_what_this_process_is_about_to_follow() {
    // The host is slow to take the meta notice of the first run.
    let one = Scene::new().manner(Manner::NoticesHang);
    one.runs_for(Some(seconds(60)));
    let two = one.again("run-2");
    let (first, second) = tokio::join!(one.run(), two.run());
    let mut codes = [code(&first), code(&second)];
    codes.sort_unstable();
    assert_eq!(codes, ["", "k8s_concurrent_run_blocked"], "{first:?} {second:?}");
}

#[tokio::test(start_paused = true)]
async fn grd_09_guard_wait_ends_when_the_competitor_does() {
    let scene = Scene::new().with("guardWaitSec", json!(60));
    scene.server.put("jobs", foreign_job("other", false));
    let server = scene.server.clone();
    let ends = async {
        sleep(seconds(20)).await;
        server.collect("jobs", "other");
    };
    let started = Instant::now();
    let (result, ()) = tokio::join!(scene.run(), ends);
    assert_eq!(code(&result), "");
    assert!(started.elapsed() < seconds(35), "{:?}", started.elapsed());
    assert!(scene.host.stdout().contains("waiting for another run of this agent"));
}

#[tokio::test(start_paused = true)]
async fn an_old_suspended_leftover_is_removed_and_the_run_goes_on() {
    let scene = Scene::new();
    let mut leftover = foreign_job("leftover", true);
    leftover["metadata"]["labels"]["paperclip.io/layout"] = json!("2");
    leftover["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    scene.server.put("jobs", leftover);
    assert_eq!(code(&scene.run().await), "");
    assert!(scene.server.writes().contains(&"delete jobs/leftover".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn hst_08_a_launch_that_is_not_acknowledged_is_withdrawn() {
    let scene = Scene::new().manner(Manner::RefusesLaunch);
    let result = scene.run().await;
    assert_eq!(code(&result), "k8s_job_identity_unacknowledged");
    assert!(scene.server.remains().is_empty());
    assert_eq!(scene.host.dispatches(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_is_away_refuses_after_a_minute_without_a_write() {
    for fault in [Fault::Fails(503), Fault::Hangs] {
        let scene = Scene::new();
        scene.server.fault("review", 1000, fault);
        let started = Instant::now();
        let result = scene.run().await;
        assert_eq!(code(&result), "k8s_api_unreachable", "{:?}", result.error_message);
        assert_eq!(result.error_family.map(claude_k8s_core::failure::ErrorFamily::as_str), Some("transient_upstream"));
        let took = started.elapsed();
        assert!(took >= seconds(60) && took <= seconds(71), "{fault:?}: {took:?}");
        assert!(scene.server.requests().is_empty());
    }
}

/// A Job of the agent that some other tool or version made.
pub(super) fn foreign_job(name: &str, suspended: bool) -> Value {
    json!({ "metadata": { "name": name, "labels": { "paperclip.io/agent-id": "agent-1",
        "paperclip.io/adapter-type": "claude_k8s", "app.kubernetes.io/managed-by": "paperclip" } },
        "spec": { "suspend": suspended, "template": {} } })
}

//! Jobs that an earlier process left behind.

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_cluster::host::{Notice, StopOrder, StopSwitch};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api_server::{ApiServer, Fault};
use super::launch::foreign_job;
use super::scene::{SESSION, Scene, code, seconds};
use crate::whole_run::world::process_start_ms;

/// The process that ran `scene` is killed as soon as `when` is true.
async fn killed(scene: &Scene, when: impl Fn(&ApiServer) -> bool) {
    let (_switch, stop) = StopSwitch::new();
    let running = scene.engine.execute(scene.read(), Arc::new(scene.host.clone()), stop);
    let dying = async {
        while !when(&scene.server) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = running => unreachable!("the run ended before its process died"),
        () = dying => {}
    }
}

fn following(server: &ApiServer) -> bool {
    server.asked("log")
}

fn metas(scene: &Scene) -> Vec<Value> {
    let meta = |notice: Notice| if let Notice::Meta { meta } = notice { Some(meta) } else { None };
    scene.host.notices().into_iter().filter_map(meta).collect()
}

#[tokio::test(start_paused = true)]
async fn grd_05_the_next_run_of_the_task_follows_the_orphan_and_then_runs_its_own_prompt() {
    let first = Scene::new();
    first.runs_for(Some(seconds(60)));
    killed(&first, following).await;
    let next = first.restarted("run-2");
    let result = next.run().await;
    assert_eq!(code(&result), "", "{:?}", result.error_message);
    assert_eq!(result.cost_usd, Some(0.5), "both are booked");
    let adopted = &result.result_json["k8s"]["adoptedRun"];
    assert_eq!(
        (&adopted["runId"], &adopted["outcome"], &adopted["costUsd"]),
        (&json!("run-1"), &json!("success"), &json!(0.25))
    );
    assert_eq!(result.result_json["k8s"]["job"], "ac-agent-1-run-2-0c0052");
    let text = next.host.stdout();
    assert_eq!(text.matches("hello").count(), 2, "both transcripts: {text}");
    assert!(text.contains("Reattached to Job ac-agent-1-run-1-0ec508 of run run-1"), "{text}");
    let metas = metas(&next);
    assert_eq!(metas[0]["prompt"], "");
    assert_eq!(metas[1]["prompt"], "more of run-2", "the own prompt, in the session the orphan ended with");
    assert!(metas[1]["commandArgs"].to_string().contains(SESSION));
    assert_eq!(next.host.dispatches(), 1);
    assert!(next.server.remains().is_empty(), "{:?}", next.server.remains());
}

#[tokio::test(start_paused = true)]
async fn grd_06_an_orphan_that_finished_alone_yields_its_result_once() {
    for retain in [false, true] {
        let first = Scene::new().with("retainJobs", json!(retain));
        killed(&first, following).await;
        sleep(seconds(30)).await;
        let next = first.restarted("run-2");
        let result = next.run().await;
        assert_eq!((code(&result), result.cost_usd), ("", Some(0.5)), "{:?}", result.error_message);
        let third = first.restarted("run-3");
        let result = third.run().await;
        assert_eq!((code(&result), result.cost_usd), ("", Some(0.25)), "retain: {retain}");
        let secrets = third.server.names("secrets");
        assert!(secrets.is_empty(), "payloads go also with retained Jobs, the adopted one's too: {secrets:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_06_this_runs_own_finished_job_is_its_result() {
    let first = Scene::new();
    killed(&first, following).await;
    sleep(seconds(30)).await;
    let again = first.restarted("run-1");
    let result = again.run().await;
    assert_eq!((code(&result), result.cost_usd), ("", Some(0.25)));
    assert_eq!(result.result_json["k8s"]["adopted"], true);
    assert!(again.host.stdout().contains("the prompt is not delivered again"));
    assert_eq!(first.server.requests().iter().filter(|one| one.starts_with("create jobs")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn prm_05_a_process_killed_at_any_step_leaves_a_launch_that_the_same_run_finishes() {
    for step in ["create jobs", "create secrets/run-1-prompt", "create secrets/run-1-run", "patch jobs"] {
        let first = Scene::new().large_prompt();
        for what in ["create", "patch"] {
            first.server.fault(what, 100, Fault::Slow(Duration::from_millis(5)));
        }
        let asked = Instant::now();
        killed(&first, |server| server.asked(step) && asked.elapsed() > Duration::from_millis(1)).await;
        sleep(seconds(1)).await;
        first.server.heal();
        let again = first.restarted("run-1").large_prompt();
        let result = again.run().await;
        assert_eq!((code(&result), result.cost_usd), ("", Some(0.25)), "{step}: {:?}", result.error_message);
        assert!(first.server.remains().is_empty(), "{step}: {:?}", first.server.remains());
    }
}

#[tokio::test(start_paused = true)]
async fn grd_05_only_the_supervisor_annotation_of_an_adopted_job_changes() {
    let first = Scene::new();
    first.runs_for(Some(seconds(60)));
    killed(&first, following).await;
    let name = first.server.job_of("run-1");
    let before = first.server.object("jobs", &name).unwrap();
    let next = first.restarted("run-2");
    let server = first.server.clone();
    let looking = async {
        while server.requests().iter().filter(|one| one.starts_with("patch")).count() < 2 {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(seconds(1)).await;
        server.object("jobs", &name).unwrap()
    };
    let (_, mut after) = tokio::join!(next.run(), looking);
    let supervisor = after["metadata"]["annotations"]["paperclip.io/supervisor"].take();
    assert_eq!(supervisor, "machine/4194305/9000000");
    let mut expected = before;
    expected["metadata"]["annotations"]["paperclip.io/supervisor"].take();
    expected["metadata"]["resourceVersion"] = after["metadata"]["resourceVersion"].clone();
    assert_eq!(after, expected);
}

#[tokio::test(start_paused = true)]
async fn grd_05_what_is_no_orphan_of_the_task_is_never_adopted() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 5] = [
        (|request| request["context"]["taskId"] = json!("task-2"), "k8s_concurrent_run_blocked"),
        (|request| request["context"] = json!({}), "k8s_orphan_task_unknown"),
        (|request| request["config"]["reattachOrphanedJobs"] = json!(false), "k8s_concurrent_run_blocked"),
        // Another machine's process cannot be proven gone.
        (|request| request["host"]["machineId"] = json!("another"), "k8s_concurrent_run_blocked"),
        // The supervisor lives: process 1 does, and has not been started since.
        (|request| request["supervisor"] = json!("alive"), "k8s_concurrent_run_blocked"),
    ];
    for (change, expected) in cases {
        let first = Scene::new();
        first.runs_for(None);
        killed(&first, following).await;
        let mut next = first.restarted("run-2");
        change(&mut next.request);
        if next.request["supervisor"] == "alive" {
            let name = first.server.job_of("run-1");
            let mut job = first.server.object("jobs", &name).unwrap();
            let started = process_start_ms(std::process::id());
            let supervisor = format!("machine/{}/{started}", std::process::id());
            job["metadata"]["annotations"]["paperclip.io/supervisor"] = json!(supervisor);
            first.server.put("jobs", job);
        }
        let writes = first.server.writes();
        let result = next.run().await;
        assert_eq!(code(&result), expected, "{:?}", result.error_message);
        assert_eq!(first.server.writes(), writes, "GRD-08");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_07_a_cancel_while_adopting_ends_the_orphan_and_the_own_prompt_never_starts() {
    let first = Scene::new();
    first.runs_for(None);
    killed(&first, following).await;
    let next = first.restarted("run-2");
    let logs = first.server.requests().iter().filter(|one| one.starts_with("log")).count();
    let when = |server: &ApiServer| server.requests().iter().filter(|one| one.starts_with("log")).count() > logs;
    let (result, took) = next.stopped_when(StopOrder::Cancel, when).await;
    assert_eq!(code(&result), "cancelled");
    assert!(took <= seconds(3), "{took:?}");
    assert!(next.host.stdout().contains("hello"), "its output is complete");
    assert_eq!(first.server.requests().iter().filter(|one| one.starts_with("create jobs")).count(), 1);
    assert!(!first.server.remains().contains(&"run-1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn an_adopted_job_without_pod_and_end_is_given_up_after_a_minute() {
    let first = Scene::new();
    first.server.state().life.no_pod = true;
    killed(&first, |server| server.asked("watch pods")).await;
    let again = first.restarted("run-1");
    let started = Instant::now();
    let result = again.run().await;
    assert_eq!(code(&result), "k8s_pod_reattach_failed", "{:?}", result.error_message);
    assert!(started.elapsed() >= seconds(60) && started.elapsed() <= seconds(62), "{:?}", started.elapsed());
    assert!(!first.server.asked("delete"));
}

#[tokio::test(start_paused = true)]
async fn a_job_the_host_remembers_is_adopted_only_if_name_uid_and_run_match() {
    for (uid, run_id, present, expected) in [
        ("right", "run-1", true, ""),
        ("wrong", "run-1", true, "k8s_pod_reattach_failed"),
        ("right", "run-2", true, "k8s_pod_reattach_failed"),
        ("right", "run-1", false, "k8s_pod_reattach_failed"),
    ] {
        let first = Scene::new();
        first.runs_for(Some(seconds(20)));
        killed(&first, following).await;
        let name = first.server.job_of("run-1");
        let real = first.server.object("jobs", &name).unwrap()["metadata"]["uid"].clone();
        if !present {
            first.server.collect("jobs", &name);
        }
        let mut again = first.restarted(run_id);
        let uid = if uid == "right" { real } else { json!(uid) };
        again.request["externalRuntime"] = json!({ "jobName": name, "jobUid": uid });
        let result = again.run().await;
        assert_eq!(code(&result), expected, "{:?}", result.error_message);
        assert_eq!(first.server.requests().iter().filter(|one| one.starts_with("create jobs")).count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_orphan_whose_node_is_lost_keeps_the_own_prompt_from_starting() {
    let first = Scene::new();
    first.runs_for(None);
    first.server.state().life.dies_within = None;
    killed(&first, following).await;
    let next = first.restarted("run-2");
    let server = first.server.clone();
    let drained = async {
        sleep(seconds(5)).await;
        let pod = format!("{}-pod", server.job_of("run-1"));
        let mut pod = server.object("pods", &pod).unwrap();
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
        server.put("pods", pod);
    };
    let (result, ()) = tokio::join!(next.run(), drained);
    assert_eq!(code(&result), "k8s_concurrent_run_blocked", "{:?}", result.error_message);
    assert_eq!(result.cost_usd, Some(0.25), "what the orphan spent is booked");
    assert_eq!(first.server.requests().iter().filter(|one| one.starts_with("create jobs")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_adopted_job_keeps_the_deadline_it_was_made_with() {
    let first = Scene::new();
    first.runs_for(Some(seconds(600)));
    killed(&first, following).await;
    let next = first.restarted("run-2").with("timeoutSec", json!(60)).with("graceSec", json!(10));
    first.server.fault("create jobs", 1, Fault::Fails(422));
    let result = next.run().await;
    assert_eq!(result.result_json["k8s"]["adoptedRun"]["outcome"], "success", "{:?}", result.error_message);
}

#[tokio::test(start_paused = true)]
async fn a_job_of_the_previous_adapter_is_a_competitor() {
    let scene = Scene::new();
    let mut old = foreign_job("old", false);
    old["metadata"]["labels"]["paperclip.io/task-id"] = json!("task-1");
    scene.server.put("jobs", old);
    assert_eq!(code(&scene.run().await), "k8s_concurrent_run_blocked");
    assert!(scene.server.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn grd_05_an_orphan_that_cannot_be_claimed_is_a_competitor() {
    for denied_when in ["known", "noticed by a 403"] {
        let first = Scene::new();
        first.runs_for(None);
        killed(&first, following).await;
        let next = first.restarted("run-2");
        if denied_when == "known" {
            first.server.deny("patch jobs");
        } else {
            first.server.fault("patch jobs", 100, Fault::Forbidden);
        }
        let result = next.run().await;
        assert_eq!(code(&result), "k8s_concurrent_run_blocked", "{denied_when}: {:?}", result.error_message);
        assert!(!next.host.stdout().contains("hello"), "{denied_when}");
    }
}

#[tokio::test(start_paused = true)]
async fn grd_05_a_claim_whose_answer_was_lost_is_made_again() {
    for fault in [Fault::DoneBut(504), Fault::Fails(503), Fault::Fails(409)] {
        let first = Scene::new();
        first.runs_for(Some(seconds(60)));
        killed(&first, following).await;
        first.server.fault("patch jobs", 2, fault);
        let result = first.restarted("run-2").run().await;
        assert_eq!((code(&result), result.cost_usd), ("", Some(0.5)), "{fault:?}: {:?}", result.error_message);
    }
}

#[tokio::test(start_paused = true)]
async fn grd_05_an_orphan_that_nobody_can_claim_for_a_minute_refuses_the_run() {
    let first = Scene::new();
    first.runs_for(None);
    killed(&first, following).await;
    first.server.fault("patch jobs", 1000, Fault::Fails(503));
    let started = Instant::now();
    let result = first.restarted("run-2").run().await;
    assert_eq!(code(&result), "k8s_pod_reattach_failed");
    assert!(result.error_message.unwrap_or_default().contains("HTTP 503"));
    assert!(started.elapsed() >= seconds(60) && started.elapsed() < seconds(95), "{:?}", started.elapsed());
    assert!(!first.server.asked("delete"));
}

//! What clusters do to a run in the field: queues, admission, warnings, containers that are lost or started again.

use std::path::Path;

use claude_k8s_testkit::{AdmissionRule, CreateWarning, Exit, Mutation};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::claude::{Ends, SESSION, begins, starts, works};
use super::own_pod::in_cluster;
use super::world::{NAMESPACE, World, assert_success, code, minutes, seconds};

const QUEUE: &str = "kueue.x-k8s.io/queue-name";

/// A policy of the cluster puts every Job into a queue.
fn queueing(world: &World) {
    let merge = json!({ "metadata": { "labels": { QUEUE: "team-a" } } });
    world.knobs().mutate(Mutation { resource: "jobs".into(), merge, on_update: false });
}

#[tokio::test(start_paused = true)]
async fn fld_15_a_job_that_a_policy_put_into_a_queue_waits_aloud_and_runs_when_it_is_admitted() {
    let world = World::new(begins().ends());
    queueing(&world);
    let call = world.call().with("scheduleTimeoutSec", 60);
    let admitting = async {
        sleep(seconds(200)).await;
        assert!(world.knobs().suspend_job(NAMESPACE, &world.job(), false));
    };
    assert_success(&call.run_while(admitting).await, &call.heard);
    let told = call.heard.status_with("in queue `team-a`: it has not admitted Job");
    assert_eq!(told.len(), 4, "{:#?}", call.heard.status());
    assert!(told[0].0 <= seconds(15), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn fld_15_the_bound_of_a_queue_ends_the_wait_and_nothing_is_left() {
    let world = World::new(begins().ends());
    queueing(&world);
    let started = Instant::now();
    let outcome = world.call().with("queueTimeoutSec", 120).run().await;
    assert_eq!(code(&outcome), "k8s_pod_schedule_failed");
    assert!(started.elapsed() >= seconds(120) && started.elapsed() < seconds(125), "{:?}", started.elapsed());
    let message = outcome.error_message.unwrap();
    assert!(message.contains("within 120s (queueTimeoutSec): queue `team-a` has not admitted it"), "{message}");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn fld_15_a_policy_that_suspends_without_a_queue_is_told_as_that() {
    let world = World::new(begins().ends());
    let merge = json!({ "spec": { "suspend": true } });
    world.knobs().mutate(Mutation { resource: "jobs".into(), merge, on_update: true });
    let call = world.call();
    let resuming = async {
        sleep(minutes(10)).await;
        world.knobs().clear_mutations();
        assert!(world.knobs().suspend_job(NAMESPACE, &world.job(), false));
    };
    assert_success(&call.run_while(resuming).await, &call.heard);
    let told = call.heard.status_with("although nobody queued it");
    assert_eq!(told.len(), 10, "{:#?}", call.heard.status());
    assert!(told[0].0 <= seconds(15), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn fld_16_a_policy_that_refuses_the_pod_ends_the_run_long_before_the_bound() {
    let world = World::new(begins().ends());
    let message = "violates PodSecurity \"restricted:latest\": runAsNonRoot".to_owned();
    world.knobs().refuse_creates(AdmissionRule { resource: "pods".into(), message, times: None });
    let started = Instant::now();
    let outcome = world.call().run().await;
    assert_eq!((code(&outcome), outcome.error_family), ("k8s_pod_schedule_failed", None));
    assert!(started.elapsed() < seconds(40), "{:?}", started.elapsed());
    let message = outcome.error_message.unwrap();
    assert_eq!(message.matches("violates PodSecurity").count(), 1, "{message}");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn fld_16_a_pod_that_is_refused_twice_and_then_taken_runs() {
    let world = World::new(begins().ends());
    let message = "violates PodSecurity".to_owned();
    world.knobs().refuse_creates(AdmissionRule { resource: "pods".into(), message, times: Some(2) });
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
}

#[tokio::test(start_paused = true)]
async fn fld_16_a_quota_is_waited_for() {
    let world = World::new(begins().ends());
    let message = "exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1".to_owned();
    world.knobs().refuse_creates(AdmissionRule { resource: "pods".into(), message, times: Some(6) });
    let call = world.call();
    let started = Instant::now();
    assert_success(&call.run().await, &call.heard);
    assert!(started.elapsed() > seconds(60), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn fld_17_and_fld_19_what_the_kubelet_posts_of_a_container_reaches_the_verdict() {
    let terminated =
        json!({ "terminated": { "exitCode": 255, "reason": "Unknown", "startedAt": null, "finishedAt": null } });
    let not_found = json!({ "terminated": { "exitCode": 137, "reason": "ContainerStatusUnknown" } });
    let message = "Usage of EmptyDir volume \"paperclip-scratch\" exceeds the limit \"1Mi\". ";
    let evicted = json!({ "phase": "Failed", "reason": "Evicted", "message": message });
    for (mut posted, change, words, family) in [
        (json!({}), json!({ "state": terminated }), "lost the container before Claude finished", true),
        (json!({}), json!({ "restartCount": 1 }), "was started again (restart 1)", true),
        // A busy node: it has forgotten the container whose pod it evicts, and counts that as a restart.
        (evicted, json!({ "state": not_found, "restartCount": 1 }), "went over its own limit", false),
    ] {
        let world = World::new(works(minutes(60)));
        let call = world.call();
        let outcome = call
            .run_while(async {
                let pod = world.running().await;
                sleep(seconds(5)).await;
                let found = world.knobs().object("pods", NAMESPACE, &pod).unwrap();
                let mut status = found["status"]["containerStatuses"].clone();
                for (member, value) in change.as_object().unwrap() {
                    status[0][member] = value.clone();
                }
                posted["containerStatuses"] = status;
                assert!(world.knobs().patch("pods", NAMESPACE, &pod, &json!({ "status": posted })));
            })
            .await;
        let message = outcome.error_message.clone().unwrap_or_default();
        assert_eq!((code(&outcome), outcome.error_family.is_some()), ("k8s_pod_evicted", family), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_32_warnings_of_the_server_are_told_once_in_log_and_result() {
    let world = World::new(begins().ends());
    let message = "would violate PodSecurity \"restricted:latest\"".to_owned();
    world.knobs().warn_creates(CreateWarning { resource: "jobs".into(), message });
    let call = world.call().with("podTemplate", json!({ "spec": { "newerThanThis": { "cpu": "2" } } }));
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    let warnings: Vec<&str> =
        outcome.result_json["k8s"]["warnings"].as_array().unwrap().iter().filter_map(|text| text.as_str()).collect();
    for text in [
        "the API server warns: would violate PodSecurity \"restricted:latest\"",
        "the API server warns: unknown field \"spec.template.spec.newerThanThis\"",
        "the API server did not store `spec.newerThanThis` of `podTemplate`",
    ] {
        assert_eq!(warnings.iter().filter(|one| one.starts_with(text)).count(), 1, "{warnings:#?}");
        assert_eq!(call.heard.status_with(text).len(), 1, "{:#?}", call.heard.status());
    }
}

#[tokio::test(start_paused = true)]
async fn fld_09_a_death_by_memory_names_the_limit_and_the_size_of_the_transcript_on_the_hosts_disk() {
    for (isolation, home_of_agent) in
        [("server", ""), ("none", ""), ("agent", "instances/default/k8s-homes/company-1/agent-1")]
    {
        let home = tempfile::tempdir().unwrap();
        let world = World::choosing(|launch| {
            if launch.args.iter().any(|one| one == "--resume") {
                starts().gate("planted").exit_with(Exit::out_of_memory())
            } else {
                begins().ends()
            }
        });
        let mut call = world.call();
        call.request["session"] = json!({ "sessionId": SESSION });
        let call = in_cluster(&world, call, home.path())
            .with("isolation", isolation)
            .with("resources", json!({ "limits": { "memory": "4Gi" } }));
        let planting = async {
            let pod = world.running().await;
            let pod = world.knobs().object("pods", NAMESPACE, &pod).unwrap();
            let directory = pod["spec"]["containers"][0]["workingDir"].as_str().unwrap().to_owned();
            plant(&home.path().join(home_of_agent), &directory, 5 << 20);
            world.knobs().open_gate("planted");
        };
        let outcome = call.run_while(planting).await;
        assert_success(&outcome, &call.heard);
        let words = "the memory limit is `4Gi`, the transcript of the resumed session has 5 MiB";
        assert_eq!(call.heard.status_with(words).len(), 1, "{isolation}: {:#?}", call.heard.status());
    }
}

/// A sparse transcript of so many bytes.
fn plant(home: &Path, directory: &str, bytes: u64) {
    let name = directory.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let place = home.join(".claude/projects").join(name);
    std::fs::create_dir_all(&place).unwrap();
    std::fs::File::create(place.join(format!("{SESSION}.jsonl"))).unwrap().set_len(bytes).unwrap();
}

//! Scheduler and kubelet (docs/internals/kubernetes.md 4.4 and 4.5).

use crate::builders::{claim, pod, secret};
use claude_k8s_testkit::{Eviction, Exit, Hold, HoldKind, Script, Simulator};
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::setup::*;

fn state(setup: &Setup, pod: &str) -> Value {
    setup.simulator.knobs().object("pods", NAMESPACE, pod).unwrap()["status"]["containerStatuses"][0]["state"].clone()
}

async fn reasons(setup: &Setup) -> Vec<String> {
    let events: Api<Event> = Api::default_namespaced(setup.client.clone());
    let events = events.list(&ListParams::default()).await.unwrap().items;
    events.into_iter().filter_map(|event| event.reason).collect()
}

async fn waiting_for(setup: &Setup, reason: &str) -> Value {
    let pointer = "/status/containerStatuses/0/state/waiting/reason";
    setup.simulator.knobs().wait_for("pods", |pod| pod.pointer(pointer).is_some_and(|found| found == reason)).await
}

#[tokio::test(start_paused = true)]
async fn an_unknown_image_alternates_between_pull_error_and_back_off_until_it_is_known() {
    let setup = setup(Script::new().never_ends());
    setup.create(job().image("nowhere/claude:1")).await;
    waiting_for(&setup, "ErrImagePull").await;
    let start = Instant::now();
    let pod = waiting_for(&setup, "ImagePullBackOff").await;
    let message = pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Back-off pulling image \"nowhere/claude:1\""), "{message}");
    waiting_for(&setup, "ErrImagePull").await;
    assert_eq!(start.elapsed().as_secs(), 11);
    let simulator = setup.simulator.clone().image("nowhere/claude:1", Script::new().never_ends());
    setup.pod_in("running").await;
    assert!(simulator.knobs().launches()[0].image == "nowhere/claude:1");
    let reasons = reasons(&setup).await;
    for expected in ["Scheduled", "Pulling", "Failed", "BackOff", "Pulled", "Started"] {
        assert!(reasons.iter().any(|reason| reason == expected), "{expected} in {reasons:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn images_that_cannot_work_say_so() {
    for (image, policy, reason) in
        [("Bad Name", "IfNotPresent", "InvalidImageName"), ("other:1", "Never", "ErrImageNeverPull")]
    {
        let setup = setup(Script::new());
        setup.create(job().image(image).container("imagePullPolicy", policy)).await;
        waiting_for(&setup, reason).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_mandatory_secret_holds_the_container_until_it_appears() {
    let setup = setup(Script::new().never_ends());
    let volumes = json!([{"name": "run", "projected": {"sources": [
        {"secret": {"name": "prompt", "items": [{"key": "p", "path": "prompt/000"}]}}]}}]);
    let mounts = json!([{"name": "run", "mountPath": "/opt/paperclip/run", "readOnly": true}]);
    setup.create(job().pod_spec("volumes", volumes).container("volumeMounts", mounts)).await;
    waiting_for(&setup, "ContainerCreating").await;
    tokio::time::sleep(seconds(900)).await;
    let events = setup.simulator.knobs().objects("events", NAMESPACE);
    let mount = events.iter().find(|event| event["reason"] == "FailedMount").unwrap();
    assert_eq!(mount["message"], "MountVolume.SetUp failed for volume \"run\" : secret \"prompt\" not found");
    let secrets: Api<Secret> = Api::default_namespaced(setup.client.clone());
    secrets.create(&PostParams::default(), &secret("prompt", &[("p", "hello")]).build().unwrap()).await.unwrap();
    setup.pod_in("running").await;
    assert_eq!(setup.simulator.knobs().launches()[0].file("/opt/paperclip/run/prompt/000"), "hello");
}

#[tokio::test(start_paused = true)]
async fn a_missing_secret_key_is_a_config_error_with_the_message_of_the_kubelet() {
    let setup = setup(Script::new().never_ends());
    setup.simulator.knobs().seed(secret("run", &[("other", "x")]).namespace(NAMESPACE).value());
    let env = json!([{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "run", "key": "env.KEY"}}}]);
    setup.create(job().container("env", env)).await;
    let pod = waiting_for(&setup, "CreateContainerConfigError").await;
    let message = &pod["status"]["containerStatuses"][0]["state"]["waiting"]["message"];
    assert_eq!(message, "couldn't find key env.KEY in Secret agents/run");
    setup.simulator.knobs().seed(secret("run", &[("env.KEY", "v")]).namespace(NAMESPACE).value());
    setup.pod_in("running").await;
    assert_eq!(setup.simulator.knobs().launches()[0].env["KEY"], "v");
}

#[tokio::test(start_paused = true)]
async fn arguments_and_environment_are_expanded_as_kubernetes_does() {
    let setup = setup(Script::new().never_ends());
    let env = json!([
        {"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$$(A)$(NO)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]);
    let pod =
        setup.start(job().container("env", env).container("args", json!(["--x", "$(B)", "$$(A)"])), "running").await;
    let launch = setup.simulator.knobs().launches().remove(0);
    assert_eq!(launch.args, ["--x", "1$(A)$(NO)", "$(A)"]);
    assert_eq!(launch.env["POD"], pod);
    assert_eq!(launch.option("--x"), Some("1$(A)$(NO)"));
    assert_eq!(launch.job, "run-1");
}

#[tokio::test(start_paused = true)]
async fn an_unschedulable_pod_waits_with_a_condition_and_runs_when_released() {
    let setup = setup(Script::new().never_ends());
    let knobs = setup.simulator.knobs();
    let message = Some("0/3 nodes are available".to_owned());
    knobs.hold_with(Hold { kind: HoldKind::Scheduling, name: Some("run-1".into()), message });
    setup.create(job()).await;
    let pod = knobs.wait_for("pods", |pod| pod.pointer("/status/conditions/0").is_some()).await;
    let scheduled = condition(&pod, "PodScheduled");
    assert_eq!(
        (&scheduled["reason"], &scheduled["message"]),
        (&json!("Unschedulable"), &json!("0/3 nodes are available"))
    );
    knobs.release(HoldKind::Scheduling);
    setup.pod_in("running").await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_claim_keeps_the_pod_unscheduled() {
    let setup = setup(Script::new().never_ends());
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "workspace"}}]);
    setup.create(job().pod_spec("volumes", volumes)).await;
    let knobs = setup.simulator.knobs();
    let pod = knobs.wait_for("pods", |pod| pod.pointer("/status/conditions/0").is_some()).await;
    let message = condition(&pod, "PodScheduled")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("persistentvolumeclaim \"workspace\" not found"), "{message}");
    knobs.seed(claim("workspace").namespace(NAMESPACE).value());
    setup.pod_in("running").await;
}

#[tokio::test(start_paused = true)]
async fn exits_carry_code_reason_and_the_end_of_the_termination_log() {
    let end = Exit::out_of_memory().message("the last words");
    let setup = setup(Script::new().wait(seconds(2)).exit_with(end));
    let pod = setup.start(job(), "terminated").await;
    let terminated = state(&setup, &pod)["terminated"].clone();
    assert_eq!(terminated["exitCode"], 137);
    assert_eq!(terminated["reason"], "OOMKilled");
    assert_eq!(terminated["message"], "the last words");
    assert_eq!(terminated["startedAt"], "2026-01-05T10:00:00Z");
    assert_eq!(terminated["finishedAt"], "2026-01-05T10:00:02Z");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_pod_gets_a_grace_period_and_its_deletion_timestamp_is_the_end_of_it() {
    let setup = setup(Script::new().never_ends().ignores_term());
    let pod = setup.start(job(), "running").await;
    let now = setup.simulator.knobs().now();
    let deleted = setup.pods.delete(&pod, &DeleteParams::default().grace_period(10)).await.unwrap().left().unwrap();
    let gone_by = deleted.metadata.deletion_timestamp.unwrap().0;
    assert_eq!(gone_by.duration_since(now).as_secs(), 9, "request time plus grace, in whole seconds");
    let start = Instant::now();
    setup.pod_in("terminated").await;
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(state(&setup, &pod)["terminated"]["exitCode"], 137);
    tokio::time::sleep(milliseconds(110)).await;
    assert!(setup.pods.get_opt(&pod).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_forced_deletion_removes_the_pod_at_once() {
    let setup = setup(Script::new().never_ends().ignores_term());
    let pod = setup.start(job(), "running").await;
    setup.pods.delete(&pod, &DeleteParams::default().grace_period(0)).await.unwrap();
    assert!(setup.pods.get_opt(&pod).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_pod_deleted_before_its_container_started_is_not_started_any_more() {
    let setup = setup(Script::new().never_ends());
    setup.simulator.knobs().hold(HoldKind::ContainerStart);
    let pod = setup.start(job(), "waiting").await;
    assert!(setup.simulator.knobs().delete_pod(NAMESPACE, &pod, None, None));
    tokio::time::sleep(seconds(1)).await;
    assert!(setup.pods.get_opt(&pod).await.unwrap().is_none());
    assert!(setup.simulator.knobs().launches().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_evicted_pod_stays_without_its_log() {
    let setup = setup(Script::new().print("lost").never_ends());
    let pod = setup.start(job(), "running").await;
    let knobs = setup.simulator.knobs();
    assert!(knobs.evict(NAMESPACE, &pod, Eviction::default()));
    let evicted = knobs.wait_for("pods", |pod| pod["status"]["phase"] == "Failed").await;
    assert_eq!(evicted["status"]["reason"], "Evicted");
    assert_eq!(condition(&evicted, "DisruptionTarget")["reason"], "TerminationByKubelet");
    assert_eq!(state(&setup, &pod)["terminated"]["exitCode"], 137);
    let body = String::from_utf8(setup.log(&pod, "&follow=true").await.unwrap()).unwrap();
    assert!(body.starts_with("unable to retrieve container logs for containerd://"), "{body}");
    assert!(!body.ends_with('\n'));
}

#[tokio::test(start_paused = true)]
async fn a_lost_node_leaves_a_stale_running_pod_that_a_deletion_does_not_remove() {
    let setup = setup(Script::new().wait(seconds(10)).exit(0));
    let pod = setup.start(job(), "running").await;
    let knobs = setup.simulator.knobs();
    assert!(knobs.node_lost(NAMESPACE, &pod, true));
    tokio::time::sleep(seconds(60)).await;
    assert!(state(&setup, &pod)["running"].is_object());
    let status = status_of(setup.log(&pod, "").await.unwrap_err());
    assert_eq!(status.code, 500);
    assert!(knobs.delete_pod(NAMESPACE, &pod, None, Some("DeletionByTaintManager")));
    tokio::time::sleep(seconds(3600)).await;
    let job = knobs.object("jobs", NAMESPACE, "run-1").unwrap();
    assert!(has_condition(&job, "FailureTarget") && !has_condition(&job, "Failed"));
    assert!(knobs.node_lost(NAMESPACE, &pod, false));
    setup.job_with("Failed").await;
}

#[tokio::test(start_paused = true)]
async fn a_held_container_state_comes_after_the_phase() {
    let setup = setup(Script::new().exit(5));
    let knobs = setup.simulator.knobs();
    knobs.hold(HoldKind::ContainerState);
    setup.create(job()).await;
    let pod = knobs.wait_for("pods", |pod| pod["status"]["phase"] == "Failed").await;
    assert!(pod["status"]["containerStatuses"][0]["state"]["terminated"].is_null());
    knobs.release(HoldKind::ContainerState);
    let name = setup.pod_in("terminated").await;
    assert_eq!(state(&setup, &name)["terminated"]["exitCode"], 5);
}

#[tokio::test(start_paused = true)]
async fn scripts_are_chosen_by_launch_and_by_environment() {
    let simulator =
        Simulator::new().image_with(IMAGE, |launch| Script::new().exit(i32::from(launch.option("--resume").is_some())));
    let setup = from(simulator);
    let pod = setup.start(job().container("args", json!(["--resume", "x"])), "terminated").await;
    assert_eq!(state(&setup, &pod)["terminated"]["exitCode"], 1);
    let script = r#"{"steps":[{"exit":{"code":42}}]}"#;
    let other = crate::builders::job("run-2").container("env", json!([{"name": "K8S_SIM_SCRIPT", "value": script}]));
    setup.create(other).await;
    setup
        .simulator
        .knobs()
        .wait_for("pods", |pod| {
            pod.pointer("/status/containerStatuses/0/state/terminated/exitCode").is_some_and(|code| code == 42)
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_gate_lets_a_test_decide_when_a_container_goes_on() {
    let setup = setup(Script::new().print("before").gate("go").print("after").exit(0));
    let pod = setup.start(job(), "running").await;
    tokio::time::sleep(seconds(3600)).await;
    assert_eq!(setup.log(&pod, "").await.unwrap(), b"before\n");
    setup.simulator.knobs().open_gate("go");
    assert_eq!(setup.log(&pod, "&follow=true").await.unwrap(), b"before\nafter\n");
}

#[tokio::test(start_paused = true)]
async fn a_seeded_pod_is_never_run() {
    let setup = setup(Script::new());
    setup.simulator.knobs().seed(pod("host").namespace(NAMESPACE).running().value());
    tokio::time::sleep(seconds(60)).await;
    let host = setup.pods.get("host").await.unwrap();
    assert_eq!(host.status.unwrap().phase.as_deref(), Some("Running"));
    assert!(setup.simulator.knobs().launches().is_empty());
}

//! Job controller (docs/internals/kubernetes.md 4).

use crate::builders::secret;
use claude_k8s_testkit::{AdmissionRule, HoldKind, Script};
use k8s_openapi::api::core::v1::{Event, Secret};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use serde_json::json;
use tokio::time::Instant;

use crate::setup::*;

#[tokio::test(start_paused = true)]
async fn a_job_succeeds_with_the_measured_lags() {
    let setup = setup(Script::new().wait(seconds(5)).print("done").exit(0));
    let pod = setup.start(job(), "terminated").await;
    let ended = Instant::now();
    let knobs = setup.simulator.knobs();
    let phase = knobs.object("pods", NAMESPACE, &pod).unwrap()["status"]["phase"].clone();
    assert_eq!(phase, "Running", "the phase lags the container state");
    knobs.wait_for("pods", |pod| pod["status"]["phase"] == "Succeeded").await;
    assert_eq!(ended.elapsed(), milliseconds(1_100));
    setup.job_with("SuccessCriteriaMet").await;
    assert_eq!(ended.elapsed().as_millis() / 10, 200);
    let job = setup.job_with("Complete").await;
    assert_eq!(ended.elapsed().as_millis() / 10, 201);
    assert_eq!(job["status"]["succeeded"], 1);
    assert!(job["status"]["completionTime"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_container_that_ends_within_the_lag_is_terminated_while_the_phase_is_pending() {
    let setup = setup(Script::new().exit(3));
    let pod = setup.start(job(), "terminated").await;
    let pod = setup.simulator.knobs().object("pods", NAMESPACE, &pod).unwrap();
    assert_eq!(pod["status"]["phase"], "Pending");
    assert_eq!(pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 3);
    let job = setup.job_with("Failed").await;
    assert_eq!(condition(&job, "Failed")["reason"], "BackoffLimitExceeded");
    assert_eq!(job["status"]["failed"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_server_completes_job_and_pod_labels() {
    let setup = setup(Script::new().never_ends());
    let created = setup.create(job()).await;
    let uid = created.metadata.uid.unwrap();
    let name = setup.pod_in("running").await;
    let pod = setup.pods.get(&name).await.unwrap();
    let labels = pod.metadata.labels.unwrap();
    for prefix in ["", "batch.kubernetes.io/"] {
        assert_eq!(labels[&format!("{prefix}job-name")], "run-1");
        assert_eq!(labels[&format!("{prefix}controller-uid")], uid);
    }
    assert!(name.starts_with("run-1-"));
    assert_eq!(pod.metadata.owner_references.unwrap()[0].uid, uid);
    let spec = created.spec.unwrap();
    assert_eq!((spec.backoff_limit, spec.completions), (Some(0), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_job_has_no_pod_until_a_merge_patch_releases_it() {
    let setup = setup(Script::new().never_ends());
    let created = setup.create(job().suspended()).await;
    setup.job_with("Suspended").await;
    tokio::time::sleep(seconds(600)).await;
    assert!(setup.pods.list(&ListParams::default()).await.unwrap().items.is_empty());
    let wrong = json!({"metadata": {"uid": "other"}, "spec": {"suspend": false}});
    let error = setup.jobs.patch("run-1", &PatchParams::default(), &Patch::Merge(&wrong)).await.unwrap_err();
    assert_eq!(status_of(error).code, 409);
    let release = json!({"metadata": {"uid": created.metadata.uid}, "spec": {"suspend": false}});
    setup.jobs.patch("run-1", &PatchParams::default(), &Patch::Merge(&release)).await.unwrap();
    setup.pod_in("running").await;
    let job = setup.simulator.knobs().object("jobs", NAMESPACE, "run-1").unwrap();
    assert_eq!(condition(&job, "Suspended")["status"], "False");
    assert_eq!(job["status"]["active"], 1);
}

#[tokio::test(start_paused = true)]
async fn suspending_deletes_the_pod_and_the_next_release_makes_a_new_one() {
    let setup = setup(Script::new().never_ends());
    let first = setup.start(job(), "running").await;
    let knobs = setup.simulator.knobs();
    assert!(knobs.suspend_job(NAMESPACE, "run-1", true));
    setup.job_with("Suspended").await;
    while setup.pods.get_opt(&first).await.unwrap().is_some() {
        tokio::time::sleep(milliseconds(50)).await;
    }
    let job = knobs.object("jobs", NAMESPACE, "run-1").unwrap();
    assert!(job["status"]["startTime"].is_null());
    assert!(job["status"]["failed"].is_null(), "a pod stopped by a suspension is no failure");
    assert!(knobs.suspend_job(NAMESPACE, "run-1", false));
    let second = setup.pod_in("running").await;
    assert_ne!(first, second);
}

#[tokio::test(start_paused = true)]
async fn the_job_deadline_counts_from_the_start_and_deletes_the_pod() {
    let script = Script::new().never_ends().on_term(Script::new().print("bye").exit(0));
    let setup = setup(script);
    setup.start(job().with(&["spec", "activeDeadlineSeconds"], 60), "running").await;
    let job = setup.job_with("FailureTarget").await;
    assert_eq!(condition(&job, "FailureTarget")["reason"], "DeadlineExceeded");
    let pod = setup.pods.list(&ListParams::default()).await.unwrap().items.remove(0);
    assert!(pod.metadata.deletion_timestamp.is_some());
    let job = setup.job_with("Failed").await;
    // Even though the process ended with 0 in its grace period (kubernetes.md 4.2).
    assert_eq!(condition(&job, "Failed")["reason"], "DeadlineExceeded");
    tokio::time::sleep(seconds(1)).await;
    assert!(setup.pods.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_pod_deadline_keeps_pod_and_log() {
    let setup = setup(Script::new().print("working").never_ends());
    let pod = setup.start(job().pod_spec("activeDeadlineSeconds", 30), "terminated").await;
    let job = setup.job_with("Failed").await;
    assert_eq!(condition(&job, "Failed")["reason"], "BackoffLimitExceeded");
    let object = setup.simulator.knobs().object("pods", NAMESPACE, &pod).unwrap();
    assert_eq!(
        (&object["status"]["phase"], &object["status"]["reason"]),
        (&json!("Failed"), &json!("DeadlineExceeded"))
    );
    let terminated = &object["status"]["containerStatuses"][0]["state"]["terminated"];
    assert_eq!((&terminated["exitCode"], &terminated["reason"]), (&json!(143), &json!("Error")));
    assert_eq!(setup.log(&pod, "").await.unwrap(), b"working\n");
}

#[tokio::test(start_paused = true)]
async fn ttl_removes_job_pod_and_owned_secret() {
    let setup = setup(Script::new().exit(0));
    let created = setup.create(job().with(&["spec", "ttlSecondsAfterFinished"], 60)).await;
    let secrets: Api<Secret> = Api::default_namespaced(setup.client.clone());
    let payload = secret("run-1-prompt-0", &[("000", "hi")]);
    let payload = payload.owned_by_job("run-1", &created.metadata.uid.unwrap()).build().unwrap();
    secrets.create(&PostParams::default(), &payload).await.unwrap();
    setup.job_with("Complete").await;
    tokio::time::sleep(seconds(59)).await;
    assert!(secrets.get_opt("run-1-prompt-0").await.unwrap().is_some());
    tokio::time::sleep(seconds(2)).await;
    assert!(setup.jobs.get_opt("run-1").await.unwrap().is_none());
    assert!(secrets.get_opt("run-1-prompt-0").await.unwrap().is_none());
    assert!(setup.pods.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn deleting_without_a_policy_orphans_the_pod() {
    let setup = setup(Script::new().never_ends());
    let pod = setup.start(job(), "running").await;
    setup.jobs.delete("run-1", &DeleteParams::default()).await.unwrap();
    tokio::time::sleep(seconds(3600)).await;
    let pod = setup.pods.get(&pod).await.unwrap();
    assert_eq!(pod.metadata.owner_references, None);
    assert_eq!(pod.status.unwrap().phase.as_deref(), Some("Running"));
}

#[tokio::test(start_paused = true)]
async fn a_background_deletion_removes_the_job_at_once_and_the_pod_after_its_grace() {
    let setup = setup(Script::new().never_ends().ignores_term());
    let pod = setup.start(job(), "running").await;
    let uid = setup.jobs.get("run-1").await.unwrap().metadata.uid;
    let wrong = Preconditions { uid: Some("other".into()), resource_version: None };
    let error = setup.jobs.delete("run-1", &DeleteParams::background().preconditions(wrong)).await.unwrap_err();
    assert_eq!(status_of(error).code, 409);
    let right = Preconditions { uid, resource_version: None };
    let answer = setup.jobs.delete("run-1", &DeleteParams::background().preconditions(right)).await.unwrap();
    assert!(answer.right().is_some_and(|status| status.is_success()));
    assert!(setup.jobs.get_opt("run-1").await.unwrap().is_none());
    let start = Instant::now();
    let killed = setup.pod_in("terminated").await;
    assert_eq!((killed, start.elapsed().as_secs()), (pod.clone(), 30));
    while setup.pods.get_opt(&pod).await.unwrap().is_some() {
        tokio::time::sleep(milliseconds(10)).await;
    }
    assert!(start.elapsed() < milliseconds(30_300));
}

#[tokio::test(start_paused = true)]
async fn a_foreground_deletion_keeps_the_job_until_its_pod_is_gone() {
    let setup = setup(Script::new().never_ends());
    setup.start(job(), "running").await;
    let answer = setup.jobs.delete("run-1", &DeleteParams::foreground()).await.unwrap();
    assert!(answer.left().unwrap().metadata.deletion_timestamp.is_some());
    assert!(setup.jobs.get_opt("run-1").await.unwrap().is_some());
    tokio::time::sleep(seconds(31)).await;
    assert!(setup.jobs.get_opt("run-1").await.unwrap().is_none());
    assert!(setup.pods.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_drained_pod_fails_the_job_early_unless_the_policy_waits_for_the_final_phase() {
    for (policy, early) in [("TerminatingOrFailed", true), ("Failed", false)] {
        let setup = setup(Script::new().never_ends().ignores_term());
        let pod = setup.start(job().with(&["spec", "podReplacementPolicy"], policy), "running").await;
        let knobs = setup.simulator.knobs();
        assert!(knobs.delete_pod(NAMESPACE, &pod, None, Some("EvictionByEvictionAPI")));
        tokio::time::sleep(seconds(5)).await;
        let job = knobs.object("jobs", NAMESPACE, "run-1").unwrap();
        assert_eq!(has_condition(&job, "FailureTarget"), early, "{policy}");
        assert!(!has_condition(&job, "Failed"), "a terminating pod holds `Failed` back");
        let job = setup.job_with("Failed").await;
        assert_eq!(condition(&job, "Failed")["reason"], "BackoffLimitExceeded");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_pod_shows_as_failed_create_event_of_the_job_and_is_retried() {
    let setup = setup(Script::new().never_ends());
    let message = "exceeded quota: compute, requested: pods=1, used: pods=9, limited: pods=9".to_owned();
    let rule = AdmissionRule { resource: "pods".into(), message, times: Some(2) };
    setup.simulator.knobs().refuse_creates(rule);
    let created = setup.create(job()).await;
    setup.pod_in("running").await;
    let events: Api<Event> = Api::default_namespaced(setup.client.clone());
    let selector = format!("involvedObject.uid={}", created.metadata.uid.unwrap());
    let events = events.list(&ListParams::default().fields(&selector)).await.unwrap().items;
    let failed = events.iter().filter(|event| event.reason.as_deref() == Some("FailedCreate"));
    let messages: Vec<_> = failed.map(|event| event.message.clone().unwrap()).collect();
    assert_eq!(messages.len(), 2, "one per refused pod name");
    assert!(messages[0].contains("is forbidden: exceeded quota"), "{messages:?}");
}

#[tokio::test(start_paused = true)]
async fn held_job_conditions_never_come_until_released() {
    let setup = setup(Script::new().exit(0));
    setup.simulator.knobs().hold(HoldKind::JobConditions);
    setup.start(job(), "terminated").await;
    tokio::time::sleep(seconds(3600)).await;
    let job = setup.simulator.knobs().object("jobs", NAMESPACE, "run-1").unwrap();
    assert!(!has_condition(&job, "SuccessCriteriaMet"));
    setup.simulator.knobs().release(HoldKind::JobConditions);
    setup.job_with("Complete").await;
}

#[tokio::test(start_paused = true)]
async fn two_hundred_jobs_run_side_by_side() {
    let setup = setup(Script::new().wait(seconds(10)).exit(0));
    for number in 0..200 {
        setup.create(crate::builders::job(&format!("run-{number}"))).await;
    }
    for number in 0..200 {
        let name = format!("run-{number}");
        let finished = |job: &serde_json::Value| job["metadata"]["name"] == name && has_condition(job, "Complete");
        setup.simulator.knobs().wait_for("jobs", finished).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_month_of_silence_costs_nothing() {
    let setup = setup(Script::new().never_ends());
    let pod = setup.start(job(), "running").await;
    tokio::time::sleep(seconds(30 * 24 * 3600)).await;
    let pod = setup.pods.get(&pod).await.unwrap();
    assert_eq!(pod.status.unwrap().phase.as_deref(), Some("Running"));
}

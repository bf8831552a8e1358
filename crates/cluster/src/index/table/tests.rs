use claude_k8s_core::view::{Listed, PodPhase};
use k8s_openapi::api::core::v1::Pod;
use serde_json::json;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A table whose first lists are complete.
fn table() -> Table {
    let mut table = Table::new(at(0));
    table.stale(None);
    table
}

fn job_from(object: serde_json::Value) -> JobFacts {
    JobFacts::of(&serde_json::from_value(object).unwrap()).unwrap()
}

fn job(uid: &str) -> JobFacts {
    job_from(json!({ "metadata": { "name": format!("job-{uid}"), "uid": uid } }))
}

fn finished(uid: &str) -> JobFacts {
    let condition = json!({ "type": "Failed", "status": "True", "reason": "BackoffLimitExceeded" });
    let status = json!({ "conditions": [condition] });
    job_from(json!({ "metadata": { "name": format!("job-{uid}"), "uid": uid }, "status": status }))
}

/// Pod `uid` of the Job `owner`, created at second `created`.
fn pod(owner: &str, uid: &str, created: i64, state: &serde_json::Value) -> PodOfJob {
    PodOfJob::of(&whole_pod(owner, uid, created, state)).unwrap()
}

fn whole_pod(owner: &str, uid: &str, created: i64, state: &serde_json::Value) -> Pod {
    let container =
        json!({ "name": "claude", "image": "", "imageID": "", "ready": true, "restartCount": 0, "state": state });
    serde_json::from_value(json!({
        "metadata": {
            "name": format!("pod-{uid}"), "uid": uid, "creationTimestamp": at(created).to_string(),
            "ownerReferences": [{ "apiVersion": "batch/v1", "kind": "Job", "name": owner, "uid": owner }],
        },
        "status": { "phase": "Running", "containerStatuses": [container] },
    }))
    .unwrap()
}

fn running(owner: &str, uid: &str) -> PodOfJob {
    pod(owner, uid, 0, &json!({ "running": {} }))
}

fn terminated(owner: &str, uid: &str, exit_code: i32) -> PodOfJob {
    pod(owner, uid, 0, &json!({ "terminated": { "exitCode": exit_code } }))
}

fn known(uid: &str) -> JobFacts {
    JobFacts { name: format!("job-{uid}"), uid: uid.into(), ..JobFacts::default() }
}

#[test]
fn a_reader_gets_what_was_seen_before_it_came() {
    let mut table = table();
    table.apply_pod(running("a", "p"));
    table.apply_job(finished("a"));
    let view = table.subscribe(known("a")).unwrap().borrow().clone();
    assert!(view.job.unwrap().is_finished(), "what is known from the creation does not overwrite a fact");
    assert_eq!(view.pods.len(), 1);
}

#[test]
fn a_second_reader_of_a_job_gets_the_newest_facts() {
    let mut table = table();
    table.apply_pod(running("a", "p"));
    drop(table.subscribe(known("a")));
    table.apply_pod(terminated("a", "p", 3));
    let view = table.subscribe(known("a")).unwrap().borrow().clone();
    assert_eq!(view.pod().unwrap().terminated().unwrap().exit_code, 3);
}

#[test]
fn only_a_change_wakes_a_reader_and_only_its_own() {
    let mut table = table();
    let mut reader = table.subscribe(known("a")).unwrap();
    table.apply_pod(running("b", "other"));
    table.apply_job(job("b"));
    assert!(!reader.has_changed().unwrap());
    table.apply_pod(running("a", "p"));
    assert!(reader.has_changed().unwrap());
    reader.mark_unchanged();
    table.apply_pod(running("a", "p"));
    table.relisted_pods(vec![running("a", "p")]);
    assert!(!reader.has_changed().unwrap());
}

#[test]
fn end_12_a_terminated_container_survives_every_later_read_and_the_deletion() {
    let mut table = table();
    let reader = table.subscribe(known("a")).unwrap();
    table.apply_pod(running("a", "p"));
    table.apply_pod(terminated("a", "p", 7));
    table.apply_pod(running("a", "p"));
    table.delete_pod(running("a", "p"));
    let view = reader.borrow().clone();
    assert_eq!(view.pod().unwrap().terminated().unwrap().exit_code, 7);
    assert!(view.pod().unwrap().absent);
}

#[test]
fn a_deleted_event_brings_the_last_state() {
    let mut table = table();
    let reader = table.subscribe(known("a")).unwrap();
    table.apply_pod(running("a", "p"));
    table.delete_pod(terminated("a", "p", 143));
    table.delete_job(finished("a"));
    let view = reader.borrow().clone();
    assert_eq!(view.pod().unwrap().terminated().unwrap().exit_code, 143);
    let job = view.job.unwrap();
    assert!(job.absent && job.is_finished());
}

#[test]
fn absence_in_a_list_is_a_claim_that_a_later_list_takes_back() {
    let mut table = table();
    let reader = table.subscribe(known("a")).unwrap();
    table.apply_pod(running("a", "p"));
    table.relisted_jobs(vec![]);
    table.relisted_pods(vec![]);
    let view = reader.borrow().clone();
    assert!(view.job.unwrap().absent && view.pods[0].absent);
    table.relisted_jobs(vec![job("a")]);
    table.relisted_pods(vec![running("a", "p")]);
    let view = reader.borrow().clone();
    assert!(!view.job.unwrap().absent && !view.pods[0].absent);
}

#[test]
fn end_14_pods_stay_in_the_order_they_were_created_and_none_is_forgotten() {
    let mut table = table();
    let reader = table.subscribe(known("a")).unwrap();
    let first = pod("a", "z-first", 10, &json!({ "running": {} }));
    let second = pod("a", "a-second", 20, &json!({ "running": {} }));
    table.relisted_pods(vec![second.clone(), first]);
    table.relisted_pods(vec![second]);
    let view = reader.borrow().clone();
    let pods: Vec<_> = view.pods.iter().map(|pod| (pod.uid.as_str(), pod.absent)).collect();
    assert_eq!(pods, [("z-first", true), ("a-second", false)]);
}

#[test]
fn the_loss_of_contact_is_told_once_with_its_start_and_keeps_the_facts() {
    let mut table = table();
    let mut reader = table.subscribe(known("a")).unwrap();
    table.apply_pod(running("a", "p"));
    table.stale(Some(at(10)));
    table.stale(Some(at(20)));
    let view = reader.borrow_and_update().clone();
    assert_eq!(view.stale_since, Some(at(10)));
    assert_eq!(view.pods[0].phase, PodPhase::Running);
    // Who comes now hears of it too, whether the Job was seen before or not.
    table.apply_job(job("b"));
    for uid in ["b", "c"] {
        assert_eq!(table.subscribe(known(uid)).unwrap().borrow().stale_since, Some(at(10)));
    }
    table.stale(None);
    assert_eq!(reader.borrow().stale_since, None);
}

#[test]
fn nothing_is_current_before_the_first_list() {
    assert_eq!(Table::new(at(5)).subscribe(known("a")).unwrap().borrow().stale_since, Some(at(5)));
}

#[test]
fn what_is_gone_and_unread_is_forgotten() {
    let mut table = table();
    let reader = table.subscribe(known("a")).unwrap();
    table.apply_pod(running("a", "p"));
    table.delete_job(job("a"));
    table.delete_pod(running("a", "p"));
    assert_eq!(table.runs.len(), 1, "somebody reads it");
    drop(reader);
    table.relisted_jobs(vec![]);
    assert_eq!(table.runs.len(), 0);

    table.apply_job(job("b"));
    table.delete_job(job("b"));
    assert_eq!(table.runs.len(), 0, "nobody ever read it");
}

#[test]
fn a_table_is_closed_only_while_nobody_reads_and_then_for_good() {
    let mut table = table();
    let reader = table.subscribe(known("a"));
    assert!(!table.close_when_unread());
    drop(reader);
    assert!(table.close_when_unread());
    assert!(table.subscribe(known("a")).is_none());
}

#[test]
fn tru_03_a_server_that_brings_large_objects_without_an_end_fills_a_table_and_then_only_what_is_listened_to() {
    let large = |uid: &str, key: &str| {
        let text = "x".repeat(200_000);
        let conditions = vec![json!({ "type": "Failed", "status": "True", "reason": text, "message": text }); 40];
        let metadata = json!({ "name": uid, "uid": uid, "annotations": { key: text, "paperclip.io/run-id": text } });
        job_from(json!({ "metadata": metadata, "status": { "conditions": conditions } }))
    };
    let mut table = table();
    let mut reader = table.subscribe(known("own")).unwrap();
    for number in 0..600 {
        table.apply_job(large(&format!("foreign-{number}"), "tenant.example/note"));
    }
    assert!(table.runs.len() < 600, "{}", table.runs.len());
    // What is known becomes large later.
    for number in 0..600 {
        table.apply_job(large(&format!("foreign-{number}"), "paperclip.io/agent-name"));
    }
    let kept: usize = table.runs.values().map(|entry| entry.view.weight()).sum();
    assert_eq!(kept, table.weight);
    assert!(kept < FACTS_MAX + (1 << 20), "{kept}");
    // The run that somebody waits for is heard of all the same, and goes without a trace.
    reader.borrow_and_update();
    table.apply_job(finished("own"));
    assert!(reader.has_changed().unwrap());
    drop(reader);
    table.relisted_jobs(vec![]);
    table.relisted_pods(vec![]);
    assert_eq!((table.runs.len(), table.weight), (0, 0));
}

#[test]
fn tru_03_many_large_pods_of_one_job_are_cut() {
    let mut table = table();
    for number in 0..300 {
        let mut large = whole_pod("a", &format!("p-{number}"), 0, &json!({ "running": {} }));
        large.status.as_mut().unwrap().message = Some("x".repeat(500_000));
        table.apply_pod(PodOfJob::of(&large).unwrap());
    }
    assert!(table.weight < 2 << 20, "{}", table.weight);
}

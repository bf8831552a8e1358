//! `onMeta`, and the values that must not leave the adapter.

use claude_k8s_core::view::JobFacts;
use serde_json::json;

use crate::plan_scenario::{RUN, Scenario};

#[test]
fn meta_tells_the_attempt_and_hides_every_value_that_may_be_a_credential() {
    let mut scenario = Scenario::in_cluster()
        .own_env(&json!([{ "name": "GH_TOKEN", "value": "own-token" }, { "name": "LANG", "value": "seen" }]))
        .config(json!({ "env": { "MINE": "configured-value" }, "timeoutSec": 60 }));
    scenario.surroundings.degraded = vec!["polling".to_owned()];
    let spec = scenario.spec();
    insta::assert_json_snapshot!(spec.meta(&spec.first_attempt()));
    let fresh = spec.meta(&spec.fresh_attempt().unwrap());
    assert_eq!(fresh["commandNotes"][5], "Second attempt with a fresh session");
    assert_eq!(fresh["prompt"], "fresh prompt");
}

#[test]
fn the_meta_of_an_adoption_names_the_prior_run_and_no_prompt() {
    let spec = Scenario::in_cluster().spec();
    let mut job = JobFacts { name: "ac-x".to_owned(), ..JobFacts::default() };
    assert_eq!(spec.adoption_meta(&job)["commandNotes"], json!(["Reattached from prior run: unknown"]));
    job.annotations.insert("paperclip.io/run-id".to_owned(), RUN.to_owned());
    let meta = spec.adoption_meta(&job);
    assert_eq!(meta["commandNotes"][0], format!("Reattached from prior run: {RUN}"));
    assert_eq!(
        (&meta["command"], &meta["prompt"], &meta["commandArgs"]),
        (&json!("kubectl job/ac-x"), &json!(""), &json!([]))
    );
}

#[test]
fn prm_07_known_secret_values_are_listed_for_redaction() {
    let scenario = Scenario::in_cluster()
        .config(json!({ "env": { "BOUND": "bound-value", "USER_BOUND": "user-bound-value", "RESOLVED": "res", "PLAIN": "plain" } }))
        .request(json!({
            "agent": { "adapterConfig": { "env": {
                "BOUND": { "type": "secret_ref", "secretId": "s" },
                "USER_BOUND": { "type": "user_secret_ref" },
                "PLAIN": { "type": "plain", "value": "plain" },
            }}},
            "context": { "paperclipSecrets": { "manifest": [{ "envKey": "RESOLVED" }] } },
            "mcpServers": [{ "name": "m", "url": "http://m", "token": "mcp-token", "connectionId": "c" }],
        }));
    let spec = scenario.spec();
    assert_eq!(spec.redactions(), ["user-bound-value", "jwt-for-the-run", "bound-value", "mcp-token", "res"]);
}

#[test]
fn the_guard_and_the_deadline_get_what_the_configuration_says() {
    let scenario = Scenario::in_cluster().config(json!({
        "timeoutSec": 100, "graceSec": 5, "queueName": "q", "concurrencyScope": "task", "reattachOrphanedJobs": false,
    }));
    let spec = scenario.spec();
    let bounds = spec.bounds(true);
    assert_eq!((bounds.limit.unwrap().as_secs(), bounds.queued, bounds.adopted), (105, true, true));
    let claimant = spec.claimant(true);
    assert_eq!((claimant.run_id.as_str(), claimant.run_label.as_deref()), (RUN, Some(RUN)));
    assert_eq!((claimant.task_id.as_deref(), claimant.reattach), (Some("TASK-1"), false));
    assert_eq!(spec.supervisor(), "own-uid/7/1700000000000");
    assert_eq!(Scenario::out_of_cluster().spec().supervisor(), "machine/7/1700000000000");
    assert_eq!(spec.facts().timeout_seconds, Some(100));
}

#[test]
fn a_queue_releases_by_label_and_everybody_else_by_unsuspending() {
    let plain = Scenario::in_cluster().spec();
    assert_eq!(plain.release_patch("u"), json!({ "metadata": { "uid": "u" }, "spec": { "suspend": false } }));
    let queued = Scenario::in_cluster().config(json!({ "queueName": "q" })).spec();
    let labels = json!({ "kueue.x-k8s.io/queue-name": "q" });
    assert_eq!(queued.release_patch("u"), json!({ "metadata": { "uid": "u", "labels": labels } }));
    let mut job = JobFacts { suspended: true, ..JobFacts::default() };
    assert!(!queued.is_released(&job) && !queued.is_queued(&job));
    job.labels.insert("kueue.x-k8s.io/queue-name".to_owned(), "q".to_owned());
    assert!(queued.is_released(&job) && queued.is_queued(&job));
    assert!(plain.is_released(&JobFacts::default()));
}

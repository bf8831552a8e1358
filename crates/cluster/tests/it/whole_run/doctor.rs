//! The environment test: codes, levels and order of the documentation.

use claude_k8s_core::doctor::{Level, Report};
use claude_k8s_testkit::{CreateWarning, Fault, Knobs, RequestMatch};
use serde_json::json;
use tokio::time::Instant;

use super::claude::works;
use super::own_pod::in_cluster;
use super::requests::{REVIEW, fails, hangs};
use super::world::{Call, NAMESPACE, World, seconds};

/// A host outside of any cluster whose Jobs go to a healthy namespace.
fn healthy() -> (World, Call) {
    let world = World::new(works(seconds(1)));
    let secret = json!({ "kind": "Secret", "metadata": { "name": "paperclip-secrets", "namespace": NAMESPACE } });
    assert!(world.knobs().seed(secret));
    let call = world.call().with("env", json!({ "PAPERCLIP_API_URL": "http://paperclip:3100" }));
    (world, call)
}

fn codes(report: &Report) -> Vec<&str> {
    report.checks.iter().map(|check| check.code.trim_start_matches("k8s_")).collect()
}

fn level(report: &Report, code: &str) -> Option<Level> {
    report.checks.iter().find(|check| check.code == format!("k8s_{code}")).map(|check| check.level)
}

const RBAC: [&str; 15] = [
    "rbac_job_create",
    "rbac_job_get",
    "rbac_job_list",
    "rbac_job_delete",
    "rbac_pod_list",
    "rbac_pod_log",
    "rbac_job_patch",
    "rbac_job_watch",
    "rbac_pod_watch",
    "rbac_pod_get",
    "rbac_secret_create",
    "rbac_secret_delete",
    "rbac_secret_get",
    "rbac_pvc_get",
    "rbac_event_list",
];

#[tokio::test(start_paused = true)]
async fn env_02_every_check_is_made_in_the_documented_order_and_nothing_is_created() {
    let (world, call) = healthy();
    let report = call.check_environment().await;
    let mut expected = vec!["api_reachable", "self_pod_unavailable", "namespace_exists"];
    expected.extend(RBAC);
    expected.extend(["secret_exists", "pvc_rwx", "isolation", "job_dry_run_ok"]);
    assert_eq!(codes(&report), expected);
    assert_eq!(report.status, "warn", "only the own pod is unknown");
    assert_eq!(world.writes().len(), 1, "the dry run");
    assert!(world.knobs().objects("jobs", NAMESPACE).is_empty());
}

#[tokio::test(start_paused = true)]
async fn env_02_rejected_keys_and_a_missing_image_do_not_stop_the_other_checks() {
    let (world, call) = healthy();
    let mut call = call.with("timeoutSec", "soon").with("labels", "=").with("queueName", "team");
    call.request["config"].as_object_mut().unwrap().remove("image");
    call.request["executionTarget"] = json!({ "kind": "remote" });
    world.knobs().deny("patch", "jobs");
    let report = call.check_environment().await;
    let mut expected = vec!["config_invalid", "config_invalid", "execution_target_unsupported", "api_reachable"];
    expected.extend(["self_pod_unavailable", "image_unresolved", "namespace_exists"]);
    expected.extend(RBAC);
    expected.extend(["secret_exists", "pvc_rwx", "isolation", "job_dry_run_ok", "config_invalid"]);
    assert_eq!(codes(&report), expected);
    assert_eq!(level(&report, "image_unresolved"), Some(Level::Error));
    let last = report.checks.last().unwrap();
    assert!(last.message.contains("queueName"), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_target_stops_the_checks_that_need_it() {
    let (world, call) = healthy();
    let call = call.with("namespace", "Not A Namespace");
    assert_eq!(codes(&call.check_environment().await), ["config_invalid"]);
    assert_eq!(world.simulator.requests().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn env_02_only_an_unreachable_api_stops_the_rest_and_thirty_seconds_are_the_most() {
    for (action, text) in [(fails(401), "renew the token"), (fails(503), "network"), (hangs(), "network")] {
        let (world, call) = healthy();
        let version = RequestMatch { path: Some("^/version$".to_owned()), ..RequestMatch::any() };
        world.fault(Fault::new(version, action.clone()));
        let report = call.check_environment().await;
        assert_eq!((codes(&report), report.status), (vec!["api_unreachable"], "fail"));
        assert!(report.checks[0].hint.as_deref().unwrap().contains(text), "{action:?}: {report:?}");
    }
    let (world, call) = healthy();
    for what in [REVIEW, "get namespaces", "get secrets", "get persistentvolumeclaims", "create jobs"] {
        world.goes_wrong(what, 0, hangs());
    }
    let started = Instant::now();
    let report = call.check_environment().await;
    assert!(started.elapsed() <= seconds(30), "{:?}", started.elapsed());
    assert_eq!(report.status, "fail");
    assert_eq!(level(&report, "rbac_job_create"), Some(Level::Warn), "the review itself failed");
}

#[tokio::test(start_paused = true)]
async fn env_01_each_denied_verb_has_its_level_and_says_what_it_costs() {
    for (denied, check, expected) in [
        ("create jobs", "rbac_job_create", Level::Error),
        ("get jobs", "rbac_job_get", Level::Error),
        ("list jobs", "rbac_job_list", Level::Error),
        ("delete jobs", "rbac_job_delete", Level::Warn),
        ("list pods", "rbac_pod_list", Level::Error),
        ("get pods/log", "rbac_pod_log", Level::Error),
        ("patch jobs", "rbac_job_patch", Level::Warn),
        ("watch jobs", "rbac_job_watch", Level::Warn),
        ("watch pods", "rbac_pod_watch", Level::Warn),
        ("get pods", "rbac_pod_get", Level::Warn),
        ("create secrets", "rbac_secret_create", Level::Error),
        ("delete secrets", "rbac_secret_delete", Level::Warn),
        ("get secrets", "rbac_secret_get", Level::Warn),
        ("get persistentvolumeclaims", "rbac_pvc_get", Level::Warn),
        ("list events", "rbac_event_list", Level::Warn),
    ] {
        let (world, call) = healthy();
        let (verb, resource) = denied.split_once(' ').unwrap();
        world.knobs().deny(verb, resource);
        let report = call.check_environment().await;
        assert_eq!(level(&report, check), Some(expected), "{denied}");
        let found = report.checks.iter().find(|found| found.code == format!("k8s_{check}")).unwrap();
        assert!(found.hint.as_deref().is_some_and(|hint| hint.starts_with("Without it: ")), "{found:?}");
        assert!(found.message.contains(&format!("`{verb}` on `{resource}`")), "{found:?}");
        assert!(codes(&report).contains(&if denied == "create jobs" {
            "job_dry_run_rejected"
        } else {
            "job_dry_run_ok"
        }));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_unreadable_in_the_namespace_is_told_apart() {
    type Prepare = fn(&Knobs);
    let cases: [(Prepare, &str, Level); 6] = [
        (|knobs| assert!(knobs.remove("namespaces", "", NAMESPACE)), "namespace_missing", Level::Error),
        (|knobs| knobs.deny("get", "namespaces"), "namespace_check_failed", Level::Warn),
        (|knobs| assert!(knobs.remove("secrets", NAMESPACE, "paperclip-secrets")), "secret_missing", Level::Warn),
        (|knobs| knobs.deny("get", "secrets"), "secret_check_skipped", Level::Info),
        (|knobs| assert!(knobs.remove("persistentvolumeclaims", NAMESPACE, "data")), "pvc_missing", Level::Error),
        (|knobs| knobs.deny("get", "persistentvolumeclaims"), "pvc_check_failed", Level::Warn),
    ];
    for (prepare, code, expected) in cases {
        let (world, call) = healthy();
        prepare(&world.knobs());
        assert_eq!(level(&call.check_environment().await, code), Some(expected), "{code}");
    }
    let (_world, mut bare) = healthy();
    bare.request["config"] = json!({ "namespace": NAMESPACE, "image": "i" });
    let report = bare.check_environment().await;
    assert_eq!(level(&report, "pvc_not_detected"), Some(Level::Warn));
    assert_eq!(level(&report, "api_url_unreachable"), Some(Level::Warn));
}

#[tokio::test(start_paused = true)]
async fn env_06_what_is_known_to_be_denied_is_not_tried() {
    let (world, call) = healthy();
    let denied = ["namespaces", "secrets", "persistentvolumeclaims"];
    for resource in denied {
        world.knobs().deny("get", resource);
    }
    let report = call.check_environment().await;
    assert_eq!(level(&report, "namespace_check_failed"), Some(Level::Warn));
    assert_eq!(denied.map(|resource| world.count(&format!("get {resource}"))), [0; 3], "{:?}", world.requests());
}

#[tokio::test(start_paused = true)]
async fn in_a_cluster_the_own_pod_is_found_and_staging_softens_the_missing_secrets() {
    let (world, call) = healthy();
    let call = in_cluster(&world, call, std::path::Path::new("/data/paperclip"));
    world.knobs().deny("create", "secrets");
    world.knobs().deny("delete", "secrets");
    let report = call.check_environment().await;
    let found = report.checks.iter().find(|check| check.code == "k8s_self_pod_found").unwrap();
    let detail = found.detail.as_deref().unwrap();
    assert!(detail.contains("data claim: data;"), "{detail}");
    assert_eq!(level(&report, "rbac_secret_create"), Some(Level::Warn));
    assert_eq!(level(&report, "rbac_secret_delete"), Some(Level::Warn));
    assert_eq!(level(&report, "pvc_rwx"), Some(Level::Info));
    assert_ne!(report.status, "fail", "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn fld_32_the_dry_run_names_what_the_server_does_not_know_and_what_it_warns_of() {
    let (world, call) = healthy();
    let message = "would violate PodSecurity \"restricted:latest\"".to_owned();
    world.knobs().warn_creates(CreateWarning { resource: "jobs".into(), message });
    let report =
        call.with("podTemplate", json!({ "spec": { "newerThanThis": { "cpu": "2" } } })).check_environment().await;
    assert_eq!(level(&report, "job_unknown_fields"), Some(Level::Warn));
    assert_eq!(level(&report, "job_dry_run_ok"), Some(Level::Info));
    assert_eq!(level(&report, "job_dry_run_warning"), Some(Level::Warn));
    let unknown = report.checks.iter().find(|check| check.code == "k8s_job_unknown_fields").unwrap();
    assert!(unknown.message.contains("`spec.template.spec.newerThanThis`"), "{}", unknown.message);
    assert!(world.knobs().objects("jobs", NAMESPACE).is_empty(), "nothing is created (ENV-02)");
}

//! The environment test: codes, levels and order of the documentation.

use claude_k8s_core::doctor::{Level, Report};
use serde_json::json;
use tokio::time::Instant;

use super::api_server::Fault;
use super::scene::{Scene, seconds};

/// A host outside of any cluster whose Jobs go to the healthy namespace `ns`.
fn scene() -> Scene {
    let scene = Scene::new();
    scene.server.put("namespaces", json!({ "metadata": { "name": "ns" } }));
    scene.server.put("secrets", json!({ "metadata": { "name": "paperclip-secrets" } }));
    let claim = json!({ "metadata": { "name": "data" }, "spec": { "accessModes": ["ReadWriteMany"] } });
    scene.server.put("persistentvolumeclaims", claim);
    scene.with("env", json!({ "PAPERCLIP_API_URL": "http://paperclip:3100" }))
}

async fn report(scene: &Scene) -> Report {
    scene.engine.check_environment(scene.read()).await
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
    let scene = scene();
    let report = report(&scene).await;
    let mut expected = vec!["api_reachable", "self_pod_unavailable", "namespace_exists"];
    expected.extend(RBAC);
    expected.extend(["secret_exists", "pvc_rwx", "job_dry_run_ok"]);
    assert_eq!(codes(&report), expected);
    assert_eq!(report.status, "warn", "only the own pod is unknown");
    assert_eq!(scene.server.writes().len(), 1, "the dry run");
    assert_eq!(scene.server.names("jobs"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn env_02_rejected_keys_and_a_missing_image_do_not_stop_the_other_checks() {
    let mut scene =
        scene().with("timeoutSec", json!("soon")).with("labels", json!("=")).with("queueName", json!("team"));
    scene.request["config"].as_object_mut().unwrap().remove("image");
    scene.request["executionTarget"] = json!({ "kind": "remote" });
    scene.server.deny("patch jobs");
    let report = report(&scene).await;
    let mut expected = vec!["config_invalid", "config_invalid", "execution_target_unsupported", "api_reachable"];
    expected.extend(["self_pod_unavailable", "image_unresolved", "namespace_exists"]);
    expected.extend(RBAC);
    expected.extend(["secret_exists", "pvc_rwx", "job_dry_run_ok", "config_invalid"]);
    assert_eq!(codes(&report), expected);
    assert_eq!(level(&report, "image_unresolved"), Some(Level::Error));
    let last = report.checks.last().unwrap();
    assert!(last.message.contains("queueName"), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_target_stops_the_checks_that_need_it() {
    let scene = scene().with("namespace", json!("Not A Namespace"));
    assert_eq!(codes(&report(&scene).await), ["config_invalid"]);
    assert_eq!(scene.server.reviews(), 0);
}

#[tokio::test(start_paused = true)]
async fn env_02_only_an_unreachable_api_stops_the_rest_and_thirty_seconds_are_the_most() {
    for (fault, text) in
        [(Fault::Fails(401), "renew the token"), (Fault::Fails(503), "network"), (Fault::Hangs, "network")]
    {
        let scene = scene();
        scene.server.fault("get version", 10, fault);
        let report = report(&scene).await;
        assert_eq!((codes(&report), report.status), (vec!["api_unreachable"], "fail"));
        assert!(report.checks[0].hint.as_deref().unwrap().contains(text), "{fault:?}: {report:?}");
    }
    let scene = scene();
    for what in ["review", "get namespaces", "get secrets", "get persistentvolumeclaims", "create"] {
        scene.server.fault(what, 1000, Fault::Hangs);
    }
    let started = Instant::now();
    let report = report(&scene).await;
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
        ("log pods", "rbac_pod_log", Level::Error),
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
        let scene = scene();
        scene.server.deny(denied);
        let report = report(&scene).await;
        assert_eq!(level(&report, check), Some(expected), "{denied}");
        let found = report.checks.iter().find(|found| found.code == format!("k8s_{check}")).unwrap();
        assert!(found.hint.as_deref().is_some_and(|hint| hint.starts_with("Without it: ")), "{found:?}");
        let (verb, resource) = denied.split_once(' ').unwrap();
        let named = if verb == "log" { "`get` on `pods/log`".to_owned() } else { format!("`{verb}` on `{resource}`") };
        assert!(found.message.contains(&named), "{found:?}");
        assert!(codes(&report).contains(&if denied == "create jobs" {
            "job_dry_run_rejected"
        } else {
            "job_dry_run_ok"
        }));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_or_unreadable_in_the_namespace_is_told_apart() {
    type Prepare = fn(&Scene);
    let cases: [(Prepare, &str, Level); 6] = [
        (|scene| scene.server.collect("namespaces", "ns"), "namespace_missing", Level::Error),
        (|scene| scene.server.deny("get namespaces"), "namespace_check_failed", Level::Warn),
        (|scene| scene.server.collect("secrets", "paperclip-secrets"), "secret_missing", Level::Warn),
        (|scene| scene.server.deny("get secrets"), "secret_check_skipped", Level::Info),
        (|scene| scene.server.collect("persistentvolumeclaims", "data"), "pvc_missing", Level::Error),
        (|scene| scene.server.deny("get persistentvolumeclaims"), "pvc_check_failed", Level::Warn),
    ];
    for (prepare, code, expected) in cases {
        let scene = scene();
        prepare(&scene);
        assert_eq!(level(&report(&scene).await, code), Some(expected), "{code}");
    }
    let mut bare = scene();
    bare.request["config"] = json!({ "namespace": "ns", "image": "i" });
    let report = report(&bare).await;
    assert_eq!(level(&report, "pvc_not_detected"), Some(Level::Warn));
    assert_eq!(level(&report, "api_url_unreachable"), Some(Level::Warn));
}

#[tokio::test(start_paused = true)]
async fn env_06_what_is_known_to_be_denied_is_not_tried() {
    let scene = scene();
    let denied = ["get namespaces", "get secrets", "get persistentvolumeclaims"];
    for permission in denied {
        scene.server.deny(permission);
    }
    let report = report(&scene).await;
    assert_eq!(level(&report, "namespace_check_failed"), Some(Level::Warn));
    assert_eq!(denied.map(|permission| scene.server.asked(permission)), [false; 3], "{:?}", scene.server.requests());
}

#[tokio::test(start_paused = true)]
async fn in_a_cluster_the_own_pod_is_found_and_staging_softens_the_missing_secrets() {
    let mut scene = scene();
    super::permissions::in_cluster(&mut scene, std::path::Path::new("/data/paperclip"));
    scene.server.deny("create secrets");
    scene.server.deny("delete secrets");
    let report = report(&scene).await;
    let found = report.checks.iter().find(|check| check.code == "k8s_self_pod_found").unwrap();
    let detail = found.detail.as_deref().unwrap();
    assert!(detail.contains("data claim: data;"), "{detail}");
    assert_eq!(level(&report, "rbac_secret_create"), Some(Level::Warn));
    assert_eq!(level(&report, "rbac_secret_delete"), Some(Level::Warn));
    assert_eq!(level(&report, "pvc_rwx"), Some(Level::Info));
    assert_ne!(report.status, "fail", "{report:?}");
}

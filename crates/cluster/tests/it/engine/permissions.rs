//! Runs under Roles that lack something, or lose it.

use std::time::Duration;

use claude_k8s_cluster::host::StopOrder;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::api_server::{ApiServer, Fault};
use super::launch::foreign_job;
use super::scene::{Scene, code, seconds};

#[tokio::test(start_paused = true)]
async fn env_01_a_verb_without_substitute_refuses_the_run_and_is_named() {
    for (denied, expected, named) in [
        ("create jobs", "k8s_job_create_failed", "`create` on `jobs`"),
        ("get jobs", "k8s_rbac_insufficient", "`get` on `jobs`"),
        ("list jobs", "k8s_concurrency_guard_unreachable", "`list` on `jobs`"),
        ("list pods", "k8s_rbac_insufficient", "`list` on `pods`"),
        ("log pods", "k8s_rbac_insufficient", "`get` on `pods/log`"),
        ("create secrets", "k8s_prompt_secret_create_failed", "`create` on `secrets`"),
    ] {
        let scene = Scene::new();
        scene.server.deny(denied);
        let result = scene.run().await;
        assert_eq!(code(&result), expected, "{denied}");
        assert!(result.error_message.as_deref().unwrap().contains(named), "{:?}", result.error_message);
        assert_eq!(scene.server.requests(), Vec::<String>::new(), "{denied}");

        // Whoever grants it need not wait for a cache.
        scene.server.state().denied.clear();
        assert_eq!(code(&scene.again("run-2").run().await), "", "{denied}");
    }
}

#[tokio::test(start_paused = true)]
async fn env_03_each_degraded_mode_works_and_is_named_once() {
    for (denied, mode) in [
        ("watch jobs", "polling"),
        ("watch pods", "polling"),
        ("patch jobs", "created unsuspended"),
        ("delete jobs", "no clean-up"),
        ("delete secrets", ""),
        ("get pods", ""),
    ] {
        let scene = Scene::new();
        scene.server.deny(denied);
        let result = scene.run().await;
        assert_eq!((code(&result), result.exit_code), ("", Some(0)), "{denied}: {:?}", result.error_message);
        assert_eq!(scene.host.stderr().matches("Degraded:").count(), usize::from(!mode.is_empty()), "{denied}");
        assert!(scene.host.stderr().contains(mode));
    }
}

#[tokio::test(start_paused = true)]
async fn without_patch_the_secrets_are_the_release_and_come_after_every_check() {
    let scene = Scene::new();
    scene.server.deny("patch jobs");
    assert_eq!(code(&scene.run().await), "");
    let writes = scene.server.writes();
    assert_eq!(writes, ["create jobs/run-1", "create secrets/run-1-run", "delete jobs/run-1"]);
    let requests = scene.server.requests();
    let at = |what: &str| requests.iter().position(|one| one.starts_with(what)).unwrap();
    let lists = requests.iter().take(at("create secrets")).filter(|one| one.starts_with("list")).count();
    assert_eq!(lists, 3, "guard and re-check come first: {requests:?}");

    // A rival or a cancel then never meets a container that runs.
    let scene = Scene::new();
    scene.server.deny("patch jobs");
    scene.server.fault("create jobs", 1, Fault::Slow(seconds(1)));
    let server = scene.server.clone();
    let rival = async {
        while !server.asked("create jobs") {
            sleep(Duration::from_millis(1)).await;
        }
        server.put("jobs", foreign_job("rival", false));
    };
    let (result, ()) = tokio::join!(scene.run(), rival);
    assert_eq!((code(&result), scene.server.most_running()), ("k8s_orphan_task_unknown", 0));
    sleep(seconds(2)).await;
    assert_eq!(scene.server.remains(), ["rival"]);
}

#[tokio::test(start_paused = true)]
async fn env_05_a_watch_that_is_taken_away_in_mid_run_becomes_polling() {
    let scene = Scene::new();
    scene.runs_for(Some(seconds(300)));
    let server = scene.server.clone();
    let taken = async {
        while !server.asked("log") {
            sleep(Duration::from_millis(1)).await;
        }
        server.deny("watch jobs");
        server.deny("watch pods");
    };
    let (result, ()) = tokio::join!(scene.run(), taken);
    assert_eq!((code(&result), result.exit_code), ("", Some(0)), "{:?}", result.error_message);
}

#[tokio::test(start_paused = true)]
async fn env_05_logs_that_may_not_be_read_any_more_are_reported_and_end_nothing() {
    let scene = Scene::new();
    scene.log("");
    scene.runs_for(Some(seconds(300)));
    let server = scene.server.clone();
    let taken = async {
        while !server.asked("watch pods") {
            sleep(Duration::from_millis(1)).await;
        }
        server.deny("log pods");
    };
    let started = Instant::now();
    let (result, ()) = tokio::join!(scene.run(), taken);
    assert!(started.elapsed() >= seconds(300));
    assert_ne!(code(&result), "");
    assert!(scene.host.stderr().contains("pods/log") || scene.host.stderr().contains("403"), "{}", scene.host.stderr());
}

/// A host in a pod of the Jobs' namespace, with its data volume at `home`.
pub(super) fn in_cluster(scene: &mut Scene, home: &std::path::Path) {
    let environment = json!({ "KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "host-0", "PAPERCLIP_NAMESPACE": "ns",
        "PAPERCLIP_HOME": home.to_str() });
    scene.request["host"]["env"] = environment;
    scene.request["config"].as_object_mut().unwrap().remove("workspaceVolumeClaim");
    let user = std::fs::metadata(home).map_or(0, |found| std::os::unix::fs::MetadataExt::uid(&found));
    scene.request["config"]["runAsUser"] = json!(user.max(1));
    let pod = json!({ "metadata": { "name": "host-0" }, "spec": {
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }],
        "containers": [{ "name": "paperclip", "image": "host:1", "volumeMounts": [{ "name": "data", "mountPath": home.to_str() }] }] } });
    scene.server.put("pods", pod);
}

/// What is below the staging directory, by Job.
fn staged(home: &std::path::Path) -> Vec<String> {
    let runs = std::fs::read_dir(home.join(".paperclip-claude-k8s/runs")).into_iter().flatten().flatten();
    runs.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn env_03_under_the_old_role_the_payload_is_staged_before_the_job_and_removed_after_it() {
    let home = tempfile::tempdir().unwrap();
    let mut scene = Scene::new();
    in_cluster(&mut scene, home.path());
    for denied in ["create secrets", "delete secrets", "patch jobs", "watch jobs", "watch pods"] {
        scene.server.deny(denied);
    }
    scene.server.fault("create jobs", 1, Fault::Slow(seconds(1)));
    let server = scene.server.clone();
    let looking = async {
        while !server.asked("create jobs") {
            sleep(Duration::from_millis(1)).await;
        }
        let directory = home.path().join(".paperclip-claude-k8s/runs/ac-agent-1-run-1-0ec508");
        std::fs::read_to_string(directory.join("prompt/000")).unwrap()
    };
    let (result, prompt) = tokio::join!(scene.run(), looking);
    assert_eq!((code(&result), prompt.as_str()), ("", "prompt of run-1"), "{:?}", result.error_message);
    assert_eq!(scene.server.writes(), ["create jobs/run-1", "delete jobs/run-1"]);
    assert_eq!(scene.host.stderr().matches("Degraded:").count(), 3);
    assert_eq!(staged(home.path()), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_fails_or_is_cancelled_leaves_no_staged_file() {
    for cancel in [false, true] {
        let home = tempfile::tempdir().unwrap();
        let mut scene = Scene::new();
        in_cluster(&mut scene, home.path());
        scene.server.deny("create secrets");
        let fault = if cancel { Fault::Fails(503) } else { Fault::Fails(422) };
        scene.server.fault("create jobs", 1000, fault);
        let result = if cancel {
            scene.stopped_when(StopOrder::Cancel, |server: &ApiServer| server.asked("create jobs")).await.0
        } else {
            scene.run().await
        };
        assert_eq!(code(&result), if cancel { "cancelled" } else { "k8s_job_create_failed" });
        assert_eq!(staged(home.path()), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn staged_leftovers_are_swept_when_they_are_old_and_their_job_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let runs = home.path().join(".paperclip-claude-k8s/runs");
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    for (name, is_old) in [("gone", true), ("alive", true), ("young", false)] {
        std::fs::create_dir_all(runs.join(name)).unwrap();
        if is_old {
            std::fs::File::open(runs.join(name)).unwrap().set_modified(old).unwrap();
        }
    }
    let mut scene = Scene::new();
    in_cluster(&mut scene, home.path());
    scene.server.deny("create secrets");
    scene.server.put("jobs", json!({ "metadata": { "name": "alive" }, "spec": { "template": {} } }));
    assert_eq!(code(&scene.run().await), "");
    let mut left = staged(home.path());
    left.sort();
    assert_eq!(left, ["alive", "young"]);
}

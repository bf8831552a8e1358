//! Runs under Roles that lack something, or lose it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use claude_k8s_cluster::host::StopOrder;
use tokio::time::Instant;

use super::claude::{starts, works};
use super::own_pod::in_cluster;
use super::requests::{fails, slow};
use super::world::{World, assert_success, code, minutes, seconds};

fn world() -> World {
    World::new(works(seconds(1)))
}

#[tokio::test(start_paused = true)]
async fn env_01_a_verb_without_substitute_refuses_the_run_and_is_named() {
    for (verb, resource, expected) in [
        ("create", "jobs", "k8s_job_create_failed"),
        ("get", "jobs", "k8s_rbac_insufficient"),
        ("list", "jobs", "k8s_concurrency_guard_unreachable"),
        ("list", "pods", "k8s_rbac_insufficient"),
        ("get", "pods/log", "k8s_rbac_insufficient"),
        ("create", "secrets", "k8s_prompt_secret_create_failed"),
    ] {
        let world = world();
        world.knobs().deny(verb, resource);
        let process = world.process();
        let result = process.call("run-1").run().await;
        assert_eq!(code(&result), expected, "{verb} {resource}");
        let message = result.error_message.unwrap();
        assert!(message.contains(&format!("`{verb}` on `{resource}`")), "{message}");
        assert_eq!(world.requests(), Vec::<String>::new(), "{verb} {resource}");

        // Whoever grants it need not wait for a cache.
        world.knobs().allow_all();
        let call = process.call("run-2");
        assert_success(&call.run().await, &call.heard);
    }
}

#[tokio::test(start_paused = true)]
async fn env_03_each_degraded_mode_works_and_is_named_once() {
    for (verb, resource, mode) in [
        ("watch", "jobs", "polling"),
        ("watch", "pods", "polling"),
        ("patch", "jobs", "created unsuspended"),
        ("delete", "jobs", "no clean-up"),
        ("delete", "secrets", ""),
        ("get", "pods", ""),
    ] {
        let world = world();
        world.knobs().deny(verb, resource);
        let call = world.call();
        assert_success(&call.run().await, &call.heard);
        let told = call.heard.stderr();
        assert_eq!(told.matches("Degraded:").count(), usize::from(!mode.is_empty()), "{verb} {resource}: {told}");
        assert!(told.contains(mode), "{verb} {resource}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_patch_the_secrets_are_the_release_and_come_after_every_check() {
    let world = world();
    world.knobs().deny("patch", "jobs");
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    assert_eq!(world.writes(), ["create jobs/run-1", "create secrets/run-1-run", "delete jobs/run-1"]);
    let requests = world.requests();
    let before = requests.iter().take_while(|one| !one.starts_with("create secrets"));
    assert_eq!(before.filter(|one| one.starts_with("list")).count(), 3, "guard and re-check come first: {requests:?}");
}

#[tokio::test(start_paused = true)]
async fn without_patch_a_rival_never_meets_a_container_that_runs() {
    let world = world();
    world.knobs().deny("patch", "jobs");
    world.goes_wrong("create jobs", 1, slow(seconds(1)));
    let rival = async {
        world.asked("create jobs").await;
        world.foreign_job("rival", |_| {});
    };
    let result = world.call().run_while(rival).await;
    assert_eq!(code(&result), "k8s_orphan_task_unknown", "{:?}", result.error_message);
    assert_eq!(world.remains().await, ["rival"]);
    assert!(world.knobs().launches().is_empty());
}

#[tokio::test(start_paused = true)]
async fn env_05_a_watch_that_is_taken_away_in_mid_run_becomes_polling() {
    let world = World::new(works(minutes(5)));
    let call = world.call();
    let taken = async {
        world.running().await;
        world.knobs().deny("watch", "jobs");
        world.knobs().deny("watch", "pods");
        world.knobs().end_watches();
    };
    assert_success(&call.run_while(taken).await, &call.heard);
    assert!(world.count("list pods") > 20, "{:?}", world.requests());
}

#[tokio::test(start_paused = true)]
async fn env_05_logs_that_may_not_be_read_any_more_are_reported_and_end_nothing() {
    let world = World::new(starts().wait(minutes(5)).exit(0));
    let call = world.call();
    let taken = async {
        world.asked("watch pods").await;
        world.knobs().deny("get", "pods/log");
    };
    let started = Instant::now();
    let result = call.run_while(taken).await;
    assert!(started.elapsed() >= minutes(5), "{:?}", started.elapsed());
    assert_ne!(code(&result), "");
    let told = call.heard.stderr();
    assert!(told.contains("pods/log") || told.contains("403"), "{told}");
}

/// What is below the staging directory, by Job.
fn staged(home: &Path) -> Vec<String> {
    let runs = std::fs::read_dir(home.join(".paperclip-claude-k8s/runs")).into_iter().flatten().flatten();
    let mut names: Vec<_> = runs.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn env_03_under_the_old_role_the_payload_is_staged_before_the_job_and_removed_after_it() {
    let home = tempfile::tempdir().unwrap();
    let world = world();
    let call = in_cluster(&world, world.call(), home.path());
    for (verb, resource) in
        [("create", "secrets"), ("delete", "secrets"), ("patch", "jobs"), ("watch", "jobs"), ("watch", "pods")]
    {
        world.knobs().deny(verb, resource);
    }
    world.goes_wrong("create jobs", 1, slow(seconds(1)));
    let looking = async {
        world.asked("create jobs").await;
        let directory = home.path().join(".paperclip-claude-k8s/runs/ac-agent-1-run-1-0ec508");
        assert_eq!(std::fs::read_to_string(directory.join("prompt/000")).unwrap(), "prompt of run-1");
    };
    assert_success(&call.run_while(looking).await, &call.heard);
    assert_eq!(world.writes(), ["create jobs/run-1", "delete jobs/run-1"]);
    assert_eq!(call.heard.stderr().matches("Degraded:").count(), 3);
    assert_eq!(staged(home.path()), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_launch_that_fails_or_is_cancelled_leaves_no_staged_file() {
    for (failure, expected) in [(422, "k8s_job_create_failed"), (503, "cancelled")] {
        let home = tempfile::tempdir().unwrap();
        let world = world();
        let call = in_cluster(&world, world.call(), home.path());
        world.knobs().deny("create", "secrets");
        world.goes_wrong("create jobs", 0, fails(failure));
        let result = if expected == "cancelled" {
            call.stopped_after(StopOrder::Cancel, world.asked("create jobs")).await.0
        } else {
            call.run().await
        };
        assert_eq!(code(&result), expected);
        assert_eq!(staged(home.path()), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn staged_leftovers_are_swept_when_they_are_old_and_their_job_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let runs = home.path().join(".paperclip-claude-k8s/runs");
    let old = SystemTime::now() - Duration::from_secs(3600);
    for (name, is_old) in [("gone", true), ("alive", true), ("young", false)] {
        std::fs::create_dir_all(runs.join(name)).unwrap();
        if is_old {
            std::fs::File::open(runs.join(name)).unwrap().set_modified(old).unwrap();
        }
    }
    let world = world();
    let call = in_cluster(&world, world.call(), home.path());
    world.knobs().deny("create", "secrets");
    world.foreign_job("alive", |job| job["metadata"]["labels"] = serde_json::Value::Null);
    assert_success(&call.run().await, &call.heard);
    assert_eq!(staged(home.path()), ["alive", "young"]);
}

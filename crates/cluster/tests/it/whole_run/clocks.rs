//! Clocks that are an hour off: of the host, the server or the node, each alone. No verdict changes.

use claude_k8s_testkit::Script;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::claude::{begins, init, result, says, works};
use super::world::{NAMESPACE, World, assert_success, code, minutes, seconds};

/// Server and node, as the host sees them: the host's own clock is off where both are.
const CLOCKS: [(&str, i64, i64); 6] = [
    ("host behind", 60, 60),
    ("host ahead", -60, -60),
    ("node behind", 0, -60),
    ("node ahead", 0, 60),
    ("server behind", -60, 0),
    ("server ahead", 60, 0),
];

#[tokio::test(start_paused = true)]
async fn fld_07_a_run_with_a_limit_succeeds_or_is_ended_by_it_whatever_the_clocks_say() {
    for (clocks, server, node) in CLOCKS {
        let world = World::with_clocks(works(seconds(50)), server, node);
        let call = world.call().with("timeoutSec", 60).with("graceSec", 5);
        assert_success(&call.run().await, &call.heard);
        assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")], "{clocks}");
        assert!(world.remains().await.is_empty(), "{clocks}");

        let world = World::with_clocks(begins().never_ends(), server, node);
        let started = Instant::now();
        let outcome = world.call().with("timeoutSec", 60).with("graceSec", 5).run().await;
        assert_eq!((code(&outcome), outcome.timed_out), ("timeout", true), "{clocks}: {:?}", outcome.error_message);
        assert!(
            started.elapsed() > seconds(55) && started.elapsed() < seconds(90),
            "{clocks}: {:?}",
            started.elapsed()
        );
        assert!(world.remains().await.is_empty(), "{clocks}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_07_an_adopted_job_is_followed_to_its_own_end() {
    for (clocks, server, node) in CLOCKS {
        let world = World::with_clocks(works(seconds(50)), server, node);
        let first = world.call().with("timeoutSec", 60).with("graceSec", 5);
        first.killed_after(world.asked("get pods/log")).await;
        sleep(seconds(10)).await;
        let again = world.call().with("timeoutSec", 60).with("graceSec", 5);
        let result = again.run().await;
        assert_success(&result, &again.heard);
        assert_eq!(world.count("create jobs"), 1, "{clocks}");
        assert!(world.remains().await.is_empty(), "{clocks}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_07_an_adopted_job_that_overruns_is_ended_by_its_own_limit() {
    for (clocks, server, node) in CLOCKS {
        let world = World::with_clocks(begins().never_ends(), server, node);
        let first = world.call().with("timeoutSec", 60).with("graceSec", 5);
        first.killed_after(world.asked("get pods/log")).await;
        sleep(seconds(10)).await;
        let outcome = world.call().with("timeoutSec", 60).with("graceSec", 5).run().await;
        assert_eq!((code(&outcome), outcome.timed_out), ("timeout", true), "{clocks}: {:?}", outcome.error_message);
    }
}

#[tokio::test(start_paused = true)]
async fn fld_07_a_launch_under_way_is_no_leftover_and_a_leftover_is_removed() {
    for (clocks, server, node) in CLOCKS {
        let world = World::with_clocks(works(seconds(1)), server, node);
        world.foreign_job("launching", |job| {
            job["spec"]["suspend"] = true.into();
            job["metadata"]["labels"]["paperclip.io/layout"] = "3".into();
            job["metadata"]["annotations"] = json!({ "paperclip.io/task-id": "task-1" });
        });
        let blocked = world.call().run().await;
        assert!(blocked.error_code.is_some(), "{clocks}: a launch under way was removed");
        assert_eq!(world.deletes(), 0, "{clocks}");
        sleep(minutes(16)).await;
        let call = world.call();
        assert_success(&call.run().await, &call.heard);
        assert!(!world.knobs().objects("jobs", NAMESPACE).iter().any(|job| super::world::name(job) == "launching"));
    }
}

#[tokio::test(start_paused = true)]
async fn fld_07_a_process_that_lives_is_no_orphans_whatever_its_clock_said_when_it_started() {
    for minutes_off in [-60_i64, 60] {
        let world = World::new(begins().never_ends());
        let began = Instant::now();
        world.call().killed_after(world.asked("get pods/log")).await;
        // The kernel's clock is not paused, and the process has to be older than the Job.
        std::thread::sleep(began.elapsed() + seconds(2));
        let process = std::process::id();
        let started = super::world::process_start_ms(process) + minutes_off * 60_000;
        let supervisor = format!("machine/{process}/{started}");
        let patch = json!({ "metadata": { "annotations": { "paperclip.io/supervisor": supervisor } } });
        assert!(world.knobs().patch("jobs", NAMESPACE, &world.job(), &patch));
        assert_eq!(code(&world.process().call("run-2").run().await), "k8s_concurrent_run_blocked", "{minutes_off}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_07_the_second_attempt_has_what_the_first_one_left_of_the_limit() {
    for (clocks, server, node) in CLOCKS {
        let unknown = super::claude::unknown_session("11111111-2222-4333-8444-555555555555");
        let script: Script = super::claude::starts().wait(seconds(20)).print(unknown).exit(1);
        let world = World::with_clocks(script, server, node);
        let call = world.call().with("timeoutSec", 100).resuming("11111111-2222-4333-8444-555555555555");
        let looking = async {
            let second = world.knobs().wait_for("jobs", |job| super::world::name(job).ends_with("-r2")).await;
            let limit = second["spec"]["template"]["spec"]["activeDeadlineSeconds"].as_i64().unwrap();
            assert!((75..=81).contains(&limit), "{clocks}: {limit}");
        };
        call.run_while(looking).await;
    }
}

#[tokio::test(start_paused = true)]
async fn fld_07_an_operator_sees_ages_by_the_servers_clock_and_no_launch_under_way_as_left_over() {
    for (clocks, server, node) in CLOCKS {
        let world = World::with_clocks(works(seconds(1)), server, node);
        world.foreign_job("launching", |job| {
            job["spec"]["suspend"] = true.into();
            job["metadata"]["labels"]["paperclip.io/layout"] = "3".into();
        });
        let left = json!({ "name": "leftovers", "olderThanSeconds": 86_400 });
        sleep(minutes(1)).await;
        assert_eq!(world.process().operates(left.clone()).await["leftovers"], json!([]), "{clocks}");
        let rows = world.process().operates(json!({ "name": "list" })).await;
        assert!((60..=61).contains(&rows[0]["ageSeconds"].as_u64().unwrap()), "{clocks}: {rows}");
        sleep(minutes(15)).await;
        let shown = world.process().operates(left).await["leftovers"].clone();
        assert_eq!((&shown[0]["name"], &shown[0]["reason"]), (&json!("launching"), &json!("unreleased")), "{clocks}");
        assert!((960..=962).contains(&shown[0]["ageSeconds"].as_u64().unwrap()), "{clocks}: {shown}");
    }
}

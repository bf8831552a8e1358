//! One run of an agent at a time: who waits, who is refused, and who withdraws.

use claude_k8s_testkit::{Fault, FaultAction, RequestMatch};
use serde_json::json;
use tokio::time::{Duration, Instant, sleep};

use super::claude::{Ends, begins, works};
use super::heard::Manner;
use super::requests::{fails, hangs, slow};
use super::world::{NAMESPACE, World, assert_success, code, minutes, seconds};

fn world() -> World {
    World::new(works(seconds(1)))
}

#[tokio::test(start_paused = true)]
async fn grd_01_without_both_lists_nothing_is_created() {
    for (what, action) in
        [("list jobs", fails(500)), ("list pods", fails(500)), ("list jobs", fails(429)), ("list pods", hangs())]
    {
        let world = world();
        world.goes_wrong(what, 0, action.clone());
        let started = Instant::now();
        let result = world.call().run().await;
        assert_eq!(code(&result), "k8s_concurrency_guard_unreachable", "{what} {action:?}");
        assert!(started.elapsed() <= seconds(90), "GRD-02: {:?}", started.elapsed());
        assert!(world.writes().is_empty(), "{:?}", world.writes());
    }
}

#[tokio::test(start_paused = true)]
async fn grd_01_a_list_whose_connection_breaks_is_asked_again() {
    for (breaks, expected) in [(2, ""), (0, "k8s_concurrency_guard_unreachable")] {
        let world = World::new(begins().ends());
        world.goes_wrong("list pods", breaks, FaultAction::Reset { after_write: false });
        let result = world.call().run().await;
        assert_eq!(code(&result), expected, "{breaks}: {:?}", result.error_message);
        assert!(world.remains().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_competitor_blocks_the_run_and_is_never_touched() {
    let world = world();
    world.foreign_job("other", |_| {});
    let call = world.call();
    let result = call.run().await;
    assert_eq!(code(&result), "k8s_orphan_task_unknown");
    assert!(result.error_message.unwrap().contains("`other`"));
    assert!(world.writes().is_empty(), "GRD-08");
    assert!(call.heard.stderr().contains("Another run of this agent"));
}

#[tokio::test(start_paused = true)]
async fn a_job_of_the_previous_adapter_is_a_competitor() {
    let world = world();
    world.foreign_job("old", |job| job["metadata"]["labels"]["paperclip.io/task-id"] = json!("task-1"));
    assert_eq!(code(&world.call().run().await), "k8s_concurrent_run_blocked");
    assert!(world.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn grd_03_a_released_rival_in_the_recheck_makes_the_run_withdraw() {
    let world = world();
    world.goes_wrong("create jobs", 1, slow(seconds(1)));
    let call = world.call();
    let rival = async {
        world.asked("create jobs").await;
        world.foreign_job("rival", |_| {});
    };
    let result = call.run_while(rival).await;
    assert_eq!(code(&result), "k8s_orphan_task_unknown");
    assert_eq!(world.remains().await, ["rival"]);
    assert_eq!(call.heard.dispatches(), 0);
}

#[tokio::test(start_paused = true)]
async fn grd_03_of_two_processes_that_launch_at_once_never_two_pods_run() {
    let mut successes = 0;
    for round in 0_u64..100 {
        let world = World::new(works(seconds(30)));
        // Requests take different times in every round, so the two interleave differently.
        for (verb, resource, ms) in
            [("list", "jobs", 7), ("list", "pods", 3), ("create", "jobs", 5), ("patch", "jobs", 11)]
        {
            let action = FaultAction::Delay { ms: 1 + round * ms % 13 };
            world.fault(
                Fault::new(RequestMatch::of(verb, resource), action).after(u32::try_from(round % 3).unwrap()).times(2),
            );
        }
        let (one, two) = (world.process().call("run-1"), world.process().call("run-2").of_task("task-2"));
        let late = async {
            sleep(Duration::from_millis(round % 10)).await;
            two.run().await
        };
        let (first, second) = tokio::join!(one.run(), late);
        let launched = world.knobs().launches().len();
        let succeeded = [&first, &second].iter().filter(|result| code(result).is_empty()).count();
        assert!(launched <= 1, "round {round}: {first:?} {second:?}");
        assert_eq!(succeeded, launched, "round {round}: {first:?} {second:?}");
        assert!(world.remains().await.is_empty(), "round {round}");
        successes += succeeded;
    }
    assert!(successes >= 90, "launches that withdraw without need: {successes}");
}

#[tokio::test(start_paused = true)]
async fn runs_of_one_process_queue_at_the_launch_lock_and_the_second_finds_the_first() {
    let world = World::new(works(minutes(1)));
    let process = world.process();
    let (one, two) = (process.call("run-1"), process.call("run-2").of_task("task-2"));
    let (first, second) = tokio::join!(one.run(), two.run());
    let mut codes = [code(&first), code(&second)];
    codes.sort_unstable();
    assert_eq!(codes, ["", "k8s_concurrent_run_blocked"]);
    assert_eq!(world.count("create jobs"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_the_same_task_never_adopts_what_this_process_is_about_to_follow() {
    // The host is slow to take the meta notice of the first run.
    let world = World::new(works(minutes(1)));
    let process = world.process();
    let (one, two) = (process.call("run-1").with_host(Manner::NoticesHang), process.call("run-2"));
    let (first, second) = tokio::join!(one.run(), two.run());
    let mut codes = [code(&first), code(&second)];
    codes.sort_unstable();
    assert_eq!(codes, ["", "k8s_concurrent_run_blocked"], "{first:?} {second:?}");
}

#[tokio::test(start_paused = true)]
async fn grd_09_guard_wait_ends_when_the_competitor_does() {
    let world = world();
    world.foreign_job("other", |_| {});
    let call = world.call().with("guardWaitSec", 60);
    let ends = async {
        sleep(seconds(20)).await;
        assert!(world.knobs().remove("jobs", NAMESPACE, "other"));
    };
    let started = Instant::now();
    assert_success(&call.run_while(ends).await, &call.heard);
    assert!(started.elapsed() < seconds(35), "{:?}", started.elapsed());
    assert!(call.heard.stdout().contains("waiting for another run of this agent"));
}

#[tokio::test(start_paused = true)]
async fn an_old_suspended_leftover_is_removed_and_the_run_goes_on() {
    let world = world();
    world.foreign_job("leftover", |job| {
        job["spec"]["suspend"] = json!(true);
        job["metadata"]["labels"]["paperclip.io/layout"] = json!("2");
        job["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    });
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    assert!(world.writes().contains(&"delete jobs/leftover".to_owned()), "{:?}", world.writes());
}

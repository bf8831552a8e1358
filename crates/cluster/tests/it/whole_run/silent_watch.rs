//! A watch that is open and brings nothing: what it has not brought has happened all the same.

use claude_k8s_testkit::{Exit, Script};
use tokio::time::sleep;

use super::claude::{Ends, begins, init, result, says};
use super::requests::missing;
use super::world::{World, assert_success, code, minutes, seconds};

/// A container that does not say its end: somebody else has to.
fn unsaid(script: Script) -> Script {
    Script { last_line: None, ..script }
}

/// The pods watch falls silent `before` the container's end.
async fn silent(script: Script, before: u64) -> (World, super::world::Call, claude_k8s_core::outcome::RunResult) {
    let world = World::new(script);
    let call = world.call();
    let falling_silent = async {
        world.running().await;
        sleep(seconds(100 - before)).await;
        world.knobs().silence_watches(Some("pods"));
    };
    let result = call.run_while(falling_silent).await;
    (world, call, result)
}

#[tokio::test(start_paused = true)]
async fn fld_06_a_pods_watch_that_falls_silent_before_the_end_changes_no_verdict() {
    for before in [1, 20, 55] {
        let work = || unsaid(begins().wait(seconds(100)));
        let (world, call, success) = silent(work().ends(), before).await;
        assert_success(&success, &call.heard);
        assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
        assert!(world.remains().await.is_empty(), "{before}");

        let (world, _, failure) = silent(work().exit(7), before).await;
        assert_eq!((code(&failure), failure.exit_code), ("claude_truncated", Some(7)), "{before}");
        assert!(world.remains().await.is_empty(), "{before}");

        let (_, _, killed) = silent(work().exit_with(Exit::out_of_memory()), before).await;
        assert_eq!(killed.exit_code, Some(137), "{before}: {:?}", killed.error_message);
        assert!(killed.error_message.unwrap().contains("memory"), "{before}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_06_a_pods_watch_that_is_silent_from_the_start_is_no_pod_that_never_started() {
    let world = World::new(begins().wait(minutes(3)).ends());
    world.knobs().silence_watches(Some("pods"));
    let call = world.call().with("scheduleTimeoutSec", 30).with("startupTimeoutSec", 30);
    let result = call.run().await;
    assert_success(&result, &call.heard);
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn fld_06_one_answer_that_a_pod_is_not_there_does_not_cost_the_result_of_a_run() {
    let world = World::new(unsaid(begins().wait(seconds(20)).ends()));
    world.knobs().silence_watches(Some("pods"));
    world.goes_wrong("get pods", 1, missing("pods"));
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    assert_eq!(world.count("get pods/run-1"), 2, "{:#?}", world.requests());
}

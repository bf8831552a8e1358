//! An order to stop, in every phase.

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_core::outcome::RunResult;
use claude_k8s_testkit::{Fault, FaultAction, HoldKind, RequestMatch, Script};
use tokio::time::{Duration, sleep};

use super::claude::{Ends as _, begins, init, result, says};
use super::world::{Call, World, code, container, minutes, seconds};

/// Cancels the run when the moment has come. Returns how long the answer took.
async fn cancelled_after(call: &Call, moment: impl Future<Output = ()>) -> (RunResult, Duration) {
    call.stopped_after(StopOrder::Cancel, moment).await
}

#[tokio::test(start_paused = true)]
async fn can_02_a_cancel_acts_in_every_phase_and_leaves_nothing() {
    // Up to the release in steps of the requests, then waiting for a node, for the container, and running.
    for at in [0, 1, 5, 12, 25, 40, 60, 100, 200, 500, 1_000, 60_000] {
        let world = World::new(begins().never_ends());
        world.fault(Fault::new(RequestMatch::any(), FaultAction::Delay { ms: 5 }));
        let call = world.call();
        let (outcome, took) = cancelled_after(&call, sleep(Duration::from_millis(at))).await;
        assert_eq!(code(&outcome), "cancelled", "{at}: {:?}", outcome.error_message);
        assert!(took <= seconds(3), "{at}: {took:?}");
        assert_eq!(outcome.result_json["executionCancellation"]["state"], "acknowledged", "{at}");
        assert_eq!(world.remains().await, Vec::<String>::new(), "{at}");
    }
}

#[tokio::test(start_paused = true)]
async fn can_02_a_cancel_of_a_pod_that_cannot_start_is_answered_at_once() {
    for hold in [HoldKind::JobController, HoldKind::Scheduling, HoldKind::ContainerStart] {
        let world = World::new(begins().never_ends());
        world.knobs().hold(hold);
        let call = world.call();
        let moment = async {
            world.asked("watch pods").await;
            sleep(seconds(20)).await;
        };
        let (outcome, took) = cancelled_after(&call, moment).await;
        assert_eq!(code(&outcome), "cancelled", "{hold:?}: {:?}", outcome.error_message);
        assert!(took <= seconds(5), "{hold:?}: {took:?}");
        world.knobs().release(hold);
        assert!(world.remains().await.is_empty(), "{hold:?}");
        assert!(world.knobs().launches().is_empty(), "{hold:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn can_02_a_run_that_waits_in_a_queue_is_cancelled_at_once_and_never_starts() {
    let world = World::new(begins().never_ends());
    let call = world.call().with("queueName", "team");
    let moment = async {
        world.asked("watch jobs").await;
        sleep(minutes(10)).await;
    };
    let (outcome, took) = cancelled_after(&call, moment).await;
    assert_eq!(code(&outcome), "cancelled", "{:?}", outcome.error_message);
    assert!(took <= seconds(2), "{took:?}");
    assert_eq!(outcome.result_json["executionCancellation"]["state"], "acknowledged");
    assert!(world.remains().await.is_empty() && world.knobs().launches().is_empty());
}

#[tokio::test(start_paused = true)]
async fn can_02_a_cancel_while_the_tail_is_read_keeps_what_was_said_and_is_bounded() {
    let world = World::new(Script { last_line: None, ..begins().ends() });
    let tail = RequestMatch { query: None, ..RequestMatch::of("get", "pods/log") };
    world.fault(Fault::new(tail, FaultAction::Hang { after_write: false }).after(1));
    let call = world.call();
    let moment = async {
        world.knobs().wait_for("pods", |pod| container(pod)["terminated"].is_object()).await;
        sleep(seconds(3)).await;
    };
    let (outcome, took) = cancelled_after(&call, moment).await;
    assert_eq!(call.heard.lines(), [init(), says("hello"), result("done")]);
    assert!(outcome.cost_usd.is_some() && outcome.usage.is_some());
    assert_eq!(code(&outcome), "cancelled", "{:?}", outcome.error_message);
    // Nobody answers the read nor the one that follows, so the tail takes the time that both have.
    assert!(took <= seconds(20), "{took:?}");
    assert_eq!(outcome.result_json["executionCancellation"]["state"], "acknowledged");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn can_06_a_cancelled_run_keeps_what_it_said_until_its_last_moment() {
    let dying = Script::new().print(says("stopping")).wait(seconds(4)).print(result("stopped")).exit(143);
    let world = World::new(begins().never_ends().on_term(dying));
    let call = world.call();
    let cancelling = async {
        world.running().await;
        sleep(minutes(2)).await;
        call.order(StopOrder::Cancel);
    };
    let outcome = call.run_while(cancelling).await;
    assert_eq!(code(&outcome), "cancelled");
    assert_eq!(call.heard.lines(), [init(), says("hello"), says("stopping"), result("stopped")], "LOG-12");
    assert!(outcome.cost_usd.is_some() && outcome.usage.is_some());
}

#[tokio::test(start_paused = true)]
async fn can_03_a_container_that_ignores_the_signal_is_answered_in_time_and_killed() {
    let world = World::new(begins().never_ends().ignores_term());
    let call = world.call();
    let moment = async {
        world.running().await;
        sleep(minutes(2)).await;
    };
    let (outcome, took) = cancelled_after(&call, moment).await;
    assert_eq!(code(&outcome), "cancelled");
    assert!(took <= seconds(60), "{took:?}");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn can_04_a_lost_lease_leaves_the_pod_running() {
    let world = World::new(begins().never_ends());
    let call = world.call();
    let losing = async {
        world.running().await;
        sleep(minutes(2)).await;
    };
    let (outcome, _) = call.stopped_after(StopOrder::LeaseLost, losing).await;
    assert_eq!(code(&outcome), "k8s_controller_lease_lost");
    assert_eq!((world.deletes(), world.remains().await.iter().any(|name| *name == world.job())), (0, true));
    let told = call.heard.of_events("/message").pop().unwrap_or_default();
    assert!(told.ends_with("is no longer followed; its pod may still run"), "{told}");
}

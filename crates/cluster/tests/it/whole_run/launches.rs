//! Several launches: attempts of one run, runs of one agent, runs of many agents.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use claude_k8s_testkit::{Fault, FaultAction, RequestMatch};
use futures_util::future::join_all;
use tokio::time::{Duration, sleep};

use super::claude::{COST, Ends, INPUT_TOKENS, begins, init, starts, unknown_session};
use super::world::{Call, NAMESPACE, World, assert_success, code, container, minutes, seconds};

const OLD_SESSION: &str = "99999999-2222-4333-8444-555555555555";

#[tokio::test(start_paused = true)]
async fn ses_03_an_unknown_session_costs_one_fresh_attempt_and_both_are_booked() {
    let world = World::choosing(|launch| {
        if launch.args.iter().any(|argument| argument.contains(OLD_SESSION)) {
            starts().print(init()).print(unknown_session(OLD_SESSION)).exit(1)
        } else {
            begins().wait(seconds(30)).ends()
        }
    });
    let call = world.call().resuming(OLD_SESSION);
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    assert_eq!(outcome.result_json["k8s"]["attempts"], 2);
    assert_eq!(outcome.cost_usd, Some(2.0 * COST), "{:#?} {:#?}", call.heard.status(), call.heard.lines());
    assert_eq!(outcome.usage.as_ref().map(|fields| fields.usage.input_tokens), Some(2 * INPUT_TOKENS));
    assert_eq!((call.heard.dispatches(), world.knobs().launches().len()), (1, 2));
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn grd_01_a_list_whose_connection_breaks_is_asked_once_more() {
    for (breaks, expected) in [(1, ""), (2, "k8s_concurrency_guard_unreachable")] {
        let world = World::new(begins().ends());
        let action = FaultAction::Reset { after_write: false };
        world.fault(Fault::new(RequestMatch::of("list", "pods"), action).times(breaks));
        let result = world.call().run().await;
        assert_eq!(code(&result), expected, "{breaks}: {:?}", result.error_message);
        assert!(world.remains().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn grd_03_of_two_processes_that_launch_at_once_never_two_pods_run() {
    let mut successes = 0;
    for round in 0_u64..100 {
        let world = World::new(begins().wait(seconds(30)).ends());
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
async fn env_04_twenty_concurrent_runs_share_one_pair_of_watches_and_the_request_budget() {
    let world = World::new(begins().wait(minutes(30)).ends());
    let process = world.process();
    let running = Arc::new(AtomicUsize::new(0));
    let calls: Vec<_> =
        (0..20).map(|number| process.call(&format!("run-{number}")).of_agent(&format!("agent-{number}"))).collect();
    let counting = async {
        loop {
            let pods = world.knobs().objects("pods", NAMESPACE);
            if pods.iter().filter(|pod| container(pod)["running"].is_object()).count() == 20 {
                break;
            }
            sleep(seconds(1)).await;
        }
        running.store(20, Ordering::Relaxed);
        sleep(minutes(2)).await;
        assert_eq!(world.simulator.open_streams().watches, 2);
        world.simulator.clear_requests();
        sleep(minutes(20)).await;
        world.simulator.requests().len()
    };
    let (outcomes, requests) = tokio::join!(join_all(calls.iter().map(Call::run)), counting);
    for (outcome, call) in outcomes.iter().zip(&calls) {
        assert_success(outcome, &call.heard);
    }
    assert!(requests <= 20 * 20, "{requests} requests in 20 minutes of 20 runs");
}

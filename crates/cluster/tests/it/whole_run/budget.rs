//! What runs ask of the API server: one request more or less is a change of the adapter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::time::sleep;

use super::claude::works;
use super::requests::REVIEW;
use super::world::{Call, NAMESPACE, World, assert_success, container, minutes, seconds};

#[tokio::test(start_paused = true)]
async fn an_undisturbed_run_makes_exactly_these_requests() {
    let world = World::new(works(seconds(1)));
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    let mut requests = world.requests();
    // Simultaneous ones have no order.
    for pair in [0..2, 3..5, 6..10] {
        requests[pair].sort_unstable();
    }
    assert_eq!(
        requests,
        [
            "list jobs",
            "list pods", // guard
            "create jobs/run-1",
            "create secrets/run-1-run",
            "list jobs", // re-check
            "patch jobs/run-1",
            "list jobs",
            "list pods",
            "watch jobs",
            "watch pods",   // index
            "get pods/log", // one follow: the container says its end
            "delete jobs/run-1",
        ]
    );
    assert_eq!(world.count(REVIEW), 13, "one contact, twelve permissions");
    assert!(world.remains().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_second_run_shares_permissions_and_watches_with_the_first() {
    let world = World::new(works(seconds(1)));
    let process = world.process();
    let mut before = 0;
    for run_id in ["run-1", "run-2"] {
        before = world.requests().len();
        let call = process.call(run_id);
        assert_success(&call.run().await, &call.heard);
    }
    let requests = world.requests().split_off(before);
    assert_eq!(world.count(REVIEW), 13, "nothing is asked again");
    assert!(!requests.iter().any(|request| request.starts_with("watch")), "{requests:?}");
    assert_eq!(requests.len(), 8, "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn env_04_twenty_concurrent_runs_share_one_pair_of_watches_and_the_request_budget() {
    let world = World::new(works(minutes(30)));
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

//! What is read before a launch: a failure that passes costs time, never the run and never what the answer would give.

use std::path::Path;

use claude_k8s_cluster::host::StopOrder;
use claude_k8s_core::failure::ErrorFamily;
use claude_k8s_testkit::FaultAction;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::claude::works;
use super::own_pod::in_cluster;
use super::requests::{REVIEW, fails, forbidden, hangs};
use super::world::{Call, NAMESPACE, World, assert_success, code, seconds};

const READS: [&str; 4] = [REVIEW, "get pods/host-0", "list jobs", "list pods"];

fn in_pod() -> (World, Call) {
    let world = World::new(works(seconds(1)));
    let call = in_cluster(&world, world.call(), Path::new("/paperclip"));
    (world, call)
}

fn passing() -> Vec<FaultAction> {
    let page = FaultAction::Html { code: 200, after_write: false };
    let gone = FaultAction::Html { code: 404, after_write: false };
    let slow_down = FaultAction::too_many_requests(seconds(7));
    let reset = FaultAction::Reset { after_write: false };
    vec![fails(500), fails(502), fails(503), fails(504), fails(429), slow_down, fails(410), page, gone, reset, hangs()]
}

#[tokio::test(start_paused = true)]
async fn fld_03_a_failure_that_passes_of_any_read_costs_no_run_and_is_told_once() {
    for read in READS {
        for action in passing() {
            let (world, call) = in_pod();
            world.goes_wrong(read, 3, action.clone());
            let result = call.run().await;
            assert_success(&result, &call.heard);
            let told = call.heard.status_with("waiting for the API server: ");
            assert_eq!(told.len(), 1, "{read}: {action:?}: {told:?}");
            assert_eq!(world.remains().await, ["host-0"], "{read}: {action:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fld_03_what_does_not_pass_within_a_minute_refuses_the_run_and_a_cancel_ends_the_wait() {
    for read in READS {
        let (world, call) = in_pod();
        world.goes_wrong(read, 0, fails(503));
        let started = Instant::now();
        let result = call.run().await;
        assert_eq!(result.error_family, Some(ErrorFamily::TransientUpstream), "{read}: {:?}", result.error_message);
        assert!(started.elapsed() >= seconds(60) && started.elapsed() < seconds(75), "{read}: {:?}", started.elapsed());
        assert_eq!(world.writes(), [""; 0], "{read}");

        let (world, call) = in_pod();
        world.goes_wrong(read, 0, fails(503));
        let (result, took) = call.stopped_after(StopOrder::Cancel, sleep(seconds(20))).await;
        assert_eq!((code(&result), world.writes().len()), ("cancelled", 0), "{read}");
        assert!(took < seconds(1), "{read}: {took:?}");
    }
}

/// What the Job of a run has of the host's own pod.
async fn inherits(world: &World, call: &Call) -> (String, bool) {
    let mut has_claim = false;
    let looking =
        async { has_claim = world.knobs().wait_for("jobs", |_| true).await.to_string().contains("claimName") };
    let result = call.run_while(looking).await;
    (code(&result).to_owned(), has_claim)
}

#[tokio::test(start_paused = true)]
async fn fld_04_one_failure_while_reading_the_own_pod_takes_neither_volume_nor_environment() {
    for action in passing().into_iter().chain([fails(401), fails(400), fails(409)]) {
        let (world, call) = in_pod();
        world.goes_wrong("get pods/host-0", 1, action.clone());
        assert_eq!(inherits(&world, &call).await, (String::new(), true), "{action:?}");
        assert_eq!(call.heard.status_with("Warning: the server runs in a pod").len(), 0, "{action:?}");
    }
    for action in [fails(503), fails(401), hangs(), FaultAction::Html { code: 404, after_write: false }] {
        let (world, call) = in_pod();
        world.goes_wrong("get pods/host-0", 0, action.clone());
        let result = call.run().await;
        assert_eq!(code(&result), "k8s_api_unreachable", "{action:?}");
        assert_eq!(result.error_family, Some(ErrorFamily::TransientUpstream), "{action:?}");
        assert!(result.error_message.unwrap().contains("own pod"), "{action:?}");
        assert!(world.writes().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn fld_04_a_server_in_a_pod_that_is_not_there_or_not_readable_warns_by_name() {
    for denied in [false, true] {
        let (world, call) = in_pod();
        if denied {
            world.goes_wrong("get pods/host-0", 0, forbidden("get", "pods"));
        } else {
            assert!(world.knobs().remove("pods", NAMESPACE, "host-0"));
        }
        assert_eq!(inherits(&world, &call).await, (String::new(), false), "denied: {denied}");
        let told = call.heard.status_with("Warning: the server runs in a pod, but no pod `host-0` could be read");
        assert_eq!(told.len(), 1, "{:#?}", call.heard.status());
    }
    // Outside of a cluster there is nothing to miss.
    let world = World::new(works(seconds(1)));
    let call = world.call();
    assert_success(&call.run().await, &call.heard);
    assert_eq!(call.heard.status_with("Warning: the server runs in a pod").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn fld_05_the_own_pod_is_found_although_the_host_name_is_another_one() {
    for (environment, addresses, found) in [
        (json!({ "POD_NAME": "host-0", "HOSTNAME": "node-1" }), json!([]), true),
        (json!({ "PAPERCLIP_POD_NAME": "host-0" }), json!([]), true),
        (json!({ "HOSTNAME": "node-1", "POD_IP": "10.1.0.7" }), json!(["192.168.0.1"]), true),
        (json!({ "HOSTNAME": "image-name" }), json!(["10.1.0.7"]), true),
        (json!({}), json!(["10.1.0.7"]), true),
        (json!({ "HOSTNAME": "node-1" }), json!(["10.1.0.8"]), false),
    ] {
        let (world, mut call) = in_pod();
        let address = json!({ "status": { "podIP": "10.1.0.7", "phase": "Running" } });
        assert!(world.knobs().patch("pods", NAMESPACE, "host-0", &address));
        let env = call.request["host"]["env"].as_object_mut().unwrap();
        env.remove("HOSTNAME");
        env.extend(environment.as_object().unwrap().clone());
        call.request["host"]["addresses"] = addresses.clone();
        assert_eq!(inherits(&world, &call).await, (String::new(), found), "{environment} {addresses}");
        let told = call.heard.status_with("Warning: the server runs in a pod");
        assert_eq!(told.len(), usize::from(!found), "{environment} {addresses}");
    }
}

#[tokio::test(start_paused = true)]
async fn fld_05_listing_pods_is_enough_to_find_the_own_one() {
    let (world, mut call) = in_pod();
    world.knobs().deny("get", "pods");
    call.request["host"]["addresses"] = json!(["10.9.9.9"]);
    assert_eq!(inherits(&world, &call).await, (String::new(), true));
}

//! Volumes that one node alone can mount, while the server's pod has them (FLD-21).

use serde_json::json;
use tokio::time::Instant;

use super::claude::{Ends, begins, works};
use super::own_pod::in_cluster;
use super::requests::fails;
use super::world::{Call, NAMESPACE, World, assert_success, code, seconds};

/// The server's pod is on another node than the simulator's, with a claim of these modes.
fn world(modes: &[&str]) -> (World, tempfile::TempDir) {
    let world = World::new(works(seconds(5)));
    assert!(world.knobs().patch(
        "persistentvolumeclaims",
        NAMESPACE,
        "data",
        &json!({ "spec": { "accessModes": modes } })
    ));
    (world, tempfile::tempdir().unwrap())
}

fn call(world: &World, home: &tempfile::TempDir) -> Call {
    let call = in_cluster(world, world.call(), home.path());
    let there = json!({ "spec": { "nodeName": "node-of-the-server" }, "status": { "phase": "Running" } });
    assert!(world.knobs().patch("pods", NAMESPACE, "host-0", &there));
    call
}

#[tokio::test(start_paused = true)]
async fn fld_21_a_job_runs_on_the_node_whose_volume_it_shares_with_the_server() {
    let (world, home) = world(&["ReadWriteOnce"]);
    let call = call(&world, &home);
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    assert_eq!(outcome.result_json["k8s"]["node"], "node-of-the-server");
    let told = call.heard.status_with("Claim `data` is ReadWriteOnce and in use by the server's pod");
    assert_eq!(told.len(), 1, "{:#?}", call.heard.status());
    assert!(world.knobs().objects("events", NAMESPACE).iter().all(|event| event["reason"] != "FailedAttachVolume"));
}

#[tokio::test(start_paused = true)]
async fn fld_21_what_a_run_knows_of_a_claim_costs_one_request_for_many_runs() {
    let (world, home) = world(&["ReadWriteMany"]);
    let first = call(&world, &home);
    let outcome = first.run().await;
    assert_success(&outcome, &first.heard);
    assert_eq!(outcome.result_json["k8s"]["node"], "sim-node", "every node can mount it");
    assert_success(&first.run().await, &first.heard);
    assert_eq!(world.count("get persistentvolumeclaims"), 1);
}

#[tokio::test(start_paused = true)]
async fn fld_21_a_pod_that_is_placed_elsewhere_ends_early_with_claim_both_nodes_and_the_advice() {
    let (world, home) = world(&["ReadWriteOnce"]);
    let call = call(&world, &home).with("nodeSelector", json!({ "pool": "agents" }));
    let started = Instant::now();
    let outcome = call.run().await;
    assert_eq!((code(&outcome), outcome.error_family), ("k8s_pod_schedule_failed", None));
    assert!(started.elapsed() < seconds(20), "{:?}", started.elapsed());
    let message = outcome.error_message.unwrap();
    for words in ["`data`", "`node-of-the-server`", "`sim-node`", "`nodeSelector`", "ReadWriteMany", "host-0"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(message.matches("Multi-Attach error").count(), 1, "{message}");
    let left = world.remains().await;
    assert_eq!(left, ["host-0"]);
}

#[tokio::test(start_paused = true)]
async fn fld_21_a_volume_that_another_pod_releases_in_time_is_waited_for() {
    for released_after in [40, 100] {
        let world = World::new(begins().ends());
        let modes = json!({ "spec": { "accessModes": ["ReadWriteOnce"] } });
        assert!(world.knobs().patch("persistentvolumeclaims", NAMESPACE, "data", &modes));
        let other = json!({ "kind": "Pod", "metadata": { "name": "other", "namespace": NAMESPACE },
            "spec": { "nodeName": "node-2", "containers": [{ "name": "c", "image": "i" }],
                "volumes": [{ "name": "d", "persistentVolumeClaim": { "claimName": "data" } }] },
            "status": { "phase": "Running" } });
        assert!(world.knobs().seed(other));
        let call = world.call();
        let releasing = async {
            tokio::time::sleep(seconds(released_after)).await;
            assert!(world.knobs().remove("pods", NAMESPACE, "other"));
        };
        let outcome = call.run_while(releasing).await;
        if released_after == 40 {
            assert_success(&outcome, &call.heard);
            assert_eq!(call.heard.status_with("Multi-Attach error").len(), 1, "{:#?}", call.heard.status());
        } else {
            assert_eq!(code(&outcome), "k8s_pod_schedule_failed", "{:?}", outcome.error_message);
            assert!(outcome.error_family.is_some(), "the other pod may release it");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn fld_21_a_claim_of_one_pod_refuses_the_run_before_anything_is_created() {
    let (world, home) = world(&["ReadWriteOncePod"]);
    let outcome = call(&world, &home).run().await;
    assert_eq!(code(&outcome), "configuration_incomplete");
    let message = outcome.error_message.unwrap();
    assert!(message.contains("claim `data` is ReadWriteOncePod") && message.contains("ReadWriteMany"), "{message}");
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn fld_21_a_claim_that_cannot_be_read_is_warned_about_and_a_passing_failure_is_asked_again() {
    let (world, home) = self::world(&["ReadWriteMany"]);
    world.knobs().deny("get", "persistentvolumeclaims");
    let call = call(&world, &home);
    assert_success(&call.run().await, &call.heard);
    let told = call.heard.stderr();
    assert_eq!(told.matches("grant `get` on `persistentvolumeclaims`").count(), 1, "{told}");

    let (world, home) = self::world(&["ReadWriteOnce"]);
    world.goes_wrong("get persistentvolumeclaims", 3, fails(503));
    let call = self::call(&world, &home);
    let outcome = call.run().await;
    assert_success(&outcome, &call.heard);
    assert_eq!(outcome.result_json["k8s"]["node"], "node-of-the-server");
}

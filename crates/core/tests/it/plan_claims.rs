//! FLD-21: a claim that one node alone can mount brings the Job to the server's node.

use claude_k8s_core::config::Config;
use claude_k8s_core::own_pod::OwnPod;
use claude_k8s_core::plan::{ClaimFacts, claims_in_common};
use claude_k8s_core::request::RunRequest;
use claude_k8s_core::target::Placement;
use serde_json::{Value, json};

use crate::plan_scenario::Scenario;

/// The server's pod on `node-a`; what was read of its claim.
fn scenario(modes: Result<&[&str], &str>) -> Scenario {
    let mut scenario = Scenario::in_cluster().own_at("/spec/nodeName", json!("node-a"));
    let modes = modes.map(|modes| modes.iter().map(|mode| (*mode).to_owned()).collect()).map_err(str::to_owned);
    scenario.surroundings.claims = vec![ClaimFacts { name: "paperclip-data".to_owned(), modes }];
    scenario
}

fn affinity(scenario: &Scenario) -> Value {
    serde_json::to_value(scenario.launch().pod().affinity.clone()).unwrap()
}

#[test]
fn fld_21_a_claim_of_one_node_binds_the_job_to_the_servers_node_and_says_so_once() {
    let bound = json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
        { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["node-a"] }] }] } } });
    let many: &[&[&str]] = &[&["ReadWriteMany"], &["ReadWriteOnce", "ReadWriteMany"], &["ReadOnlyMany"]];
    for modes in many {
        assert_eq!(affinity(&scenario(Ok(modes))), Value::Null, "{modes:?}");
    }
    let launch = scenario(Ok(&["ReadWriteOnce"])).launch();
    assert_eq!(serde_json::to_value(&launch.pod().affinity).unwrap(), bound);
    let told = launch.spec.status_lines().iter().filter(|line| line.contains("`node-a`")).count();
    assert_eq!(told, 1, "{:?}", launch.spec.status_lines());
}

#[test]
fn fld_21_what_places_the_pod_itself_stays_alone() {
    let once: &[&str] = &["ReadWriteOnce"];
    for config in [
        json!({ "nodeSelector": { "pool": "agents" } }),
        json!({ "podTemplate": { "spec": { "nodeName": "node-b" } } }),
        json!({ "podTemplate": { "spec": { "nodeSelector": { "pool": "agents" } } } }),
        json!({ "podTemplate": { "spec": { "affinity": { "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [] } } } } }),
    ] {
        let placed = scenario(Ok(once)).config(config.clone());
        let text = affinity(&placed).to_string();
        assert!(!text.contains("node-a"), "{config}: {text}");
        assert!(!placed.launch().spec.status_lines().iter().any(|line| line.contains("node-a")), "{config}");
    }
    // Of the server's pod, and of other kinds, it is no placement.
    let inherited = scenario(Ok(once)).own_at("/spec/nodeSelector", json!({ "pool": "agents" }));
    let apart = scenario(Ok(once)).config(json!({ "podTemplate": { "spec": { "affinity": { "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [] } } } } }));
    for bound in [inherited, apart] {
        assert!(affinity(&bound).to_string().contains("node-a"));
    }
}

#[test]
fn fld_21_a_claim_of_one_pod_refuses_the_run_with_the_way_out() {
    let refusal = scenario(Ok(&["ReadWriteOncePod"])).refusal();
    assert_eq!(refusal.code.as_str(), "configuration_incomplete");
    for words in ["workspaceVolumeClaim: claim `paperclip-data` is ReadWriteOncePod", "make it ReadWriteMany"] {
        assert!(refusal.message.contains(words), "{}", refusal.message);
    }
}

#[test]
fn fld_21_a_claim_that_may_not_be_read_is_a_warning() {
    let launch = scenario(Err("Reading claim `paperclip-data` failed: HTTP 403")).launch();
    assert!(launch.pod().affinity.is_none());
    let warned = launch.spec.warnings().iter().filter(|text| text.contains("grant `get` on `persistentvolumeclaims`"));
    assert_eq!(warned.count(), 1, "{:?}", launch.spec.warnings());
}

#[test]
fn fld_21_only_claims_that_both_pods_mount_in_one_namespace_matter() {
    let template = json!({ "spec": { "volumes": [
        { "name": "more", "persistentVolumeClaim": { "claimName": "cache" } },
        { "name": "own", "persistentVolumeClaim": { "claimName": "of-agents" } }] } });
    let scenario = Scenario::in_cluster().own_volume(
        json!({ "name": "cache", "persistentVolumeClaim": { "claimName": "cache" } }),
        &json!([{ "name": "cache", "mountPath": "/cache" }]),
    );
    let asked = |config: Value, placement| {
        let request: RunRequest = serde_json::from_value(scenario.request.clone()).unwrap();
        let own = OwnPod::from_pod(&serde_json::from_value(scenario.own.clone().unwrap()).unwrap());
        let config = Config::parse(config.as_object().unwrap()).unwrap();
        claims_in_common(&request, &config, Some(&own), placement)
    };
    assert_eq!(asked(json!({}), Placement::SameNamespace), ["paperclip-data"]);
    assert_eq!(asked(json!({ "podTemplate": template }), Placement::SameNamespace), ["cache", "paperclip-data"]);
    assert_eq!(asked(json!({ "workspaceVolumeClaim": "of-agents" }), Placement::SameNamespace), Vec::<String>::new());
    for placement in [Placement::OtherNamespace, Placement::Elsewhere] {
        assert_eq!(asked(json!({ "podTemplate": template }), placement), Vec::<String>::new());
    }
}

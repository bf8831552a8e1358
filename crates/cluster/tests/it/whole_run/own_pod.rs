//! The pod that the host runs in, also while its Jobs go to another cluster.

use std::path::Path;

use claude_k8s_cluster::Engine;
use claude_k8s_cluster::connect::Connection;
use claude_k8s_core::connect::CredentialSource;
use serde_json::json;
use tokio::time::sleep;

use super::claude::works;
use super::requests::fails;
use super::world::{Call, NAMESPACE, Process, World, assert_success, seconds};

/// The pod of a host whose data volume is mounted at `home`.
fn host_pod(world: &World, uid: &str, home: &Path) {
    let pod = json!({ "kind": "Pod", "metadata": { "name": "host-0", "namespace": NAMESPACE, "uid": uid }, "spec": {
        "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }],
        "containers": [{ "name": "paperclip", "image": "host:1",
            "volumeMounts": [{ "name": "data", "mountPath": home.to_str() }] }] } });
    assert!(world.knobs().seed(pod));
}

/// A call of a host in that pod.
pub(crate) fn from_pod(mut call: Call, home: &Path) -> Call {
    call.request["host"]["env"] = json!({ "KUBERNETES_SERVICE_HOST": "10.0.0.1", "HOSTNAME": "host-0",
        "PAPERCLIP_NAMESPACE": NAMESPACE, "PAPERCLIP_HOME": home.to_str() });
    call.request["config"].as_object_mut().unwrap().remove("workspaceVolumeClaim");
    let user = std::fs::metadata(home).map_or(0, |found| std::os::unix::fs::MetadataExt::uid(&found));
    call.with("runAsUser", user.max(1))
}

/// A call of a host in a pod of the Jobs' namespace, with its data volume at `home`.
pub(crate) fn in_cluster(world: &World, call: Call, home: &Path) -> Call {
    host_pod(world, "uid-of-the-host", home);
    from_pod(call, home)
}

/// A cluster for Jobs, the host's own one, and the host's process in it. Both have a pod of the same name.
fn two_clusters() -> (World, World, Process) {
    let [jobs, home] = [(); 2].map(|()| World::new(works(seconds(5))));
    host_pod(&jobs, "uid-of-another", Path::new("/paperclip"));
    host_pod(&home, "uid-of-the-host", Path::new("/paperclip"));
    let [for_jobs, own] = [&jobs, &home].map(|world| world.simulator.client(NAMESPACE));
    let engine = Engine::connecting_by(move |credentials| {
        let client = if credentials.source == CredentialSource::InCluster { &own } else { &for_jobs };
        Ok(Connection::from_client(client.clone()))
    });
    (jobs, home, Process::with(engine))
}

/// A kubeconfig whose server nobody asks: the connection is the test's.
const ELSEWHERE: &str = "{current-context: c, contexts: [{name: c, context: {cluster: k}}], clusters: [{name: k, cluster: {server: 'http://k'}}]}";

fn call(process: &Process, run_id: &str) -> Call {
    from_pod(process.call(run_id), Path::new("/paperclip")).with("kubeconfigData", ELSEWHERE)
}

#[tokio::test(start_paused = true)]
async fn pod_06_the_own_pod_is_read_with_the_own_account_although_a_kubeconfig_points_elsewhere() {
    let (jobs, home, process) = two_clusters();
    let call = call(&process, "run-1");
    assert_success(&call.run().await, &call.heard);
    assert_eq!(home.requests(), ["get pods/host-0"], "nothing else is asked there");
    assert_eq!(jobs.count("create jobs"), 1);
}

#[tokio::test(start_paused = true)]
async fn pod_06_a_pod_of_the_same_name_in_the_other_cluster_is_not_the_own_one() {
    let (jobs, _home, process) = two_clusters();
    let call = call(&process, "run-1");
    let looking = async {
        let job = jobs.knobs().wait_for("jobs", |_| true).await.to_string();
        assert!(!job.contains("\"claimName\""), "the claim of the foreign pod was mounted: {job}");
    };
    assert_success(&call.run_while(looking).await, &call.heard);
}

#[tokio::test(start_paused = true)]
async fn pod_06_what_was_read_is_believed_for_minutes_and_a_failure_is_not() {
    let (_jobs, home, process) = two_clusters();
    home.goes_wrong("get pods/host-0", 1, fails(500));
    let run = async |run_id: &str, reads: usize, otherwise: &str| {
        let call = call(&process, run_id);
        assert_success(&call.run().await, &call.heard);
        assert_eq!(home.count("get pods/host-0"), reads, "{otherwise}");
    };
    run("run-1", 2, "the failure was believed").await;
    run("run-2", 2, "the pod was read again at once").await;
    sleep(seconds(301)).await;
    run("run-3", 3, "the pod was believed for ever").await;
}

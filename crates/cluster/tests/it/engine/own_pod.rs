//! The pod that the host runs in, while its Jobs go to another cluster.

use claude_k8s_cluster::Engine;
use claude_k8s_cluster::connect::Credentials;
use serde_json::json;

use super::api_server::{ApiServer, Fault};
use super::permissions::in_cluster;
use super::scene::{Scene, code, seconds};

/// A host in a pod of cluster `home`, whose Jobs go to the cluster of the scene by a kubeconfig. That one has a pod of
/// the same name, too.
fn two_clusters() -> (Scene, ApiServer) {
    let mut scene = Scene::new();
    let home = ApiServer::default();
    let (own, jobs) = (home.clone(), scene.server.clone());
    scene.engine = Engine::connecting_by(move |credentials| {
        Ok(if *credentials == Credentials::InCluster { own.connection() } else { jobs.connection() })
    });
    in_cluster(&mut scene, std::path::Path::new("/paperclip"));
    let mut pod = scene.server.object("pods", "host-0").unwrap();
    pod["metadata"]["uid"] = json!("uid-at-home");
    home.put("pods", pod);
    (scene.with("kubeconfigData", json!("apiVersion: v1")), home)
}

fn reads(server: &ApiServer) -> usize {
    server.requests().iter().filter(|request| request.starts_with("get pods/host-0")).count()
}

#[tokio::test(start_paused = true)]
async fn pod_06_the_own_pod_is_read_with_the_own_account_although_a_kubeconfig_points_elsewhere() {
    let (scene, home) = two_clusters();
    let result = scene.run().await;
    assert_eq!(code(&result), "", "{:?}", result.error_message);
    assert_eq!(home.requests(), ["get pods/host-0"], "nothing else is asked there");
    let created = scene.server.requests().iter().filter(|request| request.starts_with("create jobs")).count();
    assert_eq!(created, 1);
}

#[tokio::test(start_paused = true)]
async fn pod_06_a_pod_of_the_same_name_in_the_other_cluster_is_not_the_own_one() {
    let (scene, _home) = two_clusters();
    scene.runs_for(Some(seconds(5)));
    let server = scene.server.clone();
    let looking = async {
        while server.names("jobs").is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        server.object("jobs", &server.job_of("run-1")).unwrap().to_string()
    };
    let (_, job) = tokio::join!(scene.run(), looking);
    assert!(!job.contains("\"claimName\""), "the claim of the foreign pod was mounted: {job}");
}

#[tokio::test(start_paused = true)]
async fn pod_06_what_was_read_is_believed_for_minutes_and_a_failure_is_not() {
    let (scene, home) = two_clusters();
    home.fault("get pods/host-0", 1, Fault::Fails(500));
    let again = |run_id| Scene {
        request: {
            let mut request = scene.request.clone();
            request["runId"] = json!(run_id);
            request
        },
        ..scene.again(run_id)
    };
    scene.run().await;
    assert_eq!(reads(&home), 1);
    again("run-2").run().await;
    assert_eq!(reads(&home), 2, "the failure was believed");
    again("run-3").run().await;
    assert_eq!(reads(&home), 2, "the pod was read again at once");
    tokio::time::sleep(seconds(301)).await;
    again("run-4").run().await;
    assert_eq!(reads(&home), 3, "the pod was believed for ever");
}

//! The program `k8s-sim` and its control API.

use std::process::Stdio;

use crate::builders::job as job_named;
use k8s_openapi::api::batch::v1::Job;
use kube::api::PostParams;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::setup::status_of;

struct Program {
    child: Child,
    client: Client,
    _directory: tempfile::TempDir,
}

async fn program() -> Program {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    let mut child = Command::new(env!("CARGO_BIN_EXE_k8s-sim"))
        .args(["--namespace", "agents", "--speed", "20", "--kubeconfig"])
        .arg(&kubeconfig)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert!(ready["url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    let file = Kubeconfig::read_from(&kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    assert_eq!(config.default_namespace, "agents");
    Program { child, client: Client::try_from(config).unwrap(), _directory: directory }
}

impl Program {
    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(format!("/_sim{path}")).body(body).unwrap();
        self.client.request(request).await.unwrap()
    }
}

#[tokio::test]
async fn the_control_api_scripts_an_image_injects_a_fault_and_shows_requests() {
    let program = program().await;
    let script = json!({"steps": [{"print": "hello"}, {"exit": {"code": 0}}]});
    program.control("POST", "/images", json!({"name": "claude:test", "script": script})).await;
    let fault = json!({"match": {"verb": "get", "resource": "jobs"}, "times": 1,
        "action": {"type": "status", "code": 403, "message": "no"}});
    let id = program.control("POST", "/faults", fault).await["id"].clone();
    let jobs: Api<Job> = Api::default_namespaced(program.client.clone());
    jobs.create(&PostParams::default(), &job_named("run-1").build().unwrap()).await.unwrap();
    assert_eq!(status_of(jobs.get("run-1").await.unwrap_err()).message, "no");
    let pod = program.control("POST", "/wait/pods", json!({"/status/phase": "Succeeded"})).await;
    let name = pod["metadata"]["name"].as_str().unwrap();
    let uri = format!("/api/v1/namespaces/agents/pods/{name}/log?container=claude");
    let log = program.client.request_text(http::Request::get(uri).body(Vec::new()).unwrap()).await.unwrap();
    assert_eq!(log, "hello\n");
    let requests = program.control("GET", "/requests", Value::Null).await;
    let hit = requests.as_array().unwrap().iter().find(|request| request["verb"] == "get").unwrap();
    assert_eq!((&hit["status"], &hit["fault"]), (&json!(403), &id));
    let launches = program.control("GET", "/launches", Value::Null).await;
    assert_eq!(launches[0]["image"], "claude:test");
}

#[tokio::test]
async fn the_control_api_bends_everything_that_has_a_path() {
    let program = program().await;
    let pod = json!({"kind": "Pod", "metadata": {"name": "host", "namespace": "agents"},
        "spec": {"containers": [{"name": "paperclip", "image": "x"}]}, "status": {"phase": "Running"}});
    for (method, path, body) in [
        ("POST", "/objects", pod),
        ("PATCH", "/objects/pods/agents/host", json!({"status": {"phase": "Failed"}})),
        ("GET", "/objects/pods/agents", Value::Null),
        ("POST", "/pods/agents/host/evict", json!({"message": "m", "disruption": false})),
        ("POST", "/pods/agents/host/node-lost", Value::Null),
        ("POST", "/pods/agents/host/node-back", Value::Null),
        ("POST", "/pods/agents/host/oom", Value::Null),
        ("POST", "/pods/agents/host/rotate-log", Value::Null),
        ("POST", "/pods/agents/host/write", json!("a line")),
        ("POST", "/pods/agents/host/remove-log", Value::Null),
        ("POST", "/pods/agents/host/delete", json!({"graceSeconds": 0, "disruption": "EvictionByEvictionAPI"})),
        ("PUT", "/access", json!({"rules": [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["*"]}]})),
        ("PUT", "/access", json!({})),
        ("PUT", "/tokens", json!(["sim-token"])),
        ("POST", "/admission", json!({"resource": "pods", "message": "no"})),
        ("DELETE", "/admission", Value::Null),
        ("POST", "/holds", json!({"kind": "jobConditions", "name": "run-1"})),
        ("DELETE", "/holds/jobConditions", Value::Null),
        ("POST", "/watches/expire", Value::Null),
        ("POST", "/watches/end", Value::Null),
        ("POST", "/watches/freeze", Value::Null),
        ("POST", "/watches/thaw", Value::Null),
        ("POST", "/follows/close", Value::Null),
        ("POST", "/follows/reset", Value::Null),
        ("POST", "/gates/go", Value::Null),
        ("POST", "/clock/step", json!({"ms": -500})),
        ("PATCH", "/lags", json!({"podPhase": 5})),
        ("PUT", "/logs", json!({"maxSize": 65536})),
        ("DELETE", "/faults", Value::Null),
        ("GET", "/state", Value::Null),
        ("DELETE", "/requests", Value::Null),
    ] {
        program.control(method, path, body).await;
    }
    let request = http::Request::get("/_sim/nonsense").body(Vec::new()).unwrap();
    assert_eq!(status_of(program.client.request::<Value>(request).await.unwrap_err()).code, 400);
}

#[tokio::test]
async fn the_program_ends_with_its_standard_input() {
    let mut program = program().await;
    drop(program.child.stdin.take());
    assert!(program.child.wait().await.unwrap().success());
}

//! The program `k8s-sim` and its control API.

use std::process::Stdio;

use k8s_openapi::api::batch::v1::Job;
use kube::api::PostParams;
use kube::{Api, Client, Config};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::builders::job as job_named;
use crate::setup::status_of;

struct Program {
    child: Child,
    client: Client,
}

async fn program() -> Program {
    let mut child = Command::new(env!("CARGO_BIN_EXE_k8s-sim"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let url = ready["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:"));
    let client = Client::try_from(Config::new(url.parse().unwrap())).unwrap();
    Program { child, client }
}

impl Program {
    async fn control(&self, method: &str, path: &str, body: Value) -> Result<Value, kube::Error> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(format!("/_sim{path}")).body(body).unwrap();
        self.client.request(request).await
    }
}

#[tokio::test]
async fn a_container_plays_the_script_of_its_environment_on_an_image_registered_by_a_call() {
    let program = program().await;
    program.control("PATCH", "/lags", json!({"podPhase": 5, "jobDecided": 5})).await.unwrap();
    program.control("POST", "/images", json!({"name": "claude:test", "directory": "/nowhere"})).await.unwrap();
    let script = json!({"steps": [{"print": "hello"}, {"gate": "go on"}, {"exit": {"code": 0}}]});
    let env = json!([{"name": "K8S_SIM_SCRIPT", "value": script.to_string()}]);
    let jobs: Api<Job> = Api::namespaced(program.client.clone(), "default");
    jobs.create(&PostParams::default(), &job_named("run-1").container("env", env).build().unwrap()).await.unwrap();
    program.control("POST", "/gates/go%20on", Value::Null).await.unwrap();
    while jobs.get("run-1").await.unwrap().status.and_then(|status| status.succeeded) != Some(1) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_control_api_bends_everything_that_has_a_path() {
    let program = program().await;
    let jobs: Api<Job> = Api::namespaced(program.client.clone(), "default");
    let post = PostParams::default();
    for (method, path, body) in [
        ("PUT", "/logs", json!({"maxSize": 65536})),
        ("POST", "/holds", json!({"kind": "scheduling", "name": "run-1", "message": "no node"})),
        ("DELETE", "/holds/scheduling", Value::Null),
        ("POST", "/admission", json!({"resource": "jobs", "message": "no"})),
    ] {
        assert_eq!(program.control(method, path, body).await.unwrap(), json!({}), "{path}");
    }
    let refused = status_of(jobs.create(&post, &job_named("run-1").build().unwrap()).await.unwrap_err());
    assert_eq!(refused.message, "jobs.batch \"run-1\" is forbidden: no");
    program.control("DELETE", "/admission", Value::Null).await.unwrap();
    jobs.create(&post, &job_named("run-1").build().unwrap()).await.unwrap();

    for (what, body, code) in [
        ("evict", json!({"message": "m", "disruption": false}), 404),
        ("oom", Value::Null, 404),
        ("delete", json!({"graceSeconds": 0, "disruption": "EvictionByEvictionAPI"}), 404),
        ("nonsense", Value::Null, 400),
    ] {
        let status =
            status_of(program.control("POST", &format!("/pods/default/nobody/{what}"), body).await.unwrap_err());
        assert_eq!(status.code, code, "{what}");
    }
    assert_eq!(status_of(program.control("GET", "/nonsense", Value::Null).await.unwrap_err()).code, 400);
}

#[tokio::test]
async fn the_program_ends_with_its_standard_input() {
    let mut program = program().await;
    drop(program.child.stdin.take());
    assert!(program.child.wait().await.unwrap().success());
}

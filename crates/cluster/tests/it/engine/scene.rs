//! A run to be: what the host asks, what the cluster holds. Tests change one thing and look at the rest.

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_cluster::Engine;
use claude_k8s_cluster::host::{StopOrder, StopSwitch};
use claude_k8s_core::outcome::RunResult;
use claude_k8s_core::request::RunRequest;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::api_server::ApiServer;
use super::host::{Manner, TestHost};

pub(crate) const SESSION: &str = "11111111-2222-4333-8444-555555555555";
/// A credential of the run.
pub(crate) const TOKEN: &str = "token-of-this-run-0123";

/// One call of `execute` and everything around it.
pub(crate) struct Scene {
    pub(crate) engine: Engine,
    pub(crate) server: ApiServer,
    pub(crate) host: TestHost,
    pub(crate) request: Value,
}

impl Scene {
    /// A healthy cluster that runs the container for a second, and a run of task `task-1`.
    pub(crate) fn new() -> Self {
        let server = ApiServer::default();
        server.state().logs.insert(String::new(), success());
        let connected = server.clone();
        let engine = Engine::connecting_by(move |_| Ok(connected.connection()));
        Self { engine, server, host: TestHost::default(), request: request("run-1") }
    }

    /// Another call for the same cluster by the same process.
    pub(crate) fn again(&self, run_id: &str) -> Self {
        let mut request = request(run_id);
        request["config"] = self.request["config"].clone();
        Self { engine: self.engine.clone(), server: self.server.clone(), host: TestHost::default(), request }
    }

    /// The same host after a restart: another process, nothing remembered.
    pub(crate) fn restarted(&self, run_id: &str) -> Self {
        let connected = self.server.clone();
        let engine = Engine::connecting_by(move |_| Ok(connected.connection()));
        let mut scene = Self { engine, ..self.again(run_id) };
        scene.request["host"]["startedAtMs"] = json!(9_000_000);
        scene
    }

    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.request["config"][key] = value;
        self
    }

    /// The payload does not fit one Secret.
    pub(crate) fn large_prompt(mut self) -> Self {
        self.request["prompts"]["fresh"]["text"] = json!("x".repeat(900 << 10));
        self
    }

    pub(crate) fn manner(mut self, manner: Manner) -> Self {
        self.host = TestHost::new(manner);
        self
    }

    pub(crate) fn log(&self, text: &str) {
        self.server.state().logs.insert(String::new(), text.to_owned());
    }

    pub(crate) fn runs_for(&self, time: Option<Duration>) {
        self.server.state().life.runs_for = time;
    }

    pub(crate) async fn run(&self) -> RunResult {
        let (_switch, stop) = StopSwitch::new();
        self.engine.execute(self.read(), Arc::new(self.host.clone()), stop).await
    }

    /// Runs, with an order to stop as soon as `when` is true; also returns how long the answer took from then on.
    pub(crate) async fn stopped_when(
        &self,
        order: StopOrder,
        when: impl Fn(&ApiServer) -> bool,
    ) -> (RunResult, Duration) {
        let (switch, stop) = StopSwitch::new();
        let running = self.engine.execute(self.read(), Arc::new(self.host.clone()), stop);
        let ordering = async {
            while !when(&self.server) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            switch.order(order);
            Instant::now()
        };
        let (ended, ordered) = tokio::join!(async { (running.await, Instant::now()) }, ordering);
        (ended.0, ended.1 - ordered)
    }

    pub(crate) fn read(&self) -> RunRequest {
        serde_json::from_value(self.request.clone()).unwrap_or_else(|error| unreachable!("{error}"))
    }
}

fn request(run_id: &str) -> Value {
    json!({
        "runId": run_id,
        "agent": { "id": "agent-1", "companyId": "company-1", "name": "Agent" },
        "config": { "image": "claude:test", "namespace": "ns", "workspaceVolumeClaim": "data" },
        "context": { "taskId": "task-1" },
        "prompts": { "fresh": { "text": format!("prompt of {run_id}") }, "resumed": { "text": format!("more of {run_id}") } },
        "authToken": TOKEN,
        // A process that does not exist any more: nobody's pid is that high.
        "host": { "pid": 4_194_305, "startedAtMs": 1_000_000, "machineId": "machine", "env": { "KUBECONFIG": "/none" } },
    })
}

/// What the CLI writes.
pub(crate) fn success() -> String {
    [
        json!({ "type": "system", "subtype": "init", "session_id": SESSION, "model": "m" }),
        json!({ "type": "assistant", "session_id": SESSION, "message": { "id": "1", "content": [{ "type": "text", "text": "hello" }] } }),
        json!({ "type": "result", "subtype": "success", "is_error": false, "result": "done", "session_id": SESSION,
            "usage": { "input_tokens": 10, "output_tokens": 5 }, "total_cost_usd": 0.25 }),
    ]
    .map(|event| event.to_string() + "\n")
    .concat()
}

/// What the CLI writes when the context of the session to resume is full.
pub(crate) fn full_context() -> String {
    [
        json!({ "type": "system", "subtype": "init", "session_id": SESSION, "model": "m" }),
        json!({ "type": "result", "subtype": "success", "is_error": true, "result": "Prompt is too long", "session_id": SESSION,
            "usage": { "input_tokens": 1, "output_tokens": 1 }, "total_cost_usd": 0.5 }),
    ]
    .map(|event| event.to_string() + "\n")
    .concat()
}

pub(crate) fn code(result: &RunResult) -> &'static str {
    result.error_code.map_or("", claude_k8s_core::failure::ErrorCode::as_str)
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

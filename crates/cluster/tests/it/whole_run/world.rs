//! The cluster of a test, the host processes that use it, and their calls.

use std::sync::Arc;
use std::time::Duration;

use claude_k8s_cluster::Engine;
use claude_k8s_cluster::api::Namespace;
use claude_k8s_cluster::connect::Connection;
use claude_k8s_cluster::host::{Behind, StopOrder, StopSignal, StopSwitch};
use claude_k8s_core::doctor::Report;
use claude_k8s_core::failure::ErrorCode;
use claude_k8s_core::outcome::RunResult;
use claude_k8s_core::request::RunRequest;
use claude_k8s_testkit::{Fault, Knobs, Launch, RequestMatch, Script, Simulator};
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::heard::{Heard, Manner};

pub(crate) const NAMESPACE: &str = "agents";
/// A credential of the run.
pub(crate) const TOKEN: &str = "token-of-this-run-0123";
const IMAGE: &str = "claude:test";
/// No process has such an id on Linux: what it supervised is an orphan.
const NOBODYS_PID: u32 = 4_194_305;

/// A cluster whose only image is Claude Code.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
}

impl World {
    /// Every container plays this script.
    pub(crate) fn new(script: Script) -> Self {
        Self::choosing(move |_| script.clone())
    }

    /// Every container plays what is chosen by what it was started with.
    pub(crate) fn choosing(choose: impl Fn(&Launch) -> Script + Send + Sync + 'static) -> Self {
        let simulator = Simulator::new().image_with(IMAGE, choose);
        let claim = json!({ "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": NAMESPACE },
            "spec": { "accessModes": ["ReadWriteMany"] }, "status": { "phase": "Bound" } });
        assert!(simulator.knobs().seed(claim));
        Self { simulator }
    }

    /// Every container plays this script; the clocks of server and node are off by so many minutes, as the host sees it.
    pub(crate) fn with_clocks(script: Script, server: i64, node: i64) -> Self {
        let time = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(server);
        let simulator = Simulator::starting_at(time).image_with(IMAGE, move |_| script.clone());
        simulator.knobs().step_node_clock(jiff::SignedDuration::from_mins(node - server));
        let world = Self { simulator };
        let claim = json!({ "kind": "PersistentVolumeClaim", "metadata": { "name": "data", "namespace": NAMESPACE },
            "spec": { "accessModes": ["ReadWriteMany"] }, "status": { "phase": "Bound" } });
        assert!(world.knobs().seed(claim));
        world
    }

    pub(crate) fn knobs(&self) -> Knobs {
        self.simulator.knobs()
    }

    /// A host process that has just started. No two are the same.
    pub(crate) fn process(&self) -> Process {
        let client = self.simulator.client(NAMESPACE);
        Process::with(Engine::connecting_by(move |_| Ok(Connection::from_client(client.clone()))))
    }

    /// Two host processes that see each other alive: by their ids they are this test's process and its parent.
    pub(crate) fn living_processes(&self) -> [Process; 2] {
        [std::process::id(), std::os::unix::process::parent_id()].map(|pid| Process {
            pid,
            started_at_ms: process_start_ms(pid),
            ..self.process()
        })
    }

    /// The call of `run-1` by a process of its own.
    pub(crate) fn call(&self) -> Call {
        self.process().call("run-1")
    }

    pub(crate) fn fault(&self, fault: Fault) {
        self.knobs().fault(fault).unwrap();
    }

    /// Every request of every kind goes wrong like this, until the faults are cleared.
    pub(crate) fn fault_everywhere(&self, action: claude_k8s_testkit::FaultAction) {
        self.fault(Fault::new(RequestMatch::any(), action));
    }

    /// Name of the first pod whose container is posted as running.
    pub(crate) async fn running(&self) -> String {
        name(&self.knobs().wait_for("pods", |pod| container(pod)["running"].is_object()).await)
    }

    /// The only Job.
    pub(crate) fn job(&self) -> String {
        name(&self.job_object())
    }

    pub(crate) fn job_object(&self) -> Value {
        let mut jobs = self.knobs().objects("jobs", NAMESPACE);
        assert_eq!(jobs.len(), 1);
        jobs.remove(0)
    }

    /// A Job of the agent that another version or tool made.
    pub(crate) fn foreign_job(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut job = json!({ "kind": "Job",
            "metadata": { "name": name, "namespace": NAMESPACE, "labels": { "paperclip.io/agent-id": "agent-1",
                "paperclip.io/adapter-type": "claude_k8s", "app.kubernetes.io/managed-by": "paperclip" } },
            "spec": { "suspend": false, "template": {} } });
        change(&mut job);
        assert!(self.knobs().seed(job));
    }

    /// Everything of a run that is left after the garbage collection: Jobs, pods, Secrets.
    pub(crate) async fn remains(&self) -> Vec<String> {
        sleep(Duration::from_secs(40)).await;
        for request in self.simulator.requests().iter().filter(|one| one.verb == "delete" && one.resource == "jobs") {
            let asked = request.body.as_ref().unwrap();
            assert_eq!(asked["propagationPolicy"], "Background", "pods would be orphaned (END-09)");
            assert!(asked["preconditions"]["uid"].is_string(), "a delete without uid (END-09)");
        }
        let all = ["jobs", "pods", "secrets"].map(|kind| self.knobs().objects(kind, NAMESPACE));
        all.iter().flatten().map(name).collect()
    }

    /// The log of a pod's `claude`, as an operator reads it.
    pub(crate) async fn log_of(&self, pod: &str) -> String {
        let namespace = Namespace::new(self.simulator.client(NAMESPACE), NAMESPACE);
        namespace.log_tail(pod, "claude", 100, 100_000).await.unwrap_or_default()
    }

    pub(crate) fn deletes(&self) -> usize {
        self.simulator.request_count("delete", "jobs")
    }
}

/// A host process.
#[derive(Clone)]
pub(crate) struct Process {
    engine: Engine,
    pid: u32,
    started_at_ms: i64,
}

/// By the kernel, as a host would know it of itself.
pub(crate) fn process_start_ms(pid: u32) -> i64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let ticks: i64 = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let boot = std::fs::read_to_string("/proc/stat").unwrap();
    let boot: i64 = boot.lines().find_map(|line| line.strip_prefix("btime ")).unwrap().trim().parse().unwrap();
    boot * 1000 + ticks * 10
}

impl Process {
    /// One that is gone by the time anybody looks.
    pub(crate) fn with(engine: Engine) -> Self {
        Self { engine, pid: NOBODYS_PID, started_at_ms: 1_000_000 }
    }

    /// A call for agent `agent-1` and task `task-1`.
    pub(crate) fn call(&self, run_id: &str) -> Call {
        let request = json!({
            "runId": run_id,
            "agent": { "id": "agent-1", "companyId": "company-1", "name": "Agent" },
            "config": { "image": IMAGE, "namespace": NAMESPACE, "workspaceVolumeClaim": "data" },
            "context": { "taskId": "task-1" },
            "prompts": {
                "fresh": { "text": format!("prompt of {run_id}") },
                "resumed": { "text": format!("more of {run_id}") },
            },
            "authToken": TOKEN,
            "host": { "pid": self.pid, "startedAtMs": self.started_at_ms, "machineId": "machine",
                "env": { "KUBECONFIG": "/none" } },
        });
        let (switch, stop) = StopSwitch::new();
        Call { engine: self.engine.clone(), heard: Heard::by(Manner::Polite), request, switch, stop }
    }
}

impl Process {
    /// What an operator's command brings.
    pub(crate) async fn operates(&self, action: Value) -> Value {
        let request = json!({ "config": { "namespace": NAMESPACE }, "action": action,
            "host": { "pid": self.pid, "startedAtMs": self.started_at_ms, "env": { "KUBECONFIG": "/none" } } });
        let (_switch, stop) = StopSwitch::new();
        let host = Arc::new(Heard::by(Manner::Polite));
        self.engine.operate(serde_json::from_value(request).unwrap(), host, stop).await.unwrap()
    }
}

/// One `execute`.
pub(crate) struct Call {
    engine: Engine,
    pub(crate) heard: Heard,
    pub(crate) request: Value,
    switch: StopSwitch,
    stop: StopSignal,
}

impl Call {
    /// Sets a configuration value.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.request["config"][key] = value.into();
        self
    }

    pub(crate) fn of_task(mut self, task: &str) -> Self {
        self.request["context"]["taskId"] = task.into();
        self
    }

    pub(crate) fn of_agent(mut self, agent: &str) -> Self {
        self.request["agent"]["id"] = agent.into();
        self
    }

    pub(crate) fn resuming(mut self, session: &str) -> Self {
        self.request["session"] = json!({ "sessionId": session, "cwd": "/paperclip" });
        self
    }

    /// The payload does not fit one Secret.
    pub(crate) fn with_large_prompt(mut self) -> Self {
        self.request["prompts"]["fresh"]["text"] = "x".repeat(900 << 10).into();
        self
    }

    pub(crate) fn with_host(mut self, manner: Manner) -> Self {
        self.heard = Heard::by(manner);
        self
    }

    pub(crate) fn order(&self, order: StopOrder) {
        self.switch.order(order);
    }

    pub(crate) async fn run(&self) -> RunResult {
        self.engine.execute(self.read(), Arc::new(self.heard.clone()), self.stop.clone(), Behind::default()).await
    }

    /// The next run of the agent in this process tells what this one could not any more of its Job.
    pub(crate) async fn is_told_by_the_next(&self) -> bool {
        let (switch, stop) = StopSwitch::new();
        let mut request = self.request.clone();
        let run_id = request["runId"].as_str().unwrap_or_default().to_owned();
        request["runId"] = "next".into();
        let next = Self { engine: self.engine.clone(), heard: Heard::by(Manner::Polite), request, switch, stop };
        let ended = tokio::time::timeout(minutes(30), next.run()).await;
        ended.is_ok()
            && next.heard.status_with("clean-up: ").iter().any(|(_, text)| text.contains(&format!("-{run_id}-")))
    }

    pub(crate) async fn check_environment(&self) -> Report {
        self.engine.check_environment(self.read()).await
    }

    fn read(&self) -> RunRequest {
        serde_json::from_value(self.request.clone()).unwrap()
    }

    /// Orders the run to stop when the moment has come. Returns how long the answer took.
    pub(crate) async fn stopped_after(
        &self,
        order: StopOrder,
        moment: impl Future<Output = ()>,
    ) -> (RunResult, Duration) {
        let ordering = async {
            moment.await;
            self.order(order);
            Instant::now()
        };
        let ((result, ended), ordered) = tokio::join!(async { (self.run().await, Instant::now()) }, ordering);
        (result, ended - ordered)
    }

    /// Runs while something happens to the cluster. It must have happened before the run ends, or soon after.
    pub(crate) async fn run_while(&self, happening: impl Future<Output = ()>) -> RunResult {
        let mut happening = std::pin::pin!(happening);
        let mut happened = false;
        let run = self.run();
        let mut run = std::pin::pin!(run);
        let result = loop {
            tokio::select! {
                result = &mut run => break result,
                () = &mut happening, if !happened => happened = true,
            }
        };
        if !happened {
            let late = tokio::time::timeout(Duration::from_secs(600), happening).await;
            assert!(late.is_ok(), "the run ended before: {:?} {:#?}", result.error_message, self.heard.status());
        }
        result
    }

    /// Runs until something has happened; then the process is gone, without a last word.
    pub(crate) async fn killed_after(&self, happening: impl Future<Output = ()>) {
        let run = Box::pin(self.run().map(|result| unreachable!("ended before the process: {result:?}")));
        tokio::select! {
            never = run => never,
            () = happening => {}
        }
    }
}

pub(crate) fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_default().to_owned()
}

/// State of the only container.
pub(crate) fn container(pod: &Value) -> &Value {
    &pod["status"]["containerStatuses"][0]["state"]
}

/// The error code; empty for a success.
pub(crate) fn code(result: &RunResult) -> &'static str {
    result.error_code.map_or("", ErrorCode::as_str)
}

/// Fails with the whole story when the run was no success.
pub(crate) fn assert_success(result: &RunResult, heard: &Heard) {
    assert_eq!((code(result), result.exit_code), ("", Some(0)), "{:?}\n{:#?}", result.error_message, heard.status());
    assert_eq!(result.summary.as_deref(), Some("done"));
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

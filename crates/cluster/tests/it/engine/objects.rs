//! The objects of the cluster in memory, and what its controllers do with a Job.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::api_server::{ApiServer, Life};

/// Objects by resource and name, with the history that watches replay.
#[derive(Default)]
pub(super) struct Store {
    objects: BTreeMap<String, BTreeMap<String, Value>>,
    history: Vec<(u64, String, Value)>,
    version: u64,
}

impl Store {
    pub(super) fn names(&self, resource: &str) -> Vec<String> {
        self.objects.get(resource).map(|kind| kind.keys().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn get(&self, resource: &str, name: &str) -> Option<&Value> {
        self.objects.get(resource)?.get(name)
    }

    /// Stores an object and returns its watch event.
    pub(super) fn put(&mut self, resource: &str, mut object: Value) -> Value {
        self.version += 1;
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(self.version.to_string());
        metadata["namespace"] = json!("ns");
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("uid-{}", self.version));
        }
        if metadata["creationTimestamp"].is_null() {
            metadata["creationTimestamp"] = json!(format!("{:.0}", Timestamp::now()));
        }
        if metadata["generation"].is_null() {
            metadata["generation"] = json!(1);
        }
        let name = metadata["name"].as_str().unwrap_or_default().to_owned();
        let kind = self.objects.entry(resource.to_owned()).or_default();
        let known = kind.insert(name, object.clone()).is_some();
        self.event(resource, if known { "MODIFIED" } else { "ADDED" }, &object)
    }

    /// `None`: the name is taken.
    pub(super) fn create(&mut self, resource: &str, object: Value) -> Option<Value> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        self.get(resource, name).is_none().then(|| self.put(resource, object))
    }

    pub(super) fn remove(&mut self, resource: &str, name: &str) -> Value {
        self.version += 1;
        let removed = self.objects.get_mut(resource).and_then(|kind| kind.remove(name)).unwrap_or_default();
        self.event(resource, "DELETED", &removed)
    }

    fn event(&mut self, resource: &str, kind: &str, object: &Value) -> Value {
        let event = json!({ "type": kind, "object": object });
        self.history.push((self.version, resource.to_owned(), event.clone()));
        event
    }

    pub(super) fn events_since(&self, resource: &str, version: u64) -> Vec<Value> {
        let newer = self.history.iter().filter(|(at, kind, _)| *at > version && kind == resource);
        newer.map(|(_, _, event)| event.clone()).collect()
    }

    pub(super) fn list(&self, resource: &str, selector: &str) -> Value {
        let wanted: Vec<(&str, &str)> = selector.split(',').filter_map(|term| term.split_once('=')).collect();
        let matches = |object: &&Value| wanted.iter().all(|(key, value)| object["metadata"]["labels"][key] == *value);
        let items: Vec<&Value> =
            self.objects.get(resource).into_iter().flat_map(BTreeMap::values).filter(matches).collect();
        json!({ "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": self.version.to_string() }, "items": items })
    }

    /// The log of a pod with the kubelet's timestamps.
    pub(super) fn log_of(&self, pod: &str, logs: &BTreeMap<String, String>) -> Option<String> {
        let pod = self.get("pods", pod)?;
        let job = pod["metadata"]["ownerReferences"][0]["name"].as_str()?;
        let text = logs.get(job).or_else(|| logs.get(""))?;
        let stamped =
            text.lines().enumerate().map(|(at, line)| format!("2026-01-01T00:00:{at:02}.000000000Z {line}\n"));
        Some(stamped.collect())
    }
}

impl ApiServer {
    /// The Job controller and the kubelet.
    pub(super) fn changed(&self, resource: &str, name: &str) {
        let Some(job) = self.object("jobs", name).filter(|_| resource == "jobs") else { return };
        let has_pod = self.object("pods", &format!("{name}-pod")).is_some();
        if job["spec"]["suspend"] == json!(true) || has_pod || self.state().life.no_pod {
            return;
        }
        let owner = json!({ "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"] });
        let pod = json!({ "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": format!("{name}-pod"), "labels": job["spec"]["template"]["metadata"]["labels"],
                "ownerReferences": [owner] },
            "spec": { "nodeName": "node-1", "containers": [] },
            "status": { "phase": "Pending" } });
        self.put("pods", pod);
        let (server, name) = (self.clone(), name.to_owned());
        self.state().tasks.spawn(async move { server.live(&name, &job).await });
    }

    async fn live(&self, job: &str, object: &Value) {
        let pod = format!("{job}-pod");
        while !mounted(object).iter().all(|secret| self.object("secrets", secret).is_some()) {
            sleep(Duration::from_millis(100)).await;
            if self.object("pods", &pod).is_none() {
                return;
            }
        }
        self.set_state(&pod, "Running", &json!({ "running": {} }));
        let Life { runs_for, exit_code, .. } = self.state().life.clone();
        let Some(time) = runs_for else { return };
        sleep(time).await;
        if self.pod_runs(&pod) {
            self.end(job, exit_code);
        }
    }

    /// The container ends.
    pub(crate) fn end(&self, job: &str, exit_code: i32) {
        let phase = if exit_code == 0 { "Succeeded" } else { "Failed" };
        self.set_state(&format!("{job}-pod"), phase, &json!({ "terminated": { "exitCode": exit_code } }));
        if let Some(mut job) = self.object("jobs", job) {
            let kind = if exit_code == 0 { "Complete" } else { "Failed" };
            job["status"] = json!({ "conditions": [{ "type": kind, "status": "True" }] });
            self.put("jobs", job);
        }
    }

    fn set_state(&self, pod: &str, phase: &str, state: &Value) {
        let Some(mut pod) = self.object("pods", pod) else { return };
        let now = format!("{:.0}", Timestamp::now());
        pod["status"] = json!({ "phase": phase, "startTime": now, "containerStatuses": [
            { "name": "claude", "image": "i", "imageID": "", "ready": true, "restartCount": 0, "state": state }] });
        self.put("pods", pod);
        let running = self.names("pods").iter().filter(|pod| self.pod_runs(pod)).count();
        let mut state = self.state();
        state.most_running = state.most_running.max(running);
    }

    pub(super) fn pod_runs(&self, pod: &str) -> bool {
        let state = |pod: Value| pod["status"]["containerStatuses"][0]["state"]["running"].is_object();
        self.object("pods", pod).is_some_and(state)
    }

    /// Garbage collection: Secrets at once, pods after their grace.
    pub(super) fn job_deleted(&self, job: &Value) {
        let name = job["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        for secret in self.names("secrets") {
            let owned = self
                .object("secrets", &secret)
                .is_some_and(|secret| secret["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]);
            if owned {
                let mut state = self.state();
                let event = state.store.remove("secrets", &secret);
                state.publish("secrets", &event);
            }
        }
        let pod_name = format!("{name}-pod");
        let Some(mut pod) = self.object("pods", &pod_name) else { return };
        pod["metadata"]["deletionTimestamp"] = json!(format!("{:.0}", Timestamp::now()));
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
        self.put("pods", pod);
        let Some(time) = self.state().life.dies_within else { return };
        let server = self.clone();
        self.state().tasks.spawn(async move {
            if server.pod_runs(&pod_name) {
                sleep(time).await;
                server.set_state(&pod_name, "Failed", &json!({ "terminated": { "exitCode": 143 } }));
                sleep(Duration::from_millis(100)).await;
            }
            let mut state = server.state();
            let event = state.store.remove("pods", &pod_name);
            state.publish("pods", &event);
        });
    }
}

/// Secrets without which the kubelet does not start the container.
fn mounted(job: &Value) -> Vec<String> {
    let volumes = job["spec"]["template"]["spec"]["volumes"].as_array().cloned().unwrap_or_default();
    let sources = volumes.iter().filter_map(|volume| volume["projected"]["sources"].as_array()).flatten();
    sources.filter_map(|source| source["secret"]["name"].as_str().map(str::to_owned)).collect()
}

/// JSON merge patch.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        target.clone_from(patch);
        return;
    };
    for (name, value) in members {
        if value.is_object() && target[name].is_object() {
            merge(&mut target[name], value);
        } else {
            target[name] = value.clone();
        }
    }
}

pub(super) fn status(code: u16, reason: &str, resource: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": format!("{reason} by the test"),
        "reason": reason, "code": code, "details": { "kind": resource } })
}

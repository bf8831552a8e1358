//! Pod status as the kubelet writes it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::NODE_IP;
use crate::clock::seconds;
use crate::objects::json::{array, items, set, set_condition, text};
use crate::script::Exit;

/// `containerStatuses` or `initContainerStatuses`, with the list of the spec it describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Init,
    Main,
}

impl List {
    pub(super) fn spec(self) -> &'static str {
        if self == Self::Init { "/spec/initContainers" } else { "/spec/containers" }
    }

    fn status(self) -> &'static str {
        if self == Self::Init { "initContainerStatuses" } else { "containerStatuses" }
    }
}

pub(super) fn scheduled(pod: &mut Value, node: &str, now: Timestamp) {
    set(pod, &["spec", "nodeName"], node);
    set_condition(pod, "PodScheduled", "True", "", "", &seconds(now));
}

pub(super) fn unschedulable(pod: &mut Value, message: &str, now: Timestamp) {
    set_condition(pod, "PodScheduled", "False", "Unschedulable", message, &seconds(now));
}

/// The kubelet accepted the pod: every container waits.
pub(super) fn accepted(pod: &mut Value, now: Timestamp) {
    let time = seconds(now);
    set(pod, &["status", "startTime"], time.clone());
    set(pod, &["status", "hostIP"], NODE_IP);
    for list in [List::Init, List::Main] {
        let with_init = list == List::Main && !items(pod, List::Init.spec()).is_empty();
        let reason = if with_init { "PodInitializing" } else { "ContainerCreating" };
        let containers = items(pod, list.spec()).to_vec();
        if containers.is_empty() {
            continue;
        }
        let statuses: Vec<Value> = containers
            .iter()
            .map(|container| {
                json!({
                    "name": text(container, "/name"), "image": text(container, "/image"), "imageID": "",
                    "ready": false, "started": false, "restartCount": 0, "lastState": {},
                    "state": {"waiting": {"reason": reason}},
                })
            })
            .collect();
        set(pod, &["status", list.status()], Value::Array(statuses));
    }
    set_condition(pod, "Initialized", "True", "", "", &time);
    set_condition(pod, "Ready", "False", "ContainersNotReady", "", &time);
    set_condition(pod, "ContainersReady", "False", "ContainersNotReady", "", &time);
}

pub(super) fn waiting(pod: &mut Value, list: List, name: &str, reason: &str, message: &str) {
    with(pod, list, name, |status| {
        let mut waiting = json!({"reason": reason});
        if !message.is_empty() {
            waiting["message"] = message.into();
        }
        status["state"] = json!({"waiting": waiting});
    });
}

pub(super) fn running(pod: &mut Value, list: List, name: &str, id: &str, started: Timestamp, now: Timestamp) {
    with(pod, list, name, |status| {
        status["state"] = json!({"running": {"startedAt": seconds(started)}});
        status["containerID"] = id.into();
        status["imageID"] = "sim@sha256:0".into();
        status["ready"] = (list == List::Main).into();
        status["started"] = true.into();
    });
    if list == List::Main {
        set(pod, &["status", "phase"], "Running");
        set(pod, &["status", "podIP"], "10.1.0.2");
        set_condition(pod, "Ready", "True", "", "", &seconds(now));
        set_condition(pod, "ContainersReady", "True", "", "", &seconds(now));
    }
}

/// What is known about a container that ended.
#[derive(Debug, Clone)]
pub(super) struct Terminated {
    pub(super) id: String,
    pub(super) exit: Exit,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
}

/// The state that a container of a stopped pod gets that never ran.
pub(super) fn unknown_state() -> Terminated {
    let exit = Exit::code(137).reason("ContainerStatusUnknown");
    let exit = exit.message("The container could not be located when the pod was terminated");
    Terminated { id: String::new(), exit, started: None, finished: None }
}

pub(super) fn terminated(pod: &mut Value, list: List, name: &str, end: &Terminated) {
    with(pod, list, name, |status| {
        let default = if end.exit.code == 0 { "Completed" } else { "Error" };
        let mut state = json!({"exitCode": end.exit.code, "reason": end.exit.reason.as_deref().unwrap_or(default)});
        if let Some(message) = end.exit.message.as_deref().filter(|message| !message.is_empty()) {
            state["message"] = message.into();
        }
        for (field, time) in [("startedAt", end.started), ("finishedAt", end.finished)] {
            state[field] = time.map_or(Value::Null, |time| seconds(time).into());
        }
        if !end.id.is_empty() {
            state["containerID"] = end.id.clone().into();
            status["containerID"] = end.id.clone().into();
        }
        status["state"] = json!({"terminated": state});
        status["ready"] = false.into();
        status["started"] = false.into();
    });
}

/// The final phase.
pub(super) fn phase(pod: &mut Value, succeeded: bool, reason: &str, message: &str, now: Timestamp) {
    set(pod, &["status", "phase"], if succeeded { "Succeeded" } else { "Failed" });
    for (field, value) in [("reason", reason), ("message", message)] {
        if !value.is_empty() {
            set(pod, &["status", field], value);
        }
    }
    let time = seconds(now);
    let why = if succeeded { "PodCompleted" } else { "PodFailed" };
    set_condition(pod, "Ready", "False", why, "", &time);
    set_condition(pod, "ContainersReady", "False", why, "", &time);
}

fn with(pod: &mut Value, list: List, name: &str, change: impl FnOnce(&mut Value)) {
    let statuses = array(pod, &["status", list.status()]);
    if let Some(status) = statuses.iter_mut().find(|status| text(status, "/name") == name) {
        change(status);
    }
}

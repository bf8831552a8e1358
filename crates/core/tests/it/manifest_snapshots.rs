//! The Job as it is sent, per kind of configuration.

use serde_json::{Value, json};

use crate::plan_scenario::{Launch, Scenario};

/// The Job with its script as lines.
fn readable(launch: &Launch) -> Value {
    let mut job = launch.sent.clone();
    let script = job.pointer_mut("/spec/template/spec/containers/0/command/2").unwrap();
    let lines: Vec<String> = script.as_str().unwrap().lines().map(str::to_owned).collect();
    *script = json!(lines);
    job
}

#[test]
fn cfg_03_defaults_in_cluster() {
    insta::assert_yaml_snapshot!(readable(&Scenario::in_cluster().launch()));
}

#[test]
fn defaults_out_of_cluster() {
    insta::assert_yaml_snapshot!(readable(&Scenario::out_of_cluster().launch()));
}

#[test]
fn staged_on_the_shared_volume() {
    let scenario = Scenario::in_cluster().own_at("/spec/containers/0/volumeMounts/0/subPath", json!("tenant"));
    insta::assert_yaml_snapshot!(readable(&scenario.staged().launch()));
}

#[test]
fn everything_set() {
    let config = json!({
        "model": "opus", "effort": "high", "maxTurnsPerRun": 9, "extraArgs": ["--max-budget-usd", "5"],
        "mcpServers": { "files": { "command": "mcp-files" } }, "strictMcpConfig": true,
        "cwd": "/paperclip/project", "env": { "MINE": "v" }, "serviceAccountName": "agent", "image": "agent:2",
        "imagePullPolicy": "Always", "labels": { "team": "core" }, "nodeSelector": { "pool": "big" },
        "tolerations": [{ "key": "big", "operator": "Exists" }], "priorityClassName": "high",
        "runtimeClassName": "gvisor", "queueName": "agents", "resources.limits.cpu": "8",
        "resources": { "requests": { "memory": "4Gi" } }, "workspaceVolumeClaim": "projects",
        "workspaceSubPath": "a/b", "workspaceMountPath": "/work", "fsGroup": 2000, "runAsUser": 2001,
        "runAsGroup": 2002, "cacheSizeLimit": "5Gi", "timeoutSec": 600, "graceSec": 30,
        "ttlSecondsAfterFinished": 900, "retainJobs": true, "scheduleTimeoutSec": 0, "startupTimeoutSec": 120,
        "enableRtk": true, "rtkMaxOutputBytes": 4096,
        "podTemplate": { "metadata": { "annotations": { "note": "x" } }, "spec": { "schedulerName": "batch" } },
    });
    let scenario = Scenario::in_cluster()
        .bundle()
        .everything()
        .config(config)
        .own_at("/spec/containers/0/envFrom", json!([{ "secretRef": { "name": "host-env" } }]));
    insta::assert_yaml_snapshot!(readable(&scenario.launch()));
}

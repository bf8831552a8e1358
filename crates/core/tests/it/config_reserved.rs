//! CFG-09: what belongs to the adapter cannot be overridden, and what was skipped is named.

use claude_k8s_core::config::Config;
use serde_json::{Value, json};

fn parse(config: &Value) -> Config {
    Config::parse(config.as_object().unwrap()).unwrap_or_else(|rejections| panic!("{rejections:?}"))
}

#[test]
fn cfg_09_reserved_labels_are_skipped_and_named_in_one_line() {
    let config = parse(&json!({ "labels": {
        "paperclip.io/run-id": "not valid either",
        "team": "a",
        "app.kubernetes.io/name": "b",
        "kueue.x-k8s.io/queue-name": "c",
        "batch.kubernetes.io/job-name": "d",
        "job-name": "e",
        "controller-uid": "f",
    } }));
    assert_eq!(config.labels.into_iter().collect::<Vec<_>>(), [("team".to_owned(), "a".to_owned())]);
    let lines: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @"config.labels: skipped `paperclip.io/run-id`, `app.kubernetes.io/name`, `kueue.x-k8s.io/queue-name`, `batch.kubernetes.io/job-name`, `job-name`, `controller-uid`: these names are reserved");
}

#[test]
fn cfg_09_reserved_variables_are_ignored_with_a_warning() {
    let config = parse(&json!({ "env": {
        "PAPERCLIP_API_KEY": "k",
        "HOME": "/h",
        "PAPERCLIP_WAKE_PAYLOAD_JSON_FILE": "/f",
        "PAPERCLIP_API_URL": "http://127.0.0.1:3100",
        "PAPERCLIP_MINE": "kept",
        "TMPDIR": "/tmp/host",
        "PATH": "/bin",
    } }));
    let kept: Vec<&str> = config.env.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(kept, ["PAPERCLIP_MINE", "TMPDIR", "PATH"]);
    let lines: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    config.env.PAPERCLIP_API_KEY: is set by the adapter for each run; the value is ignored
    config.env.HOME: is set by the adapter for each run; the value is ignored
    config.env.PAPERCLIP_WAKE_PAYLOAD_JSON_FILE: is set by the adapter for each run; the value is ignored
    config.env.PAPERCLIP_API_URL: does not name a host that a pod can reach (an http(s) URL, not loopback); the value is ignored
    ");
}

#[test]
fn a_reachable_api_url_may_be_overridden() {
    let config = parse(&json!({ "env": { "PAPERCLIP_API_URL": "https://paperclip.example" } }));
    assert_eq!(config.env.len(), 1);
    assert!(config.warnings.is_empty());
}

#[test]
fn cfg_09_protected_fields_of_the_pod_are_refused_with_their_path() {
    let cases = [
        (json!({ "metadata": { "name": "x" } }), "metadata.name"),
        (json!({ "metadata": { "namespace": "x" } }), "metadata.namespace"),
        (json!({ "metadata": { "labels": { "paperclip.io/run-id": "x" } } }), "metadata.labels[paperclip.io/run-id]"),
        (json!({ "metadata": { "annotations": { "paperclip.io/x": "x" } } }), "metadata.annotations[paperclip.io/x]"),
        (json!({ "metadata": { "labels": null } }), "metadata.labels[paperclip.io/adapter-type]"),
        (json!({ "spec": { "restartPolicy": "Always" } }), "spec.restartPolicy"),
        (json!({ "spec": { "restartPolicy": null } }), "spec.restartPolicy"),
        (json!({ "spec": { "activeDeadlineSeconds": 5 } }), "spec.activeDeadlineSeconds"),
        (json!({ "spec": { "containers": null } }), "spec.containers[claude]"),
        (json!({ "spec": { "ephemeralContainers": [] } }), "spec.ephemeralContainers"),
        (json!({ "spec": { "volumes": [{ "name": "data", "hostPath": { "path": "/" } }] } }), "spec.volumes[data]"),
        (json!({ "spec": { "volumes": [{ "name": "inh-9", "emptyDir": {} }] } }), "spec.volumes[inh-9]"),
    ];
    for (template, expected) in cases {
        assert_refused(&template, expected);
    }
    for (member, value) in [
        ("command", json!(["x"])),
        ("args", json!(null)),
        ("stdin", json!(true)),
        ("stdinOnce", json!(true)),
        ("tty", json!(true)),
        ("terminationMessagePath", json!("/x")),
        ("terminationMessagePolicy", json!("FallbackToLogsOnError")),
    ] {
        let template = json!({ "spec": { "containers": [{ "name": "claude", member: value }] } });
        assert_refused(&template, &format!("spec.containers[claude].{member}"));
    }
    for (list, item, expected) in [
        ("env", json!({ "name": "HOME", "value": "/x" }), "env[HOME]"),
        ("env", json!({ "name": "PAPERCLIP_API_KEY", "value": "x" }), "env[PAPERCLIP_API_KEY]"),
        ("volumeMounts", json!({ "name": "data", "mountPath": "/x" }), "volumeMounts[/x]"),
        (
            "volumeMounts",
            json!({ "name": "own", "mountPath": "/opt/paperclip/run/" }),
            "volumeMounts[/opt/paperclip/run]",
        ),
    ] {
        let template = json!({ "spec": { "containers": [{ "name": "claude", list: [item] }] } });
        assert_refused(&template, &format!("spec.containers[claude].{expected}"));
    }
}

fn assert_refused(template: &Value, path: &str) {
    let config = json!({ "podTemplate": template });
    let rejections = Config::parse(config.as_object().unwrap()).err().unwrap_or_default();
    let keys: Vec<String> = rejections.into_iter().map(|rejection| rejection.key).collect();
    assert_eq!(keys, [format!("podTemplate.{path}")], "{template}");
}

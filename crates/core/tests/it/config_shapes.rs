//! CFG-01: every documented shape of a value means the same.

use claude_k8s_core::config::{Config, KubeconfigSource};
use serde_json::{Value, json};

fn parse(config: Value) -> Config {
    let Value::Object(config) = config else { panic!("a configuration is an object") };
    Config::parse(&config).unwrap_or_else(|rejections| panic!("{config:?}: {rejections:?}"))
}

#[test]
fn cfg_01_every_shape_of_a_value_gives_the_same_configuration() {
    let toleration = json!([{ "key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30 }]);
    let template = json!({ "metadata": { "labels": { "team": "a" } }, "spec": { "schedulerName": "s" } });
    let servers = json!({ "a": { "command": "x" }, "b": { "type": "http", "url": "https://b" } });
    let groups: Vec<(&str, Vec<Value>)> = vec![
        ("maxTurnsPerRun", vec![json!(5), json!("5"), json!(" 5 "), json!(5.0)]),
        ("timeoutSec", vec![json!(600), json!("600"), json!(6e2)]),
        ("retainJobs", vec![json!(true), json!("true"), json!(" true\n")]),
        ("namespace", vec![json!("builds"), json!("  builds ")]),
        ("cacheSizeLimit", vec![json!("5"), json!(5)]),
        (
            "labels",
            vec![
                json!({ "team": "a", "tier": "1", "on": "true" }),
                json!({ "team": "a", "tier": 1, "on": true }),
                json!(r#"{"team": "a", "tier": 1, "on": true}"#),
                json!("team=a\n# note\n\n tier = 1 \r\non=true"),
            ],
        ),
        ("nodeSelector", vec![json!({ "disk": "ssd" }), json!("disk=ssd"), json!(r#" {"disk":"ssd"} "#)]),
        ("nodeSelector", vec![json!({}), json!("{}"), json!("# nothing")]),
        (
            "tolerations",
            vec![
                toleration.clone(),
                json!(toleration.to_string()),
                json!("- key: gpu\n  operator: Exists\n  effect: NoExecute\n  tolerationSeconds: 30"),
                json!("[{key: gpu, operator: Exists, effect: NoExecute, tolerationSeconds: '30', value: null}]"),
            ],
        ),
        (
            "tolerations",
            vec![
                json!([{ "key": "spot", "operator": "Equal", "value": "no" }]),
                json!("- {key: spot, operator: Equal, value: no}"),
            ],
        ),
        (
            "podTemplate",
            vec![
                json!({ "spec": { "volumes": [{ "name": "x", "secret": { "secretName": "s", "defaultMode": 0o444 } }] } }),
                json!("spec:\n  volumes:\n    - {name: x, secret: {secretName: s, defaultMode: 0444}}"),
            ],
        ),
        (
            "extraArgs",
            vec![
                json!(["--disallowedTools", "WebFetch WebSearch", "--x=$HOME", "a\"b"]),
                json!(r#"--disallowedTools 'WebFetch WebSearch' "--x=\$HOME" a\"b"#),
                json!("--disallowedTools\nWebFetch\\ WebSearch --x=$HOME 'a\"b'"),
            ],
        ),
        (
            "env",
            vec![
                json!({ "A": "x", "B": "3", "C": "y", "D": "" }),
                json!({ "A": "x", "B": 3, "C": { "type": "plain", "value": "y" }, "D": "" }),
            ],
        ),
        (
            "podTemplate",
            vec![
                template.clone(),
                json!(template.to_string()),
                json!("metadata:\n  labels: {team: a}\nspec:\n  schedulerName: s\n"),
            ],
        ),
        ("mcpServers", vec![servers.clone(), json!(servers.to_string())]),
        (
            "resources",
            vec![
                json!({ "limits": { "memory": "4Gi", "nvidia.com/gpu": 1 }, "requests": { "cpu": null } }),
                json!({ "limits": { "memory": "4Gi", "nvidia.com/gpu": "1" }, "requests": { "cpu": null, "memory": "" } }),
                json!(r#"{"limits": {"memory": "4Gi", "nvidia.com/gpu": 1}, "requests": {"cpu": null}}"#),
                json!("limits:\n  memory: 4Gi\n  nvidia.com/gpu: 1\nrequests:\n  cpu: null\n"),
            ],
        ),
    ];
    for (key, shapes) in groups {
        let expected = parse(json!({ key: shapes[0] }));
        assert_ne!(expected, parse(json!({})), "`{key}` had no effect");
        for shape in &shapes[1..] {
            assert_eq!(parse(json!({ key: shape })), expected, "`{key}`: {shape}");
        }
    }
}

#[test]
fn cfg_01_an_unset_value_of_any_kind_is_the_default() {
    let default = parse(json!({}));
    for key in claude_k8s_core::config::rows().map(claude_k8s_core::config::Row::name) {
        for unset in [json!(null), json!(""), json!(" \n\t")] {
            assert_eq!(parse(json!({ key: unset })), default, "`{key}`: {unset}");
        }
    }
}

#[test]
fn cfg_01_dotted_resources_win_over_nested_ones_and_those_over_defaults() {
    let resources = parse(json!({
        "resources.limits.cpu": "2",
        "resources": { "limits": { "cpu": "3", "memory": "4Gi", "ephemeral-storage": "10Gi" }, "requests": { "cpu": null } },
        "resources.requests.memory": null,
    }))
    .resources;
    let pairs = |side: std::collections::BTreeMap<String, String>| side.into_iter().collect::<Vec<_>>();
    let pair = |name: &str, quantity: &str| (name.to_owned(), quantity.to_owned());
    assert_eq!(pairs(resources.limits), [pair("cpu", "2"), pair("ephemeral-storage", "10Gi"), pair("memory", "4Gi")]);
    assert_eq!(pairs(resources.requests), [pair("memory", "2Gi")]);
}

#[test]
fn args_are_used_only_when_extra_args_are_unset() {
    assert_eq!(parse(json!({ "args": ["--a"], "extraArgs": ["--b"] })).extra_args, ["--b"]);
    assert_eq!(parse(json!({ "args": "--a", "extraArgs": "" })).extra_args, ["--a"]);
    assert!(parse(json!({ "args": ["--a"], "extraArgs": [] })).extra_args.is_empty());
}

#[test]
fn a_kubeconfig_is_a_path_or_its_content() {
    let source = |config: Value| parse(config).kubeconfig;
    let path = Some(KubeconfigSource::Path("/etc/kube/config".into()));
    assert_eq!(source(json!({ "kubeconfig": "/etc/kube/config" })), path);
    let members = [
        "current-context: c",
        "contexts: [{name: c, context: {cluster: k}}]",
        "clusters: [{name: k, cluster: {server: 'https://k'}}]",
    ];
    for content in [format!("apiVersion: v1\n{}", members.join("\n")), format!("{{{}}}", members.join(", "))] {
        for key in ["kubeconfig", "kubeconfigData"] {
            let found = source(json!({ key: format!("{content}\n") }));
            let Some(KubeconfigSource::Inline(inline)) = found else { panic!("{found:?}") };
            assert_eq!((inline.key, &inline.cluster["server"], inline.user.len()), (key, &json!("https://k"), 0));
        }
    }
}

#[test]
fn the_ttl_depends_on_whether_the_job_is_retained() {
    let ttl = |config: Value| parse(config).ttl_seconds_after_finished;
    assert_eq!(ttl(json!({})), Some(300));
    assert_eq!(ttl(json!({ "retainJobs": true })), None);
    assert_eq!(ttl(json!({ "retainJobs": true, "ttlSecondsAfterFinished": 900 })), Some(900));
    let short = parse(json!({ "ttlSecondsAfterFinished": 0 }));
    assert_eq!(short.ttl_seconds_after_finished, Some(60));
    assert_eq!(
        short.warnings[0].to_string(),
        "config.ttlSecondsAfterFinished: raised from 0 to 60: the Job must outlive the last read"
    );
}

#[test]
fn a_bound_of_zero_is_no_bound() {
    let config = parse(json!({ "timeoutSec": 0, "scheduleTimeoutSec": 0, "startupTimeoutSec": "0" }));
    assert_eq!((config.timeout, config.schedule_timeout, config.startup_timeout), (None, None, None));
}

//! CFG-02: a malformed value is refused, all of them at once, with the key and the reason.

use claude_k8s_core::config::{Config, Rejection, invalid_configuration};
use serde_json::{Value, json};

fn rejections(config: &Value) -> Vec<Rejection> {
    let config = config.as_object().expect("a configuration is an object");
    Config::parse(config).err().unwrap_or_else(|| panic!("accepted: {config:?}"))
}

fn keys(config: &Value) -> Vec<String> {
    rejections(config).into_iter().map(|rejection| rejection.key).collect()
}

#[test]
fn cfg_02_ten_errors_are_ten_keys_in_one_answer() {
    let rejections = rejections(&json!({
        "model": "claude opus",
        "extraArgs": ["--resume", "abc"],
        "env": { "1A": "x" },
        "namespace": "Builds",
        "tolerations": "gpu=true",
        "resources.limits.cpu": "two",
        "workspaceMountPath": "data",
        "runAsUser": 0,
        "timeoutSec": "10m",
        "retainJobs": "yes",
    }));
    insta::assert_snapshot!(invalid_configuration(&rejections).replace("; ", "\n"), @r#"
    Invalid adapter configuration: model: expected at most 256 characters without white space, got `claude opus`
    extraArgs: `--resume` is not allowed: the adapter chooses the session (`resumeLastSession`)
    env.1A: is not an environment variable name (letters, digits, `-`, `_` and `.`, not starting with a digit)
    namespace: `Builds` is not a DNS label (at most 63 lower-case letters, digits and `-`, a letter or digit at both ends)
    tolerations: expected a list such as `[{"key": "gpu", "operator": "Exists"}]`, got `gpu=true`
    resources.limits.cpu: expected a quantity such as `500m` or `2Gi`, got `two`
    workspaceMountPath: expected an absolute path, got `data`
    runAsUser: expected a whole number from 1 to 2147483647, got `0`
    timeoutSec: expected a whole number from 0 to 31536000, got `10m`
    retainJobs: expected `true` or `false`, got `yes`
    "#);
    assert_eq!(rejections.len(), 10);
}

#[test]
fn cfg_02_malformed_values_are_refused_and_named() {
    let cases: &[(&str, Value, &[&str])] = &[
        ("model", json!(5), &["model"]),
        ("model", json!("x".repeat(257)), &["model"]),
        ("maxTurnsPerRun", json!(-1), &["maxTurnsPerRun"]),
        ("dangerouslySkipPermissions", json!(0), &["dangerouslySkipPermissions"]),
        ("promptTemplate", json!(["x"]), &["promptTemplate"]),
        ("promptTemplate", json!("a\u{7}b"), &["promptTemplate"]),
        ("cwd", json!("work"), &["cwd"]),
        ("instructionsFilePath", json!("AGENTS.md"), &["instructionsFilePath"]),
        ("mcpServers", json!("[]"), &["mcpServers"]),
        ("mcpServers", json!("{"), &["mcpServers"]),
        ("mcpServers", json!({ "a": {}, "b": 1, "c": { "url": "u" } }), &["mcpServers.a", "mcpServers.b"]),
        ("env", json!(["A=x"]), &["env"]),
        (
            "env",
            json!({ "A": { "nested": 1 }, "B": null, "C": [], "1 A": "x", "": "x" }),
            &["env.A", "env.B", "env.C", "env.1 A", "env."],
        ),
        ("env", json!({ "A": "a\u{0}b" }), &["env.A"]),
        ("env", json!({ "A": "x".repeat(131_070) }), &["env.A"]),
        ("kubeconfig", json!("kube/config"), &["kubeconfig"]),
        ("kubeconfigData", json!("/etc/kube/config"), &["kubeconfigData"]),
        ("namespace", json!("a.b"), &["namespace"]),
        ("serviceAccountName", json!("a_b"), &["serviceAccountName"]),
        ("image", json!("repo/image :1"), &["image"]),
        ("imagePullPolicy", json!("Sometimes"), &["imagePullPolicy"]),
        ("labels", json!({ "a b": "x", "c": "x y", "d": {} }), &["labels.d", "labels.a b", "labels.c"]),
        ("labels", json!("a=1\nb\n=c\na=2"), &["labels", "labels", "labels"]),
        ("nodeSelector", json!("disk ssd"), &["nodeSelector"]),
        ("nodeSelector", json!([]), &["nodeSelector"]),
        ("tolerations", json!({}), &["tolerations"]),
        ("tolerations", json!("- [unclosed"), &["tolerations"]),
        (
            "tolerations",
            json!([{ "effect": "Sometimes", "operator": "Exists" }, 1, { "key": "a", "x": 1, "operator": "Like" }]),
            &["tolerations[0].effect", "tolerations[1]", "tolerations[2].x", "tolerations[2].operator"],
        ),
        (
            "tolerations",
            json!([{ "key": "a", "operator": "Exists", "value": "v", "tolerationSeconds": 1.5 }, { "operator": "Equal" }]),
            &["tolerations[0].tolerationSeconds", "tolerations[0].value", "tolerations[1].key"],
        ),
        ("queueName", json!("a.b"), &["queueName"]),
        ("priorityClassName", json!("High"), &["priorityClassName"]),
        ("runtimeClassName", json!("-"), &["runtimeClassName"]),
        ("podTemplate", json!("just words"), &["podTemplate"]),
        ("resources.limits.cpu", json!(true), &["resources.limits.cpu"]),
        ("resources.limits.cpu", json!("500m"), &["resources.limits.cpu"]),
        ("resources.requests.memory", json!("9Gi"), &["resources.requests.memory"]),
        ("resources", json!([]), &["resources"]),
        (
            "resources",
            json!({ "claims": [], "limits": 1, "requests": { "mem": "1Gi", "cpu": "-1", "x.io/y": {} } }),
            &[
                "resources.claims",
                "resources.limits",
                "resources.requests.mem",
                "resources.requests.cpu",
                "resources.requests.x.io/y",
            ],
        ),
        ("workspaceVolumeClaim", json!("A"), &["workspaceVolumeClaim"]),
        ("workspaceSubPath", json!("/a"), &["workspaceSubPath"]),
        ("workspaceSubPath", json!("a/../b"), &["workspaceSubPath"]),
        ("workspaceMountPath", json!("/"), &["workspaceMountPath"]),
        ("workspaceMountPath", json!("/a/../b"), &["workspaceMountPath"]),
        ("workspaceMountPath", json!("/opt/paperclip/run/x"), &["workspaceMountPath"]),
        ("workspaceMountPath", json!("/opt"), &["workspaceMountPath"]),
        ("fsGroup", json!(-1), &["fsGroup"]),
        ("runAsGroup", json!("0"), &["runAsGroup"]),
        ("cacheSizeLimit", json!("20GB"), &["cacheSizeLimit"]),
        ("timeoutSec", json!(31_536_001), &["timeoutSec"]),
        ("timeoutSec", json!(1.5), &["timeoutSec"]),
        ("timeoutSec", json!("99999999999999999999"), &["timeoutSec"]),
        ("graceSec", json!(3601), &["graceSec"]),
        ("ttlSecondsAfterFinished", json!(-1), &["ttlSecondsAfterFinished"]),
        ("concurrencyScope", json!("company"), &["concurrencyScope"]),
        ("guardWaitSec", json!(86_401), &["guardWaitSec"]),
        ("rtkMaxOutputBytes", json!(1023), &["rtkMaxOutputBytes"]),
        ("secretRef", json!("A"), &["secretRef"]),
        ("debug", json!("1"), &["debug"]),
    ];
    for (key, value, expected) in cases {
        assert_eq!(keys(&json!({ *key: value })), *expected, "`{key}`: {value}");
    }
}

#[test]
fn cfg_02_arguments_that_break_the_protocol_are_refused() {
    for flag in [
        "--output-format",
        "--output-format=text",
        "--input-format",
        "--resume",
        "--resume=x",
        "-r",
        "-rx",
        "-pr",
        "--continue",
        "-c",
        "--session-id",
        "--fork-session",
        "--no-session-persistence",
    ] {
        for key in ["extraArgs", "args"] {
            assert_eq!(keys(&json!({ key: ["--verbose", flag, "x"] })), [key], "{flag}");
        }
    }
    for args in
        [json!(["word"]), json!("word"), json!(["-", "x"]), json!([""]), json!(["--"]), json!("--a 'b"), json!({})]
    {
        assert_eq!(keys(&json!({ "extraArgs": args })), ["extraArgs"], "{args}");
    }
    assert_eq!(keys(&json!({ "extraArgs": ["--a", 5] })), ["extraArgs[1]"]);
}

#[test]
fn cfg_02_options_that_exclude_each_other_are_refused() {
    let settings = json!(["--settings=/x"]);
    assert_eq!(keys(&json!({ "extraArgs": settings, "enableRtk": true })), ["extraArgs"]);
    for flag in ["--append-system-prompt", "--append-system-prompt-file=/x"] {
        assert_eq!(keys(&json!({ "args": [flag, "x"], "instructionsFilePath": "/a/AGENTS.md" })), ["args"]);
        assert!(Config::parse(json!({ "args": [flag, "x"] }).as_object().unwrap()).is_ok());
    }
    assert_eq!(keys(&json!({ "kubeconfig": "/a", "kubeconfigData": "{}" })), ["kubeconfigData"]);
}

#[test]
fn cfg_02_an_unresolved_secret_is_refused_under_its_key() {
    let secret = json!({ "type": "secret_ref", "secretId": "s", "version": "latest" });
    for key in claude_k8s_core::config::rows().map(claude_k8s_core::config::Row::name) {
        let expected = if key == "env" { "env.A" } else { key };
        for value in [json!({ "A": secret }), json!({ "A": { "type": "user_secret_ref" } })] {
            let found = rejections(&json!({ key: value }));
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].key, expected);
            assert!(found[0].reason.contains("secret reference"), "{found:?}");
        }
    }
    for key in ["mcpServers", "podTemplate", "resources", "tolerations"] {
        assert_eq!(keys(&json!({ key: json!({ "a": [secret] }).to_string() })), [key], "as text");
    }
}

#[test]
fn cfg_02_more_environment_than_the_kernel_takes_is_refused() {
    let entries = |count: usize| -> serde_json::Map<String, Value> {
        (0..count).map(|index| (format!("A{index:02}"), json!("x".repeat(131_000)))).collect()
    };
    assert!(Config::parse(json!({ "env": entries(12) }).as_object().unwrap()).is_ok());
    assert_eq!(keys(&json!({ "env": entries(13) })), ["env"]);
    assert_eq!(keys(&json!({ "env": entries(12), "extraArgs": ["--x", "y".repeat(10_000)] })), ["env"]);
}

#[test]
fn fld_31_a_number_that_is_none_is_refused_by_name_wherever_it_stands() {
    let none = json!({ "notANumber": "NaN" });
    let config = json!({
        "timeoutSec": none, "resources": { "limits": { "cpu": none } }, "env": { "A": none }, "labels": { "a": none },
        "tolerations": [{ "tolerationSeconds": none }],
    });
    let mut found = keys(&config);
    found.sort_unstable();
    assert_eq!(found, ["env.A", "labels.a", "resources.limits.cpu", "timeoutSec", "tolerations[0].tolerationSeconds"]);
    assert!(rejections(&config).iter().all(|one| one.reason.contains("`NaN` is not a number")));
}

#[test]
fn a_refusal_never_shows_what_may_be_a_secret() {
    let found = rejections(&json!({
        "env": { "A": ["hush"], "B": "hush\u{0}" },
        "kubeconfig": "hush",
        "mcpServers": "{hush",
        "podTemplate": "spec: {env: hush",
    }));
    assert_eq!(found.len(), 5);
    assert!(!invalid_configuration(&found).contains("hush"), "{found:?}");
}

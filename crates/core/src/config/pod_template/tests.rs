use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{MAX_JOB_BYTES, Merged, merge, too_large};

/// A template as the adapter builds it, with one inherited volume and one variable from the Secret.
fn template() -> Value {
    json!({
        "metadata": {
            "labels": { "paperclip.io/agent-id": "a", "team": "x" },
            "annotations": { "karpenter.sh/do-not-disrupt": "true" },
        },
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 60,
            "nodeSelector": { "disk": "ssd" },
            "tolerations": [{ "key": "a", "operator": "Exists" }],
            "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{
                "name": "claude",
                "image": "i",
                "command": ["sh", "-c", "exec claude"],
                "args": ["--print"],
                "env": [
                    { "name": "HOME", "value": "/paperclip" },
                    { "name": "TOKEN", "valueFrom": { "secretKeyRef": { "name": "s", "key": "env.TOKEN" } } },
                    { "name": "NODE", "valueFrom": { "fieldRef": { "fieldPath": "spec.nodeName" } } },
                ],
                "resources": { "limits": { "cpu": "4", "memory": "8Gi" } },
                "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
                "volumeMounts": [
                    { "name": "data", "mountPath": "/paperclip" },
                    { "name": "inh-0", "mountPath": "/etc/ca", "readOnly": true },
                ],
            }],
            "volumes": [
                { "name": "data", "persistentVolumeClaim": { "claimName": "c" } },
                { "name": "inh-0", "configMap": { "name": "ca" } },
            ],
        },
    })
}

fn merge_into_template(overrides: &Value) -> Result<Merged, Vec<String>> {
    let secret = BTreeSet::from(["TOKEN".to_owned()]);
    merge(&template(), overrides.as_object().unwrap(), &secret)
        .map_err(|rejections| rejections.into_iter().map(|rejection| rejection.key).collect())
}

fn merged(overrides: &Value) -> Value {
    merge_into_template(overrides).unwrap_or_else(|keys| panic!("{overrides}: {keys:?}")).template
}

#[test]
fn nothing_to_merge_changes_nothing_and_warns_of_nothing() {
    for overrides in [json!({}), json!({ "spec": {}, "metadata": {} })] {
        assert_eq!(merge_into_template(&overrides), Ok(Merged { template: template(), warnings: vec![] }));
    }
}

#[test]
fn objects_are_merged_by_key_and_null_removes() {
    let template = merged(&json!({
        "metadata": { "labels": { "team": null, "tier": "b" }, "annotations": { "note": "n" } },
        "spec": { "nodeSelector": { "zone": "z" }, "tolerations": null, "dnsConfig": { "options": null } },
    }));
    assert_eq!(template["metadata"]["labels"], json!({ "paperclip.io/agent-id": "a", "tier": "b" }));
    assert_eq!(template["metadata"]["annotations"], json!({ "karpenter.sh/do-not-disrupt": "true", "note": "n" }));
    assert_eq!(template["spec"]["nodeSelector"], json!({ "disk": "ssd", "zone": "z" }));
    assert_eq!(template["spec"].get("tolerations"), None);
    assert_eq!(template["spec"]["dnsConfig"], json!({}));
}

#[test]
fn lists_without_an_identity_are_replaced() {
    let template = merged(&json!({ "spec": { "tolerations": [{ "key": "b", "operator": "Exists" }] } }));
    assert_eq!(template["spec"]["tolerations"], json!([{ "key": "b", "operator": "Exists" }]));
}

#[test]
fn list_items_are_merged_by_name_mount_path_and_port() {
    let side = |ports: Value| json!({ "name": "side", "image": "s", "ports": ports });
    let template = merged(&json!({ "spec": {
        "containers": [
            side(json!([{ "containerPort": 80 }, { "containerPort": 80, "protocol": "UDP" }])),
            {
                "name": "claude",
                "image": "j",
                "env": [{ "name": "X", "value": "1" }, { "name": "NODE", "value": "n" }],
                "volumeMounts": [{ "name": "extra", "mountPath": "/extra" }],
            },
        ],
        "initContainers": [{ "name": "init", "image": "s", "command": ["true"] }],
        "volumes": [{ "name": "extra", "emptyDir": { "sizeLimit": 5 } }],
        "imagePullSecrets": [{ "name": "p" }],
    } }));
    let spec = &template["spec"];
    assert_eq!(spec["containers"][0]["image"], "j");
    assert_eq!(spec["containers"][0]["command"], json!(["sh", "-c", "exec claude"]));
    let env = &spec["containers"][0]["env"];
    assert_eq!(env[2], json!({ "name": "NODE", "value": "n" }), "one source per variable");
    assert_eq!(env[3], json!({ "name": "X", "value": "1" }));
    assert_eq!(spec["containers"][0]["volumeMounts"][2]["mountPath"], "/extra");
    assert_eq!(spec["containers"][1]["ports"].as_array().unwrap().len(), 2);
    assert_eq!(spec["volumes"][2], json!({ "name": "extra", "emptyDir": { "sizeLimit": "5" } }));
    assert_eq!(spec["initContainers"][0]["name"], "init");
    assert_eq!(spec["imagePullSecrets"], json!([{ "name": "p" }]));
}

#[test]
fn quantities_may_be_numbers_as_kubernetes_allows() {
    let container = json!({ "name": "claude", "resources": { "limits": { "cpu": 2, "x.io/gpu": 1 } } });
    let template = merged(&json!({ "spec": { "containers": [container] } }));
    let limits = &template["spec"]["containers"][0]["resources"]["limits"];
    assert_eq!(*limits, json!({ "cpu": "2", "memory": "8Gi", "x.io/gpu": "1" }));
}

#[test]
fn cfg_09_protected_fields_are_compared_with_the_pod_of_the_run() {
    let claude = |members: Value| {
        let mut container = json!({ "name": "claude" });
        container.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        json!({ "spec": { "containers": [container] } })
    };
    let path = |member: &str| format!("podTemplate.spec.containers[claude].{member}");
    let cases = [
        (json!({ "metadata": null }), vec!["podTemplate.metadata".to_owned()]),
        (
            json!({ "metadata": { "labels": null } }),
            vec!["podTemplate.metadata.labels[paperclip.io/agent-id]".to_owned()],
        ),
        (
            json!({ "spec": { "activeDeadlineSeconds": null } }),
            vec!["podTemplate.spec.activeDeadlineSeconds".to_owned()],
        ),
        (
            json!({ "spec": { "volumes": null } }),
            vec!["podTemplate.spec.volumes[data]".to_owned(), "podTemplate.spec.volumes[inh-0]".to_owned()],
        ),
        (json!({ "spec": { "containers": null } }), vec!["podTemplate.spec.containers[claude]".to_owned()]),
        (claude(json!({ "env": [{ "name": "TOKEN", "value": "x" }] })), vec![path("env[TOKEN]")]),
        (claude(json!({ "env": null })), vec![path("env[HOME]"), path("env[TOKEN]")]),
        (
            claude(json!({ "volumeMounts": [{ "mountPath": "/etc/ca/", "readOnly": false }] })),
            vec![path("volumeMounts[/etc/ca]")],
        ),
        (
            claude(json!({ "volumeMounts": [{ "mountPath": "/paperclip", "name": "x" }] })),
            vec![path("volumeMounts[/paperclip]")],
        ),
        (claude(json!({ "args": ["--x"], "tty": true })), vec![path("args"), path("tty")]),
    ];
    for (overrides, expected) in cases {
        assert_eq!(merge_into_template(&overrides), Err(expected), "{overrides}");
    }
    let same =
        json!({ "metadata": { "labels": { "paperclip.io/agent-id": "a" } }, "spec": { "restartPolicy": "Never" } });
    assert_eq!(merged(&same), template(), "an equal value is no change");
}

#[test]
fn a_sidecar_may_have_its_own_command_and_use_the_data_volume() {
    let side = json!({
        "name": "side", "image": "s", "command": ["x"], "tty": true,
        "env": [{ "name": "HOME", "value": "/x" }],
        "volumeMounts": [{ "name": "data", "mountPath": "/paperclip" }],
    });
    assert_eq!(merged(&json!({ "spec": { "containers": [side] } }))["spec"]["containers"][1], side);
}

#[test]
fn malformed_overrides_are_refused_all_at_once() {
    let overrides = json!({
        "kind": "Pod",
        "metadata": { "generateName": "x", "labels": { "a b": "x", "c": "x y", "d": 1 }, "annotations": [] },
        "spec": {
            "ephemeralContainers": [],
            "imagePullSecrets": "x",
            "volumes": [{ "emptyDir": {} }],
            "containers": [{ "name": "a", "ports": [{}], "env": {} }, { "name": "a" }, "b"],
        },
    });
    let expected = [
        "podTemplate.kind",
        "podTemplate.metadata.generateName",
        "podTemplate.metadata.labels[a b]",
        "podTemplate.metadata.labels[c]",
        "podTemplate.metadata.labels[d]",
        "podTemplate.metadata.annotations",
        "podTemplate.spec.ephemeralContainers",
        "podTemplate.spec.containers[a]",
        "podTemplate.spec.containers[2]",
        "podTemplate.spec.volumes[0]",
        "podTemplate.spec.imagePullSecrets",
        "podTemplate.spec.containers[a].env",
        "podTemplate.spec.containers[a].ports[0]",
    ];
    assert_eq!(merge_into_template(&overrides), Err(expected.map(str::to_owned).to_vec()));
    assert_eq!(merge_into_template(&json!({ "spec": [] })), Err(vec!["podTemplate.spec".to_owned()]));
}

#[test]
fn a_value_of_a_wrong_type_is_refused_with_its_path_and_without_the_value() {
    let overrides =
        json!({ "spec": { "containers": [{ "name": "claude", "env": [{ "name": "X", "value": 4711 }] }] } });
    let rejections = merge(&template(), overrides.as_object().unwrap(), &BTreeSet::new()).unwrap_err();
    assert_eq!(
        rejections[0].to_string(),
        "podTemplate.spec.containers[claude].env[X].value: has the wrong type, expected a string"
    );
    for (overrides, path) in [
        (json!({ "spec": { "hostNetwork": "yes" } }), "spec.hostNetwork"),
        (json!({ "spec": { "nodeSelector": ["a"] } }), "spec.nodeSelector"),
        (json!({ "spec": { "nodeSelector": { "a \"quoted\" name": 1 } } }), "spec.nodeSelector.a \"quoted\" name"),
        (json!({ "spec": { "priority": 4_000_000_000_u64 } }), "spec.priority"),
        (
            json!({ "spec": { "hostAliases": [{ "ip": "10.0.0.1", "hostnames": ["a", {}] }] } }),
            "spec.hostAliases[0].hostnames[1]",
        ),
        (
            json!({ "spec": { "containers": [{ "name": "claude", "ports": [{ "containerPort": 80, "hostPort": "http" }] }] } }),
            "spec.containers[claude].ports[80/TCP].hostPort",
        ),
    ] {
        assert_eq!(merge_into_template(&overrides), Err(vec![format!("podTemplate.{path}")]));
    }
}

#[test]
fn risky_and_unknown_members_are_accepted_and_named() {
    let overrides = json!({ "spec": {
        "hostNetwork": true,
        "hostPID": true,
        "shareProcessNamespace": true,
        "nodeSelectr": { "a": "b" },
        "securityContext": { "runAsNonRoot": null, "runAsUser": 0, "seccompProfile": { "type": "Unconfined" } },
        "volumes": [{ "name": "node", "hostPath": { "path": "/" } }],
        "containers": [
            { "name": "claude", "securityContext": { "capabilities": { "drop": null, "add": ["NET_ADMIN"] } } },
            { "name": "side", "image": "s", "securityContext": { "privileged": true }, "imagePulPolicy": "Always" },
        ],
    } });
    let merged = merge_into_template(&overrides).unwrap();
    assert_eq!(merged.template["spec"]["nodeSelectr"], json!({ "a": "b" }), "passed on");
    let paths: Vec<&str> = merged.warnings.iter().map(|warning| &warning.key["podTemplate.spec.".len()..]).collect();
    assert_eq!(
        paths,
        [
            "containers[claude].securityContext.capabilities.add",
            "containers[claude].securityContext.capabilities.drop",
            "containers[side].securityContext.privileged",
            "hostNetwork",
            "hostPID",
            "securityContext.runAsNonRoot",
            "securityContext.runAsUser",
            "securityContext.seccompProfile",
            "shareProcessNamespace",
            "volumes[node].hostPath",
            "containers[side].imagePulPolicy",
            "nodeSelectr",
        ]
    );
}

#[test]
fn a_job_that_the_api_server_could_not_store_is_refused() {
    let overrides = json!({ "metadata": { "annotations": { "a": "x".repeat(MAX_JOB_BYTES) } } });
    assert_eq!(merge_into_template(&overrides), Err(vec!["podTemplate".to_owned()]));
    assert_eq!(too_large(&template()), None);
}

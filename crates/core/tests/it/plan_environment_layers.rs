//! CFG-06 and PRM-06: which layer wins, and what never reaches the pod.

use serde_json::{Value, json};

use crate::plan_scenario::Scenario;

/// Every name that belongs to the server process alone.
const SERVER_ONLY: &[&str] = &[
    "DATABASE_URL",
    "DATABASE_MIGRATION_URL",
    "HOST",
    "PORT",
    "HOSTNAME",
    "NODE_OPTIONS",
    "NODE_PATH",
    "SERVE_UI",
    "NOTIFY_SOCKET",
    "TRUST_PROXY",
    "BETTER_AUTH_SECRET",
    "BETTER_AUTH_URL",
    "RUN_LOG_DIR",
    "SENTRY_DSN",
    "HEARTBEAT_SCHEDULER_ENABLED",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "PAPERCLIP_AGENT_JWT_SECRET",
    "PAPERCLIP_SECRETS_MASTER_KEY",
    "PAPERCLIP_TOOL_ACTION_SIGNING_SECRET",
    "PAPERCLIP_DECISION_SIGNING_SECRET",
    "PAPERCLIP_TOOL_OAUTH_CLIENT_SECRET",
    "PAPERCLIP_ANYTHING_ELSE",
];

/// Names the host adds to `config.env` for processes on its own machine.
const HOST_ONLY: &[&str] = &[
    "PATH",
    "ZDOTDIR",
    "BASH_ENV",
    "GH_CONFIG_DIR",
    "SSH_AUTH_SOCK",
    "PAPERCLIP_GITHUB_HOST_HOME",
    "PAPERCLIP_GITHUB_AUTH_MODE",
    "PAPERCLIP_GITHUB_LAUNCHER_DIR",
    "PAPERCLIP_GIT_METADATA_ROOTS",
    "PAPERCLIP_RUNNER_NETWORK_ROOTS",
    "PAPERCLIP_RUNNER_NETWORK_ACCESS",
    "GIT_ASKPASS",
    "SSH_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "PAPERCLIP_GITHUB_BROKER_URL",
    "PAPERCLIP_GITHUB_BROKER_TOKEN",
];

fn secret_ref(name: &str) -> Value {
    json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": "host-secret", "key": name } } })
}

#[test]
fn prm_06_nothing_of_the_server_or_the_host_reaches_the_pod() {
    let literals: Vec<Value> = SERVER_ONLY.iter().map(|name| json!({ "name": name, "value": "planted" })).collect();
    let references: Vec<Value> = SERVER_ONLY.iter().map(|name| secret_ref(name)).collect();
    let configured: serde_json::Map<String, Value> =
        HOST_ONLY.iter().map(|name| ((*name).to_owned(), "/host/planted".into())).collect();
    for inherited in [literals, references] {
        let scenario =
            Scenario::in_cluster().everything().own_env(&json!(inherited)).config(json!({ "env": configured }));
        let launch = scenario.launch();
        for name in SERVER_ONLY.iter().chain(HOST_ONLY) {
            assert_eq!(launch.env_entry(name), None, "{name}");
        }
        let everything = format!("{}{:?}", serde_json::to_string(&launch.job).unwrap(), launch.secrets);
        assert!(!everything.contains("planted") && !everything.contains("host-secret"));
        assert_eq!(launch.spec.warnings().len(), 2, "only the broker pair is named: {:?}", launch.spec.warnings());
    }
}

#[test]
fn prm_06_credentials_behind_an_inherited_env_from_are_shadowed() {
    let scenario = Scenario::in_cluster()
        .everything()
        .own_at("/spec/containers/0/envFrom", json!([{ "secretRef": { "name": "host-env" } }]))
        .config(json!({ "env": { "DATABASE_URL": "postgres://agent" } }));
    let launch = scenario.launch();
    assert_eq!(launch.claude().env_from.as_ref().unwrap().len(), 1);
    assert_eq!(launch.value("PAPERCLIP_SECRETS_MASTER_KEY").as_deref(), Some(""));
    assert_eq!(launch.value("BETTER_AUTH_SECRET").as_deref(), Some(""));
    assert_eq!(launch.value("DATABASE_URL").as_deref(), Some("postgres://agent"), "an own value wins over the shadow");
}

#[test]
fn cfg_06_a_later_layer_wins_and_a_name_appears_once() {
    let own = json!([
        { "name": "ONLY_OWN", "value": "own" },
        { "name": "EMPTY" },
        secret_ref("REFERENCE"),
        secret_ref("REPLACED_REFERENCE"),
        { "name": "NODE_ENV", "value": "production" },
        { "name": "AGENT_HOME", "value": "/opt/elsewhere" },
        { "name": "CONFIGURED", "value": "own" },
        { "name": "HOME", "value": "/root" },
        { "name": "TMPDIR", "value": "/var/tmp" },
    ]);
    let config = json!({ "env": {
        "REPLACED_REFERENCE": "", "CONFIGURED": "mine", "HOME": "/evil", "PAPERCLIP_RUN_ID": "evil",
        "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "0", "EMPTY_CONFIGURED": "",
    }});
    let context = json!({ "context": { "paperclipWorkspace": { "agentHome": "/paperclip/agents/a" } } });
    let launch = Scenario::in_cluster().everything().own_env(&own).config(config).request(context).launch();
    let expected = [
        ("ONLY_OWN", Some("own")),
        ("EMPTY", Some("")),
        ("REPLACED_REFERENCE", Some("")),
        ("EMPTY_CONFIGURED", Some("")),
        ("NODE_ENV", Some("development")),
        ("AGENT_HOME", Some("/paperclip/agents/a")),
        ("CONFIGURED", Some("mine")),
        ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", Some("0")),
        ("HOME", Some("/paperclip")),
        ("TMPDIR", Some("/opt/paperclip/scratch/tmp")),
        ("PAPERCLIP_RUN_ID", Some(crate::plan_scenario::RUN)),
        ("PAPERCLIP_API_KEY", Some("jwt-for-the-run")),
        ("PAPERCLIP_TASK_ID", Some("TASK-1")),
        ("PAPERCLIP_WAKE_REASON", Some("issue_assigned")),
        ("PAPERCLIP_APPROVAL_ID", None),
    ];
    for (name, value) in expected {
        assert_eq!(launch.value(name).as_deref(), value, "{name}");
    }
    let reference = launch.env_entry("REFERENCE").unwrap().value_from.as_ref().unwrap();
    assert_eq!(reference.secret_key_ref.as_ref().unwrap().name, "host-secret");
    let mut names: Vec<&str> = launch.env().iter().map(|entry| entry.name.as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "one entry per name");
}

#[test]
fn inherited_literals_keep_order_and_references_and_configured_text_is_not_expanded() {
    let own = json!([
        { "name": "BASE", "value": "/srv" },
        { "name": "SUB", "value": "$(BASE)/x" },
        { "name": "MY_TOKEN", "value": "a$$b" },
        { "name": "TOKEN_URL", "value": "http://x?$(BASE)" },
    ]);
    let launch = Scenario::in_cluster()
        .everything()
        .own_env(&own)
        .config(json!({ "env": { "T": "$(HOME)" }, "extraArgs": ["--x", "$(HOME)"] }))
        .launch();
    let order: Vec<&str> = launch.env().iter().map(|entry| entry.name.as_str()).take(4).collect();
    assert_eq!(order, ["BASE", "SUB", "MY_TOKEN", "TOKEN_URL"]);
    assert_eq!(launch.value("SUB").as_deref(), Some("/srv/x"));
    assert_eq!(launch.value("TOKEN_URL").as_deref(), Some("http://x?/srv"));
    assert_eq!(launch.value("MY_TOKEN").as_deref(), Some("a$b"), "what the kubelet would have made of it");
    assert_eq!(launch.value("T").as_deref(), Some("$(HOME)"), "PRM-13: a Secret value is not expanded");
    assert_eq!(launch.claude().args.as_ref().unwrap().last().unwrap(), "$$(HOME)", "PRM-13");
    assert_eq!(launch.attempt.args.last().unwrap(), "$(HOME)", "told as written");
}

#[test]
fn a_resource_field_of_the_own_container_means_ours() {
    let field = json!({ "resourceFieldRef": { "containerName": "paperclip", "resource": "limits.memory" } });
    let launch =
        Scenario::in_cluster().everything().own_env(&json!([{ "name": "MEMORY", "valueFrom": field }])).launch();
    let source = launch.env_entry("MEMORY").unwrap().value_from.clone().unwrap();
    assert_eq!(source.resource_field_ref.unwrap().container_name.as_deref(), Some("claude"));
}

#[test]
fn prm_03_a_large_wake_payload_becomes_a_file() {
    let payload = "x".repeat(200_000);
    let launch = Scenario::in_cluster().everything().request(json!({ "wakePayloadJson": payload })).launch();
    assert_eq!(launch.env_entry("PAPERCLIP_WAKE_PAYLOAD_JSON"), None);
    let path = launch.value("PAPERCLIP_WAKE_PAYLOAD_JSON_FILE").unwrap();
    assert_eq!(path, "/opt/paperclip/run/files/PAPERCLIP_WAKE_PAYLOAD_JSON");
    assert_eq!(launch.files()["files/PAPERCLIP_WAKE_PAYLOAD_JSON"], payload.as_bytes());
    assert!(launch.spec.warnings()[0].contains("PAPERCLIP_WAKE_PAYLOAD_JSON_FILE"));

    let huge =
        Scenario::in_cluster().everything().request(json!({ "wakePayloadJson": "x".repeat(1_000_000) })).launch();
    assert_eq!(huge.env_entry("PAPERCLIP_WAKE_PAYLOAD_JSON_FILE"), None);
    assert!(huge.spec.warnings()[0].contains("is left out"), "{:?}", huge.spec.warnings());

    let small = Scenario::in_cluster().everything().request(json!({ "wakePayloadJson": "{}" })).launch();
    assert_eq!(small.value("PAPERCLIP_WAKE_PAYLOAD_JSON").as_deref(), Some("{}"));
}

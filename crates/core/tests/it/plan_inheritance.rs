//! What an agent gets of the server's pod: what Claude Code needs, what was named, and nothing else.

use claude_k8s_core::config::Config;
use claude_k8s_core::target::Placement;
use serde_json::{Value, json};

use crate::plan_scenario::{Launch, Scenario};

/// What a server pod has of its own.
const FOREIGN: &[&str] = &[
    "SMTP_PASS",
    "REDIS_URL",
    "PGPASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "STRIPE_KEY",
    "npm_config_registry",
    "ANTHROPICX",
    "LCX",
    "MYCO_URL",
];

/// What Claude Code and its tools read.
const NEEDED: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_BEARER_TOKEN_BEDROCK",
    "CLOUD_ML_REGION",
    "GOOGLE_CLOUD_PROJECT",
    "VERTEX_REGION_CLAUDE_X",
    "HTTPS_PROXY",
    "https_proxy",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_DIR",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_EMAIL",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "TZ",
    "LANG",
    "LC_ALL",
];

fn literals(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name, "value": format!("planted-{name}") })).collect()
}

fn references(names: &[&str]) -> Value {
    let reference =
        |name: &&str| json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": "s", "key": name } } });
    names.iter().map(reference).collect()
}

fn with_sources(scenario: Scenario) -> Scenario {
    scenario.own_at(
        "/spec/containers/0/envFrom",
        json!([
            { "secretRef": { "name": "one" } },
            { "prefix": "MYCO_", "configMapRef": { "name": "two" } },
            { "secretRef": { "name": "three" } },
        ]),
    )
}

/// The references behind a name, in their order: kind and name of the source, and the key.
fn sources(launch: &Launch, name: &str) -> Vec<String> {
    let entries = launch.env().iter().filter(|entry| entry.name == name);
    let source = entries.map(|entry| {
        let source = entry.value_from.as_ref().unwrap();
        match (&source.secret_key_ref, &source.config_map_key_ref) {
            (Some(secret), _) => (format!("secret {} {}", secret.name, secret.key), secret.optional),
            (_, Some(map)) => (format!("map {} {}", map.name, map.key), map.optional),
            _ => panic!("{source:?}"),
        }
    });
    source.inspect(|(_, optional)| assert_eq!(*optional, Some(true))).map(|(text, _)| text).collect()
}

#[test]
fn tru_13_an_agent_gets_what_claude_code_needs_and_nothing_else_of_the_servers_environment() {
    for entries in [literals as fn(&[&str]) -> Value, references] {
        let launch = Scenario::in_cluster().own_env(&entries(FOREIGN)).own_env(&entries(NEEDED)).launch();
        for name in NEEDED {
            assert!(launch.env_entry(name).is_some(), "{name}");
        }
        for name in FOREIGN {
            assert_eq!(launch.env_entry(name), None, "{name}");
            assert!(!launch.sent.to_string().contains(&format!("planted-{name}")), "{name}");
        }
    }
}

#[test]
fn tru_13_names_and_beginnings_of_names_add_to_it_and_the_servers_own_never_comes() {
    let own = ["NPM_TOKEN", "NPM_TOKEN_2", "MYCO_A", "MYCO_B", "PORT", "PAPERCLIP_SECRETS_MASTER_KEY", "DATABASE_URL"];
    let inherited = |wanted: Value| {
        let config = json!({ "inheritEnv": wanted });
        let launch = Scenario::in_cluster().own_env(&literals(&own)).config(config).launch();
        own.into_iter().filter(|name| launch.env_entry(name).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(inherited(json!([])), [""; 0]);
    assert_eq!(inherited(json!(["NPM_TOKEN"])), ["NPM_TOKEN"]);
    assert_eq!(inherited(json!("MYCO_*\nNPM_TOKEN")), ["NPM_TOKEN", "MYCO_A", "MYCO_B"]);
    assert_eq!(inherited(json!("*")), ["NPM_TOKEN", "NPM_TOKEN_2", "MYCO_A", "MYCO_B"]);
    assert_eq!(inherited(json!(["P*", "D*"])), [""; 0], "a pattern does not reach what is the server's");

    for (key, value, text) in [
        ("inheritEnv", json!(["DATABASE_URL"]), "belongs to the server"),
        ("inheritEnv", json!("PAPERCLIP_*"), "belongs to the server"),
        ("inheritEnv", json!("AWS_ROLE_ARN"), "`serviceAccountName`"),
        ("inheritEnv", json!("A*B"), "neither a name"),
        ("inheritEnv", json!([5]), "expected names"),
        ("inheritEnv", json!({ "A": "b" }), "expected a list"),
        ("inheritVolumes", json!("cert*"), "neither `*` nor the name of a volume"),
    ] {
        let config = json!({ key: value });
        let found = Config::parse(config.as_object().unwrap()).unwrap_err();
        assert_eq!((found.len(), found[0].key.as_str()), (1, key), "{found:?}");
        assert!(found[0].reason.contains(text), "{found:?}");
    }
}

#[test]
fn tru_14_a_source_of_variables_gives_single_names_in_its_order_and_never_itself() {
    let names = ["ANTHROPIC_API_KEY", "SMTP_PASS", "MYCO_URL", "MYCO_GH_TOKEN", "PAPERCLIP_SECRETS_MASTER_KEY", "TZ"];
    let scenario = with_sources(Scenario::in_cluster().own_env(&literals(&["TZ"])).process_has(&names));
    let launch = scenario.launch();
    assert_eq!(launch.claude().env_from, None);
    assert_eq!(
        sources(&launch, "ANTHROPIC_API_KEY"),
        ["secret one ANTHROPIC_API_KEY", "secret three ANTHROPIC_API_KEY"]
    );
    assert_eq!(launch.value("TZ").as_deref(), Some("planted-TZ"), "an entry of its own replaces a source");
    for name in ["SMTP_PASS", "MYCO_URL", "PAPERCLIP_SECRETS_MASTER_KEY"] {
        assert_eq!(launch.env_entry(name), None, "{name}");
    }
    let asked =
        scenario.clone().config(json!({ "inheritEnv": "MYCO_URL", "env": { "ANTHROPIC_API_KEY": "mine" } })).launch();
    assert_eq!(sources(&asked, "MYCO_URL"), ["secret one MYCO_URL", "map two URL", "secret three MYCO_URL"]);
    assert_eq!(asked.value("ANTHROPIC_API_KEY").as_deref(), Some("mine"), "a configured value replaces all of them");

    let all = scenario.clone().everything().launch();
    assert_eq!(all.claude().env_from.as_ref().unwrap().len(), 3);
    assert_eq!(all.value("PAPERCLIP_SECRETS_MASTER_KEY").as_deref(), Some(""), "what is the server's is shadowed");

    let elsewhere = scenario.place(Placement::Elsewhere).launch();
    assert_eq!(elsewhere.env_entry("ANTHROPIC_API_KEY"), None);
    assert!(elsewhere.spec.warnings().join("").contains("envFrom one, two, three"), "{:?}", elsewhere.spec.warnings());
}

#[test]
fn tru_15_no_inherited_value_stands_in_the_job_unless_its_name_is_harmless() {
    let own = json!([
        { "name": "GATEWAY", "value": "http://planted-gateway" },
        { "name": "ANTHROPIC_BASE_URL", "value": "$(GATEWAY)/v1?t=planted-token" },
        { "name": "HTTPS_PROXY", "value": "http://u:planted-proxy@p" },
        { "name": "GIT_AUTHOR_EMAIL", "value": "planted@example" },
        { "name": "NPM_TOKEN", "value": "planted-npm" },
        { "name": "TZ", "value": "Europe/Berlin" },
        { "name": "AWS_REGION", "value": "eu-1" },
    ]);
    let launch = Scenario::in_cluster().own_env(&own).config(json!({ "inheritEnv": "NPM_*" })).launch();
    assert!(!launch.sent.to_string().contains("planted"), "{}", launch.sent);
    for (name, value) in [
        ("ANTHROPIC_BASE_URL", "http://planted-gateway/v1?t=planted-token"),
        ("HTTPS_PROXY", "http://u:planted-proxy@p"),
        ("NPM_TOKEN", "planted-npm"),
        ("TZ", "Europe/Berlin"),
    ] {
        assert_eq!(launch.value(name).as_deref(), Some(value));
    }
    assert_eq!(launch.env_entry("TZ").unwrap().value.as_deref(), Some("Europe/Berlin"));
    assert_eq!(launch.env_entry("GATEWAY"), None);

    let mixed = json!([
        { "name": "PW", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
        { "name": "ANTHROPIC_BASE_URL", "value": "http://planted:$(PW)@gw" },
    ]);
    let launch = Scenario::in_cluster().own_env(&mixed).launch();
    assert_eq!(launch.env_entry("ANTHROPIC_BASE_URL"), None);
    assert!(
        launch.spec.warnings()[0].contains("`ANTHROPIC_BASE_URL` is not inherited"),
        "{:?}",
        launch.spec.warnings()
    );
}

#[test]
fn tru_15_what_was_left_behind_is_told_once_by_name() {
    let certs = json!({ "name": "certs", "secret": { "secretName": "certs" } });
    let scenario = with_sources(Scenario::in_cluster())
        .own_env(&literals(&["SMTP_PASS", "TZ", "DATABASE_URL", "MINE", "HOME"]))
        .own_env(&references(&["REDIS_URL"]))
        .own_volume(certs, &json!([{ "name": "certs", "mountPath": "/etc/certs" }]))
        .config(json!({ "env": { "MINE": "x" } }));
    let told = scenario.spec().left_behind().unwrap().to_owned();
    assert_eq!(
        told,
        "Not inherited from the server's pod: variables SMTP_PASS, REDIS_URL; the rest of envFrom one, two, three; \
         volumes certs; `inheritEnv` and `inheritVolumes` name what agents need"
    );
    assert_eq!(scenario.spec().status_lines().iter().filter(|line| **line == told).count(), 1);
    assert_eq!(scenario.everything().spec().left_behind(), None);
    assert_eq!(Scenario::in_cluster().spec().left_behind(), None);
    let many: Vec<String> = (0..60).map(|index| format!("V{index}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let told = Scenario::in_cluster().own_env(&literals(&many)).spec().left_behind().unwrap().to_owned();
    assert!(told.contains("V39 and 20 more"), "{told}");
}

#[test]
fn tru_16_no_part_of_the_identity_of_the_servers_pod_is_inherited() {
    let set = [
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_AUTHORITY_HOST",
    ];
    let token = json!({ "name": "aws-iam-token", "projected": { "sources": [{ "serviceAccountToken": { "path": "token" } }] } });
    let scenario = Scenario::in_cluster().own_env(&literals(&set)).own_volume(
        token,
        &json!([{ "name": "aws-iam-token", "mountPath": "/var/run/secrets/eks.amazonaws.com/serviceaccount" }]),
    );
    for scenario in [
        scenario.clone(),
        scenario.clone().everything(),
        scenario.config(json!({ "inheritEnv": ["AWS_*", "AZURE_*"] })),
    ] {
        let launch = with_sources(scenario.process_has(&set)).launch();
        for name in set {
            assert_eq!(launch.env_entry(name), None, "{name}");
        }
        assert!(!launch.sent.to_string().contains("serviceAccountToken"));
    }
}

#[test]
fn tru_17_a_volume_of_the_servers_pod_is_mounted_only_by_name() {
    let volume = |name: &str, source: Value| {
        let mut volume = source;
        volume["name"] = json!(name);
        (volume, json!([{ "name": name, "mountPath": format!("/etc/{name}") }]))
    };
    let mut scenario = Scenario::in_cluster();
    for (volume, mounts) in [
        volume("smtp", json!({ "secret": { "secretName": "smtp" } })),
        volume("certs", json!({ "configMap": { "name": "certs" } })),
        volume("mixed", json!({ "projected": { "sources": [{ "secret": { "name": "x" } }] } })),
    ] {
        scenario = scenario.own_volume(volume, &mounts);
    }
    let mounted = |wanted: Value| {
        let launch = scenario.clone().config(json!({ "inheritVolumes": wanted })).launch();
        let mounts = launch.claude().volume_mounts.clone().unwrap();
        mounts.into_iter().map(|mount| mount.mount_path).filter(|path| path.starts_with("/etc")).collect::<Vec<_>>()
    };
    assert_eq!(mounted(json!([])), [""; 0]);
    assert_eq!(mounted(json!(["certs"])), ["/etc/certs"]);
    assert_eq!(mounted(json!("*")), ["/etc/smtp", "/etc/certs", "/etc/mixed"]);
}

#[test]
fn tru_18_an_agent_has_neither_the_servers_account_nor_a_label_of_its_pod() {
    let own = |account: &str| {
        let labels = json!({ "app": "paperclip", "tier": "web" });
        Scenario::in_cluster().own_at("/metadata/labels", labels).own_at("/spec/serviceAccountName", json!(account))
    };
    let template = |member: &str, value: Value| json!({ "podTemplate": { "spec": { member: value } } });
    let token = json!([{ "name": "t", "projected": { "sources": [{ "serviceAccountToken": { "path": "t" } }] } }]);
    let label = |value: &str| json!({ "podTemplate": { "metadata": { "labels": { "app": value } } } });
    let refused = [
        (own("server"), json!({ "serviceAccountName": "server" }), "serviceAccountName"),
        (own("server"), template("serviceAccountName", json!("server")), "podTemplate.spec.serviceAccountName"),
        (own("server"), template("serviceAccount", json!("server")), "podTemplate.spec.serviceAccountName"),
        (own("default"), json!({ "serviceAccountName": "default" }), "serviceAccountName"),
        (
            own("default"),
            template("automountServiceAccountToken", json!(true)),
            "podTemplate.spec.automountServiceAccountToken",
        ),
        (
            own("default"),
            template("automountServiceAccountToken", Value::Null),
            "podTemplate.spec.automountServiceAccountToken",
        ),
        (own("default"), template("volumes", token), "podTemplate.spec.automountServiceAccountToken"),
        (own("server"), json!({ "labels": { "app": "paperclip" } }), "labels.app"),
        (own("server"), label("paperclip"), "podTemplate.metadata.labels[app]"),
    ];
    for (scenario, config, key) in refused {
        let refusal = scenario.config(config.clone()).refusal();
        assert_eq!(refusal.meta.as_ref().unwrap()["keys"], json!([key]), "{}", refusal.message);
    }
    let accepted = [
        (own("server"), json!({ "serviceAccountName": "agents" })),
        (own("server"), template("automountServiceAccountToken", json!(true))),
        (own("default"), json!({})),
        (own("server"), json!({ "labels": { "app": "agents", "team": "web" } })),
        (own("server"), label("agents")),
        (
            own("server").place(Placement::OtherNamespace),
            json!({ "serviceAccountName": "server", "labels": { "app": "paperclip" } }),
        ),
    ];
    for (scenario, config) in accepted {
        assert!(scenario.config(config.clone()).resolve().is_ok(), "{config}");
    }
}

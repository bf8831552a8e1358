//! CFG-07: the seven rules for `PAPERCLIP_API_URL`.

use claude_k8s_core::target::Placement;
use serde_json::{Value, json};

use crate::plan_scenario::Scenario;

const NAME: &str = "PAPERCLIP_API_URL";
const LOOPBACK: &str = "http://127.0.0.1:3100";

/// A host that only knows its loopback address.
fn host() -> Scenario {
    Scenario::in_cluster().host_env(NAME, LOOPBACK)
}

fn own_literal(url: &str) -> Value {
    json!([{ "name": NAME, "value": url }])
}

fn own_reference() -> Value {
    json!([{ "name": NAME, "valueFrom": { "configMapKeyRef": { "name": "host", "key": "url" } } }])
}

fn with_env_from(scenario: Scenario) -> Scenario {
    scenario.everything().own_at("/spec/containers/0/envFrom", json!([{ "configMapRef": { "name": "host-env" } }]))
}

#[test]
fn cfg_07_the_first_usable_source_wins() {
    let configured = |scenario: Scenario, url: &str| scenario.config(json!({ "env": { NAME: url } }));
    let candidates = |list: Value| host().host_env("PAPERCLIP_RUNTIME_API_CANDIDATES_JSON", &list.to_string());
    let listening = host().host_env("PAPERCLIP_LISTEN_HOST", "0.0.0.0").host_env("PAPERCLIP_LISTEN_PORT", "3100");
    let local_only = host().host_env("PAPERCLIP_LISTEN_HOST", "127.0.0.1").host_env("PAPERCLIP_LISTEN_PORT", "3100");
    let rows = [
        (
            "1: configured",
            configured(host().own_env(&own_literal("http://own")), "http://mine"),
            Some("http://mine"),
            0,
        ),
        (
            "1 unusable: next, W",
            configured(host().own_env(&own_literal("http://own")), LOOPBACK),
            Some("http://own"),
            1,
        ),
        ("2: own literal", Scenario::in_cluster().own_env(&own_literal("http://own")), Some("http://own"), 0),
        (
            "2 loopback: 3",
            Scenario::in_cluster().own_env(&own_literal(LOOPBACK)),
            Some("http://paperclip.paperclip.svc:3100"),
            0,
        ),
        ("5: runtime", host().host_env("PAPERCLIP_RUNTIME_API_URL", "http://rt"), Some("http://rt"), 0),
        (
            "5: public after loopback runtime",
            host().host_env("PAPERCLIP_RUNTIME_API_URL", LOOPBACK).host_env("PAPERCLIP_PUBLIC_URL", "https://pub"),
            Some("https://pub"),
            0,
        ),
        ("6: candidate, W", candidates(json!([LOOPBACK, "http://10.0.0.9:3100"])), Some("http://10.0.0.9:3100"), 1),
        ("6: own address, W", listening.clone(), Some("http://10.1.2.3:3100"), 1),
        ("6: not beyond loopback", local_only, None, 1),
        ("6: not in another cluster", listening.place(Placement::Elsewhere), None, 2), // and the claim is missing there
        ("7: absent, W", host(), None, 1),
        ("7: envFrom may supply it", with_env_from(host()), None, 0),
    ];
    for (rule, scenario, url, warnings) in rows {
        let launch = scenario.launch();
        assert_eq!(launch.value(NAME).as_deref(), url, "{rule}");
        assert_eq!(launch.spec.warnings().len(), warnings, "{rule}: {:?}", launch.spec.warnings());
    }
}

#[test]
fn cfg_07_a_reference_is_forwarded_without_a_derived_literal_beside_it() {
    let scenario = host().own_env(&own_reference()).host_env("PAPERCLIP_RUNTIME_API_URL", "http://derived");
    let launch = scenario.launch();
    let entry = launch.env_entry(NAME).unwrap();
    assert_eq!(entry.value, None);
    assert_eq!(entry.value_from.as_ref().unwrap().config_map_key_ref.as_ref().unwrap().name, "host");

    let elsewhere = scenario.place(Placement::OtherNamespace).launch();
    assert_eq!(elsewhere.value(NAME).as_deref(), Some("http://derived"), "the ConfigMap does not exist there");
}

#[test]
fn cfg_07_no_source_ever_puts_a_loopback_url_into_a_pod() {
    let loopback = ["http://localhost:3100", "http://127.0.0.1", "http://[::1]:3100", "http://0.0.0.0:3100"];
    for url in loopback {
        let list = json!([url]).to_string();
        let scenario = Scenario::in_cluster()
            .own_env(&own_literal(url))
            .host_env(NAME, url)
            .host_env("PAPERCLIP_RUNTIME_API_URL", url)
            .host_env("PAPERCLIP_PUBLIC_URL", url)
            .host_env("PAPERCLIP_RUNTIME_API_CANDIDATES_JSON", &list)
            .config(json!({ "env": { NAME: url } }));
        assert_eq!(scenario.launch().env_entry(NAME), None, "{url}");
    }
}

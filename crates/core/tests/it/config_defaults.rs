//! CFG-03: the defaults of the code are the only ones.

use claude_k8s_core::config::Config;
use serde_json::Map;

#[test]
fn cfg_03_an_empty_configuration_has_these_defaults() {
    insta::assert_debug_snapshot!(Config::parse(&Map::new()).unwrap());
}

#[test]
fn unknown_keys_are_ignored() {
    let config = serde_json::json!({ "paperclipConnectorSkillDigest": { "type": "secret_ref" }, "unknown": -1 });
    assert_eq!(Config::parse(config.as_object().unwrap()), Config::parse(&Map::new()));
}

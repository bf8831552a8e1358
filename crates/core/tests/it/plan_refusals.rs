//! What is refused before anything exists, with which code and reason.

use claude_k8s_core::failure::ErrorCode;
use claude_k8s_core::plan::BundleFile;
use serde_json::json;

use crate::plan_scenario::Scenario;

#[test]
fn grd_10_unusable_ids_are_refused_with_their_own_code() {
    let agent = |id: &str| Scenario::in_cluster().request(json!({ "agent": { "id": id } }));
    for id in ["", "---", "日本"] {
        assert_eq!(agent(id).refusal().code, ErrorCode::AgentIdInvalid, "{id:?}");
    }
    for id in ["", "..", "a/b", "a\\b", "a\u{0}b", "a..b"] {
        let company = Scenario::in_cluster().request(json!({ "agent": { "companyId": id } }));
        assert_eq!(company.refusal().code, ErrorCode::CompanyIdInvalid, "{id:?}");
    }
    let instance = Scenario::in_cluster().host_env("PAPERCLIP_INSTANCE_ID", "../x");
    assert_eq!(instance.refusal().code, ErrorCode::CompanyIdInvalid);
}

#[test]
fn missing_and_impossible_values_name_their_reason() {
    let mut no_image = Scenario::out_of_cluster();
    no_image.config = json!({});
    let empty =
        Scenario::in_cluster().request(json!({ "prompts": { "fresh": { "text": " " }, "resumed": { "text": "" } } }));
    let claude = json!({ "name": "claude", "env": [{ "name": "OWN_TOKEN", "value": "x" }] });
    let template = json!({ "podTemplate": { "spec": { "containers": [claude] } } });
    let own_token = Scenario::in_cluster().everything().own_env(&json!([{ "name": "OWN_TOKEN", "value": "t" }]));
    let mut unpatchable = Scenario::in_cluster().config(json!({ "queueName": "q" }));
    unpatchable.surroundings.may_patch_jobs = false;
    let clash = Scenario::in_cluster()
        .request(json!({ "skillLibrary": "## Skills" }))
        .config(json!({ "extraArgs": ["--append-system-prompt=x"] }));
    let remote = Scenario::in_cluster().request(json!({ "context": { "paperclipEnvironment": { "driver": "ssh" } } }));

    let rows = [
        (no_image, ErrorCode::ConfigurationIncomplete, Some("k8s_image_unresolved"), "set `image`"),
        (empty, ErrorCode::ConfigurationIncomplete, Some("k8s_prompt_empty"), "promptTemplate"),
        (own_token.config(template), ErrorCode::ConfigurationIncomplete, Some("k8s_config_invalid"), "podTemplate"),
        (unpatchable, ErrorCode::ConfigurationIncomplete, Some("k8s_config_invalid"), "queueName: needs"),
        (
            clash,
            ErrorCode::ConfigurationIncomplete,
            Some("k8s_config_invalid"),
            "extraArgs: `--append-system-prompt` cannot",
        ),
        (Scenario::out_of_cluster().staged(), ErrorCode::PromptSecretCreateFailed, None, "`create` on `secrets`"),
        (remote, ErrorCode::AdapterEngineUnavailable, None, "`ssh`"),
    ];
    for (scenario, code, reason, text) in rows {
        let refusal = scenario.refusal();
        assert_eq!((refusal.code, refusal.reason), (code, reason), "{}", refusal.message);
        assert!(refusal.message.contains(text), "{}", refusal.message);
    }
}

#[test]
fn what_needs_no_cluster_is_refused_first() {
    let mut scenario = Scenario::out_of_cluster().request(json!({ "agent": { "id": "" } }));
    scenario.config = json!({}); // no image either
    assert_eq!(scenario.refusal().code, ErrorCode::AgentIdInvalid);
}

#[test]
fn prm_02_a_prompt_above_the_limit_has_its_own_code() {
    let text = |size: usize| json!({ "prompts": { "fresh": { "text": "x".repeat(size) }, "resumed": { "text": "" } } });
    let limit = 8 * 1024 * 1024;
    assert!(Scenario::in_cluster().request(text(limit)).resolve().is_ok());
    assert_eq!(Scenario::in_cluster().request(text(limit + 1)).refusal().code, ErrorCode::PromptTooLarge);
}

#[test]
fn a_bundle_that_fits_nowhere_is_refused_with_its_size() {
    let file = |size: usize, name: String| BundleFile { path: name, bytes: vec![b'x'; size], executable: false };
    let mut many = Scenario::out_of_cluster().bundle();
    many.surroundings.bundle.skills[0].files = (0..1001).map(|n| file(1, n.to_string())).collect();
    let mut big = Scenario::out_of_cluster().bundle();
    big.surroundings.bundle.skills[0].files = vec![file(1_000_000, "big.bin".to_owned())];
    let mut sum = Scenario::out_of_cluster().bundle();
    sum.surroundings.bundle.skills[0].files = (0..5).map(|n| file(900_000, n.to_string())).collect();
    for (scenario, text) in [(many, "1002 files"), (big, "`.claude/skills/deploy/big.bin`"), (sum, "4500")] {
        let refusal = scenario.refusal();
        assert_eq!(refusal.code, ErrorCode::BundleUnavailable);
        assert!(refusal.message.contains(text), "{}", refusal.message);
    }
}

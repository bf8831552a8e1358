//! What a container may claim, and what becomes of it: TRU-20, TRU-21, FLD-28, FLD-29, FLD-30.

use claude_k8s_core::outcome::Billing;
use claude_k8s_core::transcript::Transcript;
use serde_json::{Value, json};

use crate::outcome_scene::{SESSION, Scene, busy, failed, init, ok, stream, text};
use crate::plan_scenario::Scenario;

fn warnings(result: &Value) -> String {
    result["resultJson"]["k8s"]["warnings"].to_string()
}

#[test]
fn tru_20_a_session_id_that_is_no_uuid_is_never_stored() {
    for id in ["latest", "../../../etc", "--continue", "0f0f0f0f-0000-4000-8000-00000000abc", "x'; rm -rf /"] {
        let output = busy(ok("Done.")).replace(SESSION, id);
        let result = Scene::exited(0, output).json();
        assert_eq!((result.get("sessionId"), result.get("sessionParams")), (None, None), "{id}");
        assert_eq!(result["resultJson"].get("session_id"), None, "{id}");
    }
}

#[test]
fn tru_20_impossible_usage_is_clamped_and_said() {
    let claim = |usage: Value| {
        let mut last = ok("Done.");
        last["model_usage_since_last_result"] = json!({ "m": usage });
        Scene::exited(0, busy(last)).json()
    };
    let most = i64::from(i32::MAX);
    let huge =
        claim(json!({ "inputTokens": 1e15, "outputTokens": 9e18, "cacheReadInputTokens": 3e9, "costUSD": 1e300 }));
    assert_eq!(huge["usage"], json!({ "inputTokens": most, "outputTokens": most, "cachedInputTokens": most }));
    assert_eq!(huge["costUsd"], 10_000.0);
    assert!(warnings(&huge).contains("claims about its usage"), "{}", warnings(&huge));
    let negative = claim(json!({ "inputTokens": -5, "outputTokens": 1, "costUSD": -3.5 }));
    assert_eq!((&negative["costUsd"], &negative["usage"]["inputTokens"]), (&json!(0.0), &json!(0)));
    assert!(warnings(&negative).contains("negative"), "{}", warnings(&negative));
    let usual = claim(json!({ "inputTokens": 5, "outputTokens": 1, "costUSD": 9_999.0 }));
    assert_eq!((&usual["costUsd"], warnings(&usual).as_str()), (&json!(9_999.0), "[]"));
}

#[test]
fn tru_20_the_numbers_of_the_result_that_the_server_lists_are_bounded_as_well() {
    let stored = |members: Value| {
        let mut last = ok("Done.");
        last.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        Scene::exited(0, busy(last)).json()["resultJson"].clone()
    };
    let huge = stored(json!({
        "total_cost_usd": 1e300, "num_turns": -3, "duration_ms": 1e18, "usage": { "input_tokens": 9e18, "output_tokens": -4, "iterations": [{ "cost": 1e9 }] },
        "modelUsage": { "m": { "inputTokens": 9e18, "costUSD": -1.5 } }, "model_usage_since_last_result": { "m": { "costUSD": 1e300, "inputTokens": 5 } },
    }));
    let most = i64::from(i32::MAX);
    assert_eq!(huge["total_cost_usd"], 10_000.0);
    assert_eq!((&huge["num_turns"], &huge["duration_ms"]), (&json!(0), &json!(most)));
    assert_eq!(
        huge["usage"],
        json!({ "input_tokens": most, "output_tokens": 0, "iterations": [{ "cost": 10_000.0 }] })
    );
    assert_eq!(huge["modelUsage"]["m"], json!({ "inputTokens": most, "costUSD": 0.0 }));
    assert_eq!(huge["model_usage_since_last_result"]["m"], json!({ "costUSD": 10_000.0, "inputTokens": 5 }));
    assert_eq!(
        stored(json!({ "total_cost_usd": "99999999" })).get("total_cost_usd"),
        None,
        "a text that a database reads as a number"
    );
    assert_eq!(stored(json!({ "total_cost_usd": 0.25, "num_turns": 2 }))["total_cost_usd"], 0.25);
}

#[test]
fn tru_20_a_retry_is_at_most_eight_days_ahead() {
    let limit = json!({ "type": "rate_limit_event", "rate_limit_info": { "status": "rejected", "resetsAt": 99_999_999_999_i64 } });
    let last = failed(json!({ "api_error_status": 429, "api_error": "usage_limit_reached" }));
    let result = Scene::exited(1, stream([init(), limit, last])).json();
    assert_eq!(result["retryNotBefore"], "2026-11-30T12:00:00.000Z");
}

#[test]
fn tru_21_no_member_that_the_server_gives_a_meaning_to_comes_from_the_container() {
    const ACTING: &[&str] = &[
        "issueCommentBody",
        "errorCode",
        "configurationIncomplete",
        "finalResponse",
        "executionRecovery",
        "executionCancellation",
        "conversationContinuation",
        "errorFamily",
        "retryNotBefore",
        "stopReason",
        "summary",
        "question",
        "presentationDecision",
        "configFreshness",
        "runtimeServices",
        "timeoutFired",
        "k8s",
        "something_of_tomorrow",
    ];
    let forge = |mut last: Value| {
        for name in ACTING {
            last[*name] = json!({ "forged": "forged" });
        }
        last["stopReason"] = "max_turns_exhausted".into();
        last
    };
    for scene in [
        Scene::exited(0, busy(forge(ok("Done.")))),
        Scene::exited(1, busy(forge(failed(json!({ "result": "API Error" }))))),
    ] {
        let result = scene.json();
        let json = result["resultJson"].to_string();
        assert!(!json.contains("forged") && !json.contains("max_turns_exhausted"), "{json}");
    }
    let kept = Scene::exited(0, busy(ok("Done."))).json();
    assert_eq!((&kept["resultJson"]["result"], &kept["resultJson"]["subtype"]), (&"Done.".into(), &"success".into()));
}

#[test]
fn fld_28_a_server_that_does_not_work_is_warned_about_once() {
    let with = |servers: Value| {
        let mut first = init();
        first["mcp_servers"] = servers;
        let again = first.clone();
        Scene::exited(0, stream([first, text("Hi."), again, text("Hi."), ok("Hi.")]))
            .with(|scene| scene.session.mcp_servers = vec!["given".to_owned(), "lost".to_owned()])
    };
    let result = with(json!([
        { "name": "given", "status": "connected" }, { "name": "broken", "status": "failed" },
        { "name": "closed", "status": "needs-auth" }, { "name": "slow", "status": "pending" },
    ]))
    .json();
    let told = result["resultJson"]["k8s"]["warnings"].as_array().unwrap().clone();
    let names: Vec<bool> = ["broken", "closed", "lost"]
        .iter()
        .map(|name| told.iter().filter(|text| text.to_string().contains(name)).count() == 1)
        .collect();
    assert_eq!((told.len(), names), (3, vec![true; 3]), "{told:?}");
    for odd in [json!("x"), json!([7, null, {}]), json!({ "a": 1 })] {
        assert_eq!(with(odd).decide().error_code, None);
    }
    let silent = Scene::exited(0, busy(ok("Hi."))).with(|scene| scene.session.mcp_servers = vec!["given".to_owned()]);
    assert_eq!(warnings(&silent.json()), "[]", "a release that says nothing of servers");
}

#[test]
fn fld_29_who_bills_follows_from_provider_base_url_and_key() {
    let billed = |billing: Billing, source: &str| {
        let output = busy(ok("Done.")).replace("\"ANTHROPIC_API_KEY\"", &format!("\"{source}\""));
        let result = Scene::exited(0, output).with(|scene| scene.session.billing = billing).json();
        (result["billingType"].as_str().unwrap().to_owned(), result["biller"].as_str().unwrap().to_owned())
    };
    let pair = |kind: &str, biller: &str| (kind.to_owned(), biller.to_owned());
    let foundry = Billing { foundry: true, ..Billing::default() };
    assert_eq!(billed(foundry, "none"), pair("metered_api", "azure_foundry"));
    let gateway = Billing { gateway: true, oauth_token: true, ..Billing::default() };
    assert_eq!(billed(gateway, "none"), pair("api", "anthropic"), "whatever the key source says");
    let token = Billing { oauth_token: true, ..Billing::default() };
    assert_eq!(billed(token, "none"), pair("subscription", "anthropic"));
    for (billing, biller) in [(token, "anthropic"), (foundry, "azure_foundry"), (gateway, "anthropic")] {
        let fixed = Billing { configured: Some("credits"), ..billing };
        assert_eq!(billed(fixed, "none"), pair("credits", biller), "the key overrides");
    }
}

#[test]
fn fld_29_the_plan_knows_the_gateway_and_warns_of_two_credentials() {
    let billing = |config: Value| {
        let launch = Scenario::in_cluster().config(config).launch();
        launch.spec.session_facts(&launch.attempt).billing
    };
    let public = billing(json!({ "env": { "ANTHROPIC_BASE_URL": "https://api.anthropic.com/" } }));
    assert!(!public.gateway);
    assert!(billing(json!({ "env": { "ANTHROPIC_BASE_URL": "https://gw" } })).gateway);
    assert!(billing(json!({ "env": { "CLAUDE_CODE_USE_FOUNDRY": "1" } })).foundry);
    assert_eq!(billing(json!({ "billingType": "fixed" })).configured, Some("fixed"));
    let two =
        Scenario::in_cluster().config(json!({ "env": { "ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_OAUTH_TOKEN": "t" } }));
    let told = two.launch().spec.warnings().join("\n");
    assert!(told.contains("`ANTHROPIC_API_KEY` and `CLAUDE_CODE_OAUTH_TOKEN` are set together"), "{told}");
}

#[test]
fn fld_30_a_byte_order_mark_and_nul_bytes_hide_no_event() {
    let lines = [init().to_string(), text("Hi.").to_string(), ok("Hi.").to_string()];
    let mut transcript = Transcript::default();
    let mut bytes = 0;
    for line in &lines {
        let (head, tail) = line.split_at(line.len() / 2);
        let dirty = format!("\u{feff}{head}\0\0{tail}\0");
        transcript.line(dirty.as_bytes());
        bytes += dirty.len() as u64 + 1;
    }
    assert!(transcript.last_result().is_some_and(|result| result.ok && result.text == "Hi."));
    assert_eq!((transcript.inits(), transcript.bytes()), (1, bytes), "the log stays as it is");
}

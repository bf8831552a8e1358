//! What is a success, what a failure says and proves, what it cost: RES-02 to RES-12.

use claude_k8s_core::outcome::{AdoptedRun, Billing};
use serde_json::{Value, json};

use crate::outcome_scene::{
    Scene, background_result, busy, cli_error, exit, failed, gone, idle, init, ok, stream, text, tool_result, tool_use,
};

#[test]
fn res_02_neither_a_subtype_nor_a_missing_or_odd_is_error_is_a_success() {
    for members in [
        json!({ "is_error": true }),
        json!({ "is_error": "false" }),
        json!({ "is_error": 0 }),
        json!({ "is_error": false, "subtype": "error_during_execution" }),
        json!({ "is_error": null, "subtype": "other" }),
        json!({ "is_error": null }),
        json!({ "is_error": null, "terminal_reason": "completed", "errors": ["x"] }),
    ] {
        let result = Scene::exited(0, busy(failed(members.clone()))).json();
        assert_eq!(result["errorCode"], "claude_failed", "{members}");
    }
    let bare = Scene::exited(0, stream([init(), text("x"), json!({ "type": "result" })])).json();
    assert_eq!(bare["errorCode"], "claude_failed");
}

#[test]
fn res_03_background_work_cut_by_a_signal_is_no_success_and_by_itself_is_one() {
    let still_running =
        json!({ "type": "system", "subtype": "background_tasks_changed", "tasks": [{ "task_id": "b" }] });
    let mut subagent = text("From the subagent.");
    subagent["parent_tool_use_id"] = "agent".into();
    for then in [still_running, subagent] {
        let code = |exit_code| {
            Scene::exited(exit_code, background_result(ok("Started."), then.clone())).json()["errorCode"].clone()
        };
        assert_eq!(code(137), "claude_truncated", "{then}");
        assert_eq!(code(0), Value::Null, "{then}");
        let vanished = gone(background_result(ok("Started."), then.clone())).json();
        assert_eq!(vanished["errorCode"], "claude_truncated", "nobody saw it end: {then}");
    }
}

#[test]
fn res_03_a_turn_that_began_before_the_last_result_and_never_ended_is_cut() {
    let output = stream([init(), text("Started."), init(), ok("Started.")]);
    assert_eq!(Scene::exited(143, output.clone()).json()["errorCode"], "claude_truncated");
    assert_eq!(Scene::exited(0, output).json()["errorCode"], Value::Null);
}

#[test]
fn res_06_out_of_memory_stays_visible_beside_a_reported_error() {
    let result = Scene::exited(0, busy(failed(json!({ "result": "API Error: 500", "api_error_status": 500 }))))
        .with(|scene| scene.ending.container = exit(137, Some("OOMKilled"), ""))
        .json();
    let message = result["errorMessage"].as_str().unwrap();
    assert!(message.contains("API Error: 500") && message.contains("reason=OOMKilled"), "{message}");
    assert!(message.contains("`resources.limits.memory`"), "{message}");
}

#[test]
fn res_06_a_failure_without_a_parsed_error_quotes_the_last_stderr_lines() {
    let noise = "first line that is too old\n".repeat(60);
    let scene = Scene::exited(0, "")
        .with(|scene| scene.ending.container = exit(2, None, &format!("{noise}bash: claude: not found\n")));
    let message = scene.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Claude exited with code 2: first line"), "{message}");
    assert!(message.contains("bash: claude: not found") && message.chars().count() < 700, "{message}");
}

#[test]
fn res_08_a_failed_tool_does_not_fail_a_run_with_an_answer() {
    let output = stream([init(), tool_use("t1"), tool_result("t1", true), text("It failed."), ok("It failed.")]);
    assert_eq!(Scene::exited(0, output).json()["errorCode"], Value::Null);
}

#[test]
fn res_09_releases_without_the_member_report_the_totals_of_the_last_result() {
    let mut last = ok("Done.");
    last.as_object_mut().unwrap().remove("model_usage_since_last_result");
    last["total_cost_usd"] = 0.5.into();
    last["usage"] = json!({ "input_tokens": 1, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 4 });
    let by_turn = Scene::exited(0, busy(last.clone())).json();
    assert_eq!(by_turn["usage"], json!({ "inputTokens": 3, "outputTokens": 4, "cachedInputTokens": 3 }));
    last["modelUsage"] = json!({ "a": { "inputTokens": 10, "outputTokens": 20 }, "b": { "inputTokens": 5 } });
    let by_model = Scene::exited(0, busy(last)).json();
    assert_eq!(by_model["usage"], json!({ "inputTokens": 15, "outputTokens": 20, "cachedInputTokens": 0 }));
    assert_eq!((&by_model["costUsd"], &by_model["usageBasis"]), (&0.5.into(), &"per_run".into()));
}

#[test]
fn res_09_an_adopted_run_of_another_id_is_booked_and_summarised() {
    let result = Scene::exited(0, busy(ok("Done."))).with(|scene| {
        scene.run.adopted_run = Some(AdoptedRun {
            run_id: "run-1".to_owned(),
            job: "job-1".to_owned(),
            result: Scene::exited(1, busy(failed(json!({})))).json(),
        });
    });
    let result = result.json();
    assert_eq!((&result["usage"]["inputTokens"], &result["costUsd"]), (&240.into(), &0.5.into()));
    assert_eq!(
        result["resultJson"]["k8s"]["adoptedRun"],
        json!({ "runId": "run-1", "job": "job-1", "outcome": "claude_failed", "costUsd": 0.25,
            "usage": { "inputTokens": 120, "outputTokens": 26, "cachedInputTokens": 50 } })
    );
}

#[test]
fn res_12_silence_is_proof_only_when_the_whole_log_was_read() {
    let overload = || Scene::exited(1, idle(failed(json!({ "api_error_status": 529 }))));
    assert_eq!(overload().json()["executionRecovery"]["kind"], "bootstrap");
    assert_eq!(overload().with(|scene| scene.ending.log.complete = false).json().get("executionRecovery"), None);
    assert_eq!(overload().with(|scene| scene.ending.log.gaps = vec![json!({})]).json().get("executionRecovery"), None);
    for work in
        [text("Hello."), tool_use("t1"), json!({ "type": "stream_event", "event": { "type": "content_block_delta" } })]
    {
        let output = stream([init(), work.clone(), failed(json!({ "api_error_status": 529 }))]);
        assert_eq!(Scene::exited(1, output).json().get("executionRecovery"), None, "{work}");
    }
}

#[test]
fn an_error_that_the_model_overcame_does_not_classify_a_later_failure() {
    let output =
        stream([init(), cli_error("server_error"), text("Back."), failed(json!({ "subtype": "error_max_turns" }))]);
    assert_eq!(Scene::exited(1, output).json()["errorCode"], "max_turns_exhausted");
}

#[test]
fn the_host_sees_result_text_instead_of_result_on_failure_and_no_acting_member_of_the_cli() {
    let mut last = failed(json!({ "result": "API Error: 418", "api_error_status": 418, "subtype": "success" }));
    last["conversationContinuation"] = "continue_conversation_v1".into();
    last["executionRecovery"] = json!({ "kind": "bootstrap", "providerWorkStarted": false });
    last["summary"] = "x".into();
    let json = Scene::exited(1, busy(last)).json()["resultJson"].clone();
    assert_eq!((json.get("result"), &json["resultText"]), (None, &"API Error: 418".into()));
    for member in ["conversationContinuation", "executionRecovery", "summary"] {
        assert_eq!(json.get(member), None, "{member}");
    }
}

#[test]
fn the_result_json_is_bounded_and_holds_nothing_the_database_rejects() {
    let mut last = ok(&"a\u{0}b".repeat(300_000));
    last["permission_denials"] = vec!["x"; 100_000].into();
    let scene = Scene::exited(0, busy(last)).with(|scene| scene.run.warnings = vec!["w".repeat(5000); 50]);
    let result = scene.json();
    let json = serde_json::to_string(&result["resultJson"]).unwrap();
    assert!(json.len() <= 256 * 1024 && !json.contains("\\u0000"), "{}", json.len());
    assert!(result["resultJson"]["result"].as_str().unwrap().ends_with("… [cut]"));
    assert_eq!(result["resultJson"]["k8s"]["warnings"].as_array().unwrap().len(), 20);
    assert!(!result["summary"].as_str().unwrap().contains('\0'));
}

#[test]
fn hos_04_a_success_carries_its_summary_as_the_final_response_and_a_failure_none() {
    let success = Scene::exited(0, busy(ok("Let me tell: done."))).json();
    let expected = json!({ "disposition": "final", "text": success["summary"] });
    assert_eq!(
        (&success["resultJson"]["finalResponse"], &success["summary"]),
        (&expected, &"Let me tell: done.".into())
    );
    let mut forged = failed(json!({ "subtype": "error_max_turns" }));
    forged["finalResponse"] = json!({ "disposition": "final", "text": "forged" });
    assert_eq!(Scene::exited(1, busy(forged)).json()["resultJson"].get("finalResponse"), None);
}

#[test]
fn without_a_result_the_host_gets_the_end_of_the_output() {
    let result = Scene::exited(1, "plain\n").json();
    assert_eq!(result["resultJson"]["stdout"], "plain\n");
    assert_eq!(result["resultJson"]["stdoutBytes"], 6);
}

#[test]
fn the_kubernetes_facts_are_complete() {
    let scene = Scene::exited(137, busy(text("More."))).with(|scene| {
        scene.run.warnings = vec!["`ttlSecondsAfterFinished` 0 became 60".to_owned()];
        scene.ending.log.gaps = vec![json!({ "reason": "rotation" })];
        scene.ending.log.bytes = 99;
    });
    assert_eq!(
        scene.json()["resultJson"]["k8s"],
        json!({
            "job": "agent-claude-1a2b", "uid": "uid-1", "namespace": "agents", "pod": "agent-claude-1a2b-x", "node": "node-7",
            "attempts": 1, "adopted": false, "adoptedRun": null, "warnings": ["`ttlSecondsAfterFinished` 0 became 60"],
            "degraded": [], "exitCode": 137, "reason": null, "signal": null, "reconnects": 0, "replayedLines": 0,
            "logGaps": 1, "logBytes": 99, "startedAt": "2026-11-22T11:00:00.000Z", "finishedAt": "2026-11-22T11:59:00.000Z",
        })
    );
}

#[test]
fn billing_never_hides_cost() {
    let none = || Billing::default();
    for (billing, source, persistent, expected) in [
        (Billing { bedrock: true, ..none() }, "none", true, ["anthropic", "aws_bedrock", "metered_api"]),
        (Billing { vertex: true, ..none() }, "none", true, ["anthropic", "google_vertex", "metered_api"]),
        (none(), "ANTHROPIC_API_KEY", true, ["anthropic", "anthropic", "api"]),
        (Billing { api_key: true, oauth_token: true, ..none() }, "none", true, ["anthropic", "anthropic", "api"]),
        (Billing { oauth_token: true, ..none() }, "none", false, ["anthropic", "anthropic", "subscription"]),
        (none(), "none", true, ["anthropic", "anthropic", "subscription"]),
        (none(), "none", false, ["anthropic", "anthropic", "api"]),
    ] {
        let mut start = init();
        start["apiKeySource"] = source.into();
        let scene = Scene::exited(0, stream([start, text("x"), ok("x")])).with(|scene| {
            scene.session.billing = billing;
            scene.session.persistent = persistent;
        });
        let result = scene.json();
        assert_eq!([&result["provider"], &result["biller"], &result["billingType"]], expected, "{billing:?} {source}");
    }
}

#[test]
fn every_text_of_a_result_passes_the_scrubber() {
    let last = failed(json!({ "result": "token s3cret refused", "errors": ["s3cret"], "api_error_status": 401 }));
    let mut result = Scene::exited(1, busy(last)).with(|scene| scene.run.warnings = vec!["s3cret".to_owned()]).decide();
    result.scrub(&|text| text.replace("s3cret", "***"));
    assert!(!serde_json::to_string(&result).unwrap().contains("s3cret"));
}

//! Which session is stored, and when a run gets a fresh attempt: SES-03, SES-04.

use claude_k8s_core::outcome::{ContainerEnd, Stop};
use claude_k8s_core::transcript::Usage;
use serde_json::{Value, json};

use crate::outcome_scene::{SESSION, Scene, busy, deletion, exit, failed, idle, init, ok, stream, tool_use};

#[test]
fn ses_03_only_an_unusable_resumed_session_without_tool_use_gets_a_fresh_attempt() {
    let unknown = || {
        failed(json!({ "subtype": "error_during_execution", "errors": ["No conversation found with session ID: 1"] }))
    };
    let resumed =
        |output: String| Scene::exited(1, output).with(|scene| scene.session.resumed = Some(SESSION.to_owned()));
    let unusable = || resumed(stream([unknown()]));
    assert!(unusable().wants_fresh_attempt());
    for output in [
        idle(failed(json!({ "terminal_reason": "prompt_too_long" }))),
        idle(failed(json!({ "api_error_status": 400, "result": "API Error: 400 Could not process image" }))),
        idle(failed(
            json!({ "api_error_status": 400, "result": "API Error: 400 diagnostics.previous_message_id is unknown" }),
        )),
        String::new(),
    ] {
        let scene = resumed(output).with(|scene| {
            if scene.output.is_empty() {
                scene.ending.container = exit(1, None, "Error: --resume requires a valid session ID or session title");
            }
        });
        assert!(scene.wants_fresh_attempt(), "{}", scene.output);
    }
    let refusals: [(&str, Scene); 9] = [
        ("was not resumed", unusable().with(|scene| scene.session.resumed = None)),
        ("retry used", unusable().with(|scene| scene.fresh_attempt_used = true)),
        ("second attempt", unusable().with(|scene| scene.run.attempts = 2)),
        ("cancelled", unusable().with(|scene| scene.ending.stop = Some(Stop::Cancelled { forced: false }))),
        ("deadline", unusable().with(|scene| scene.ending.deadline_passed = true)),
        ("deleted by others", unusable().with(|scene| scene.ending.deletion = Some(deletion()))),
        ("pod gone", unusable().with(|scene| scene.ending.container = ContainerEnd::PodGone)),
        ("log incomplete", unusable().with(|scene| scene.ending.log.complete = false)),
        ("a tool ran", resumed(busy(unknown()))),
    ];
    for (why, scene) in refusals {
        assert!(!scene.wants_fresh_attempt(), "{why}");
    }
    assert!(!resumed(busy(ok("Done."))).wants_fresh_attempt());
}

#[test]
fn ses_03_the_second_attempt_books_both_and_forgets_a_session_that_was_not_replaced() {
    let earlier = Usage { input_tokens: 1000, cached_input_tokens: 7, output_tokens: 0, cost_usd: Some(0.5) };
    let second = |code, output: String| {
        Scene::exited(code, output).with(|scene| {
            scene.run.attempts = 2;
            scene.fresh_attempt_used = true;
            scene.earlier = Some(earlier);
        })
    };
    let success = second(0, busy(ok("Done."))).json();
    assert_eq!(success["usage"], json!({ "inputTokens": 1120, "outputTokens": 26, "cachedInputTokens": 57 }));
    assert_eq!((&success["costUsd"], &success["sessionId"]), (&0.75.into(), &SESSION.into()));
    assert_eq!(success.get("clearSession"), None);

    let timeout = second(143, String::new()).with(|scene| scene.ending.deadline_passed = true).json();
    assert_eq!((&timeout["errorCode"], &timeout["clearSession"]), (&"timeout".into(), &true.into()));
    assert_eq!(timeout["usage"]["inputTokens"], 1000);

    let start = second(1, String::new());
    assert_eq!(start.json()["executionRecovery"]["kind"], "bootstrap", "neither attempt answered");
    let spoke = start.with(|scene| scene.earlier = Some(Usage { output_tokens: 5, ..earlier }));
    assert_eq!(spoke.json().get("executionRecovery"), None, "the first attempt answered");
}

#[test]
fn ses_04_without_a_persistent_volume_the_session_fields_are_null() {
    let result = Scene::exited(1, busy(failed(json!({})))).with(|scene| scene.session.persistent = false).json();
    for field in ["sessionId", "sessionDisplayId", "sessionParams"] {
        assert_eq!(result.get(field), Some(&Value::Null), "{field}");
    }
}

#[test]
fn ses_04_a_failed_run_stores_its_session_with_everything_the_next_one_compares() {
    let result = Scene::exited(1, busy(failed(json!({})))).with(|scene| {
        scene.session.stored.repo_url = Some("https://example.test/r.git".to_owned());
        scene.session.stored.mcp_server_identity = Some("[]".to_owned());
    });
    let result = result.json();
    assert_eq!(result["sessionDisplayId"], SESSION);
    assert_eq!(
        result["sessionParams"],
        json!({ "sessionId": SESSION, "cwd": "/data/work", "repoUrl": "https://example.test/r.git", "mcpServerIdentity": "[]" })
    );
}

#[test]
fn res_13_a_failure_after_work_continues_only_when_it_may_pass_and_nothing_is_open() {
    let overloaded = || Scene::exited(1, busy(failed(json!({ "api_error_status": 529, "result": "Overloaded" }))));
    let continues = |scene: &Scene| scene.json()["resultJson"].get("conversationContinuation").is_some();
    assert!(continues(&overloaded()));
    let others: [(&str, Scene); 7] = [
        (
            "a tool at work",
            Scene::exited(1, stream([init(), tool_use("t1"), failed(json!({ "api_error_status": 529 }))])),
        ),
        ("the session is lost with the pod", overloaded().with(|scene| scene.session.persistent = false)),
        ("the end of the log is unread", overloaded().with(|scene| scene.ending.log.complete = false)),
        ("nobody saw the CLI end", overloaded().with(|scene| scene.ending.container = ContainerEnd::PodGone)),
        ("cancelled", overloaded().with(|scene| scene.ending.stop = Some(Stop::Cancelled { forced: false }))),
        ("the task has to change", Scene::exited(1, busy(failed(json!({ "terminal_reason": "prompt_too_long" }))))),
        ("not classified", Scene::exited(1, busy(failed(json!({ "subtype": "error_during_execution" }))))),
    ];
    for (name, scene) in others {
        assert!(!continues(&scene), "{name}");
    }
}

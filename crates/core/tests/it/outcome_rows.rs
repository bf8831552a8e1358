//! The decision table, row by row: evidence in, the host's object out.

use std::collections::BTreeSet;
use std::time::Duration;

use claude_k8s_core::outcome::{ContainerEnd, PlatformLoss, StartCause, StartFailure, Stop};
use serde_json::{Value, json};

use crate::outcome_row::Row;
use crate::outcome_scene::{
    IN_A_MINUTE, SESSION, Scene, background_result, busy, cancelled, cli_error, deletion, exit, failed, gone, idle,
    init, ok, stream, text, tool_use,
};

fn start_failure(cause: fn(Duration, String) -> StartCause) -> Scene {
    Scene::exited(0, "").with(|scene| {
        scene.ending.container = ContainerEnd::NeverStarted;
        let cause = cause(Duration::from_secs(600), "pod Pending".to_owned());
        scene.ending.start_failure = Some(StartFailure { cause, events: vec!["ErrImagePull".to_owned()] });
    })
}

fn lost(platform: PlatformLoss, output: String) -> Scene {
    gone(output).with(|scene| scene.ending.platform = Some(platform))
}

fn evicted() -> PlatformLoss {
    PlatformLoss::Evicted { reason: "EvictionByEvictionAPI".to_owned(), message: "node drain".to_owned() }
}

fn rejected_until(second: i64) -> Value {
    json!({ "type": "rate_limit_event", "rate_limit_info": { "status": "rejected", "resetsAt": second } })
}

/// All rows of the table, several per row where it names several cases.
pub(crate) fn rows() -> Vec<(&'static str, Scene)> {
    table().into_iter().map(|row| (row.name, row.scene)).collect()
}

/// The codes of the failing rows.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    table().into_iter().map(|row| row.code).filter(|code| !code.is_empty())
}

fn after_result(scene: &mut Scene) {
    scene.ending.stop = Some(Stop::AfterResult);
}

fn silent_run(scene: &mut Scene) {
    scene.ending.stop = Some(Stop::Silent { bound: Duration::from_secs(1200) });
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<Row> {
    let before_release = || {
        Scene::exited(0, "").with(|scene| {
            scene.ending.stop = Some(Stop::CancelledBeforeRelease);
            scene.ending.container = ContainerEnd::NeverStarted;
        })
    };
    let overrun = |code, output| Scene::exited(code, output).with(|scene| scene.ending.deadline_passed = true);
    vec![
        Row::new("1 cancel before release", "cancelled", before_release())
            .unknown_exit()
            .session("-")
            .recovery("bootstrap")
            .acknowledged(),
        Row::new("2 cancel, verified, settled", "cancelled", cancelled(busy(text("More."))))
            .exit(143, "SIGTERM")
            .recovery("interrupted")
            .acknowledged(),
        Row::new("2 cancel, tool in flight", "cancelled", cancelled(stream([init(), tool_use("t1")])))
            .exit(143, "SIGTERM")
            .acknowledged(),
        Row::new("2 cancel, container never started", "cancelled", cancelled(String::new()).with(|scene| {
            scene.ending.container = ContainerEnd::NeverStarted;
        }))
        .unknown_exit()
        .session("-")
        .recovery("bootstrap")
        .acknowledged(),
        Row::new("3 cancel, not verified", "cancelled", cancelled(busy(text("More."))).with(|scene| {
            scene.ending.termination_verified = false;
            scene.ending.container = ContainerEnd::Running;
        }))
        .unknown_exit(),
        Row::new("4 controller lease lost", "k8s_controller_lease_lost", gone(busy(text("More."))).with(|scene| {
            scene.ending.stop = Some(Stop::LeaseLost);
            scene.ending.container = ContainerEnd::Running;
        }))
        .unknown_exit(),
        Row::new("8b FLD-12 stopped after a good result", "", Scene::exited(143, busy(ok("Done."))).with(after_result)).exit(0, Value::Null),
        Row::new("20 FLD-12 stopped after a failed result", "claude_failed", Scene::exited(137, busy(failed(json!({ "result": "tool broke" })))).with(after_result))
            .exit(137, "SIGKILL"),
        Row::new("8c silent, a tool open", "k8s_silent_run", Scene::exited(143, stream([init(), text("Working."), tool_use("t1")])).with(silent_run))
            .exit(143, "SIGTERM"),
        Row::new("8c silent, nothing ever heard", "k8s_silent_run", Scene::exited(137, "").with(silent_run))
            .exit(137, "SIGKILL")
            .session("-")
            .recovery("bootstrap")
            .continues(),
        Row::new("5 schedule bound", "k8s_pod_schedule_failed", start_failure(|bound, seen| StartCause::ScheduleBound { bound, seen }))
            .unknown_exit()
            .session("-")
            .family("transient_upstream", IN_A_MINUTE)
            .recovery("bootstrap")
            .continues(),
        Row::new("6 start-up bound or fatal reason", "k8s_pod_schedule_failed", start_failure(|bound, seen| StartCause::StartupBound { bound, seen }))
            .unknown_exit()
            .session("-")
            .recovery("bootstrap"),
        Row::new(
            "7 refusal by stop reason",
            "claude_refusal",
            Scene::exited(1, busy(failed(json!({ "stop_reason": "refusal", "result": "API Error: can't help" })))),
        )
        .family("model_refusal", ""),
        Row::new(
            "7 refusal without is_error",
            "claude_refusal",
            Scene::exited(0, busy(failed(json!({ "stop_reason": "refusal", "is_error": false })))),
        )
        .exit(0, Value::Null)
        .family("model_refusal", ""),
        Row::new(
            "7 refusal by event",
            "claude_refusal",
            Scene::exited(1, stream([
                init(),
                json!({ "type": "system", "subtype": "model_refusal_no_fallback" }),
                failed(json!({ "result": "API Error: can't help" })),
            ])),
        )
        .family("model_refusal", ""),
        Row::new("8a empty answer", "llm_api_error", Scene::exited(0, idle(ok(""))))
            .exit(0, Value::Null)
            .family("transient_upstream", "")
            .recovery("bootstrap")
            .continues(),
        Row::new("8b success", "", Scene::exited(0, busy(ok("Done.")))).exit(0, Value::Null),
        Row::new("8b success, exit code 143", "", Scene::exited(143, busy(ok("Done.")))).exit(0, Value::Null),
        Row::new("8b success, stopped by a hook", "", Scene::exited(0, {
            let mut last = ok("");
            last["terminal_reason"] = "hook_stopped".into();
            idle(last)
        }))
        .exit(0, Value::Null),
        Row::new("9 deadline", "timeout", overrun(143, busy(text("More.")))).exit(143, "SIGTERM").continues(),
        Row::new("9 deadline, not verified", "timeout", overrun(0, busy(text("More."))).with(|scene| {
            scene.ending.container = ContainerEnd::Running;
            scene.ending.termination_verified = false;
        }))
        .unknown_exit(),
        Row::new(
            "10 session unknown",
            "session_unavailable",
            Scene::exited(1, stream([failed(json!({
                "subtype": "error_during_execution",
                "errors": ["No conversation found with session ID: 1"],
            }))])),
        )
        .session("clear")
        .recovery("bootstrap"),
        Row::new("10 session unknown, only on stderr", "session_unavailable", Scene::exited(1, "").with(|scene| {
            scene.ending.container = exit(1, Some("Error"), "No conversation found with session ID: 1\n");
        }))
        .session("clear")
        .recovery("bootstrap"),
        Row::new(
            "11 login",
            "claude_auth_required",
            Scene::exited(1, idle(failed(json!({ "api_error_status": 401, "result": "Invalid API key" })))),
        )
        .recovery("bootstrap")
        .continues(),
        Row::new(
            "11 login, after work",
            "claude_auth_required",
            Scene::exited(1, busy(failed(json!({ "api_error_status": 403 })))),
        )
        .continues(),
        Row::new(
            "12 usage limit",
            "provider_quota",
            Scene::exited(1, stream([
                init(),
                rejected_until(1_795_358_820),
                failed(json!({ "api_error_status": 429, "api_error": "usage_limit_reached", "result": "You've hit your limit" })),
            ])),
        )
        .family("provider_quota", "2026-11-22T14:47:00.000Z")
        .recovery("bootstrap")
        .continues(),
        Row::new(
            "13 credit",
            "provider_quota",
            Scene::exited(1, stream([
                init(),
                cli_error("billing_error"),
                failed(json!({ "api_error_status": 400, "result": "Credit balance is too low" })),
            ])),
        )
        .family("provider_quota", "")
        .recovery("bootstrap")
        .continues(),
        Row::new(
            "14 model not found",
            "model_not_found",
            Scene::exited(1, idle(failed(json!({ "api_error_status": 404 })))),
        )
        .recovery("bootstrap"),
        Row::new(
            "15 overload",
            "claude_transient_upstream",
            Scene::exited(1, idle(failed(json!({ "api_error_status": 529, "result": "API Error: 529 Overloaded." })))),
        )
        .family("transient_upstream", "")
        .recovery("bootstrap")
        .continues(),
        Row::new(
            "15 connection failure after work",
            "claude_transient_upstream",
            Scene::exited(1, busy(failed(json!({ "api_error": "connection_failed" })))),
        )
        .family("transient_upstream", "")
        .continues(),
        Row::new(
            "15 connection failure while a tool works",
            "claude_transient_upstream",
            Scene::exited(1, stream([init(), tool_use("t1"), failed(json!({ "api_error": "connection_failed" }))])),
        )
        .family("transient_upstream", ""),
        Row::new(
            "15 timeout known only from the CLI-made message",
            "claude_transient_upstream",
            Scene::exited(1, stream([init(), cli_error("server_error"), failed(json!({ "result": "?" }))])),
        )
        .family("transient_upstream", "")
        .recovery("bootstrap")
        .continues(),
        Row::new(
            "16 prompt too long",
            "claude_prompt_too_long",
            Scene::exited(1, idle(failed(json!({ "terminal_reason": "prompt_too_long" })))),
        )
        .session("clear")
        .recovery("bootstrap"),
        Row::new(
            "17 turn limit",
            "max_turns_exhausted",
            Scene::exited(1, busy(failed(json!({ "subtype": "error_max_turns", "errors": ["Reached maximum number of turns (1)"] })))),
        )
        .session("clear"),
        Row::new(
            "18 budget",
            "claude_budget_exhausted",
            Scene::exited(1, busy(failed(json!({ "subtype": "error_max_budget_usd" })))),
        ),
        Row::new(
            "19 empty reply",
            "llm_api_error",
            Scene::exited(1, idle(failed(json!({
                "subtype": "error_during_execution",
                "errors": ["[ede_diagnostic] result_type=assistant last_content_type=none stop_reason=null"],
            })))),
        )
        .family("transient_upstream", "")
        .recovery("bootstrap")
        .continues(),
        Row::new(
            "20 anything else, exit code 0",
            "claude_failed",
            Scene::exited(0, busy(failed(json!({ "subtype": "error_during_execution", "terminal_reason": "aborted_tools" })))),
        )
        .exit(0, Value::Null),
        Row::new("21 eviction", "k8s_pod_evicted", lost(evicted(), busy(text("More."))))
            .unknown_exit()
            .family("transient_upstream", IN_A_MINUTE),
        Row::new("21 eviction before anything was done", "k8s_pod_evicted", lost(evicted(), stream([init()])))
            .unknown_exit()
            .family("transient_upstream", IN_A_MINUTE)
            .recovery("bootstrap")
                .continues(),
        Row::new("21 FLD-17 the node lost the container", "k8s_pod_evicted", lost(
            PlatformLoss::ContainerLost { reason: "Unknown".to_owned(), message: String::new() },
            busy(text("More.")),
        ))
        .unknown_exit()
        .family("transient_upstream", IN_A_MINUTE),
        Row::new("21 FLD-18 over a limit of its own", "k8s_pod_evicted", lost(
            PlatformLoss::OverLimit {
                message: "Usage of EmptyDir volume \"paperclip-scratch\" exceeds the limit \"1Mi\". ".to_owned(),
                key: "cacheSizeLimit",
            },
            busy(text("More.")),
        ))
        .unknown_exit(),
        Row::new("22 deleted by others", "k8s_job_deleted_externally", gone(busy(text("More."))).with(|scene| {
            scene.ending.deletion = Some(deletion());
        }))
        .unknown_exit(),
        Row::new("22 deleted before the start", "k8s_job_deleted_externally", gone(String::new()).with(|scene| {
            scene.ending.container = ContainerEnd::NeverStarted;
            scene.ending.deletion = Some(deletion());
        }))
        .unknown_exit()
        .session("-")
        .recovery("bootstrap"),
        Row::new(
            "23 suspended again",
            "k8s_pod_evicted",
            lost(PlatformLoss::Replaced { detail: "the Job was suspended after its pod had started".to_owned() }, busy(text("More."))),
        )
        .unknown_exit()
        .family("transient_upstream", IN_A_MINUTE),
        Row::new(
            "24 node silent",
            "k8s_node_lost",
            lost(PlatformLoss::NodeLost { node: "node-7".to_owned() }, busy(text("More."))),
        )
        .unknown_exit(),
        Row::new(
            "25 events after the result",
            "claude_truncated",
            Scene::exited(0, background_result(ok("Started."), text("Next."))),
        )
        .exit(0, Value::Null),
        Row::new(
            "25 background task killed after the result",
            "claude_truncated",
            Scene::exited(143, background_result(ok("Started."), json!({
                "type": "system", "subtype": "task_updated", "patch": { "status": "killed" } }))),
        )
        .exit(143, "SIGTERM"),
        Row::new("25 out of memory", "claude_truncated", Scene::exited(0, busy(text("More."))).with(|scene| {
            scene.ending.container = exit(137, Some("OOMKilled"), "");
        }))
        .exit(137, "SIGKILL"),
        Row::new("26 bad flag", "claude_start_failed", Scene::exited(0, "").with(|scene| {
            scene.ending.container = exit(1, Some("Error"), "error: unknown option '--no-such-flag'\n");
        }))
        .session("-")
        .recovery("bootstrap"),
        Row::new(
            "26 foreign architecture",
            "claude_start_failed",
            Scene::exited(255, "exec /bin/sh: exec format error\n"),
        )
        .exit(255, Value::Null)
        .session("-")
        .recovery("bootstrap"),
        Row::new(
            "26 broken settings, reported as a result",
            "claude_start_failed",
            Scene::exited(1, stream([failed(json!({
                "subtype": "error_during_execution", "startup_failure_reason": "config_file_invalid",
                "errors": ["Configuration error in /home/.claude.json: JSON Parse error"],
            }))])),
        )
        .session("-")
        .recovery("bootstrap"),
        Row::new("27 init only", "claude_no_result", Scene::exited(137, stream([init()])))
            .exit(137, "SIGKILL")
            .recovery("bootstrap"),
        Row::new("27 init only, exit code 0", "claude_no_result", Scene::exited(0, stream([init()]))).exit(0, Value::Null),
        Row::new("28 nothing known", "k8s_outcome_unknown", gone(String::new()).with(|scene| {
            scene.ending.log.complete = false;
            scene.ending.log.readable = false;
        }))
        .unknown_exit()
        .session("-"),
    ]
}

#[test]
fn every_row_of_the_decision_table_says_what_the_specification_says() {
    for row in table() {
        let result = row.scene.json();
        let name = row.name;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!(text(&result["errorCode"]), row.code, "{name}: {result}");
        assert_eq!(result["timedOut"], row.code == "timeout", "{name}");
        assert_eq!((result["exitCode"].clone(), result["signal"].clone()), row.exit, "{name}");
        assert_eq!(result["errorMessage"].is_null(), row.code.is_empty(), "{name}");
        let session = match (&result["sessionId"], result["clearSession"].as_bool()) {
            (Value::String(id), None) if id == SESSION => "keep",
            (Value::Null, Some(true)) => "clear",
            (Value::Null, None) => "-",
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(session, row.session, "{name}");
        assert_eq!(text(&result["errorFamily"]), row.family, "{name}");
        assert_eq!(text(&result["retryNotBefore"]), row.retry, "{name}");
        assert_eq!(text(&result["executionRecovery"]["kind"]), row.recovery, "{name}");
        assert_eq!(result["executionRecovery"], result["resultJson"]["executionRecovery"], "{name}");
        let acknowledgement = &result["resultJson"]["executionCancellation"]["state"];
        assert_eq!(acknowledgement == "acknowledged", row.acknowledged, "{name}");
        let continues = result["resultJson"]["conversationContinuation"] == "continue_conversation_v1";
        assert_eq!(continues, row.continues, "{name}");
    }
}

#[test]
fn the_table_test_covers_every_row() {
    let covered: BTreeSet<String> = table().iter().map(|row| row.name.split(' ').next().unwrap().to_owned()).collect();
    let mut rows: BTreeSet<String> = (1..=28).filter(|row| *row != 8).map(|row: u8| row.to_string()).collect();
    rows.extend(["8a", "8b", "8c"].map(str::to_owned));
    assert_eq!(covered, rows);
}

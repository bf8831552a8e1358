//! The decision table, row by row: evidence in, the host's object out.

use std::collections::BTreeSet;

use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::outcome::{
    AdoptedRun, Billing, ContainerEnd, Deletion, PlatformLoss, RunFacts, StartFailure, Stop, refused,
};
use claude_k8s_core::transcript::Usage;
use serde_json::{Value, json};

use crate::outcome_scene::{
    SESSION, Scene, cli_error, exit, failed, init, now, ok, stream, text, tool_result, tool_use,
};

/// What a row has to say. `session`: `keep` stores, `clear` forgets, `-` says nothing.
struct Row {
    name: &'static str,
    scene: Scene,
    code: &'static str,
    exit: (Value, Value),
    session: &'static str,
    family: &'static str,
    retry: &'static str,
    recovery: &'static str,
    acknowledged: bool,
}

impl Row {
    fn new(name: &'static str, code: &'static str, scene: Scene) -> Self {
        Self {
            name,
            scene,
            code,
            exit: (1.into(), Value::Null),
            session: "keep",
            family: "",
            retry: "",
            recovery: "",
            acknowledged: false,
        }
    }

    fn exit(mut self, code: impl Into<Value>, signal: impl Into<Value>) -> Self {
        self.exit = (code.into(), signal.into());
        self
    }

    fn unknown_exit(self) -> Self {
        self.exit(Value::Null, Value::Null)
    }

    fn session(mut self, session: &'static str) -> Self {
        self.session = session;
        self
    }

    fn family(mut self, family: &'static str, retry: &'static str) -> Self {
        (self.family, self.retry) = (family, retry);
        self
    }

    fn recovery(mut self, recovery: &'static str) -> Self {
        self.recovery = recovery;
        self
    }

    fn acknowledged(mut self) -> Self {
        self.acknowledged = true;
        self
    }
}

const IN_A_MINUTE: &str = "2026-11-22T12:01:00.000Z";

/// The model spoke and a tool ran, then `last`.
fn busy(last: Value) -> String {
    stream([init(), text("Working."), tool_use("t1"), tool_result("t1", false), last])
}

/// Nothing but a failure.
fn idle(last: Value) -> String {
    stream([init(), last])
}

fn cancelled(output: String) -> Scene {
    Scene::exited(143, output).with(|scene| scene.stop = Some(Stop::Cancelled { forced: false }))
}

fn gone(output: String) -> Scene {
    Scene::exited(0, output).with(|scene| scene.container = ContainerEnd::PodGone)
}

fn start_failure(schedule_bound: bool) -> Scene {
    Scene::exited(0, "").with(|scene| {
        scene.container = ContainerEnd::NeverStarted;
        let message = "Pod did not start within 600s (`startupTimeoutSec`): Pending; events: ErrImagePull".to_owned();
        scene.start_failure = Some(StartFailure { schedule_bound, message });
    })
}

fn lost(platform: PlatformLoss, output: String) -> Scene {
    gone(output).with(|scene| scene.platform = Some(platform))
}

fn evicted() -> PlatformLoss {
    PlatformLoss::Evicted { reason: "EvictionByEvictionAPI".to_owned(), message: "node drain".to_owned() }
}

fn deletion() -> Deletion {
    Deletion {
        detected_via: "job_404".to_owned(),
        job_conditions: vec!["Suspended".to_owned()],
        elapsed_since_running: Some(42),
    }
}

fn rejected_until(second: i64) -> Value {
    json!({ "type": "rate_limit_event", "rate_limit_info": { "status": "rejected", "resetsAt": second } })
}

fn background_result(result: Value, then: Value) -> String {
    stream([init(), text("Started."), result, then])
}

/// All rows of the table, several per row where it names several cases.
pub(crate) fn rows() -> Vec<(&'static str, Scene)> {
    table().into_iter().map(|row| (row.name, row.scene)).collect()
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<Row> {
    let before_release = || {
        Scene::exited(0, "").with(|scene| {
            scene.stop = Some(Stop::CancelledBeforeRelease);
            scene.container = ContainerEnd::NeverStarted;
        })
    };
    let overrun = |code, output| Scene::exited(code, output).with(|scene| scene.deadline_passed = true);
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
            scene.container = ContainerEnd::NeverStarted;
        }))
        .unknown_exit()
        .session("-")
        .recovery("bootstrap")
        .acknowledged(),
        Row::new("3 cancel, not verified", "cancelled", cancelled(busy(text("More."))).with(|scene| {
            scene.termination_verified = false;
            scene.container = ContainerEnd::Running;
        }))
        .unknown_exit(),
        Row::new("4 controller lease lost", "k8s_controller_lease_lost", gone(busy(text("More."))).with(|scene| {
            scene.stop = Some(Stop::LeaseLost);
            scene.container = ContainerEnd::Running;
        }))
        .unknown_exit(),
        Row::new("5 schedule bound", "k8s_pod_schedule_failed", start_failure(true))
            .unknown_exit()
            .session("-")
            .family("transient_upstream", IN_A_MINUTE)
            .recovery("bootstrap"),
        Row::new("6 start-up bound or fatal reason", "k8s_pod_schedule_failed", start_failure(false))
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
            .recovery("bootstrap"),
        Row::new("8b success", "", Scene::exited(0, busy(ok("Done.")))).exit(0, Value::Null),
        Row::new("8b success, exit code 143", "", Scene::exited(143, busy(ok("Done.")))).exit(0, Value::Null),
        Row::new("8b success, stopped by a hook", "", Scene::exited(0, {
            let mut last = ok("");
            last["terminal_reason"] = "hook_stopped".into();
            idle(last)
        }))
        .exit(0, Value::Null),
        Row::new("9 deadline", "timeout", overrun(143, busy(text("More.")))).exit(143, "SIGTERM"),
        Row::new("9 deadline, not verified", "timeout", overrun(0, busy(text("More."))).with(|scene| {
            scene.container = ContainerEnd::Running;
            scene.termination_verified = false;
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
            scene.container = exit(1, Some("Error"), "No conversation found with session ID: 1\n");
        }))
        .session("clear")
        .recovery("bootstrap"),
        Row::new(
            "11 login",
            "claude_auth_required",
            Scene::exited(1, idle(failed(json!({ "api_error_status": 401, "result": "Invalid API key" })))),
        )
        .recovery("bootstrap"),
        Row::new(
            "11 login, after work",
            "claude_auth_required",
            Scene::exited(1, busy(failed(json!({ "api_error_status": 403 })))),
        ),
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
        .recovery("bootstrap"),
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
        .recovery("bootstrap"),
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
        .recovery("bootstrap"),
        Row::new(
            "15 connection failure after work",
            "claude_transient_upstream",
            Scene::exited(1, busy(failed(json!({ "api_error": "connection_failed" })))),
        )
        .family("transient_upstream", ""),
        Row::new(
            "15 timeout known only from the CLI-made message",
            "claude_transient_upstream",
            Scene::exited(1, stream([init(), cli_error("server_error"), failed(json!({ "result": "?" }))])),
        )
        .family("transient_upstream", "")
        .recovery("bootstrap"),
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
        .recovery("bootstrap"),
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
            .recovery("bootstrap"),
        Row::new("22 deleted by others", "k8s_job_deleted_externally", gone(busy(text("More."))).with(|scene| {
            scene.deletion = Some(deletion());
        }))
        .unknown_exit(),
        Row::new("22 deleted before the start", "k8s_job_deleted_externally", gone(String::new()).with(|scene| {
            scene.container = ContainerEnd::NeverStarted;
            scene.deletion = Some(deletion());
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
            scene.container = exit(137, Some("OOMKilled"), "");
        }))
        .exit(137, "SIGKILL"),
        Row::new("26 bad flag", "claude_start_failed", Scene::exited(0, "").with(|scene| {
            scene.container = exit(1, Some("Error"), "error: unknown option '--no-such-flag'\n");
        }))
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
            scene.log.complete = false;
            scene.log.readable = false;
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
    }
}

#[test]
fn the_table_test_covers_every_row() {
    let covered: BTreeSet<String> = table().iter().map(|row| row.name.split(' ').next().unwrap().to_owned()).collect();
    let mut rows: BTreeSet<String> = (1..=28).filter(|row| *row != 8).map(|row: u8| row.to_string()).collect();
    rows.extend(["8a".to_owned(), "8b".to_owned()]);
    assert_eq!(covered, rows);
}

/// Codes that come from refusals before the launch.
const PRE_LAUNCH: &[ErrorCode] = &[
    ErrorCode::AdapterEngineUnavailable,
    ErrorCode::ConfigurationIncomplete,
    ErrorCode::AgentIdInvalid,
    ErrorCode::CompanyIdInvalid,
    ErrorCode::ApiUnreachable,
    ErrorCode::RbacInsufficient,
    ErrorCode::ConcurrencyGuardUnreachable,
    ErrorCode::ConcurrentRunBlocked,
    ErrorCode::OrphanTaskUnknown,
    ErrorCode::OrphanSessionMismatch,
    ErrorCode::PodReattachFailed,
    ErrorCode::PromptSecretCreateFailed,
    ErrorCode::PromptTooLarge,
    ErrorCode::BundleUnavailable,
    ErrorCode::JobCreateFailed,
    ErrorCode::JobIdentityUnacknowledged,
];

#[test]
fn every_error_code_is_produced_by_a_row_or_by_a_refusal() {
    let mut produced: BTreeSet<&str> = table().iter().map(|row| row.code).filter(|code| !code.is_empty()).collect();
    for code in PRE_LAUNCH.iter().chain(&[ErrorCode::InternalError]) {
        let result = refused(&Refusal::new(*code, "why"), &RunFacts::default(), now());
        assert!(produced.insert(result.error_code.unwrap().as_str()), "{code} comes from a row and from a refusal");
    }
    let all: BTreeSet<&str> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(produced, all);
    assert_eq!(all.len(), ErrorCode::ALL.len());
}

#[test]
fn every_error_code_has_its_section_in_the_troubleshooting_page() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/troubleshooting.md")).unwrap();
    let mut rest = page.as_str();
    for code in ErrorCode::ALL {
        let heading = format!("\n### `{code}`\n");
        let at = rest.find(&heading).unwrap_or_else(|| panic!("`{code}` is missing or out of order"));
        rest = &rest[at + heading.len()..];
        let section = rest.split("\n### ").next().unwrap();
        for part in ["**Meaning:**", "**You see:**", "**Do next:**"] {
            assert!(section.contains(part), "`{code}` has no {part}");
        }
        let (meaning, _) = code.meaning();
        assert!(section.to_lowercase().contains(&meaning.to_lowercase()), "`{code}` does not say: {meaning}");
    }
    assert_eq!(page.matches("\n### `").count(), ErrorCode::ALL.len());
}

#[test]
fn a_refusal_has_bootstrap_evidence_and_touches_no_session() {
    let refusal = Refusal::new(ErrorCode::ConcurrentRunBlocked, "Another run of this agent is active: Job `a`")
        .reason("k8s_guard")
        .transient(Some(60))
        .meta(json!({ "keys": ["guardWaitSec"] }));
    let result = serde_json::to_value(refused(&refusal, &RunFacts::default(), now())).unwrap();
    assert_eq!(
        result,
        json!({
            "exitCode": null, "signal": null, "timedOut": false,
            "errorMessage": "Another run of this agent is active: Job `a`",
            "errorCode": "k8s_concurrent_run_blocked", "errorFamily": "transient_upstream",
            "retryNotBefore": IN_A_MINUTE, "errorMeta": { "keys": ["guardWaitSec"] },
            "executionRecovery": { "kind": "bootstrap", "providerWorkStarted": false },
            "resultJson": {
                "k8s": { "job": null, "uid": null, "namespace": null, "pod": null, "node": null, "attempts": 0,
                    "adopted": false, "adoptedRun": null, "warnings": [], "degraded": [], "reason": "k8s_guard" },
                "executionRecovery": { "kind": "bootstrap", "providerWorkStarted": false },
            },
        })
    );
}

#[test]
fn res_12_a_defect_or_a_refused_second_attempt_is_no_proof_that_nothing_ran() {
    let internal = refused(&Refusal::new(ErrorCode::InternalError, "x"), &RunFacts::default(), now());
    assert_eq!(internal.execution_recovery, None);
    let second = RunFacts { attempts: 2, ..RunFacts::default() };
    assert_eq!(refused(&Refusal::new(ErrorCode::JobCreateFailed, "x"), &second, now()).execution_recovery, None);
}

#[test]
fn end_04_a_success_after_the_deadline_is_a_success_and_exit_code_0_is_never_a_timeout() {
    let late = Scene::exited(143, busy(ok("Done."))).with(|scene| scene.deadline_passed = true).json();
    assert_eq!((&late["errorCode"], &late["timedOut"], &late["exitCode"]), (&Value::Null, &false.into(), &0.into()));
    let clean = Scene::exited(0, stream([init()])).with(|scene| scene.deadline_passed = true).json();
    assert_eq!((&clean["errorCode"], &clean["timedOut"]), (&"claude_no_result".into(), &false.into()));
}

#[test]
fn end_06_an_exit_code_that_the_kubelet_made_up_is_unknown() {
    let result = Scene::exited(0, stream([init()]))
        .with(|scene| scene.container = exit(137, Some("ContainerStatusUnknown"), ""))
        .json();
    assert_eq!((&result["errorCode"], &result["exitCode"]), (&"k8s_outcome_unknown".into(), &Value::Null));
}

#[test]
fn end_06_no_exit_code_and_no_result_is_never_a_success() {
    for container in [
        ContainerEnd::PodGone,
        ContainerEnd::Running,
        ContainerEnd::NeverStarted,
        ContainerEnd::NotReported { pod_phase: "Succeeded".to_owned() },
    ] {
        for output in [String::new(), stream([init()]), busy(text("More."))] {
            let result = Scene::exited(0, output).with(|scene| scene.container = container.clone()).json();
            assert!(result["errorCode"].is_string() && result["exitCode"].is_null(), "{container:?}: {result}");
        }
    }
}

#[test]
fn end_08_a_captured_result_decides_although_job_pod_and_log_are_gone() {
    let result = gone(busy(ok("Done."))).with(|scene| {
        scene.deletion = Some(deletion());
        scene.log.complete = false;
    });
    let result = result.json();
    assert_eq!(
        (&result["errorCode"], &result["exitCode"], &result["summary"]),
        (&Value::Null, &0.into(), &"Done.".into())
    );
}

#[test]
fn end_11_state_late_pod_gone_and_exit_known_are_three_messages() {
    let message = |container: ContainerEnd| {
        let scene = Scene::exited(0, busy(text("More."))).with(|scene| scene.container = container);
        scene.json()["errorMessage"].as_str().unwrap().to_owned()
    };
    assert!(message(ContainerEnd::PodGone).ends_with("; pod is gone"));
    let late = message(ContainerEnd::NotReported { pod_phase: "Failed".to_owned() });
    assert!(late.ends_with("; container state not reported (pod phase=Failed)"), "{late}");
    assert!(message(exit(3, Some("Error"), "")).ends_with("; exit code 3"));
}

#[test]
fn can_06_a_cancelled_run_keeps_output_session_and_usage_whatever_the_exit_code() {
    for code in [0, 137, 143] {
        let result = cancelled(busy(failed(json!({ "api_error_status": 500 }))))
            .with(|scene| scene.container = exit(code, None, ""))
            .json();
        assert_eq!(result["errorCode"], "cancelled");
        assert_eq!(result["sessionId"], SESSION);
        assert_eq!(result["usage"], json!({ "inputTokens": 120, "outputTokens": 26, "cachedInputTokens": 50 }));
        assert_eq!(result["costUsd"], 0.25);
        assert_eq!(result.get("summary"), None);
    }
    let success = cancelled(busy(ok("Done."))).json();
    assert_eq!((&success["errorCode"], &success["resultJson"]["resultText"]), (&"cancelled".into(), &"Done.".into()));
}

#[test]
fn can_06_the_acknowledgement_has_the_shape_the_host_reads() {
    let result =
        cancelled(busy(text("More."))).with(|scene| scene.stop = Some(Stop::Cancelled { forced: true })).json();
    assert_eq!(
        result["resultJson"]["executionCancellation"],
        json!({ "state": "acknowledged", "acknowledgedAt": "2026-11-22T12:00:00.000Z", "forced": true })
    );
    assert_eq!(
        result["executionRecovery"],
        json!({ "kind": "interrupted", "providerStopped": true, "sessionPreserved": true, "actionOutcomes": "settled" })
    );
}

#[test]
fn can_07_doubtful_work_gives_no_interrupted_evidence() {
    let background = |tasks: Value| json!({ "type": "system", "subtype": "background_tasks_changed", "tasks": tasks });
    let stopped = json!({ "type": "system", "subtype": "task_notification", "status": "stopped" });
    for (why, output) in [
        ("open call", stream([init(), tool_use("t1"), tool_use("t2"), tool_result("t1", false)])),
        ("open call of a subagent", {
            let mut call = tool_use("t1");
            call["parent_tool_use_id"] = "agent".into();
            stream([init(), call])
        }),
        ("tool killed with the run", stream([init(), tool_use("t1"), tool_result("t1", true)])),
        ("background task", stream([init(), text("a"), background(json!([{ "task_id": "b" }]))])),
        ("background task stopped with the run", stream([init(), text("a"), stopped, background(json!([]))])),
        (
            "call without an id",
            stream([init(), json!({ "type": "assistant", "message": { "content": [{ "type": "tool_use" }] } })]),
        ),
    ] {
        assert_eq!(cancelled(output).json().get("executionRecovery"), None, "{why}");
    }
    let unread = cancelled(busy(text("More."))).with(|scene| scene.log.complete = false);
    assert_eq!(unread.json().get("executionRecovery"), None, "the end of the log was not read");
    let gap = cancelled(busy(text("More."))).with(|scene| scene.log.gaps = vec![json!({})]);
    assert_eq!(gap.json().get("executionRecovery"), None, "a line may be missing");
    let volatile = cancelled(busy(text("More."))).with(|scene| scene.session.persistent = false);
    assert_eq!(volatile.json().get("executionRecovery"), None, "the session is gone");
    let answered = stream([init(), tool_use("t1"), tool_result("t1", true), text("It failed.")]);
    assert_eq!(cancelled(answered).json()["executionRecovery"]["kind"], "interrupted", "a failure the model has seen");
}

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
                scene.container = exit(1, None, "Error: --resume requires a valid session ID or session title");
            }
        });
        assert!(scene.wants_fresh_attempt(), "{}", scene.output);
    }
    let refusals: [(&str, Scene); 9] = [
        ("was not resumed", unusable().with(|scene| scene.session.resumed = None)),
        ("retry used", unusable().with(|scene| scene.fresh_attempt_used = true)),
        ("second attempt", unusable().with(|scene| scene.run.attempts = 2)),
        ("cancelled", unusable().with(|scene| scene.stop = Some(Stop::Cancelled { forced: false }))),
        ("deadline", unusable().with(|scene| scene.deadline_passed = true)),
        ("deleted by others", unusable().with(|scene| scene.deletion = Some(deletion()))),
        ("pod gone", unusable().with(|scene| scene.container = ContainerEnd::PodGone)),
        ("log incomplete", unusable().with(|scene| scene.log.complete = false)),
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

    let timeout = second(143, String::new()).with(|scene| scene.deadline_passed = true).json();
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
        .with(|scene| scene.container = exit(137, Some("OOMKilled"), ""))
        .json();
    let message = result["errorMessage"].as_str().unwrap();
    assert!(message.contains("API Error: 500") && message.contains("reason=OOMKilled"), "{message}");
    assert!(message.contains("`resources.limits.memory`"), "{message}");
}

#[test]
fn res_06_a_failure_without_a_parsed_error_quotes_the_last_stderr_lines() {
    let noise = "first line that is too old\n".repeat(60);
    let scene = Scene::exited(0, "")
        .with(|scene| scene.container = exit(2, None, &format!("{noise}bash: claude: not found\n")));
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
    assert_eq!(overload().with(|scene| scene.log.complete = false).json().get("executionRecovery"), None);
    assert_eq!(overload().with(|scene| scene.log.gaps = vec![json!({})]).json().get("executionRecovery"), None);
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
    let mut last = failed(json!({ "result": "API Error: 500", "api_error_status": 500, "subtype": "success" }));
    last["conversationContinuation"] = "continue_conversation_v1".into();
    last["executionRecovery"] = json!({ "kind": "bootstrap", "providerWorkStarted": false });
    last["summary"] = "x".into();
    let json = Scene::exited(1, busy(last)).json()["resultJson"].clone();
    assert_eq!((json.get("result"), &json["resultText"]), (None, &"API Error: 500".into()));
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
fn without_a_result_the_host_gets_the_end_of_the_output() {
    let result = Scene::exited(1, "plain\n").json();
    assert_eq!(result["resultJson"]["stdout"], "plain\n");
    assert_eq!(result["resultJson"]["stdoutBytes"], 6);
}

#[test]
fn the_kubernetes_facts_are_complete() {
    let scene = Scene::exited(137, busy(text("More."))).with(|scene| {
        scene.run.warnings = vec!["`ttlSecondsAfterFinished` 0 became 60".to_owned()];
        scene.log.gaps = vec![json!({ "reason": "rotation" })];
        scene.log.bytes = 99;
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

//! How a run ends and how it is cancelled: END-04, END-06, END-08, END-11, CAN-06, CAN-07.

use claude_k8s_core::outcome::{ContainerEnd, Stop, is_good};
use claude_k8s_core::view::Terminated;
use serde_json::{Value, json};

use crate::outcome_scene::{
    SESSION, Scene, busy, cancelled, deletion, exit, failed, gone, idle, init, ok, stream, text, tool_result, tool_use,
};

#[test]
fn end_04_a_success_after_the_deadline_is_a_success_and_exit_code_0_is_never_a_timeout() {
    let late = Scene::exited(143, busy(ok("Done."))).with(|scene| scene.ending.deadline_passed = true).json();
    assert_eq!((&late["errorCode"], &late["timedOut"], &late["exitCode"]), (&Value::Null, &false.into(), &0.into()));
    let clean = Scene::exited(0, stream([init()])).with(|scene| scene.ending.deadline_passed = true).json();
    assert_eq!((&clean["errorCode"], &clean["timedOut"]), (&"claude_no_result".into(), &false.into()));
}

#[test]
fn end_06_an_exit_code_that_the_kubelet_made_up_is_unknown() {
    let result = Scene::exited(0, stream([init()]))
        .with(|scene| scene.ending.container = exit(137, Some("ContainerStatusUnknown"), ""))
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
            let result = Scene::exited(0, output).with(|scene| scene.ending.container = container.clone()).json();
            assert!(result["errorCode"].is_string() && result["exitCode"].is_null(), "{container:?}: {result}");
        }
    }
}

#[test]
fn end_08_a_captured_result_decides_although_job_pod_and_log_are_gone() {
    let result = gone(busy(ok("Done."))).with(|scene| {
        scene.ending.deletion = Some(deletion());
        scene.ending.log.complete = false;
    });
    let result = result.json();
    assert_eq!(
        (&result["errorCode"], &result["exitCode"], &result["summary"]),
        (&Value::Null, &0.into(), &"Done.".into())
    );
}

#[test]
fn fld_20_an_image_that_cannot_be_executed_is_a_failed_start_although_no_script_said_its_end() {
    let result =
        Scene::exited(255, "exec /bin/sh: exec format error\n").with(|scene| scene.ending.log.complete = false);
    let result = result.json();
    assert_eq!(result["errorCode"], "claude_start_failed");
    let message = result["errorMessage"].as_str().unwrap();
    assert!(message.contains("another architecture than node"), "{message}");
}

/// What the run state relies on when it decides without asking the cluster.
#[test]
fn end_10_with_exit_code_0_behind_it_a_good_result_is_a_success_whatever_else_is_known() {
    let mut good = 0;
    for (name, scene) in crate::outcome_rows::rows() {
        if !is_good(&scene.transcript()) {
            continue;
        }
        good += 1;
        let said = Terminated { exit_code: 0, ..Terminated::default() };
        let scene = scene.with(|scene| {
            scene.ending.container = ContainerEnd::Said(said);
            scene.ending.stop = None;
            scene.ending.start_failure = None;
        });
        let result = scene.json();
        assert_eq!((&result["errorCode"], &result["exitCode"]), (&Value::Null, &0.into()), "{name}");
        assert_eq!(result["resultJson"]["k8s"]["exitCode"], 0, "{name}");
    }
    assert!(good >= 3, "{good}");
}

#[test]
fn end_10_what_the_cluster_may_still_explain_is_not_good_enough_to_end_a_run() {
    let background = json!({ "type": "system", "subtype": "background_tasks_changed", "tasks": [{ "task_id": "b" }] });
    let refused = failed(json!({ "is_error": false, "stop_reason": "refusal", "result": "No." }));
    for (name, output) in [
        ("no result", busy(text("More."))),
        ("a failed one", busy(failed(json!({})))),
        ("a refusal", busy(refused)),
        ("an answer without anything", idle(ok(""))),
        ("a turn behind it", format!("{}{}", busy(ok("Done.")), stream([text("And another thing.")]))),
        ("an open background task", format!("{}{}", busy(ok("Done.")), stream([background]))),
        ("a turn that has just begun", format!("{}{}", busy(ok("Done.")), stream([init()]))),
    ] {
        assert!(!is_good(&Scene::exited(0, output).transcript()), "{name}");
    }
    assert!(is_good(&Scene::exited(0, busy(ok("Done."))).transcript()));
}

#[test]
fn end_11_state_late_pod_gone_and_exit_known_are_three_messages() {
    let message = |container: ContainerEnd| {
        let scene = Scene::exited(0, busy(text("More."))).with(|scene| scene.ending.container = container);
        scene.json()["errorMessage"].as_str().unwrap().to_owned()
    };
    assert!(message(ContainerEnd::PodGone).ends_with("; pod is gone"));
    let late = message(ContainerEnd::NotReported { pod_phase: "Failed".to_owned() });
    assert!(late.ends_with("; container state not reported (pod phase=Failed)"), "{late}");
    assert!(message(exit(3, Some("Error"), "")).ends_with("; exit code 3"));
    let said = message(ContainerEnd::Said(Terminated { exit_code: 3, ..Terminated::default() }));
    assert!(said.ends_with("; exit code 3, by its own word: the kubelet reported no end"), "{said}");
}

#[test]
fn log_06_a_result_that_was_never_written_is_told_apart_from_one_that_may_be_lost() {
    for (complete, gaps, said) in [
        (true, vec![], "no result event"),
        (true, vec![json!({})], "no result event was seen, but lines of its log are missing"),
        (false, vec![], "no result event was seen, but the end of its log could not be read"),
        (false, vec![json!({})], "no result event was seen, but the end of its log could not be read"),
    ] {
        for output in [stream([init()]), stream([init(), tool_use("t1"), tool_result("t1", false)])] {
            let scene = Scene::exited(0, output).with(|scene| {
                scene.ending.log.complete = complete;
                scene.ending.log.gaps.clone_from(&gaps);
            });
            let message = scene.json()["errorMessage"].as_str().unwrap().to_owned();
            assert!(message.contains(said), "{message}");
            assert_eq!(message.contains("was seen"), said.contains("was seen"), "{message}");
        }
    }
}

#[test]
fn can_06_a_cancelled_run_keeps_output_session_and_usage_whatever_the_exit_code() {
    for code in [0, 137, 143] {
        let result = cancelled(busy(failed(json!({ "api_error_status": 500 }))))
            .with(|scene| scene.ending.container = exit(code, None, ""))
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
        cancelled(busy(text("More."))).with(|scene| scene.ending.stop = Some(Stop::Cancelled { forced: true })).json();
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
    let unread = cancelled(busy(text("More."))).with(|scene| scene.ending.log.complete = false);
    assert_eq!(unread.json().get("executionRecovery"), None, "the end of the log was not read");
    let gap = cancelled(busy(text("More."))).with(|scene| scene.ending.log.gaps = vec![json!({})]);
    assert_eq!(gap.json().get("executionRecovery"), None, "a line may be missing");
    let volatile = cancelled(busy(text("More."))).with(|scene| scene.session.persistent = false);
    assert_eq!(volatile.json().get("executionRecovery"), None, "the session is gone");
    let answered = stream([init(), tool_use("t1"), tool_result("t1", true), text("It failed.")]);
    assert_eq!(cancelled(answered).json()["executionRecovery"]["kind"], "interrupted", "a failure the model has seen");
}

//! The reader: bad lines, other shapes, bounds.

use claude_k8s_core::transcript::Transcript;
use serde_json::json;

use crate::outcome_scene::{SESSION, init, ok, stream, text, tool_use};

fn read(output: &[u8]) -> Transcript {
    let mut transcript = Transcript::default();
    output.split(|byte| *byte == b'\n').for_each(|line| transcript.line(line));
    transcript
}

#[test]
fn res_04_garbage_between_events_changes_nothing() {
    let garbage = [
        "",
        "   ",
        "plain",
        "{",
        "}",
        "{}",
        "[]",
        "null",
        "\"x\"",
        r#"{"type":"result""#,
        r#"{"type":null}"#,
        r#"{"type":"result","type":"result"}"#,
        r#"{"type":"assistant","message":7}"#,
        r#"{"type":"system","subtype":[]}"#,
        r#"{"type":"user","message":{"content":[1,"x",null,{"tool_use_id":{}}]}}"#,
        "{\"a\":\"\u{0}\"}",
    ];
    let clean = stream([init(), text("Hello."), tool_use("t1"), ok("Hello.")]);
    let noisy = clean.lines().fold(String::new(), |all, line| {
        let noise: Vec<&str> = garbage.iter().copied().filter(|line| !line.contains("result")).collect();
        let noise = noise.join(
            "
",
        );
        format!("{all}{noise}\n{line}\r\n")
    });
    let (clean, noisy) = (read(clean.as_bytes()), read(noisy.as_bytes()));
    assert_eq!(noisy.last_result(), clean.last_result());
    assert_eq!((noisy.inits(), noisy.results(), noisy.tool_calls()), (1, 1, 1));
    assert_eq!((noisy.session_id(), noisy.usage()), (Some(SESSION), clean.usage()));
    for line in garbage {
        assert!(!read(line.as_bytes()).last_result().is_some_and(|result| result.ok), "{line}");
    }
}

#[test]
fn res_04_members_of_another_shape_cost_only_themselves() {
    let odd = json!({
        "result": "Done.", "is_error": false, "subtype": "success", "session_id": SESSION, "stop_reason": { "new": 1 },
        "terminal_reason": 7, "errors": "none", "api_error_status": "500", "modelUsage": [], "usage": "x",
        "model_usage_since_last_result": { "m": 5, "n": { "inputTokens": "3", "outputTokens": 4.0, "costUSD": -1 } },
        "total_cost_usd": null, "type": "result",
    });
    let transcript = read(stream([init(), text("x"), odd]).as_bytes());
    let result = transcript.last_result().unwrap();
    assert!(result.ok && result.text == "Done." && result.terminal_reason.is_none() && result.errors.is_empty());
    assert_eq!(transcript.usage().map(|usage| (usage.input_tokens, usage.output_tokens)), Some((0, 4)));
}

#[test]
fn res_04_a_result_with_a_lone_surrogate_or_invalid_utf_8_still_counts() {
    let line = br#"{"type":"result","subtype":"success","is_error":false,"result":"cut \ud83d"}"#;
    assert_eq!(read(line).last_result().unwrap().text, "cut \u{fffd}");
    let line = b"{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"cut \xf0\x9f\"}";
    assert!(read(line).last_result().is_some_and(|result| result.ok));
}

#[test]
fn res_04_a_result_nested_deeper_than_json_values_may_be_still_counts() {
    let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
    let line = format!(r#"{{"type":"result","subtype":"success","is_error":false,"result":"Done.","new":{deep}}}"#);
    let transcript = read(line.as_bytes());
    assert!(transcript.last_result().is_some_and(|result| result.ok && result.text == "Done."));
}

#[test]
fn log_13_what_is_kept_does_not_grow_with_the_log() {
    let mut transcript = Transcript::default();
    let big = text(&"word ".repeat(2000)).to_string();
    for number in 0..2000 {
        transcript.line(big.as_bytes());
        transcript.line(tool_use(&format!("open-{number}")).to_string().as_bytes());
        transcript.line(tool_use(&"i".repeat(5000)).to_string().as_bytes());
    }
    let huge = ok(&"é".repeat(2 << 20)).to_string();
    transcript.line(huge.as_bytes());
    assert_eq!((transcript.tool_calls(), transcript.nonempty_lines()), (4000, 6001));
    assert!(transcript.main_texts().unwrap().len() <= 32 * 1024 && transcript.stdout_tail().len() <= 32 * 1024);
    let result = transcript.last_result().unwrap();
    assert!(result.text.len() <= 256 * 1024 && serde_json::to_string(&result.event).unwrap().len() <= 256 * 1024);
    assert!(transcript.has_unsettled_tools());
}

#[test]
fn a_result_of_a_subagent_says_nothing_about_the_run() {
    let mut inner = ok("Inner.");
    inner["parent_tool_use_id"] = "agent".into();
    let transcript = read(stream([init(), text("x"), inner]).as_bytes());
    assert_eq!((transcript.results(), transcript.last_result(), transcript.usage()), (1, None, None));
}

#[test]
fn a_conversation_reset_changes_the_session_in_the_middle_of_a_run() {
    const NEW: &str = "0f0f0f0f-0000-4000-8000-00000000ef01";
    let reset = json!({ "type": "conversation_reset", "new_conversation_id": NEW, "session_id": SESSION });
    assert_eq!(read(stream([init(), reset]).as_bytes()).session_id(), Some(NEW));
}

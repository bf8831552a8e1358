//! Whatever the bytes: no panic, and nothing turns a failure into a success.

use claude_k8s_core::failure::ErrorCode;
use claude_k8s_core::outcome::RunResult;
use claude_k8s_core::transcript::Transcript;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};

use crate::outcome_scene::Scene;
use crate::samples::{self, Sample};

thread_local! {
    static SAMPLES: Vec<Sample> = samples::all();
}

/// The outcome of a recorded run whose output was replaced.
fn outcome(sample: &Sample, output: String) -> RunResult {
    sample.scene().with(|scene| scene.output = output).decide()
}

fn code(result: &RunResult) -> Option<&'static str> {
    result.error_code.map(ErrorCode::as_str)
}

/// A line that is no event of the main thread's verdict: anything but a result.
fn noise() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,60}",
        "[{}\\[\\]\",:a-z0-9\\\\ ]{0,60}",
        select(vec![
            r#"{"type":"result","is_error":true"#,
            r#"{"type":"future_event","subtype":"success","is_error":false,"result":"Done."}"#,
            r#"{"type":"tool_progress","elapsed_time_seconds":30}"#,
            r#"{"subtype":"success","is_error":false,"result":"Done."}"#,
            r#"{"type":"user","message":{"content":"{\"type\":\"result\",\"is_error\":false}"}}"#,
        ])
        .prop_map(str::to_owned),
    ]
    .prop_filter("not a result", |line| {
        serde_json::from_str::<Value>(line).map_or(true, |value| value["type"] != "result")
    })
}

/// The same object with its members in another order and other spacing.
fn shuffled(line: &str, seed: usize) -> String {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
    let mut members: Vec<(String, Value)> = object.into_iter().collect();
    let length = members.len().max(1);
    members.rotate_left(seed % length);
    members.sort_by_key(|(name, _)| name.len().wrapping_mul(seed) % 7);
    let object: Map<String, Value> = members.into_iter().collect();
    serde_json::to_string_pretty(&Value::Object(object)).unwrap().replace('\n', " ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn res_04_arbitrary_bytes_never_panic_and_never_succeed(bytes in prop::collection::vec(any::<u8>(), 0..4000), exit in 0..3) {
        let mut transcript = Transcript::default();
        bytes.split(|byte| *byte == b'\n').for_each(|line| transcript.line(line));
        prop_assert!(!transcript.last_result().is_some_and(|result| result.ok));
        let result = Scene::exited(exit, String::from_utf8_lossy(&bytes).into_owned()).decide();
        prop_assert!(result.error_code.is_some());
    }

    #[test]
    fn res_04_noise_and_key_order_change_no_recorded_outcome(
        pick in any::<Index>(), seed in 1_usize..1000, noise in prop::collection::vec((any::<Index>(), noise()), 0..6),
    ) {
        SAMPLES.with(|samples| {
            let sample = pick.get(samples);
            let mut lines: Vec<String> = sample.stdout.lines().map(|line| shuffled(line, seed)).collect();
            for (at, line) in &noise {
                lines.insert(at.index(lines.len() + 1), line.replace('\n', " "));
            }
            let (result, original) = (outcome(sample, lines.join("\n")), sample.scene().decide());
            prop_assert_eq!(code(&result), code(&original), "{}", sample.name);
            prop_assert_eq!((result.usage, result.cost_usd, result.session), (original.usage, original.cost_usd, original.session));
            Ok(())
        })?;
    }

    #[test]
    fn res_03_a_run_cut_at_any_byte_of_its_output_succeeds_only_with_its_last_result(pick in any::<Index>(), cut in any::<Index>()) {
        SAMPLES.with(|samples| {
            let sample = pick.get(samples);
            let end = cut.index(sample.stdout.len() + 1);
            let output = String::from_utf8_lossy(&sample.stdout.as_bytes()[..end]).into_owned();
            let killed = sample.scene().with(|scene| {
                scene.ending.container = crate::outcome_scene::exit(137, None, "");
                scene.output = output.clone();
            });
            let result = killed.decide();
            if result.error_code.is_none() {
                let last = output.lines().rfind(|line| line.contains(r#""type":"result""#));
                let last: Value = serde_json::from_str(last.unwrap_or_default()).unwrap_or_default();
                prop_assert_eq!(&last["is_error"], &Value::Bool(false), "{}", sample.name);
            }
            if sample.expected.error_code.is_some() {
                let success = result.error_code.is_none();
                // A recorded failure contains a good result only when the run was cut after it.
                prop_assert!(!success || sample.name == "sigterm-bg", "{}", sample.name);
            }
            Ok(())
        })?;
    }

    #[test]
    fn res_04_a_damaged_line_never_turns_a_recorded_failure_into_a_success(
        pick in any::<Index>(), line in any::<Index>(), at in any::<Index>(), with in any::<u8>(),
    ) {
        SAMPLES.with(|samples| {
            // Without its last events `sigterm-bg` is a success: only its end says that work was killed.
            let is_failure = |sample: &&Sample| {
                sample.expected.error_code.is_some() && !sample.stdout.is_empty() && sample.name != "sigterm-bg"
            };
            let failures: Vec<&Sample> = samples.iter().filter(is_failure).collect();
            let sample = pick.get(&failures);
            let mut lines: Vec<Vec<u8>> = sample.stdout.lines().map(|line| line.as_bytes().to_vec()).collect();
            let damaged = line.index(lines.len());
            let length = lines[damaged].len().max(1);
            if let Some(byte) = lines[damaged].get_mut(at.index(length)) {
                *byte = with;
            }
            let output = lines.iter().map(|line| String::from_utf8_lossy(line)).collect::<Vec<_>>().join("\n");
            prop_assert!(outcome(sample, output).error_code.is_some(), "{}", sample.name);
            Ok(())
        })?;
    }
}

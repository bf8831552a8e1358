//! Every recorded run of Claude Code 2.1.330 against what a correct adapter concludes from it.
//!
//! Assumed, as in the description of the recordings: nobody cancelled, no deadline, the whole log was read, the
//! container's exit code is the CLI's, and a run without one was killed (137 in a pod).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use claude_k8s_core::failure::ErrorCode;
use claude_k8s_core::outcome::{ContainerEnd, RunResult, SessionFields};
use claude_k8s_core::transcript::Transcript;
use serde::Deserialize;
use serde_json::Value;

use crate::outcome_scene::{Scene, exit};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Expected {
    pub(crate) exit_code: Option<i32>,
    pub(crate) error_code: Option<String>,
    pub(crate) session: String,
    pub(crate) session_id: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) usage: Option<ExpectedUsage>,
    pub(crate) inits: u64,
    pub(crate) results: u64,
    pub(crate) tool_calls: u64,
    pub(crate) silent: bool,
    pub(crate) resets_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExpectedUsage {
    input: u64,
    cache_creation: u64,
    cache_read: u64,
    output: u64,
    cost_usd: f64,
}

#[derive(Deserialize)]
struct Recording {
    exit_code: Option<i32>,
    stderr: String,
}

pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) stdout: String,
    pub(crate) container: ContainerEnd,
    pub(crate) expected: Expected,
}

impl Sample {
    pub(crate) fn scene(&self) -> Scene {
        Scene::exited(0, self.stdout.clone()).with(|scene| scene.ending.container = self.container.clone())
    }
}

pub(crate) fn all() -> Vec<Sample> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/samples");
    let read = |name: String| fs::read_to_string(folder.join(name)).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_str(&read("expected.json".to_owned())).unwrap();
    expected
        .into_iter()
        .map(|(name, expected)| {
            let recording: Recording = serde_json::from_str(&read(format!("{name}.meta.json"))).unwrap();
            let container = exit(recording.exit_code.unwrap_or(137), None, &recording.stderr);
            Sample { stdout: read(format!("{name}.jsonl")), container, expected, name }
        })
        .collect()
}

fn differences(sample: &Sample, result: &RunResult) -> Vec<String> {
    let expected = &sample.expected;
    let mut wrong = Vec::new();
    let mut compare = |what: &str, got: String, wanted: String| {
        if got != wanted {
            wrong.push(format!("{}: {what} is {got}, expected {wanted}", sample.name));
        }
    };
    compare(
        "errorCode",
        format!("{:?}", result.error_code.map(ErrorCode::as_str)),
        format!("{:?}", expected.error_code.as_deref()),
    );
    let exit_code = if expected.error_code.is_none() { 0 } else { expected.exit_code.unwrap_or(137) };
    compare("exitCode", format!("{:?}", result.exit_code), format!("{:?}", Some(exit_code)));
    compare("summary", format!("{:?}", result.summary), format!("{:?}", expected.summary));
    let (session, id) = match &result.session {
        SessionFields::Stored { session_id, .. } => ("store", Some(session_id.clone())),
        _ if result.clear_session => ("clear", None),
        SessionFields::Unchanged => ("keep", None),
        SessionFields::None { .. } => ("none", None),
    };
    compare("session", session.to_owned(), expected.session.clone());
    if session == "store" {
        compare("sessionId", format!("{id:?}"), format!("{:?}", expected.session_id));
    }
    let usage = result.usage.map(|fields| fields.usage);
    compare(
        "usage",
        format!("{:?}", usage.map(|usage| (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens))),
        format!("{:?}", expected.usage.as_ref().map(|it| (it.input + it.cache_creation, it.cache_read, it.output))),
    );
    compare(
        "costUsd",
        format!("{:?}", result.cost_usd.map(|cost| format!("{cost:.9}"))),
        format!("{:?}", expected.usage.as_ref().map(|usage| format!("{:.9}", usage.cost_usd))),
    );
    if expected.error_code.as_deref() == Some("provider_quota") {
        compare(
            "retryNotBefore",
            format!("{:?}", result.retry_not_before.map(jiff::Timestamp::as_second)),
            format!("{:?}", expected.resets_at),
        );
    }
    wrong
}

#[test]
fn res_02_end_06_ses_04_every_recorded_run_gets_its_expected_outcome() {
    let samples = all();
    assert_eq!(samples.len(), 154);
    let wrong: Vec<String> = samples.iter().flat_map(|sample| differences(sample, &sample.scene().decide())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn res_01_counts_and_silence_are_those_of_every_recorded_stream() {
    for sample in all() {
        let mut transcript = Transcript::default();
        sample.stdout.lines().for_each(|line| transcript.line(line.as_bytes()));
        let Expected { inits, results, tool_calls, silent, .. } = sample.expected;
        assert_eq!(
            (transcript.inits(), transcript.results(), transcript.tool_calls(), transcript.is_silent()),
            (inits, results, tool_calls, silent),
            "{}",
            sample.name
        );
        assert_eq!(transcript.bytes(), sample.stdout.len() as u64, "{}", sample.name);
    }
}

#[test]
fn res_12_no_recorded_run_in_which_the_model_acted_claims_that_nothing_was_done() {
    for sample in all() {
        let result = sample.scene().json();
        if result["executionRecovery"]["kind"] == "bootstrap" {
            assert!(sample.expected.silent, "{}", sample.name);
            assert_eq!(result["executionRecovery"], result["resultJson"]["executionRecovery"]);
        }
    }
}

#[test]
fn res_05_no_recorded_failure_puts_protocol_json_into_its_message() {
    for sample in all() {
        let message = sample.scene().decide().error_message.unwrap_or_default();
        assert_eq!(message.is_empty(), sample.expected.error_code.is_none(), "{}", sample.name);
        assert!(!message.contains("{\"") && message.chars().count() <= 2000, "{}: {message}", sample.name);
    }
}

#[test]
fn res_09_a_resumed_run_reports_its_own_spending_and_not_the_session_total() {
    let result = all().into_iter().find(|sample| sample.name == "sess-resume").unwrap().scene().json();
    let total = result["resultJson"]["total_cost_usd"].as_f64().unwrap();
    assert!(result["costUsd"].as_f64().unwrap() < total, "the session total holds the first run too: {result}");
}

#[test]
fn res_11_an_empty_answer_is_known_by_its_silence_and_never_by_its_stop_reason() {
    let empty = Some(ErrorCode::LlmApiError);
    for (name, recorded, expected) in [
        ("empty", Value::Null, empty),
        ("emptyblock", Value::Null, empty),
        ("emptyend", "end_turn".into(), empty),
        ("text2", "end_turn".into(), None),
    ] {
        let sample = all().into_iter().find(|sample| sample.name == name).unwrap();
        let (before, last) = sample.stdout.trim_end().rsplit_once('\n').unwrap();
        let mut result: Value = serde_json::from_str(last).unwrap();
        assert_eq!(result["stop_reason"], recorded, "{name}");
        for stop_reason in [Value::Null, "end_turn".into(), "max_tokens".into()] {
            result["stop_reason"] = stop_reason;
            let scene = Scene::exited(0, format!("{before}\n{result}\n"));
            assert_eq!(scene.decide().error_code, expected, "{name}: {}", result["stop_reason"]);
        }
    }
}

#[test]
fn res_07_the_recorded_equal_blocks_of_one_message_are_both_kept() {
    let sample = all().into_iter().find(|sample| sample.name == "mixed").unwrap();
    let mut transcript = Transcript::default();
    sample.stdout.lines().for_each(|line| transcript.line(line.as_bytes()));
    assert!(transcript.main_texts().unwrap().ends_with("Same text.\n\nSame text."));
}

#[test]
fn res_07_texts_of_recorded_subagents_stay_out_of_the_summary() {
    for sample in all().into_iter().filter(|sample| sample.name.starts_with("agent")) {
        let mut transcript = Transcript::default();
        sample.stdout.lines().for_each(|line| transcript.line(line.as_bytes()));
        let texts = transcript.main_texts().unwrap();
        for event in sample.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            if event["type"] == "assistant" && !event["parent_tool_use_id"].is_null() {
                for block in event["message"]["content"].as_array().unwrap() {
                    if let Some(text) = block["text"].as_str() {
                        assert!(!texts.contains(text), "{}: {text}", sample.name);
                    }
                }
            }
        }
    }
}

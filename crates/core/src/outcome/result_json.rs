//! `resultJson`: the last event of the CLI and what this adapter adds, within a bound.

use serde_json::{Map, Value, json};

use super::claims::bound_numbers;
use super::ending::{PlatformLoss, Stop};
use super::evidence::{AdoptedRun, Evidence, RunFacts};
use super::plain_text::bounded;
use super::result::{iso, map_texts};
use super::seen::terminated;
use super::verdict::Verdict;
use crate::names::is_uuid;
use crate::transcript::{start_of, trim_members};

/// Upper bound of `resultJson`.
const RESULT_JSON_BYTES: usize = 256 * 1024;
/// Bound of the final response: a comment for people.
const FINAL_RESPONSE_BYTES: usize = 64 * 1024;
/// Bound of the lists in `resultJson.k8s`, in entries and characters per entry.
const LISTED: usize = 20;
/// Members of the CLI's result event that are handed on. An allow-list: to whatever else the server gives a meaning,
/// now or later, no event of a container may speak (TRU-21).
const CLI_MEMBERS: &[&str] = &[
    "type",
    "subtype",
    "is_error",
    "uuid",
    "session_id",
    "result",
    "errors",
    "stop_reason",
    "terminal_reason",
    "num_turns",
    "duration_ms",
    "duration_api_ms",
    "first_content_frame_ms",
    "time_to_request_ms",
    "ttft_ms",
    "ttft_stream_ms",
    "total_cost_usd",
    "usage",
    "modelUsage",
    "model_usage_since_last_result",
    "permission_denials",
    "api_error",
    "api_error_status",
    "api_error_type",
    "startup_failure_reason",
    "invalid_config_file",
    "result_index",
    "origin",
    "queued_turn_count",
    "local_command",
    "fast_mode_state",
    "fast_mode_disabled_reason",
    "safety_stops",
    "subagent_stats",
    "begun_message_ids",
];

/// Lets the host start the next run of the task with the session, at most twice by itself (docs/internals/host.md 7).
pub(super) const CONTINUATION: (&str, &str) = ("conversationContinuation", "continue_conversation_v1");

pub(super) fn result_json(evidence: &Evidence<'_>, verdict: &Verdict, summary: Option<&str>) -> Map<String, Value> {
    let transcript = evidence.transcript;
    let mut json: Map<String, Value> = if let Some(result) = transcript.last_result() {
        let members = result.event.iter().filter(|(name, _)| CLI_MEMBERS.contains(&name.as_str()));
        members.map(|(name, value)| (name.clone(), value.clone())).collect()
    } else {
        let output = [("stdout", transcript.stdout_tail().into()), ("stdoutBytes", transcript.bytes().into())];
        output.into_iter().map(|(name, value): (_, Value)| (name.to_owned(), value)).collect()
    };
    json.retain(|name, value| name != "session_id" || value.as_str().is_some_and(is_uuid));
    bound_numbers(&mut json);
    // The host posts `result` as a comment, also on failure.
    if verdict.code.is_some()
        && let Some(text) = json.remove("result")
    {
        json.insert("resultText".to_owned(), text);
    }
    json.values_mut().for_each(|value| map_texts(value, &storable));

    let mut ours = Map::new();
    ours.insert("k8s".to_owned(), Value::Object(kubernetes(evidence)));
    if let Some(text) = summary {
        // The host takes a summary that begins like a narration for none; this it always posts (HOS-04).
        ours.insert(
            "finalResponse".to_owned(),
            json!({ "disposition": "final", "text": start_of(text, FINAL_RESPONSE_BYTES) }),
        );
    }
    if let Some(reason) = verdict.stop_reason {
        ours.insert("stopReason".to_owned(), reason.into());
    }
    if let Some(recovery) = verdict.recovery {
        ours.insert("executionRecovery".to_owned(), recovery.to_value());
    }
    if verdict.continues {
        ours.insert(CONTINUATION.0.to_owned(), CONTINUATION.1.into());
    }
    if let Some(forced) = verdict.acknowledged {
        ours.insert(
            "executionCancellation".to_owned(),
            json!({ "state": "acknowledged", "acknowledgedAt": iso(evidence.now), "forced": forced }),
        );
    }
    // Only what the CLI wrote is trimmed.
    let own_size = serde_json::to_string(&ours).map_or(0, |json| json.len());
    trim_members(&mut json, RESULT_JSON_BYTES.saturating_sub(own_size));
    json.extend(ours);
    json
}

/// `resultJson.k8s`.
fn kubernetes(evidence: &Evidence<'_>) -> Map<String, Value> {
    let mut k8s = identity(evidence.run);
    let log = &evidence.ending.log;
    let end = evidence.ending.container.exit();
    let platform_reason = match &evidence.ending.platform {
        Some(PlatformLoss::Evicted { reason, .. }) => Some(reason.clone()),
        Some(PlatformLoss::OverLimit { .. }) => Some("Evicted".to_owned()),
        _ => None,
    };
    let members = [
        ("exitCode", json!(terminated(evidence).map(|end| end.exit_code))),
        ("reason", json!(platform_reason.or_else(|| end.and_then(|end| end.reason.clone())))),
        ("signal", json!(end.and_then(|end| end.signal))),
        ("reconnects", log.reconnects.into()),
        ("replayedLines", log.replayed_lines.into()),
        ("logGaps", log.gaps.len().into()),
        ("logBytes", log.bytes.into()),
        ("startedAt", json!(end.and_then(|end| end.started_at).map(iso))),
        ("finishedAt", json!(end.and_then(|end| end.finished_at).map(iso))),
    ];
    k8s.extend(members.map(|(name, value)| (name.to_owned(), value)));
    let stopped = match evidence.ending.stop {
        Some(Stop::AfterResult) => Some("after_result"),
        Some(Stop::Silent { .. }) => Some("silent"),
        _ => None,
    };
    if let Some(stopped) = stopped {
        k8s.insert("stopped".to_owned(), stopped.into());
    }
    k8s
}

/// The members of `resultJson.k8s` that are known before anything ran.
pub(super) fn identity(run: &RunFacts) -> Map<String, Value> {
    let list = |texts: &[String]| -> Value {
        texts.iter().take(LISTED).map(|text| storable(&bounded(text))).collect::<Vec<_>>().into()
    };
    let name = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let members = [
        ("job", name(&run.job)),
        ("uid", name(&run.uid)),
        ("namespace", name(&run.namespace)),
        ("pod", json!(run.pod)),
        ("node", json!(run.node)),
        ("attempts", run.attempts.into()),
        ("adopted", run.adopted.into()),
        ("adoptedRun", json!(run.adopted_run.as_ref().map(adopted_run))),
        ("warnings", list(&run.warnings)),
        ("degraded", list(&run.degraded)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn adopted_run(adopted: &AdoptedRun) -> Value {
    let member = |name: &str| adopted.result.get(name).cloned().unwrap_or_default();
    let outcome = member("errorCode").as_str().map_or_else(|| "success".to_owned(), str::to_owned);
    json!({
        "runId": adopted.run_id,
        "job": adopted.job,
        "outcome": outcome,
        "usage": member("usage"),
        "costUsd": member("costUsd"),
    })
}

/// The host's database (`PostgreSQL`) cannot store U+0000.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

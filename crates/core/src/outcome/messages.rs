//! Every text an operator reads about the end of a run: what happened, why, what to do next (RES-05).
//!
//! No protocol JSON, at most 2000 characters. The snapshot `outcome_messages` prints all of them.

use std::time::Duration;

use super::class::Class;
use super::ending::{ContainerEnd, Deletion, Stop};
use super::evidence::RunFacts;
use super::plain_text::{bounded, first, plain};
use super::seen::{Seen, terminated};
use crate::failure::ErrorCode;
use crate::transcript::LastResult;
use crate::view::Terminated;

/// How much of stderr a message quotes, in characters.
const STDERR_CHARACTERS: usize = 600;
/// How much of a CLI text a message quotes, in characters.
const DETAIL_CHARACTERS: usize = 1200;
/// How many open tools a message names.
const TOLD_TOOLS: usize = 4;

pub(super) fn cancelled(verified: bool) -> String {
    let unverified = if verified { "" } else { " (termination not verified)" };
    format!("Run cancelled{unverified}")
}

pub(super) fn lease_lost(run: &RunFacts) -> String {
    bounded(&format!(
        "The host lost ownership of this run; Job `{}` was left running and the next run of this agent waits for it or \
         is blocked by it",
        run.job
    ))
}

pub(super) fn not_started(message: &str) -> String {
    bounded(&plain(message))
}

pub(super) fn timed_out(seen: &Seen<'_>) -> String {
    let after = match seen.evidence.run.timeout_seconds {
        Some(seconds) => format!(" after {seconds}s"),
        None => ": the deadline of the Job passed".to_owned(),
    };
    let unverified = if seen.evidence.ending.termination_verified { "" } else { " (termination not verified)" };
    format!("Timed out{after}{unverified}")
}

/// What was heard last, and what was at work: a silence has no other trace.
pub(super) fn silent(seen: &Seen<'_>, bound: Duration) -> String {
    let transcript = seen.evidence.transcript;
    let seconds = bound.as_secs();
    let heard = match transcript.last_heard() {
        Some(heard) => format!("the last thing heard was {heard}"),
        None => "nothing was ever heard".to_owned(),
    };
    let open: Vec<String> = transcript.open_tools().map(|name| format!("`{}`", plain(name))).take(TOLD_TOOLS).collect();
    let open = match open.as_slice() {
        [] => "no tool was open".to_owned(),
        [one] => format!("tool {one} had not returned"),
        several => format!("tools {} had not returned", several.join(", ")),
    };
    let unverified = if seen.evidence.ending.termination_verified { "" } else { " (termination not verified)" };
    let text = format!("Claude Code was silent for {seconds}s (silenceTimeoutSec): {heard}, {open}{unverified}");
    bounded(&with_next_step(&text, ErrorCode::SilentRun))
}

/// `Claude run failed[: subtype=<s>][: <detail>]`, joined with what the container says (RES-06).
pub(super) fn reported(seen: &Seen<'_>, code: ErrorCode) -> String {
    let result = seen.evidence.transcript.last_result();
    let mut text = "Claude run failed".to_owned();
    if let Some(subtype) = result.and_then(|result| result.subtype.as_deref()).filter(|subtype| *subtype != "success") {
        text.push_str(": subtype=");
        text.push_str(&first(&plain(subtype), 100));
    }
    let said = [result.map(detail).unwrap_or_default(), stderr_lines(seen), code.meaning().0.to_owned()];
    // What the CLI says about an empty answer is a dump of its own state.
    let said = if code == ErrorCode::LlmApiError { said.last() } else { said.iter().find(|text| !text.is_empty()) };
    if let Some(said) = said {
        text.push_str(": ");
        text.push_str(said);
    }
    if seen.evidence.ending.stop == Some(Stop::AfterResult) {
        text = format!("{} (it stayed after its result and was stopped)", text.trim_end_matches('.'));
    } else if let Some(end) = terminated(seen.evidence).filter(|end| !is_ordinary(end)) {
        text = format!("{} ({})", text.trim_end_matches('.'), exit_cause(end));
    }
    let next_step = match (seen.class, seen.evidence.transcript.quota_resets_at()) {
        (Some(Class::Quota), Some(reset)) => format!("{}; wait until {reset}", text.trim_end_matches('.')),
        _ => with_next_step(&text, code),
    };
    bounded(&with_memory_hint(next_step, seen))
}

pub(super) fn empty_answer(seen: &Seen<'_>) -> String {
    let model = seen.evidence.transcript.model().unwrap_or("unknown");
    bounded(&with_next_step(
        &format!(
            "The model returned nothing (model {}): the run ended without text and without a tool call",
            plain(model)
        ),
        ErrorCode::LlmApiError,
    ))
}

pub(super) fn evicted(seen: &Seen<'_>, reason: &str, message: &str) -> String {
    let node = seen.evidence.run.node.as_deref().map(|node| format!(" from node `{node}`")).unwrap_or_default();
    let message = plain(message);
    let detail = if message.is_empty() { String::new() } else { format!(": {}", first(&message, DETAIL_CHARACTERS)) };
    let message = format!("The platform took the pod away{node} before Claude finished: {reason}{detail}");
    bounded(&with_memory_hint(with_next_step(&format!("{message} ({})", cause(seen)), ErrorCode::PodEvicted), seen))
}

/// Nothing of the run's own ended it.
pub(super) fn container_lost(seen: &Seen<'_>, reason: &str, message: &str) -> String {
    let node = seen.evidence.run.node.as_deref().map_or("The node".to_owned(), |node| format!("Node `{node}`"));
    let message = plain(message);
    let detail = if message.is_empty() { String::new() } else { format!(": {}", first(&message, DETAIL_CHARACTERS)) };
    let reason = if reason.is_empty() { "Unknown" } else { reason };
    let code = seen.evidence.ending.container.exit().map(|end| end.exit_code).unwrap_or_default();
    let text = format!(
        "{node} lost the container before Claude finished: it was restarted or shut down (reason={}, exit code {code} made up by \
         the node){detail}",
        plain(reason)
    );
    bounded(&with_next_step(&text, ErrorCode::PodEvicted))
}

pub(super) fn over_limit(seen: &Seen<'_>, message: &str, key: &str) -> String {
    let node = seen.evidence.run.node.as_deref().map(|node| format!(" on node `{node}`")).unwrap_or_default();
    let message = first(&plain(message), DETAIL_CHARACTERS);
    let next = match key {
        "podTemplate" => "raise the `sizeLimit` of that volume in `podTemplate`".to_owned(),
        key => format!("raise `{key}`, or let the run write less"),
    };
    bounded(&format!(
        "The pod was evicted{node} because it went over its own limit: {}; {next}",
        message.trim_end_matches(['.', ' '])
    ))
}

pub(super) fn replaced(detail: &str) -> String {
    bounded(&format!(
        "The Job was stopped so that the prompt does not run twice: {}; run again, or exempt the Job from pre-emption",
        plain(detail)
    ))
}

pub(super) fn node_lost(node: &str) -> String {
    bounded(&format!(
        "Node `{node}` stopped reporting and the end of the container was never seen; it may still run: \
         check the node, the next run is blocked until the pod is gone"
    ))
}

/// With forensics, because whoever deleted the Job left no other trace (END-07).
pub(super) fn deleted(seen: &Seen<'_>, deletion: &Deletion) -> String {
    let run = seen.evidence.run;
    let elapsed = deletion.elapsed_since_running.map_or("unknown".to_owned(), |seconds| format!("{seconds}s"));
    bounded(&format!(
        "Kubernetes Job {} was deleted before Claude finished [detected_via={}, ns={}, \
         elapsed_since_pod_running={elapsed}, last_job_conditions=[{}], stdout_bytes={}, stdout_nonempty_lines={}]; \
         run again, or find out who deletes Jobs there",
        run.job,
        deletion.detected_via,
        run.namespace,
        deletion.job_conditions.join(", "),
        seen.evidence.transcript.bytes(),
        seen.evidence.transcript.nonempty_lines(),
    ))
}

pub(super) fn truncated(seen: &Seen<'_>) -> String {
    let transcript = seen.evidence.transcript;
    let model = plain(transcript.model().unwrap_or("unknown"));
    let missing =
        if transcript.last_result().is_some() { "work went on after the last result event" } else { no_result(seen) };
    let mut text = format!("Claude run was cut off (model {model}): {missing}; {}", cause(seen));
    let stderr = stderr_lines(seen);
    if !stderr.is_empty() {
        text = format!("{text}, message={stderr}");
    }
    bounded(&with_memory_hint(text, seen))
}

/// What was not read cannot be said to be missing.
fn no_result(seen: &Seen<'_>) -> &'static str {
    if !seen.evidence.ending.log.complete {
        "no result event was seen, but the end of its log could not be read"
    } else if !seen.whole_log() {
        "no result event was seen, but lines of its log are missing"
    } else {
        "no result event"
    }
}

/// The process ended without a result: its own last words explain it best.
pub(super) fn exited(seen: &Seen<'_>, error: ErrorCode) -> String {
    let end = terminated(seen.evidence);
    let code = end.map_or("unknown".to_owned(), |end| end.exit_code.to_string());
    let details = end.map(exit_details).filter(|details| !details.is_empty());
    let details = details.map(|details| format!(" ({})", details.join(", "))).unwrap_or_default();
    let said = unexecutable(seen).unwrap_or_else(|| stderr_lines(seen));
    let said = match said.as_str() {
        "" if seen.whole_log() => "no result event and nothing on stderr",
        "" => no_result(seen),
        said => said,
    };
    let text = with_next_step(&format!("Claude exited with code {code}{details}: {said}"), error);
    bounded(&with_memory_hint(text, seen))
}

/// The runtime could not execute the image's `sh`: it says so itself, in the log, before anything else could.
pub(super) fn unexecutable(seen: &Seen<'_>) -> Option<String> {
    let transcript = seen.evidence.transcript;
    let text = Some(transcript.stdout_tail()).filter(|_| transcript.inits() == 0)?;
    let said = text.lines().find(|line| line.starts_with("exec ") && line.contains("format error"))?;
    let node = seen.evidence.run.node.as_deref().unwrap_or("NODE");
    Some(format!(
        "{said}: the image is for another architecture than node `{node}`, or its `sh` is damaged; set `image` to one \
         for that node, or `nodeSelector` (`kubectl get node {node} -o jsonpath='{{.status.nodeInfo.architecture}}'`)"
    ))
}

pub(super) fn unknown(seen: &Seen<'_>) -> String {
    let run = seen.evidence.run;
    let read = if seen.evidence.ending.log.readable {
        format!("{} bytes of its output were read", seen.evidence.transcript.bytes())
    } else {
        "its log could not be read".to_owned()
    };
    bounded(&format!(
        "The outcome of Job `{}` is unknown: {}, no result event was seen and {read}; look at what the pod wrote last \
         before running again",
        run.job,
        cause(seen)
    ))
}

/// How the container ended. State late, pod gone and exit known are three findings (END-11).
fn cause(seen: &Seen<'_>) -> String {
    match &seen.evidence.ending.container {
        ContainerEnd::Exited(end) if terminated(seen.evidence).is_some() => exit_cause(end),
        ContainerEnd::Exited(end) => {
            format!("the kubelet lost the container (reason={})", end.reason.as_deref().unwrap_or("unknown"))
        }
        ContainerEnd::Said(end) => format!("{}, by its own word: the kubelet reported no end", exit_cause(end)),
        ContainerEnd::PodGone => "pod is gone".to_owned(),
        ContainerEnd::NotReported { pod_phase } => format!("container state not reported (pod phase={pod_phase})"),
        ContainerEnd::NeverStarted => "the container never started".to_owned(),
        ContainerEnd::Running => "the container was running when last seen".to_owned(),
    }
}

fn exit_cause(end: &Terminated) -> String {
    let text = format!("exit code {}", end.exit_code);
    match exit_details(end).as_slice() {
        [] => text,
        details => format!("{text}: {}", details.join(", ")),
    }
}

/// What the exit code alone does not say.
fn exit_details(end: &Terminated) -> Vec<String> {
    let meaning = match end.exit_code {
        137 => Some("SIGKILL, commonly out of memory".to_owned()),
        143 => Some("SIGTERM".to_owned()),
        134 => Some("SIGABRT".to_owned()),
        139 => Some("SIGSEGV".to_owned()),
        _ => None,
    };
    let reason = end.reason.as_deref().filter(|reason| !matches!(*reason, "Error" | "Completed" | ""));
    let signal = end.signal.filter(|signal| *signal != 0);
    let reason = reason.map(|reason| format!("reason={}", plain(reason)));
    [meaning, reason, signal.map(|signal| format!("signal={signal}"))].into_iter().flatten().collect()
}

/// The exit says no more than "the process reported a failure".
fn is_ordinary(end: &Terminated) -> bool {
    matches!(end.exit_code, 0 | 1) && exit_details(end).is_empty()
}

fn with_next_step(text: &str, code: ErrorCode) -> String {
    match code {
        // The text of Claude Code says it.
        ErrorCode::ClaudeFailed => text.to_owned(),
        _ => format!("{}; {}", text.trim_end_matches('.'), code.meaning().1),
    }
}

fn with_memory_hint(text: String, seen: &Seen<'_>) -> String {
    match terminated(seen.evidence).and_then(|end| end.reason.as_deref()) {
        Some("OOMKilled") => format!("{text}; {}; raise `resources.limits.memory`", memory(seen)),
        _ if ran_out_of_disk(seen.stderr()) => format!("{text}; a volume is full: free space on it, or enlarge it"),
        _ => text,
    }
}

/// The process says that a volume took no more (FLD-24).
fn ran_out_of_disk(stderr: &str) -> bool {
    ["ENOSPC", "EDQUOT", "No space left on device", "Disk quota exceeded"].iter().any(|sign| stderr.contains(sign))
}

/// What the memory had to hold and could hold (FLD-09).
fn memory(seen: &Seen<'_>) -> String {
    let session = seen.evidence.session;
    let limit = session.memory_limit.as_ref();
    let limit =
        limit.map_or("no memory limit is configured".to_owned(), |limit| format!("the memory limit is `{limit}`"));
    let transcript = session.transcript_bytes.filter(|_| session.resumed.is_some());
    let transcript =
        transcript.map(|bytes| format!(", the transcript of the resumed session has {} MiB", bytes.div_ceil(1 << 20)));
    limit + &transcript.unwrap_or_default()
}

/// What Claude Code says about its failure: the result text, else the first error.
fn detail(result: &LastResult) -> String {
    std::iter::once(&result.text)
        .chain(&result.errors)
        .map(|text| plain(text))
        .find(|text| !text.is_empty())
        .map(|text| first(&text, DETAIL_CHARACTERS))
        .unwrap_or_default()
}

/// The last whole lines of stderr, joined.
fn stderr_lines(seen: &Seen<'_>) -> String {
    let text = plain(seen.stderr());
    let skip = text.chars().count().saturating_sub(STDERR_CHARACTERS);
    if skip == 0 {
        return text;
    }
    let tail: String = text.chars().skip(skip).collect();
    // The first line is incomplete now; a single long line has nothing better.
    match tail.split_once("; ") {
        Some((_, whole)) if !whole.is_empty() => whole.to_owned(),
        _ => tail,
    }
}

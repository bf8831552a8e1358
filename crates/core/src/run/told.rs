//! What the host and the reader of the log hear about a Job while it is followed.

use serde_json::{Value, json};

use super::{DeleteReason, ENDS_WITHIN};
use crate::api_failure::{ApiFailure, FailureKind};
use crate::log::OWN;
use crate::outcome::LogSummary;
use crate::view::{JobFacts, PodFacts, Terminated};

/// Gaps that become an event of their own each; all of them are counted.
const GAP_EVENTS: usize = 20;

/// The host's "working" line while the rest of the log is read.
pub const READING_THE_REST: &str = "reading the rest of the log";

/// The host did not take everything that was for it (HST-05).
#[must_use]
pub fn output_not_taken(bytes: usize) -> String {
    format!("`onLog` did not take the last {bytes} bytes of output")
}

/// Whoever delivers output ended before its time.
#[must_use]
pub fn delivery_ended(cause: &str) -> String {
    format!("the delivery of output ended early: {cause}")
}

/// Calls that the host failed, if there are any.
#[must_use]
pub fn calls_failed(failures: u64, calls: u64, first: Option<&str>) -> Option<String> {
    first.map(|first| format!("{failures} of {calls} calls of `onLog` failed, the first with: {first}"))
}

/// A line of the log for what could only be said after its end.
#[must_use]
pub fn last_warning(text: &str) -> String {
    format!("{OWN}Warning: {text}\n")
}

/// An event of the run: `ctx.onEvent`, stream `system`. A host takes most types of events for an action of the agent, and
/// a run with one for progress; `lifecycle` is none (HOS-03). What happened stands in the payload.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `event` of the payload.
    pub kind: &'static str,
    /// `info` or `warn`.
    pub level: &'static str,
    /// For people.
    pub message: String,
    /// For programs.
    pub payload: Value,
}

impl Event {
    fn new(kind: &'static str, level: &'static str, message: impl Into<String>, payload: Value) -> Self {
        Self { kind, level, message: message.into(), payload }
    }

    /// As the host takes it.
    #[must_use]
    pub fn to_json(self) -> Value {
        let Self { kind, level, message, mut payload } = self;
        payload["event"] = kind.into();
        json!({ "eventType": "lifecycle", "stream": "system", "level": level, "message": message, "payload": payload })
    }
}

/// A Job of this run was created and released.
#[must_use]
pub fn job_created(job: &JobFacts, attempt: u32) -> Event {
    let payload = json!({ "job": job.name, "uid": job.uid, "attempt": attempt });
    Event::new("k8s.job.created", "info", format!("Job {} was created", job.name), payload)
}

/// Its container runs.
#[must_use]
pub fn pod_started(pod: &PodFacts) -> Event {
    let payload = json!({ "pod": pod.name, "uid": pod.uid, "node": pod.node });
    let node = pod.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
    Event::new("k8s.pod.started", "info", format!("Pod {} started{node}", pod.name), payload)
}

/// Parts of its log that are lost.
pub fn log_gaps<'a>(job: &'a JobFacts, log: &'a LogSummary) -> impl Iterator<Item = Event> + 'a {
    log.gaps.iter().take(GAP_EVENTS).map(|gap| {
        let payload = json!({ "job": job.name, "gap": gap });
        Event::new("k8s.log.gap", "warn", "A part of the container's log is missing", payload)
    })
}

/// It ended, or is followed no longer.
#[must_use]
pub fn job_finished(job: &JobFacts, log: &LogSummary, end: Option<&Terminated>, may_still_run: bool) -> Event {
    let payload = json!({
        "job": job.name,
        "uid": job.uid,
        "exitCode": end.map(|end| end.exit_code),
        "reason": end.and_then(|end| end.reason.as_deref()),
        "logBytes": log.bytes,
        "logGaps": log.gaps.len(),
        "reconnects": log.reconnects,
    });
    let what = if may_still_run { "is no longer followed; its pod may still run" } else { "ended" };
    Event::new("k8s.job.finished", "info", format!("Job {} {what}", job.name), payload)
}

/// The server did not accept the order to delete.
#[must_use]
pub fn not_stopped_yet(reason: DeleteReason, failure: &ApiFailure) -> String {
    let why = match reason {
        DeleteReason::Cancelled => "it was cancelled",
        DeleteReason::PastDeadline => "its deadline has passed",
        DeleteReason::AfterResult => "its process stayed after the result",
        DeleteReason::Silent => "it was silent for too long",
        DeleteReason::CannotStart => "its pod cannot start",
        DeleteReason::Replaced => "its pod was replaced",
    };
    format!("stopping the run because {why}: {failure}; trying again")
}

/// Neither deleted nor suspended.
#[must_use]
pub fn not_stopped(failure: &ApiFailure) -> String {
    format!("{failure}; the pod may still run")
}

/// The pod of a Job that stays had to end, and could not be ended alone.
#[must_use]
pub fn pod_not_kept(failure: &ApiFailure, job: &JobFacts) -> String {
    let grant = if failure.kind == FailureKind::Forbidden { "; grant `patch` on `pods` to keep both" } else { "" };
    format!("{failure}; Job {} stays, but its pod goes with its log: the deadline of the Job ends it{grant}", job.name)
}

/// Another container keeps the pod of a Job that stays, and the pod could not be bounded alone. `bounded`: the Job was.
#[must_use]
pub fn pod_goes_on(failure: &ApiFailure, job: &JobFacts, pod: &PodFacts, bounded: bool) -> String {
    let others = pod.others_running.join("`, `");
    let next = if bounded {
        let minutes = ENDS_WITHIN.as_secs() / 60;
        format!("within {minutes} minutes the deadline of Job {} ends it, and its log goes with it", job.name)
    } else {
        format!("delete Job {} to end it", job.name)
    };
    format!("{failure}; pod {} of the retained Job may run on because of its container `{others}`: {next}", pod.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_the_same_to_people_and_to_programs() {
        let job = JobFacts { name: "ac-1".into(), uid: "u".into(), ..JobFacts::default() };
        let expected = json!({
            "eventType": "lifecycle", "stream": "system", "level": "info", "message": "Job ac-1 was created",
            "payload": { "job": "ac-1", "uid": "u", "attempt": 2, "event": "k8s.job.created" },
        });
        assert_eq!(job_created(&job, 2).to_json(), expected);
        let log = LogSummary { bytes: 7, ..LogSummary::default() };
        let end = Terminated { exit_code: 137, reason: Some("OOMKilled".into()), ..Terminated::default() };
        let event = job_finished(&job, &log, Some(&end), false);
        assert_eq!(event.message, "Job ac-1 ended");
        assert_eq!((&event.payload["exitCode"], &event.payload["reason"]), (&json!(137), &json!("OOMKilled")));
        let event = job_finished(&job, &log, None, true);
        assert_eq!(event.message, "Job ac-1 is no longer followed; its pod may still run");
        assert_eq!(event.payload["exitCode"], Value::Null);
    }

    #[test]
    fn a_stop_that_is_not_accepted_says_why_the_run_is_stopped() {
        let failure = ApiFailure::new("Deleting Job `ac-1`", "HTTP 500", FailureKind::Server);
        assert_eq!(
            not_stopped_yet(DeleteReason::PastDeadline, &failure),
            "stopping the run because its deadline has passed: Deleting Job `ac-1` failed: HTTP 500; trying again"
        );
    }
}

//! What events say about a start that takes long, and which of it cannot heal (POD-05).

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;

/// Routine events that explain nothing. Every Job of ours is created suspended.
const ROUTINE: [&str; 8] =
    ["Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate", "Suspended", "Resumed", "CreatedWorkload"];
/// What the apiserver puts before the text when events about one object are many.
const COMBINED: &str = "(combined from similar events): ";
/// Length of the ending that a controller gives the name of a pod.
const SUFFIX: usize = 5;

/// Why something does not start, as events tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// `<reason>: <message>`, without what differs only from pod to pod.
    pub text: String,
    /// How often it was told.
    pub times: u32,
}

impl From<&str> for Cause {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), times: 1 }
    }
}

impl Cause {
    /// Admission judged the pod: a policy, Pod Security, a security context constraint, a limit. The same pod will be
    /// judged alike. A quota frees up, and a webhook that does not answer may answer.
    pub(super) fn is_refusal(&self) -> bool {
        let Some(words) = self.text.strip_prefix("FailedCreate: ") else { return false };
        let says = |words_of: &[&str]| words_of.iter().any(|one| words.contains(one));
        let judged = says(&["is forbidden", "denied the request", "is invalid:"]);
        let passing = says(&["failed calling webhook", "Internal error", "status unknown for quota"]);
        let frees_up = says(&["quota"]) && !says(&["must specify"]);
        judged && !passing && !frees_up
    }
}

/// The causes, oldest first, each once. The newest time of a repeated cause counts: the last ones explain a failure.
#[must_use]
pub fn causes(mut events: Vec<Event>) -> Vec<Cause> {
    events.sort_by_key(last_seen);
    let mut causes: Vec<Cause> = Vec::new();
    for mut cause in events.iter().filter_map(cause) {
        if let Some(known) = causes.iter().position(|known| known.text == cause.text) {
            cause.times = cause.times.saturating_add(causes.remove(known).times);
        }
        causes.push(cause);
    }
    causes
}

/// An event about the `Workload` that Kueue made of a Job: its name begins like this.
#[must_use]
pub fn is_of_workload(event: &Event, job: &str) -> bool {
    let of = &event.involved_object;
    let name = of.name.as_deref().and_then(|name| name.strip_prefix("job-")?.strip_prefix(job)?.strip_prefix('-'));
    of.kind.as_deref() == Some("Workload") && name.is_some()
}

/// Newer reporters, such as the scheduler, leave `lastTimestamp` empty.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let in_series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let classic = event.last_timestamp.as_ref().map(|time| time.0);
    in_series.or(classic).or(event.event_time.as_ref().map(|time| time.0))
}

fn cause(event: &Event) -> Option<Cause> {
    let reason = event.reason.as_deref().filter(|reason| !ROUTINE.contains(reason))?;
    let message = event.message.as_deref().unwrap_or_default().trim();
    let message = message.strip_prefix(COMBINED).unwrap_or(message);
    let owner = event.involved_object.name.as_deref().unwrap_or_default();
    let message = without_pod_names(message, owner);
    let text = if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") };
    let counted = event.count.max(event.series.as_ref().and_then(|series| series.count));
    Some(Cause { text, times: counted.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1) })
}

/// Every pod that a controller tries to create has a name of its own: `<owner>-*` for all of them.
fn without_pod_names(message: &str, owner: &str) -> String {
    let mut rest = message;
    let mut text = String::new();
    while let Some(at) = rest.find(owner).filter(|_| !owner.is_empty()) {
        let (before, after) = rest.split_at(at + owner.len());
        text.push_str(before);
        rest = after;
        let suffix = after.strip_prefix('-').and_then(|after| after.get(..SUFFIX));
        let ends = after.chars().nth(1 + SUFFIX).is_none_or(|next| !next.is_ascii_alphanumeric() && next != '-');
        if suffix.is_some_and(|suffix| suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())) && ends {
            text.push_str("-*");
            rest = after.get(1 + SUFFIX..).unwrap_or_default();
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(mut fields: Value, reason: &str, message: &str) -> Event {
        fields["metadata"] = json!({});
        if fields["involvedObject"].is_null() {
            fields["involvedObject"] = json!({});
        }
        fields["reason"] = json!(reason);
        fields["message"] = json!(message);
        serde_json::from_value(fields).unwrap()
    }

    fn time(second: u32) -> String {
        format!("2026-01-01T00:00:{second:02}Z")
    }

    fn micros(second: u32) -> String {
        format!("2026-01-01T00:00:{second:02}.000000Z")
    }

    fn texts(events: Vec<Event>) -> Vec<String> {
        causes(events).into_iter().map(|cause| cause.text).collect()
    }

    #[test]
    fn pod_05_causes_of_job_and_pod_come_in_the_order_of_time_and_each_once() {
        let mount = |second| event(json!({ "lastTimestamp": time(second) }), "FailedMount", "secret not found");
        let events = vec![
            event(json!({ "lastTimestamp": time(30) }), "FailedCreate", " exceeded quota \n"),
            mount(5),
            mount(40),
            event(json!({ "lastTimestamp": time(1) }), "Scheduled", "assigned"),
            event(json!({ "eventTime": micros(20) }), "FailedScheduling", "0/3 nodes"),
            event(
                json!({ "eventTime": micros(1), "series": { "count": 2, "lastObservedTime": micros(50) } }),
                "BackOff",
                "",
            ),
        ];
        assert_eq!(
            texts(events),
            ["FailedScheduling: 0/3 nodes", "FailedCreate: exceeded quota", "FailedMount: secret not found", "BackOff"]
        );
    }

    #[test]
    fn fld_16_events_that_differ_only_in_the_pods_name_are_one_and_are_counted() {
        let refused = |second, prefix: &str, suffix: &str, count| {
            let of = json!({ "kind": "Job", "name": "job-a" });
            let fields = json!({ "lastTimestamp": time(second), "count": count, "involvedObject": of });
            let text =
                format!("{prefix}Error creating: pods \"job-a-{suffix}\" is forbidden: policy says job-a-other no");
            event(fields, "FailedCreate", &text)
        };
        let events = vec![
            refused(1, "", "x7k2p", 1),
            refused(2, "", "zzzzz", 1),
            refused(3, "(combined from similar events): ", "9q9q9", 4),
        ];
        let text = "FailedCreate: Error creating: pods \"job-a-*\" is forbidden: policy says job-a-* no";
        assert_eq!(causes(events), [Cause { text: text.to_owned(), times: 6 }]);
    }

    #[test]
    fn a_name_that_only_begins_like_that_of_a_pod_stays() {
        for text in ["secret \"job-a-prompt\" not found", "job-a-x7k2pq", "job-a", "job-a-", "é job-a-ééééé"] {
            assert_eq!(without_pod_names(text, "job-a"), text);
        }
        assert_eq!(without_pod_names("any text", ""), "any text");
    }

    #[test]
    fn fld_16_a_judgement_of_admission_is_a_refusal_and_what_may_pass_is_none() {
        for (words, expected) in [
            ("pods \"j-*\" is forbidden: violates PodSecurity \"restricted:latest\": hostPath volumes", true),
            ("admission webhook \"p.example\" denied the request: no", true),
            ("pods \"j-*\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' denied request: no", true),
            ("pods \"j-*\" is forbidden: unable to validate against any security context constraint: []", true),
            ("pods \"j-*\" is forbidden: maximum cpu usage per Container is 1, but limit is 4", true),
            ("Pod \"j-*\" is invalid: spec.containers[0].image: Required value", true),
            ("pods \"j-*\" is forbidden: failed quota: q: must specify limits.cpu for: claude", true),
            ("pods \"j-*\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1", false),
            ("pods \"j-*\" is forbidden: status unknown for quota: q, resources: pods", false),
            ("Internal error occurred: failed calling webhook \"p\": connection refused", false),
            ("Timeout: request did not complete within requested timeout", false),
        ] {
            let cause = Cause { text: format!("FailedCreate: Error creating: {words}"), times: 3 };
            assert_eq!(cause.is_refusal(), expected, "{words}");
        }
        assert!(!Cause::from("FailedMount: secret is forbidden").is_refusal());
    }

    #[test]
    fn fld_15_the_workload_of_a_job_is_known_by_its_name() {
        let of =
            |kind: &str, name: &str| event(json!({ "involvedObject": { "kind": kind, "name": name } }), "Pending", "x");
        assert!(is_of_workload(&of("Workload", "job-agent-1-7f3a2"), "agent-1"));
        for (kind, name) in [("Job", "job-agent-1-7f3a2"), ("Workload", "job-agent-10-7f3a2"), ("Workload", "agent-1")]
        {
            assert!(!is_of_workload(&of(kind, name), "agent-1"), "{kind} {name}");
        }
    }
}

//! Why a pod does not start: the causes that pod and Job events name (POD-05).

use claude_k8s_core::launch::Call;
use claude_k8s_core::view::RunView;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;

use crate::api::{Namespace, patiently};

/// Routine events that explain nothing. Every Job of ours is created suspended.
const ROUTINE: [&str; 7] = ["Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate", "Suspended", "Resumed"];

/// The causes, oldest first, each once. Empty when events may not be read.
pub(crate) async fn causes(namespace: &Namespace, view: &RunView) -> Vec<String> {
    let uids = view.job.iter().map(|job| job.uid.as_str()).chain(view.pods.iter().map(|pod| pod.uid.as_str()));
    let mut events = Vec::new();
    for uid in uids {
        events.extend(patiently(Call::Events, || namespace.events_of(uid)).await.unwrap_or_default());
    }
    told_once(events)
}

/// The newest time of a repeated cause counts: the last ones explain a failure.
fn told_once(mut events: Vec<Event>) -> Vec<String> {
    events.sort_by_key(last_seen);
    let mut causes = Vec::new();
    for text in events.iter().filter_map(cause) {
        causes.retain(|known| *known != text);
        causes.push(text);
    }
    causes
}

/// Newer reporters, such as the scheduler, leave `lastTimestamp` empty.
fn last_seen(event: &Event) -> Option<Timestamp> {
    let in_series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let classic = event.last_timestamp.as_ref().map(|time| time.0);
    in_series.or(classic).or(event.event_time.as_ref().map(|time| time.0))
}

fn cause(event: &Event) -> Option<String> {
    let reason = event.reason.as_deref().filter(|reason| !ROUTINE.contains(reason))?;
    let message = event.message.as_deref().unwrap_or_default().trim();
    Some(if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(mut fields: Value, reason: &str, message: &str) -> Event {
        fields["metadata"] = json!({});
        fields["involvedObject"] = json!({});
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
            told_once(events),
            ["FailedScheduling: 0/3 nodes", "FailedCreate: exceeded quota", "FailedMount: secret not found", "BackOff"]
        );
    }
}

//! Why a pod does not start: the causes that pod and Job events name (POD-05).

use claude_k8s_core::view::RunView;
use k8s_openapi::api::core::v1::Event;

use crate::api::Namespace;

/// Routine events that explain nothing.
const ROUTINE: [&str; 6] = ["Scheduled", "Pulled", "Created", "Started", "SuccessfulCreate", "Resumed"];

/// The causes, oldest first, each once. Empty when events may not be read.
pub(crate) async fn causes(namespace: &Namespace, view: &RunView) -> Vec<String> {
    let uids = view.job.iter().map(|job| job.uid.as_str()).chain(view.pods.iter().map(|pod| pod.uid.as_str()));
    let mut causes = Vec::new();
    for uid in uids {
        let Ok(events) = namespace.events_of(uid).await else { continue };
        for text in events.iter().filter_map(cause) {
            causes.retain(|known| *known != text);
            causes.push(text);
        }
    }
    causes
}

fn cause(event: &Event) -> Option<String> {
    let reason = event.reason.as_deref().filter(|reason| !ROUTINE.contains(reason))?;
    let message = event.message.as_deref().unwrap_or_default().trim();
    Some(if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") })
}

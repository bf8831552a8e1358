//! `v1/Event` objects: repeated ones are counted, as the event recorder does.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::State;
use crate::clock::seconds;
use crate::objects::json::{integer, set, text};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// Who reports, and how bad it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    pub(crate) component: &'static str,
    pub(crate) kind: &'static str,
}

pub(crate) const JOB_CONTROLLER: Source = Source { component: "job-controller", kind: "Normal" };
pub(crate) const JOB_CONTROLLER_WARNING: Source = Source { component: "job-controller", kind: "Warning" };
pub(crate) const ATTACHER: Source = Source { component: "attachdetach-controller", kind: "Normal" };
pub(crate) const ATTACHER_WARNING: Source = Source { component: "attachdetach-controller", kind: "Warning" };
pub(crate) const KUBELET: Source = Source { component: "kubelet", kind: "Normal" };
pub(crate) const KUBELET_WARNING: Source = Source { component: "kubelet", kind: "Warning" };
pub(crate) const SCHEDULER: Source = Source { component: "default-scheduler", kind: "Normal" };
pub(crate) const SCHEDULER_WARNING: Source = Source { component: "default-scheduler", kind: "Warning" };

/// Reports something about an object.
pub(crate) fn record(state: &mut State, now: Timestamp, source: Source, about: &Value, reason: &str, message: &str) {
    let namespace = text(about, "/metadata/namespace");
    let uid = text(about, "/metadata/uid");
    let time = seconds(now);
    let said = [uid.to_owned(), reason.to_owned(), message.to_owned()];
    if let Some(key) = state.event_keys.get(&said) {
        let counted = state.store.edit(key, |event| {
            let count = integer(event, "/count").unwrap_or(1) + 1;
            set(event, &["count"], count);
            set(event, &["lastTimestamp"], time.clone());
        });
        if counted.is_some() {
            return;
        }
    }
    let event_uid = state.store.new_uid();
    let name = format!("{}.{}", text(about, "/metadata/name"), state.store.new_suffix());
    let event = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": name, "namespace": namespace, "uid": event_uid, "creationTimestamp": time},
        "involvedObject": {
            "apiVersion": about["apiVersion"], "kind": about["kind"], "namespace": namespace,
            "name": text(about, "/metadata/name"), "uid": uid,
        },
        "reason": reason, "message": message, "type": source.kind, "count": 1,
        "firstTimestamp": time, "lastTimestamp": time,
        "source": {"component": source.component}, "reportingComponent": source.component,
    });
    let key = Key::of(Resource::Events, &event);
    state.event_keys.insert(said, key.clone());
    state.store.put(&key, event);
}

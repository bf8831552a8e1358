//! How objects come in: whoever creates one, a client or the job controller, goes through here.
//!
//! ```text
//!  prepare (name, uid, first status) ─▶ the creator's own checks ─▶ admit (refusals, duplicates) ─▶ enter ─▶ store
//!                                                                                                     └─▶ Arrivals ─▶ job_controller, kubelet
//! ```
//!
//! A seeded object is put into the store directly: nobody looks after it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Cluster, State, lifecycle};
use crate::clock::seconds;
use crate::objects::json::{set, text};
use crate::objects::rejection::Rejection;
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// A new object that somebody has to look after.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) key: Key,
    pub(crate) uid: String,
}

/// What controllers listen to: every Job and every pod that was created, in order.
#[derive(Debug)]
pub(crate) struct Arrivals {
    pub(crate) jobs: UnboundedReceiver<Arrival>,
    pub(crate) pods: UnboundedReceiver<Arrival>,
}

/// The other ends. Unbounded: they are sent to under the lock of the state, and each object comes once.
#[derive(Debug)]
pub(super) struct Announcers {
    jobs: UnboundedSender<Arrival>,
    pods: UnboundedSender<Arrival>,
}

pub(super) fn channels() -> (Announcers, Arrivals) {
    let ((jobs, new_jobs), (pods, new_pods)) = (unbounded_channel(), unbounded_channel());
    (Announcers { jobs, pods }, Arrivals { jobs: new_jobs, pods: new_pods })
}

impl Announcers {
    fn announce(&self, resource: Resource, arrival: Arrival) {
        let sent = match resource {
            Resource::Jobs => self.jobs.send(arrival),
            Resource::Pods => self.pods.send(arrival),
            _ => return,
        };
        if sent.is_err() {
            tracing::debug!("an object arrives while the simulator stops");
        }
    }
}

/// Names a new object and gives it the state in which everything begins.
pub(crate) fn prepare(
    state: &mut State,
    now: Timestamp,
    resource: Resource,
    namespace: &str,
    new: &mut Value,
) -> Result<(), Rejection> {
    if text(new, "/metadata/name").is_empty() {
        let prefix = text(new, "/metadata/generateName");
        if prefix.is_empty() {
            let why = "Required value: name or generateName is required";
            return Err(Rejection::invalid(resource, "", "metadata.name", why));
        }
        let prefix: String = prefix.chars().take(58).collect();
        let name = format!("{prefix}{}", state.store.new_suffix());
        set(new, &["metadata", "name"], name);
    }
    if resource.namespaced() {
        set(new, &["metadata", "namespace"], namespace);
    }
    set(new, &["metadata", "uid"], state.store.new_uid());
    set(new, &["metadata", "creationTimestamp"], seconds(now));
    set(new, &["apiVersion"], resource.api_version());
    set(new, &["kind"], resource.kind());
    match resource {
        Resource::Jobs => set(new, &["status"], json!({})),
        Resource::Pods => set(new, &["status"], json!({"phase": "Pending", "qosClass": "Burstable"})),
        _ => {}
    }
    Ok(())
}

/// The last word on a prepared object: quotas and webhooks, then its name.
pub(crate) fn admit(state: &mut State, resource: Resource, new: &Value) -> Result<(), Rejection> {
    let name = text(new, "/metadata/name");
    if let Some(message) = state.knobs.answers.refusal(resource.plural()) {
        return Err(Rejection::forbidden(resource, name, &message));
    }
    if state.store.get(&Key::of(resource, new)).is_some() {
        return Err(Rejection::already_exists(resource, name));
    }
    Ok(())
}

/// Stores an admitted object and tells whoever looks after its kind.
pub(crate) fn enter(cluster: &Cluster, state: &mut State, resource: Resource, new: Value) -> Arc<Value> {
    let key = Key::of(resource, &new);
    let stored = state.store.put(&key, new);
    let uid = text(&stored, "/metadata/uid").to_owned();
    if resource == Resource::Pods {
        state.running_pods.insert(uid.clone());
    }
    if !matches!(resource, Resource::Jobs | Resource::Pods) {
        lifecycle::collect_if_ownerless(state, cluster.clock.now(), &key);
    }
    cluster.announcers.announce(resource, Arrival { key, uid });
    stored
}

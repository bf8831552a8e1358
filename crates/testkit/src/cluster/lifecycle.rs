//! How objects leave: graceful deletion, propagation policies, garbage collection by ownerReferences.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::State;
use crate::clock::seconds;
use crate::objects::json::{array, integer, items, object, remove, set, text};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// What happens to the dependents of a deleted object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// The owner goes at once, dependents after it.
    Background,
    /// The owner stays, marked, until its blocking dependents are gone.
    Foreground,
    /// Dependents stay and lose their owner.
    Orphan,
}

const FOREGROUND: &str = "foregroundDeletion";

/// Deletes an object. Returns its last state, or its marked state when it stays for a while.
pub(crate) fn delete(
    state: &mut State,
    now: Timestamp,
    key: &Key,
    propagation: Propagation,
    grace: Option<i64>,
) -> Option<Arc<Value>> {
    let current = state.store.get(key)?.clone();
    if key.resource == Resource::Pods {
        return Some(delete_pod(state, now, key, &current, grace));
    }
    let uid = text(&current, "/metadata/uid").to_owned();
    match propagation {
        Propagation::Orphan => {
            for (dependent, _) in dependents(state, &uid) {
                state.store.edit(&dependent, |object| {
                    array(object, &["metadata", "ownerReferences"]).retain(|owner| text(owner, "/uid") != uid);
                    if items(object, "/metadata/ownerReferences").is_empty() {
                        remove(object, &["metadata", "ownerReferences"]);
                    }
                });
            }
            remove_now(state, now, key)
        }
        Propagation::Background => remove_now(state, now, key),
        Propagation::Foreground => {
            let marked = state.store.edit(key, |object| {
                set(object, &["metadata", "deletionTimestamp"], seconds(now));
                set(object, &["metadata", "deletionGracePeriodSeconds"], 0);
                let finalizers = array(object, &["metadata", "finalizers"]);
                if !finalizers.iter().any(|known| known == FOREGROUND) {
                    finalizers.push(FOREGROUND.into());
                }
            });
            for (dependent, _) in dependents(state, &uid) {
                delete(state, now, &dependent, Propagation::Background, None);
            }
            finish_foreground(state, now, &uid);
            marked
        }
    }
}

/// Takes an object out of the store and collects what it owned.
pub(crate) fn remove_now(state: &mut State, now: Timestamp, key: &Key) -> Option<Arc<Value>> {
    let last = state.store.take(key)?;
    let uid = text(&last, "/metadata/uid");
    if key.resource == Resource::Pods {
        state.running_pods.remove(uid);
        if let Some(owner) = controller_uid(&last) {
            let phase = text(&last, "/status/phase").to_owned();
            state.ended_pods.entry(owner.to_owned()).or_default().push((uid.to_owned(), phase));
        }
    }
    for (dependent, _) in dependents(state, uid) {
        delete(state, now, &dependent, Propagation::Background, None);
    }
    for owner in items(&last, "/metadata/ownerReferences") {
        finish_foreground(state, now, text(owner, "/uid"));
    }
    Some(last)
}

/// An object whose owners never existed or are gone is garbage from birth.
pub(crate) fn collect_if_ownerless(state: &mut State, now: Timestamp, key: &Key) {
    let Some(object) = state.store.get(key) else { return };
    let owners = items(object, "/metadata/ownerReferences");
    let alive = |owner: &Value| state.store.find(text(owner, "/uid")).is_some();
    if !owners.is_empty() && !owners.iter().any(alive) {
        delete(state, now, key, Propagation::Background, None);
    }
}

/// The uid of the owner that is marked as controller.
pub(crate) fn controller_uid(object: &Value) -> Option<&str> {
    items(object, "/metadata/ownerReferences")
        .iter()
        .find(|owner| owner["controller"] == true)
        .map(|owner| text(owner, "/uid"))
}

/// The pod has a deletion timestamp.
pub(crate) fn is_deleting(object: &Value) -> bool {
    !text(object, "/metadata/deletionTimestamp").is_empty()
}

/// The pod's containers will not run again.
pub(crate) fn is_terminal(pod: &Value) -> bool {
    matches!(text(pod, "/status/phase"), "Succeeded" | "Failed")
}

fn delete_pod(state: &mut State, now: Timestamp, key: &Key, pod: &Arc<Value>, grace: Option<i64>) -> Arc<Value> {
    let own = integer(pod, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
    // The server deletes at once what no kubelet will confirm: unscheduled or finished pods (pod strategy, CheckGracefulDelete).
    let unconfirmed = text(pod, "/spec/nodeName").is_empty() || is_terminal(pod);
    let uid = text(pod, "/metadata/uid");
    let grace = if unconfirmed || !state.running_pods.contains(uid) { 0 } else { grace.unwrap_or(own).max(0) };
    if grace == 0 {
        return remove_now(state, now, key).unwrap_or_else(|| Arc::clone(pod));
    }
    let shorter = integer(pod, "/metadata/deletionGracePeriodSeconds").is_none_or(|known| grace < known);
    let gone_by = now.checked_add(SignedDuration::from_secs(grace)).unwrap_or(now);
    state
        .store
        .edit(key, |pod| {
            if shorter {
                set(pod, &["metadata", "deletionTimestamp"], seconds(gone_by));
                set(pod, &["metadata", "deletionGracePeriodSeconds"], grace);
            }
        })
        .unwrap_or_else(|| Arc::clone(pod))
}

fn dependents(state: &State, owner: &str) -> Vec<(Key, Arc<Value>)> {
    state.store.owned_by(owner).map(|(key, object)| (key.clone(), Arc::clone(object))).collect()
}

/// Removes a foreground-deleted owner once no dependent blocks it.
fn finish_foreground(state: &mut State, now: Timestamp, owner: &str) {
    let waiting = state.store.find(owner).filter(|(_, object)| {
        is_deleting(object) && items(object, "/metadata/finalizers").iter().any(|finalizer| finalizer == FOREGROUND)
    });
    let Some(key) = waiting.map(|(key, _)| key.clone()) else { return };
    let blocked = dependents(state, owner).iter().any(|(_, dependent)| {
        items(dependent, "/metadata/ownerReferences")
            .iter()
            .any(|reference| text(reference, "/uid") == owner && reference["blockOwnerDeletion"] == true)
    });
    if !blocked {
        state.store.edit(&key, |owner| {
            object(owner, &["metadata"]).shift_remove("finalizers");
        });
        remove_now(state, now, &key);
    }
}

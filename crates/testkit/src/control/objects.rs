//! Objects past the API: seeding, patching, removing, waiting.

use serde_json::{Value, json};

use super::Knobs;
use crate::clock::seconds;
use crate::cluster::lifecycle;
use crate::cluster::{State, Topic};
use crate::objects::json::{merge, set, set_default, text};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

impl Knobs {
    /// Puts an object into the cluster as it is, status included. No controller looks after it: a seeded pod is never run.
    /// Missing namespace, uid and creation time are filled in. `false`: unknown kind.
    #[expect(clippy::must_use_candidate, reason = "the kind is wrong only when it comes from outside of a test")]
    pub fn seed(&self, mut object: Value) -> bool {
        let Some(resource) = Resource::of_kind(text(&object, "/kind")) else { return false };
        let now = seconds(self.cluster.clock.now());
        self.cluster.update(|state| {
            if resource.namespaced() {
                set_default(&mut object, &["metadata", "namespace"], "default");
                let namespace = text(&object, "/metadata/namespace").to_owned();
                ensure_namespace(state, &namespace, &now);
            }
            let uid = state.store.new_uid();
            set_default(&mut object, &["metadata", "uid"], uid);
            set_default(&mut object, &["metadata", "creationTimestamp"], now);
            set(&mut object, &["apiVersion"], resource.api_version());
            state.store.put(&Key::of(resource, &object), object);
        });
        true
    }

    /// Makes a namespace; nothing happens if it is there.
    pub fn create_namespace(&self, name: &str) {
        let now = seconds(self.cluster.clock.now());
        self.cluster.update(|state| ensure_namespace(state, name, &now));
    }

    /// Merges a patch into an object, status and metadata included, past all checks. `false`: not there.
    #[must_use]
    pub fn patch(&self, resource: &str, namespace: &str, name: &str, patch: &Value) -> bool {
        let Some(resource) = Resource::of_plural(resource) else { return false };
        let key = Key::new(resource, namespace, name);
        self.cluster.update(|state| state.store.edit(&key, |object| merge(object, patch)).is_some())
    }

    /// Removes an object without a trace: no grace, no garbage collection delay.
    #[must_use]
    pub fn remove(&self, resource: &str, namespace: &str, name: &str) -> bool {
        let Some(resource) = Resource::of_plural(resource) else { return false };
        let (key, now) = (Key::new(resource, namespace, name), self.cluster.clock.now());
        self.cluster.update(|state| lifecycle::remove_now(state, now, &key).is_some())
    }

    /// One object.
    #[must_use]
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = Key::new(Resource::of_plural(resource)?, namespace, name);
        self.cluster.read(|state| state.store.get(&key).map(|object| Value::clone(object)))
    }

    /// All objects of a kind in a namespace (in all when it is empty).
    #[must_use]
    pub fn objects(&self, resource: &str, namespace: &str) -> Vec<Value> {
        let Some(resource) = Resource::of_plural(resource) else { return Vec::new() };
        self.cluster
            .read(|state| state.store.list(resource, namespace).map(|(_, object)| Value::clone(object)).collect())
    }

    /// Waits until an object of this kind satisfies the condition, and returns it. Event driven; never gives up.
    pub async fn wait_for(&self, resource: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let Some(resource) = Resource::of_plural(resource) else { return std::future::pending().await };
        self.cluster
            .until(Topic::Everything, |state| {
                let found = state.store.list(resource, "").find(|(_, object)| condition(object));
                found.map(|(_, object)| Value::clone(object))
            })
            .await
    }
}

fn ensure_namespace(state: &mut State, name: &str, now: &str) {
    let key = Key::new(Resource::Namespaces, "", name);
    if state.store.get(&key).is_none() {
        let uid = state.store.new_uid();
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "status": {"phase": "Active"},
            "metadata": {"name": name, "uid": uid, "creationTimestamp": now},
        });
        state.store.put(&key, namespace);
    }
}

//! The Rust side of the knobs. Everything here is immediate: it returns when the change is in force.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Access, AdmissionRule, Eviction, Fault, Hold, HoldKind, LogSettings, PolicyRule};
use crate::cluster::json::{merge, set, set_default, text};
use crate::cluster::lifecycle::{self, Propagation};
use crate::cluster::resource::Resource;
use crate::cluster::store::Key;
use crate::cluster::{Cluster, Lags, Topic, seconds};
use crate::job_controller;
use crate::kubelet::{ContainerLog, Launch};

/// Bends the simulated cluster. Cheap to clone.
#[derive(Clone)]
pub struct Knobs {
    cluster: Arc<Cluster>,
}

impl Knobs {
    pub(crate) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster }
    }

    // --- requests -------------------------------------------------------------------------------------------------

    /// Arms a fault; returns its number.
    ///
    /// # Errors
    /// `path` or `query` is no regular expression.
    pub fn fault(&self, fault: Fault) -> Result<u64, regex::Error> {
        self.cluster.bend(|state| state.knobs.faults.add(fault))
    }

    /// How many requests the fault has hit.
    #[must_use]
    pub fn fault_hits(&self, id: u64) -> u32 {
        self.cluster.read(|state| state.knobs.faults.hits(id))
    }

    /// Disarms one fault.
    pub fn clear_fault(&self, id: u64) {
        self.cluster.bend(|state| state.knobs.faults.remove(Some(id)));
    }

    /// Disarms all faults.
    pub fn clear_faults(&self) {
        self.cluster.bend(|state| state.knobs.faults.remove(None));
    }

    pub(crate) fn faults(&self) -> Vec<Value> {
        self.cluster.read(|state| state.knobs.faults.list())
    }

    /// Replaces the whole access configuration.
    pub fn access(&self, access: Access) {
        self.cluster.bend(|state| state.knobs.access = access);
    }

    /// Allows exactly what the rules say.
    pub fn allow_only(&self, rules: Vec<PolicyRule>) {
        self.cluster.bend(|state| state.knobs.access.rules = Some(rules));
    }

    /// Denies one verb for one resource (`jobs`, `pods/log`, …); everything else stays as it is.
    pub fn deny(&self, verb: &str, resource: &str) {
        let rule = PolicyRule::new("*", &[resource], &[verb]);
        self.cluster.bend(|state| state.knobs.access.denied.push(rule));
    }

    /// Allows everything again.
    pub fn allow_all(&self) {
        self.cluster.bend(|state| {
            state.knobs.access.rules = None;
            state.knobs.access.denied.clear();
        });
    }

    /// Accepts only these bearer tokens (others get 401); `None` accepts everything.
    pub fn tokens(&self, tokens: Option<Vec<String>>) {
        self.cluster.bend(|state| state.knobs.tokens = tokens);
    }

    /// Refuses creates of a kind: quota, Pod Security, webhook.
    pub fn refuse_creates(&self, rule: AdmissionRule) {
        self.cluster.bend(|state| state.knobs.admission.push(rule));
    }

    /// Lifts all refusals.
    pub fn clear_refusals(&self) {
        self.cluster.bend(|state| state.knobs.admission.clear());
    }

    // --- streams --------------------------------------------------------------------------------------------------

    /// Every open watch, and every resume from a known version, gets a 410 as `ERROR` event.
    pub fn expire_watches(&self) {
        self.cluster.bend(|state| state.store.compact());
    }

    /// Every open watch ends cleanly.
    pub fn end_watches(&self) {
        self.cluster.bend(|state| state.knobs.watches.ended += 1);
    }

    /// While frozen, watches stay open and deliver nothing, like half-open connections.
    pub fn freeze_watches(&self, frozen: bool) {
        self.cluster.bend(|state| state.knobs.watches.frozen = frozen);
    }

    /// Every open log follow ends now: cleanly, or with a broken connection.
    pub fn close_follows(&self, reset: bool) {
        self.cluster.bend(|state| {
            state.knobs.follows.closed += 1;
            state.knobs.follows.reset = reset;
        });
    }

    // --- controllers ----------------------------------------------------------------------------------------------

    /// Holds a part of the cluster back until [`Knobs::release`].
    pub fn hold(&self, kind: HoldKind) {
        self.hold_with(Hold { kind, name: None, message: None });
    }

    /// Holds with a name or a message.
    pub fn hold_with(&self, hold: Hold) {
        self.cluster.bend(|state| state.knobs.holds.push(hold));
    }

    /// Releases all holds of this kind.
    pub fn release(&self, kind: HoldKind) {
        self.cluster.bend(|state| state.knobs.holds.retain(|hold| hold.kind != kind));
    }

    /// Opens a gate on which scripts wait.
    pub fn open_gate(&self, name: &str) {
        self.cluster.bend(|state| state.knobs.open_gates.insert(name.to_owned()));
    }

    /// The delays of the cluster.
    #[must_use]
    pub fn lags(&self) -> Lags {
        self.cluster.lags()
    }

    /// Changes the delays of the cluster.
    pub fn set_lags(&self, lags: Lags) {
        self.cluster.bend(|state| state.knobs.lags = lags);
    }

    /// How logs of containers that start from now on are written.
    pub fn log_settings(&self, settings: LogSettings) {
        self.cluster.bend(|state| state.knobs.logs = settings);
    }

    /// Steps the node's clock (record times), forward or back.
    pub fn step_node_clock(&self, by: SignedDuration) {
        self.cluster.clock.step_node(by);
    }

    /// The API server's wall clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.cluster.clock.now()
    }

    // --- pods and Jobs --------------------------------------------------------------------------------------------

    /// Evicts a pod: killed at once, phase `Failed`, reason `Evicted`, log removed, object stays. `false`: no such pod.
    #[must_use]
    pub fn evict(&self, namespace: &str, pod: &str, eviction: Eviction) -> bool {
        self.with_pod(namespace, pod, |state, uid| {
            state.knobs.evictions.insert(uid, eviction);
        })
    }

    /// The container exceeds its memory limit: 137, `OOMKilled`.
    #[must_use]
    pub fn out_of_memory(&self, namespace: &str, pod: &str) -> bool {
        self.with_pod(namespace, pod, |state, uid| {
            state.knobs.out_of_memory.insert(uid);
        })
    }

    /// The pod's node is lost (or back): no status, no log, no reaction to a deletion.
    #[must_use]
    pub fn node_lost(&self, namespace: &str, pod: &str, lost: bool) -> bool {
        self.with_pod(namespace, pod, |state, uid| {
            if lost {
                state.knobs.lost.insert(uid);
            } else {
                state.knobs.lost.remove(&uid);
            }
        })
    }

    /// Somebody deletes the pod. `grace_seconds: Some(0)` removes it at once. With a `disruption` reason such as
    /// `EvictionByEvictionAPI` or `DeletionByTaintManager` the condition `DisruptionTarget` is set first, as a drain does.
    #[must_use]
    pub fn delete_pod(&self, namespace: &str, pod: &str, grace_seconds: Option<i64>, disruption: Option<&str>) -> bool {
        let now = self.cluster.clock.now();
        let key = Key::new(Resource::Pods, namespace, pod);
        self.cluster.bend(|state| {
            if let Some(reason) = disruption {
                let time = seconds(now);
                state.store.edit(&key, |pod| {
                    let kind = "DisruptionTarget";
                    crate::cluster::json::set_condition(pod, kind, "True", reason, "the pod is taken away", &time);
                });
            }
            lifecycle::delete(state, now, &key, Propagation::Background, grace_seconds).is_some()
        })
    }

    /// Somebody deletes the Job, pods included.
    #[must_use]
    pub fn delete_job(&self, namespace: &str, job: &str) -> bool {
        let key = Key::new(Resource::Jobs, namespace, job);
        let now = self.cluster.clock.now();
        self.cluster.bend(|state| lifecycle::delete(state, now, &key, Propagation::Background, None).is_some())
    }

    /// Somebody suspends or releases the Job (a queue controller, for example).
    #[must_use]
    pub fn suspend_job(&self, namespace: &str, job: &str, suspended: bool) -> bool {
        self.patch("jobs", namespace, job, &json!({"spec": {"suspend": suspended}}))
    }

    /// The job controller creates one pod too many.
    #[must_use]
    pub fn create_extra_pod(&self, namespace: &str, job: &str) -> bool {
        job_controller::create_extra_pod(&self.cluster, &Key::new(Resource::Jobs, namespace, job))
    }

    /// The kubelet rotates the log of every container of the pod now.
    #[must_use]
    pub fn rotate_log(&self, namespace: &str, pod: &str) -> bool {
        self.with_logs(namespace, pod, ContainerLog::rotate)
    }

    /// The node removes the logs of the pod; requests get the kubelet's notice. Follows end.
    #[must_use]
    pub fn remove_log(&self, namespace: &str, pod: &str) -> bool {
        self.with_logs(namespace, pod, ContainerLog::remove)
    }

    // --- objects --------------------------------------------------------------------------------------------------

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

    /// What the last containers (at most 256) were started with, oldest first.
    #[must_use]
    pub fn launches(&self) -> Vec<Launch> {
        self.cluster.read(|state| state.launches.clone())
    }

    fn with_pod(&self, namespace: &str, pod: &str, act: impl FnOnce(&mut crate::cluster::State, String)) -> bool {
        let key = Key::new(Resource::Pods, namespace, pod);
        self.cluster.bend(|state| {
            let uid = state.store.get(&key).map(|pod| text(pod, "/metadata/uid").to_owned());
            uid.map(|uid| act(state, uid)).is_some()
        })
    }

    fn with_logs(&self, namespace: &str, pod: &str, act: impl Fn(&ContainerLog)) -> bool {
        self.with_pod(namespace, pod, |state, uid| {
            state.logs.iter().filter(|((owner, _), _)| *owner == uid).for_each(|(_, log)| act(log));
        })
    }
}

fn ensure_namespace(state: &mut crate::cluster::State, name: &str, now: &str) {
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

//! What happens to pods and Jobs from outside.

use serde_json::json;

use super::Knobs;
use crate::clock::seconds;
use crate::cluster::ContainerLog;
use crate::cluster::State;
use crate::cluster::lifecycle::{self, Propagation};
use crate::knobs::{Eviction, PodKnobs};
use crate::objects::json::{set_condition, text};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

impl Knobs {
    /// Evicts a pod: killed at once, phase `Failed`, reason `Evicted`, log removed, object stays. `false`: no such pod.
    #[must_use]
    pub fn evict(&self, namespace: &str, pod: &str, eviction: Eviction) -> bool {
        self.bend_pod(namespace, pod, |pod| pod.eviction = Some(eviction))
    }

    /// The container exceeds its memory limit: 137, `OOMKilled`.
    #[must_use]
    pub fn out_of_memory(&self, namespace: &str, pod: &str) -> bool {
        self.bend_pod(namespace, pod, |pod| pod.out_of_memory = true)
    }

    /// The pod's node is lost (or back): no status, no log, no reaction to a deletion.
    #[must_use]
    pub fn node_lost(&self, namespace: &str, pod: &str, lost: bool) -> bool {
        self.bend_pod(namespace, pod, |pod| pod.lost = lost)
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
                    set_condition(pod, kind, "True", reason, "the pod is taken away", &time);
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

    /// The kubelet rotates the log of every container of the pod now.
    #[must_use]
    pub fn rotate_log(&self, namespace: &str, pod: &str) -> bool {
        self.with_logs(namespace, pod, ContainerLog::rotate)
    }

    fn with_pod(&self, namespace: &str, pod: &str, act: impl FnOnce(&mut State, String)) -> bool {
        let key = Key::new(Resource::Pods, namespace, pod);
        self.cluster.bend(|state| {
            let uid = state.store.get(&key).map(|pod| text(pod, "/metadata/uid").to_owned());
            uid.map(|uid| act(state, uid)).is_some()
        })
    }

    fn bend_pod(&self, namespace: &str, pod: &str, bend: impl FnOnce(&mut PodKnobs)) -> bool {
        self.with_pod(namespace, pod, |state, uid| bend(state.knobs.node.pods.entry(uid).or_default()))
    }

    fn with_logs(&self, namespace: &str, pod: &str, act: impl Fn(&ContainerLog)) -> bool {
        self.with_pod(namespace, pod, |state, uid| {
            state.logs.iter().filter(|((owner, _), _)| *owner == uid).for_each(|(_, log)| act(log));
        })
    }
}

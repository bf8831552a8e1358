//! One pod from its creation to the removal of its object.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, sleep_until};

use super::container::{self, Ended};
use super::nodes;
use super::post::{self, List};
use crate::clock::seconds;
use crate::cluster::events::{self, SCHEDULER, SCHEDULER_WARNING, Source};
use crate::cluster::lifecycle::{is_deleting, remove_now};
use crate::cluster::{Cluster, ContainerLog, State, Topic};
use crate::knobs::{Eviction, HoldKind, names_of};
use crate::objects::json::{integer, items, set_condition};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// Why a pod has to stop.
#[derive(Debug, Clone)]
pub(super) enum EarlyEnd {
    Deleted,
    Evicted(Eviction),
    /// `activeDeadlineSeconds` of the pod template.
    Deadline,
}

/// The kubelet's knowledge of one pod.
pub(super) struct PodWorker {
    pub(super) cluster: Arc<Cluster>,
    pub(super) key: Key,
    pub(super) uid: String,
    /// When the pod was accepted; its own deadline counts from there.
    accepted: OnceCell<Instant>,
}

/// Looks after the pod until its object is gone, then removes its logs and directories.
pub(super) async fn run(cluster: Arc<Cluster>, key: Key, uid: String) {
    let pod = PodWorker { cluster, key, uid, accepted: OnceCell::new() };
    tokio::select! {
        biased;
        () = pod.gone() => {} // dropping `live` kills what still runs: a forced deletion
        () = pod.live() => {}
    }
    pod.clean_up();
}

impl PodWorker {
    async fn live(&self) {
        self.schedule().await;
        sleep(self.cluster.lags().pod_accepted).await;
        self.accept().await;
        let ended = self.run_containers().await;
        self.finish(ended).await;
        self.gone().await;
    }

    async fn schedule(&self) {
        sleep(self.cluster.lags().scheduling).await;
        let mut shown = String::new();
        loop {
            let obstacle = self.cluster.read(|state| self.obstacle(state));
            let Some(message) = obstacle else { break };
            if message != shown {
                let now = self.cluster.clock.now();
                self.post(|pod| post::unschedulable(pod, &message, now)).await;
                self.event(SCHEDULER_WARNING, "FailedScheduling", &message).await;
                shown = message;
            }
            let last = Some(shown.clone());
            self.cluster.until(Topic::Everything, |state| (self.obstacle(state) != last).then_some(())).await;
        }
        let now = self.cluster.clock.now();
        let node = self.cluster.read(|state| {
            let pod = state.store.get(&self.key);
            pod.and_then(|pod| nodes::node_for(state, pod).ok()).unwrap_or_else(|| super::NODE.to_owned())
        });
        self.post(|pod| post::scheduled(pod, &node, now)).await;
        let assigned = format!("Successfully assigned {}/{} to {node}", self.key.namespace, self.key.name);
        self.event(SCHEDULER, "Scheduled", &assigned).await;
    }

    /// Why no node fits; `None` when one does.
    fn obstacle(&self, state: &State) -> Option<String> {
        let pod = state.store.get(&self.key)?;
        if let Some(hold) = state.knobs.hold(HoldKind::Scheduling, &names_of(pod)) {
            let default = "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
            return Some(hold.message.clone().unwrap_or_else(|| default.to_owned()));
        }
        if let Err(unfit) = nodes::node_for(state, pod) {
            return Some(unfit);
        }
        items(pod, "/spec/volumes").iter().find_map(|volume| {
            let claim = volume.pointer("/persistentVolumeClaim/claimName")?.as_str()?;
            let key = Key::new(Resource::PersistentVolumeClaims, &self.key.namespace, claim);
            let found = state.store.get(&key).is_some();
            (!found).then(|| format!("0/1 nodes are available: persistentvolumeclaim \"{claim}\" not found. not found"))
        })
    }

    async fn accept(&self) {
        let now = self.cluster.clock.now();
        self.post(|pod| post::accepted(pod, now)).await;
        // Set once, here: the cell cannot be full.
        drop(self.accepted.set(Instant::now()));
    }

    /// Init containers one after the other, then all others together.
    async fn run_containers(&self) -> Vec<Ended> {
        let object = self.object().unwrap_or_default();
        let mut ended = Vec::new();
        for spec in items(&object, List::Init.spec()) {
            let init = container::run(self, spec, List::Init).await;
            let passed = init.terminated.as_ref().is_some_and(|end| end.exit.code == 0) && init.stop.is_none();
            ended.push(init);
            if !passed {
                return ended;
            }
        }
        let main = items(&object, List::Main.spec()).iter().map(|spec| container::run(self, spec, List::Main));
        ended.extend(join_all(main).await);
        ended
    }

    async fn finish(&self, ended: Vec<Ended>) {
        let lags = self.cluster.lags();
        if !self.is_deleting() {
            tokio::select! {
                biased;
                () = self.deletion() => {}
                () = sleep(lags.pod_phase) => {}
            }
        }
        let held = self.post_held_states(&ended);
        let phase = async {
            self.post_phase(&ended).await;
            self.deletion().await;
            sleep(lags.pod_removed).await;
            self.reachable().await;
            self.cluster.update(|state| {
                if state.store.get_uid(&self.key, &self.uid).is_some() {
                    remove_now(state, self.cluster.clock.now(), &self.key);
                }
            });
        };
        tokio::join!(held, phase);
    }

    async fn post_held_states(&self, ended: &[Ended]) {
        for container in ended.iter().filter(|container| container.held) {
            let Some(terminated) = &container.terminated else { continue };
            self.until(|state| (!self.held(state, HoldKind::ContainerState)).then_some(())).await;
            self.post(|pod| post::terminated(pod, container.list, &container.name, terminated)).await;
        }
    }

    async fn post_phase(&self, ended: &[Ended]) {
        let now = self.cluster.clock.now();
        let succeeded = ended.iter().all(|c| c.terminated.as_ref().is_some_and(|end| end.exit.code == 0));
        // A stop by the kubelet itself (deadline, eviction) explains the phase even when the pod is deleted later.
        let stop = ended.iter().find_map(|container| container.stop.clone());
        let (succeeded, reason, message) = match &stop {
            Some(EarlyEnd::Deadline) => {
                (false, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
            }
            Some(EarlyEnd::Evicted(eviction)) => (false, "Evicted", eviction.message.as_str()),
            Some(EarlyEnd::Deleted) | None => (succeeded, "", ""),
        };
        self.post(|pod| {
            for container in ended.iter().filter(|container| container.terminated.is_none()) {
                post::terminated(pod, container.list, &container.name, &post::unknown_state());
            }
            post::phase(pod, succeeded, reason, message, now);
            if let Some(EarlyEnd::Evicted(Eviction { disruption: true, message })) = &stop {
                set_condition(pod, "DisruptionTarget", "True", "TerminationByKubelet", message, &seconds(now));
            }
        })
        .await;
        if matches!(stop, Some(EarlyEnd::Evicted(_))) {
            self.logs(ContainerLog::remove);
        }
    }

    /// Why the pod has to stop, as soon as it does. Cancel-safe.
    pub(super) async fn stopped(&self) -> EarlyEnd {
        let stop = self.until(|state| {
            if let Some(eviction) = state.knobs.node.eviction(&self.uid) {
                return Some(EarlyEnd::Evicted(eviction.clone()));
            }
            let pod = state.store.get_uid(&self.key, &self.uid)?;
            // A kubelet that is cut off does not hear of a deletion.
            (is_deleting(pod) && !state.knobs.node.is_lost(&self.uid)).then_some(EarlyEnd::Deleted)
        });
        tokio::select! {
            biased;
            stop = stop => stop,
            () = self.overdue() => EarlyEnd::Deadline,
        }
    }

    /// The pod's own deadline, which may be set or brought forward while it runs.
    async fn overdue(&self) {
        let seconds = |state: &State| {
            let pod = state.store.get_uid(&self.key, &self.uid)?;
            u64::try_from(integer(pod, "/spec/activeDeadlineSeconds")?).ok().map(Duration::from_secs)
        };
        let mut known = self.cluster.read(seconds);
        loop {
            let deadline = self.accepted.get().zip(known).map(|(accepted, seconds)| *accepted + seconds);
            tokio::select! {
                biased;
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => return,
                changed = self.until(|state| Some(seconds(state)).filter(|now| *now != known)) => known = changed,
            }
        }
    }

    /// How long SIGTERM has before SIGKILL.
    pub(super) fn grace(&self, stop: &EarlyEnd) -> Duration {
        let object = self.object().unwrap_or_default();
        let own = integer(&object, "/spec/terminationGracePeriodSeconds");
        let seconds = match stop {
            EarlyEnd::Deleted => integer(&object, "/metadata/deletionGracePeriodSeconds").or(own),
            EarlyEnd::Deadline => own,
            EarlyEnd::Evicted(_) => Some(0),
        };
        Duration::from_secs(seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(30))
    }

    pub(super) async fn ran_out_of_memory(&self) {
        self.until(|state| state.knobs.node.is_out_of_memory(&self.uid).then_some(())).await;
    }

    /// Waits for something about this pod or a knob. Cancel-safe.
    pub(super) async fn until<T>(&self, check: impl FnMut(&State) -> Option<T>) -> T {
        self.cluster.until(Topic::Object(&self.uid), check).await
    }

    async fn deletion(&self) {
        self.until(|state| state.store.get_uid(&self.key, &self.uid).filter(|pod| is_deleting(pod)).map(drop)).await;
    }

    async fn gone(&self) {
        self.until(|state| state.store.get_uid(&self.key, &self.uid).is_none().then_some(())).await;
    }

    /// Waits while the node is lost: its kubelet reaches nobody.
    async fn reachable(&self) {
        self.until(|state| (!state.knobs.node.is_lost(&self.uid)).then_some(())).await;
    }

    /// Writes the pod's status.
    pub(super) async fn post(&self, edit: impl FnOnce(&mut Value)) {
        self.reachable().await;
        self.cluster.update(|state| {
            if state.store.get_uid(&self.key, &self.uid).is_some() {
                state.store.edit(&self.key, edit);
            }
        });
    }

    pub(super) async fn event(&self, source: Source, reason: &str, message: &str) {
        self.reachable().await;
        let now = self.cluster.clock.now();
        if let Some(pod) = self.object() {
            self.cluster.update(|state| events::record(state, now, source, &pod, reason, message));
        }
    }

    pub(super) fn object(&self) -> Option<Arc<Value>> {
        self.cluster.object(&self.key, &self.uid)
    }

    fn is_deleting(&self) -> bool {
        self.object().is_none_or(|pod| is_deleting(&pod))
    }

    pub(super) fn held(&self, state: &State, kind: HoldKind) -> bool {
        let pod = state.store.get(&self.key);
        pod.is_some_and(|pod| state.knobs.hold(kind, &names_of(pod)).is_some())
    }

    pub(super) fn is_held(&self, kind: HoldKind) -> bool {
        self.cluster.read(|state| self.held(state, kind))
    }

    fn logs(&self, act: impl Fn(&ContainerLog)) {
        self.cluster
            .read(|state| state.logs.iter().filter(|((uid, _), _)| *uid == self.uid).for_each(|(_, log)| act(log)));
    }

    fn clean_up(&self) {
        self.logs(ContainerLog::close);
        self.cluster.update(|state| {
            state.logs.retain(|(uid, _), _| *uid != self.uid);
            state.running_pods.remove(&self.uid);
            state.knobs.node.pods.remove(&self.uid);
        });
        let running_here = self.cluster.started_directory().map(|root| root.join("pods").join(&self.uid));
        if let Some(directory) = running_here {
            // Leftovers vanish with the simulator's own directory.
            drop(std::fs::remove_dir_all(directory));
        }
    }
}

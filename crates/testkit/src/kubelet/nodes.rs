//! More than one node, as far as volumes need it: pods that a test seeds may stand on other nodes, and what only one node
//! can mount is then attached there.

use serde_json::Value;

use super::NODE;
use crate::cluster::State;
use crate::cluster::lifecycle::is_terminal;
use crate::objects::json::{items, text};
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// The node for a pod, or why none fits. Besides the simulator's own there are those on which pods stand.
pub(super) fn node_for(state: &State, pod: &Value) -> Result<String, String> {
    let wanted = wanted(pod);
    if wanted.is_empty() {
        return Ok(NODE.to_owned());
    }
    let exists = |name: &&str| *name == NODE || pods(state).any(|pod| text(pod, "/spec/nodeName") == *name);
    wanted.into_iter().find(exists).map(str::to_owned).ok_or_else(|| {
        "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.".to_owned()
    })
}

/// Names of nodes in the required affinity.
fn wanted(pod: &Value) -> Vec<&str> {
    const TERMS: &str = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    let fields = items(pod, TERMS).iter().flat_map(|term| items(term, "/matchFields"));
    let named = fields.filter(|field| text(field, "/key") == "metadata.name");
    named.flat_map(|field| items(field, "/values")).filter_map(Value::as_str).collect()
}

/// What the controller that attaches volumes says when one of the pod's is attached to another node.
pub(super) fn attached_elsewhere(state: &State, pod: &Value) -> Option<String> {
    let (namespace, node) = (text(pod, "/metadata/namespace"), text(pod, "/spec/nodeName"));
    claims(pod).find_map(|claim| {
        let found = state.store.get(&Key::new(Resource::PersistentVolumeClaims, namespace, claim))?;
        let modes = items(found, "/spec/accessModes");
        if modes.is_empty() || modes.iter().any(|mode| mode == "ReadWriteMany" || mode == "ReadOnlyMany") {
            return None;
        }
        let others: Vec<&str> = pods(state)
            .filter(|other| text(other, "/metadata/namespace") == namespace && !is_terminal(other))
            .filter(|other| !matches!(text(other, "/spec/nodeName"), other if other.is_empty() || other == node))
            .filter(|other| claims(other).any(|other| other == claim))
            .map(|other| text(other, "/metadata/name"))
            .collect();
        let volume = match text(found, "/spec/volumeName") {
            "" => format!("pvc-{}", text(found, "/metadata/uid")),
            name => name.to_owned(),
        };
        let pods = others.join(", ");
        (!others.is_empty())
            .then(|| format!("Multi-Attach error for volume \"{volume}\" Volume is already used by pod(s) {pods}"))
    })
}

fn pods(state: &State) -> impl Iterator<Item = &Value> {
    state.store.list(Resource::Pods, "").map(|(_, pod)| &**pod)
}

fn claims(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = items(pod, "/spec/volumes").iter();
    volumes.filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str())
}

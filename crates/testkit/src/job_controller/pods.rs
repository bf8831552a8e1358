//! Pods of a Job: finding and creating them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cluster::lifecycle::controller_uid;
use crate::cluster::{Cluster, State, arrival};
use crate::objects::json::{set, text};
use crate::objects::rejection::Rejection;
use crate::objects::resource::Resource;
use crate::objects::store::Key;

/// The pods that this Job controls; orphans do not belong to it any more.
pub(super) fn of_job(state: &State, uid: &str) -> Vec<(Key, Arc<Value>)> {
    let owned = state.store.owned_by(uid).filter(|(key, _)| key.resource == Resource::Pods);
    let pods = owned.filter(|(_, pod)| controller_uid(pod) == Some(uid));
    pods.map(|(key, pod)| (key.clone(), Arc::clone(pod))).collect()
}

/// Creates a pod from the template; returns its name. The API server completed and checked the template with the Job.
pub(super) fn create(cluster: &Cluster, state: &mut State, job: &Value) -> Result<String, Rejection> {
    let name = text(job, "/metadata/name");
    let mut pod = job["spec"]["template"].clone();
    set(&mut pod, &["metadata", "generateName"], format!("{name}-"));
    let owner = json!([{
        "apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": job["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    }]);
    set(&mut pod, &["metadata", "ownerReferences"], owner);
    arrival::prepare(state, cluster.clock.now(), Resource::Pods, text(job, "/metadata/namespace"), &mut pod)?;
    arrival::admit(state, Resource::Pods, &pod)?;
    let pod = arrival::enter(cluster, state, Resource::Pods, pod);
    Ok(text(&pod, "/metadata/name").to_owned())
}

//! What has to be there before a container can start: volumes, image, environment.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::time::sleep;

use super::image::is_valid_name;
use super::nodes;
use super::pod::PodWorker;
use super::post::{self, List};
use super::variables;
use super::volumes::{self, Volume};
use crate::cluster::events::{ATTACHER, ATTACHER_WARNING, KUBELET, KUBELET_WARNING};
use crate::cluster::{Image, Launch, State, Topic};
use crate::knobs::{HoldKind, names_of};
use crate::objects::json::{items, text};

/// Waits for volumes, image and environment. `None` when the image can never run.
pub(super) async fn prepare(
    pod: &PodWorker,
    spec: &Value,
    list: List,
) -> Option<(Launch, BTreeMap<String, Volume>, Image)> {
    attach(pod).await;
    let volumes = mount(pod).await;
    pod.until(|state| (!pod.held(state, HoldKind::ContainerStart)).then_some(())).await;
    let image = pull(pod, spec, list).await;
    let env = configure(pod, spec, list).await;
    sleep(pod.cluster.lags().container_start).await;
    let object = pod.object()?;
    let words = |field: &str| {
        items(spec, field).iter().filter_map(Value::as_str).map(|word| variables::expand(word, &env)).collect()
    };
    let launch = Launch {
        namespace: pod.key.namespace.clone(),
        pod: pod.key.name.clone(),
        job: names_of(&object)[1].to_owned(),
        container: text(spec, "/name").to_owned(),
        image: text(spec, "/image").to_owned(),
        command: words("/command"),
        args: words("/args"),
        working_dir: text(spec, "/workingDir").to_owned(),
        files: volumes::files_of(spec, &volumes),
        env,
    };
    Some((launch, volumes, image))
}

/// What another node has is waited for. It is said once, however long that lasts.
async fn attach(pod: &PodWorker) {
    let elsewhere = |state: &State| nodes::attached_elsewhere(state, state.store.get(&pod.key)?);
    let Some(message) = pod.cluster.read(elsewhere) else { return };
    pod.event(ATTACHER_WARNING, "FailedAttachVolume", &message).await;
    pod.cluster.until(Topic::Everything, |state| elsewhere(state).is_none().then_some(())).await;
    pod.event(ATTACHER, "SuccessfulAttachVolume", "AttachVolume.Attach succeeded for volume").await;
}

/// Volumes come first; a missing Secret holds the whole pod in `ContainerCreating`.
async fn mount(pod: &PodWorker) -> BTreeMap<String, Volume> {
    let mut reported = String::new();
    loop {
        let object = pod.object().unwrap_or_default();
        let problem = match pod.cluster.read(|state| volumes::resolve(state, &object)) {
            Ok(volumes) => return volumes,
            Err(problem) => problem,
        };
        if problem != reported {
            pod.event(KUBELET_WARNING, "FailedMount", &problem).await;
            reported = problem;
        }
        pod.cluster
            .until(Topic::Everything, |state| {
                let now = volumes::resolve(state, &object);
                now.map_or_else(|problem| (problem != reported).then_some(()), |_| Some(()))
            })
            .await;
    }
}

/// `ErrImagePull` and `ImagePullBackOff` alternate, with pauses that double, until the image is known.
async fn pull(pod: &PodWorker, spec: &Value, list: List) -> Image {
    let (name, image) = (text(spec, "/name"), text(spec, "/image"));
    if !is_valid_name(image) {
        let message = format!(
            "Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference format"
        );
        pod.event(KUBELET_WARNING, "InspectFailed", &message).await;
        pod.post(|pod| post::waiting(pod, list, name, "InvalidImageName", &message)).await;
        return std::future::pending().await;
    }
    let first = pod.cluster.lags().image_back_off;
    let mut back_off = first;
    loop {
        let known = pod.cluster.read(|state| state.images.get(image).cloned());
        if let Some(known) = known {
            let message = format!("Container image \"{image}\" already present on machine");
            pod.event(KUBELET, "Pulled", &message).await;
            return known;
        }
        if text(spec, "/imagePullPolicy") == "Never" {
            let message = format!("Container image \"{image}\" is not present with pull policy of Never");
            pod.event(KUBELET_WARNING, "ErrImageNeverPull", &message).await;
            pod.post(|pod| post::waiting(pod, list, name, "ErrImageNeverPull", &message)).await;
            pod.until(|state| state.images.contains_key(image).then_some(())).await;
            continue;
        }
        let why =
            format!("failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": not found");
        pod.event(KUBELET, "Pulling", &format!("Pulling image \"{image}\"")).await;
        pod.event(KUBELET_WARNING, "Failed", &format!("Failed to pull image \"{image}\": {why}")).await;
        pod.event(KUBELET_WARNING, "Failed", "Error: ErrImagePull").await;
        pod.post(|pod| post::waiting(pod, list, name, "ErrImagePull", &why)).await;
        sleep(back_off / 10).await;
        let message = format!("Back-off pulling image \"{image}\": ErrImagePull: {why}");
        pod.event(KUBELET, "BackOff", &format!("Back-off pulling image \"{image}\"")).await;
        pod.event(KUBELET_WARNING, "Failed", "Error: ImagePullBackOff").await;
        pod.post(|pod| post::waiting(pod, list, name, "ImagePullBackOff", &message)).await;
        sleep(back_off).await;
        back_off = (back_off * 2).min(first * 30);
    }
}

/// Resolves the environment; a missing key shows as `CreateContainerConfigError` until it appears.
async fn configure(pod: &PodWorker, spec: &Value, list: List) -> BTreeMap<String, String> {
    let object = pod.object().unwrap_or_default();
    let mut reported = String::new();
    loop {
        let problem = match pod.cluster.read(|state| variables::resolve(state, &object, spec)) {
            Ok(env) => return env,
            Err(problem) => problem,
        };
        if problem != reported {
            pod.event(KUBELET_WARNING, "Failed", &format!("Error: {problem}")).await;
            pod.post(|pod| post::waiting(pod, list, text(spec, "/name"), "CreateContainerConfigError", &problem)).await;
            reported = problem;
        }
        pod.cluster
            .until(Topic::Everything, |state| {
                let now = variables::resolve(state, &object, spec);
                now.map_or_else(|problem| (problem != reported).then_some(()), |_| Some(()))
            })
            .await;
    }
}

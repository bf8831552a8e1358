//! One container from its image to its exit.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::pod::{EarlyEnd, PodWorker};
use super::post::{self, List, Terminated};
use super::prepare::prepare;
use super::process::Process;
use super::volumes::{self, Places, Volume};
use super::{Signal, script_run};
use crate::cluster::events::{KUBELET, KUBELET_WARNING};
use crate::cluster::{ContainerLog, Image, LAUNCHES_KEPT, Launch};
use crate::knobs::HoldKind;
use crate::objects::json::text;
use crate::script::{Exit, Script};

/// A script in this variable of the container's environment takes precedence over what the image does.
const SCRIPT_VARIABLE: &str = "K8S_SIM_SCRIPT";

/// How a container ended, or why it never started.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) list: List,
    pub(super) name: String,
    /// `None`: it never started.
    pub(super) terminated: Option<Terminated>,
    /// The state still has to be posted: a hold kept it back.
    pub(super) held: bool,
    pub(super) stop: Option<EarlyEnd>,
}

/// The future that is the container.
type Running = Pin<Box<dyn Future<Output = Exit> + Send>>;

/// Runs one container of a pod until it ended or the pod was stopped before it could start.
pub(super) async fn run(pod: &PodWorker, spec: &Value, list: List) -> Ended {
    let name = text(spec, "/name").to_owned();
    let mut ended = Ended { list, name, terminated: None, held: false, stop: None };
    let prepared = tokio::select! {
        biased;
        stop = pod.stopped() => {
            ended.stop = Some(stop);
            return ended;
        }
        prepared = prepare(pod, spec, list) => prepared,
    };
    let Some((launch, volumes, image)) = prepared else { return ended };
    let lags = pod.cluster.lags();
    let settings = pod.cluster.read(|state| state.knobs.node.logs.clone());
    let log = Arc::new(ContainerLog::new(Arc::clone(&pod.cluster.clock), settings, &lags));
    let id = format!("containerd://{}-{}", pod.uid, ended.name);
    let started = pod.cluster.clock.now();
    // Nobody can wait for this: the status that makes it visible comes later.
    pod.cluster.update(|state| {
        state.logs.insert((pod.uid.clone(), ended.name.clone()), Arc::clone(&log));
        if state.launches.len() >= LAUNCHES_KEPT {
            state.launches.remove(0);
        }
        state.launches.push(launch.clone());
    });
    let (signal, receiver) = watch::channel(Signal::Run);
    let exit = match begin(pod, spec, launch, &volumes, &image, &log, receiver) {
        Ok(running) => {
            pod.event(KUBELET, "Started", &format!("Started container {}", ended.name)).await;
            attend(pod, &mut ended, running, &signal, &id, started, lags.container_running).await
        }
        Err(message) => {
            pod.event(KUBELET_WARNING, "Failed", &format!("Error: {message}")).await;
            Exit::code(128).reason("StartError").message(&message)
        }
    };
    log.close();
    let terminated = Terminated { id, exit, started: Some(started), finished: Some(pod.cluster.clock.now()) };
    ended.held = pod.is_held(HoldKind::ContainerState);
    if !ended.held {
        pod.post(|pod| post::terminated(pod, list, &ended.name, &terminated)).await;
    }
    ended.terminated = Some(terminated);
    ended
}

/// Starts the container; the error is the runtime's.
fn begin(
    pod: &PodWorker,
    spec: &Value,
    launch: Launch,
    volumes: &BTreeMap<String, Volume>,
    image: &Image,
    log: &Arc<ContainerLog>,
    signal: watch::Receiver<Signal>,
) -> Result<Running, String> {
    let from_environment = launch.env.get(SCRIPT_VARIABLE);
    let script = match (from_environment, image) {
        (Some(json), _) => Some(
            serde_json::from_str::<Script>(json).map_err(|error| format!("{SCRIPT_VARIABLE} is no script: {error}"))?,
        ),
        (None, Image::Script(choose)) => Some(choose(&launch)),
        (None, Image::Directory(_)) => None,
    };
    if let Some(script) = script {
        return Ok(Box::pin(script_run::run(Arc::clone(&pod.cluster), script, Arc::clone(log), signal)));
    }
    let Image::Directory(directory) = image else { return Err("the image holds no program".to_owned()) };
    let process = process(pod, spec, launch, volumes, directory.clone()).map_err(|error| error.to_string())?;
    let child = process.start()?;
    Ok(Box::pin(process.run(child, Arc::clone(log), signal)))
}

fn process(
    pod: &PodWorker,
    spec: &Value,
    launch: Launch,
    volumes: &BTreeMap<String, Volume>,
    image: std::path::PathBuf,
) -> std::io::Result<Process> {
    let root = pod.cluster.directory().ok_or_else(|| std::io::Error::other("no directory for volumes"))?;
    let places = Places { pod: root.join("pods").join(&pod.uid), claims: root.join("claims").join(&pod.key.namespace) };
    let mut paths = volumes::materialise(spec, volumes, &places, &launch.env)?;
    let home = places.pod.join("containers").join(&launch.container);
    std::fs::create_dir_all(&home)?;
    let termination_log = home.join("termination-log");
    std::fs::write(&termination_log, "")?;
    paths.add(text(spec, "/terminationMessagePath"), &termination_log);
    let fall_back_to_log = text(spec, "/terminationMessagePolicy") == "FallbackToLogsOnError";
    Ok(Process { launch, paths, image, home, termination_log, fall_back_to_log })
}

/// Watches over a running container: posts that it runs, and stops it when the pod has to go.
async fn attend(
    pod: &PodWorker,
    ended: &mut Ended,
    mut running: Running,
    signal: &watch::Sender<Signal>,
    id: &str,
    started: Timestamp,
    running_lag: Duration,
) -> Exit {
    let (list, name) = (ended.list, ended.name.clone());
    // A container that ends within the lag is never seen running (kubernetes.md 4.2).
    let running_at = Instant::now() + running_lag;
    let mut posted = false;
    let mut kill_at: Option<Instant> = None;
    let mut out_of_memory = false;
    loop {
        tokio::select! {
            biased;
            exit = &mut running => return exit,
            () = post_running(pod, list, &name, id, started, running_at), if !posted => posted = true,
            stop = pod.stopped(), if ended.stop.is_none() => {
                let grace = pod.grace(&stop);
                signal.send_replace(if grace.is_zero() { Signal::Kill } else { Signal::Terminate });
                kill_at = Some(Instant::now() + grace);
                ended.stop = Some(stop);
            }
            () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                signal.send_replace(Signal::Kill);
                kill_at = None;
            }
            () = pod.ran_out_of_memory(), if !out_of_memory => {
                out_of_memory = true;
                signal.send_replace(Signal::OutOfMemory);
            }
        }
    }
}

async fn post_running(pod: &PodWorker, list: List, name: &str, id: &str, started: Timestamp, at: Instant) {
    sleep_until(at).await;
    let now = pod.cluster.clock.now();
    pod.post(|pod| post::running(pod, list, name, id, started, now)).await;
}

//! `pods/log`: the answers by state (docs/internals/kubernetes.md 1.4) and the streamed body.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::route::Target;
use crate::cluster::{Cluster, ContainerLog, State, Topic};
use crate::kubelet_log::{LogReader, ReadOptions};
use crate::objects::json::{items, text};
use crate::objects::rejection::Rejection;
use crate::objects::resource::Resource;
use crate::objects::store::Key;
use crate::wire::body::{Broken, SimBody, connection_reset, full, response, stream as streamed};
use crate::wire::query::Query;

/// What the kubelet says about the container.
enum Answer {
    /// No node yet: an empty 204 that looks like a stream that ended.
    NoContent,
    Log(Arc<ContainerLog>, bool),
    /// The log was removed with the container; the notice is the whole body of a 200.
    Notice(String),
}

pub(super) fn answer(cluster: &Arc<Cluster>, target: &Target, query: &Query) -> Result<Response<SimBody>, Rejection> {
    let options = read_options(cluster, query)?;
    match cluster.read(|state| find(state, target, query))? {
        Answer::NoContent => Ok(response(204, "text/plain", full(Bytes::new()))),
        Answer::Notice(text) => Ok(response(200, "text/plain", full(text))),
        Answer::Log(log, stopped) => {
            let reader = log.open(&ReadOptions { follow: options.follow && !stopped, ..options });
            Ok(response(200, "text/plain", follow(cluster, log, reader, options.follow && !stopped)))
        }
    }
}

fn read_options(cluster: &Cluster, query: &Query) -> Result<ReadOptions, Rejection> {
    let invalid = |field: &str, value: &str| {
        Rejection::new(422, "Invalid", format!("PodLogOptions \"\" is invalid: {field}: Invalid value: \"{value}\""))
    };
    let number = |field: &str| match query.get(field) {
        "" => Ok(None),
        text => text.parse::<usize>().map(Some).map_err(|_| invalid(field, text)),
    };
    let since = match (query.get("sinceTime"), number("sinceSeconds")?) {
        ("", None) => None,
        // Relative to the kubelet's clock (kubernetes.md 1.2).
        ("", Some(seconds)) => {
            let node = cluster.clock.now().checked_add(cluster.clock.node_offset()).unwrap_or(Timestamp::MAX);
            let back = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            Some(node.checked_sub(back).unwrap_or(Timestamp::MIN))
        }
        (text, None) => {
            let time: Timestamp = text.parse().map_err(|_| invalid("sinceTime", text))?;
            // The API server re-formats the time with whole seconds: the fraction is cut, not rounded (kubernetes.md 1.1).
            let floor = time.as_nanosecond().div_euclid(1_000_000_000) * 1_000_000_000;
            Some(Timestamp::from_nanosecond(floor).unwrap_or(time))
        }
        (text, Some(_)) => return Err(invalid("sinceTime", text)),
    };
    Ok(ReadOptions {
        follow: query.flag("follow"),
        timestamps: query.flag("timestamps"),
        since,
        tail_records: number("tailLines")?,
        limit_bytes: number("limitBytes")?,
    })
}

fn find(state: &State, target: &Target, query: &Query) -> Result<Answer, Rejection> {
    let key = Key::new(Resource::Pods, &target.namespace, &target.name);
    let pod = state.store.get(&key).ok_or_else(|| Rejection::not_found(Resource::Pods, &target.name))?;
    let container = container_name(pod, query.get("container"))?;
    if text(pod, "/spec/nodeName").is_empty() {
        return Ok(Answer::NoContent);
    }
    let uid = text(pod, "/metadata/uid");
    if state.knobs.node.is_lost(uid) {
        let message = format!(
            "Get \"https://10.0.0.1:10250/containerLogs/{}/{}/{container}\": dial tcp 10.0.0.1:10250: i/o timeout",
            target.namespace, target.name
        );
        return Err(Rejection::new(500, "InternalError", message));
    }
    if query.flag("previous") {
        let pod = &target.name;
        let message = format!("previous terminated container \"{container}\" in pod \"{pod}\" not found");
        return Err(Rejection::bad_request(message));
    }
    let statuses = items(pod, "/status/containerStatuses").iter().chain(items(pod, "/status/initContainerStatuses"));
    let status = statuses.clone().find(|status| text(status, "/name") == container);
    let log = state.logs.get(&(uid.to_owned(), container.to_owned()));
    let observed = status.is_some_and(|status| status.pointer("/state/waiting").is_none());
    match log {
        Some(log) if log.is_removed() => {
            let id = status.map_or("", |status| text(status, "/containerID"));
            Ok(Answer::Notice(format!("unable to retrieve container logs for {id}")))
        }
        Some(log) if observed => Ok(Answer::Log(Arc::clone(log), log.is_closed())),
        _ => {
            let waiting = status.map_or("", |status| text(status, "/state/waiting/reason"));
            let reason = if waiting.is_empty() { "ContainerCreating" } else { waiting };
            let pod = &target.name;
            let message = format!("container \"{container}\" in pod \"{pod}\" is waiting to start: {reason}");
            Err(Rejection::bad_request(message))
        }
    }
}

fn container_name<'a>(pod: &'a Value, wanted: &'a str) -> Result<&'a str, Rejection> {
    let names = |list: &'static str| items(pod, list).iter().map(|container| text(container, "/name"));
    let name = text(pod, "/metadata/name");
    let all: Vec<&str> = names("/spec/containers").chain(names("/spec/initContainers")).collect();
    if wanted.is_empty() {
        if let [only] = all.as_slice() {
            return Ok(only);
        }
        let choices = all.join(" ");
        let message = format!("a container name must be specified for pod {name}, choose one of: [{choices}]");
        return Err(Rejection::bad_request(message));
    }
    if all.contains(&wanted) {
        Ok(wanted)
    } else {
        Err(Rejection::bad_request(format!("container {wanted} is not valid for pod {name}")))
    }
}

/// What a body needs while it is read.
struct Body {
    cluster: Arc<Cluster>,
    log: Arc<ContainerLog>,
    reader: LogReader,
    follow: bool,
    /// `FollowKnobs::closed` at the start.
    generation: u64,
    broken: bool,
}

fn follow(cluster: &Arc<Cluster>, log: Arc<ContainerLog>, reader: LogReader, follow: bool) -> SimBody {
    let generation = cluster.read(|state| state.knobs.answers.follows.closed);
    let body = Body { cluster: Arc::clone(cluster), log, reader, follow, generation, broken: false };
    let gauge = cluster.requests.log_gauge();
    streamed(stream::unfold((body, gauge), |(mut body, gauge)| async move {
        let piece = body.next().await?;
        Some((piece, (body, gauge)))
    }))
}

impl Body {
    /// Pulled by the connection: nothing is read ahead of the client. Cancel-safe.
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        if self.broken {
            return None;
        }
        if !self.follow {
            return self.log.read(&mut self.reader).map(Ok);
        }
        let generation = self.generation;
        tokio::select! {
            biased;
            reset = self.cluster.until(Topic::Knobs, |state| {
                let follows = &state.knobs.answers.follows;
                (follows.closed != generation).then_some(follows.reset)
            }) => {
                self.broken = true;
                reset.then(|| Err(connection_reset()))
            }
            piece = self.log.next(&mut self.reader) => piece.map(Ok),
        }
    }
}

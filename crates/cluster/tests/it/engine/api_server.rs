//! A Kubernetes API in memory: stores objects, answers watches, refuses what a test tells it to refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use claude_k8s_cluster::connect::Connection;
use futures_util::{StreamExt, stream};
use http::{Method, Request, Response};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tower::BoxError;

use super::objects::{Store, merge, status};

pub(crate) type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// The cluster. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
pub(super) struct State {
    pub(super) store: Store,
    requests: Vec<String>,
    reviews: usize,
    pub(super) denied: BTreeSet<String>,
    faults: Vec<(String, usize, Fault)>,
    watches: Vec<(String, mpsc::UnboundedSender<Bytes>)>,
    /// What the container writes, by Job name; the default is under the empty name.
    pub(super) logs: BTreeMap<String, String>,
    pub(super) life: Life,
    pub(super) most_running: usize,
    /// Controllers and containers.
    pub(super) tasks: JoinSet<()>,
}

/// What happens to a released Job.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// How long the container runs; `None`: until it is deleted.
    pub(crate) runs_for: Option<Duration>,
    pub(crate) exit_code: i32,
    /// From a deletion to the container's end; `None`: the node never reports.
    pub(crate) dies_within: Option<Duration>,
    /// No pod is made.
    pub(crate) no_pod: bool,
}

impl Default for Life {
    fn default() -> Self {
        let second = Some(Duration::from_secs(1));
        Self { runs_for: second, exit_code: 0, dies_within: second, no_pod: false }
    }
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// Refused with this code, without effect.
    Fails(u16),
    /// Done, but answered with this code.
    DoneBut(u16),
    /// No answer, no effect.
    Hangs,
    /// The answer takes this long.
    Slow(Duration),
    /// Somebody has just deleted the object.
    Vanished,
    /// The permission is gone.
    Forbidden,
}

/// A request as tests write it, for example `create jobs/ac-x`.
struct Asked {
    verb: &'static str,
    resource: String,
    name: String,
    query: String,
    body: Value,
}

impl ApiServer {
    pub(crate) fn connection(&self) -> Connection {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        Connection::from_client(Client::new(service, "ns"))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests so far, without permission reviews. `ac-agent-1-run-1-0ec508-run` is written `run-1-run`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state().requests.iter().map(|text| short(text)).collect()
    }

    /// Requests that change something.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = ["list", "watch", "get", "log"];
        let is_write = |text: &String| !reads.iter().any(|verb| text.starts_with(verb));
        self.requests().into_iter().filter(is_write).collect()
    }

    pub(crate) fn reviews(&self) -> usize {
        self.state().reviews
    }

    /// The next `times` requests that start with `what` go wrong.
    pub(crate) fn fault(&self, what: &str, times: usize, fault: Fault) {
        self.state().faults.push((what.to_owned(), times, fault));
    }

    pub(crate) fn heal(&self) {
        self.state().faults.clear();
    }

    /// Denies a verb, for example `patch jobs`.
    pub(crate) fn deny(&self, permission: &str) {
        self.state().denied.insert(permission.to_owned());
    }

    pub(crate) fn names(&self, resource: &str) -> Vec<String> {
        self.state().store.names(resource)
    }

    /// Everything of a run: Jobs, pods, Secrets.
    pub(crate) fn remains(&self) -> Vec<String> {
        ["jobs", "pods", "secrets"].iter().flat_map(|kind| self.names(kind)).map(|name| short(&name)).collect()
    }

    /// The Job of a run.
    pub(crate) fn job_of(&self, run_id: &str) -> String {
        let of_run = |name: &String| short(name) == run_id;
        self.names("jobs").into_iter().find(of_run).unwrap_or_else(|| unreachable!("no Job of {run_id}"))
    }

    pub(crate) fn asked(&self, what: &str) -> bool {
        self.requests().iter().any(|request| request.starts_with(what))
    }

    pub(crate) fn object(&self, resource: &str, name: &str) -> Option<Value> {
        self.state().store.get(resource, name).cloned()
    }

    /// Writes an object as somebody else and tells the watches.
    pub(crate) fn put(&self, resource: &str, object: Value) {
        let mut state = self.state();
        let event = state.store.put(resource, object);
        state.publish(resource, &event);
    }

    /// Removes an object as somebody else, and what belongs to it.
    pub(crate) fn collect(&self, resource: &str, name: &str) {
        let mut state = self.state();
        let event = state.store.remove(resource, name);
        state.publish(resource, &event);
        drop(state);
        if resource == "jobs" {
            self.job_deleted(&event["object"]);
        }
    }

    /// The most containers that ever ran at once.
    pub(crate) fn most_running(&self) -> usize {
        self.state().most_running
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let asked = Asked::read(request).await;
        let fault = self.state().note(&asked);
        match fault {
            Some(Fault::Hangs) => std::future::pending().await,
            Some(Fault::Fails(code)) => object(code, &status(code, "InternalError", &asked.resource)),
            Some(Fault::DoneBut(code)) => {
                self.serve(&asked);
                object(code, &status(code, "Timeout", &asked.resource))
            }
            Some(Fault::Vanished) => {
                self.collect(&asked.resource, &asked.name);
                self.serve(&asked)
            }
            Some(Fault::Forbidden) => object(403, &forbidden(&asked)),
            Some(Fault::Slow(time)) => {
                sleep(time).await;
                self.serve(&asked)
            }
            None => self.serve(&asked),
        }
    }

    fn serve(&self, asked: &Asked) -> Answer {
        let mut state = self.state();
        let permission = format!("{} {}", asked.verb, asked.resource);
        if asked.verb != "review" && state.denied.contains(&permission) {
            return object(403, &forbidden(asked));
        }
        match asked.verb {
            "review" => {
                let wanted = &asked.body["spec"]["resourceAttributes"];
                let member = |name: &str| wanted[name].as_str().unwrap_or_default().to_owned();
                let resource = match member("subresource").as_str() {
                    "" => member("resource"),
                    subresource => format!("{}/{subresource}", member("resource")),
                };
                let verb = if resource == "pods/log" { "log".to_owned() } else { member("verb") };
                let resource = if resource == "pods/log" { "pods".to_owned() } else { resource };
                let allowed = !state.denied.contains(&format!("{verb} {resource}"));
                object(201, &json!({ "spec": {}, "status": { "allowed": allowed } }))
            }
            "get" if asked.resource == "version" => object(
                200,
                &json!({ "major": "1", "minor": "35", "gitVersion": "v1.35.0", "gitCommit": "", "gitTreeState": "",
                    "buildDate": "", "goVersion": "", "compiler": "", "platform": "" }),
            ),
            "get" => match state.store.get(&asked.resource, &asked.name) {
                Some(found) => object(200, found),
                None => object(404, &status(404, "NotFound", &asked.resource)),
            },
            "list" => object(200, &state.store.list(&asked.resource, &asked.parameter("labelSelector"))),
            "watch" => state.watch(asked),
            "log" => log_body(state, |state| state.store.log_of(&asked.name, &state.logs), asked, self),
            "create" if asked.query.contains("dryRun") => object(201, &asked.body),
            "create" => match state.store.create(&asked.resource, asked.body.clone()) {
                Some(event) => {
                    state.publish(&asked.resource, &event);
                    let created = event["object"].clone();
                    drop(state);
                    self.changed(&asked.resource, created["metadata"]["name"].as_str().unwrap_or_default());
                    object(201, &created)
                }
                None => object(409, &status(409, "AlreadyExists", &asked.resource)),
            },
            "patch" => self.patch(state, asked),
            "delete" => self.delete(state, asked),
            verb => unreachable!("{verb}"),
        }
    }

    fn patch(&self, mut state: MutexGuard<'_, State>, asked: &Asked) -> Answer {
        let Some(mut found) = state.store.get(&asked.resource, &asked.name).cloned() else {
            return object(404, &status(404, "NotFound", &asked.resource));
        };
        let uid = &asked.body["metadata"]["uid"];
        if !uid.is_null() && *uid != found["metadata"]["uid"] {
            return object(409, &status(409, "Conflict", &asked.resource));
        }
        let version = &asked.body["metadata"]["resourceVersion"];
        if !version.is_null() && *version != found["metadata"]["resourceVersion"] {
            return object(409, &status(409, "Conflict", &asked.resource));
        }
        let before = found["spec"].clone();
        merge(&mut found, &asked.body);
        if found["spec"] != before {
            found["metadata"]["generation"] = json!(found["metadata"]["generation"].as_i64().unwrap_or(1) + 1);
        }
        let event = state.store.put(&asked.resource, found);
        state.publish(&asked.resource, &event);
        drop(state);
        self.changed(&asked.resource, &asked.name);
        object(200, &event["object"])
    }

    fn delete(&self, mut state: MutexGuard<'_, State>, asked: &Asked) -> Answer {
        let Some(found) = state.store.get(&asked.resource, &asked.name).cloned() else {
            return object(404, &status(404, "NotFound", &asked.resource));
        };
        let uid = &asked.body["preconditions"]["uid"];
        if !uid.is_null() && *uid != found["metadata"]["uid"] {
            return object(409, &status(409, "Conflict", &asked.resource));
        }
        if asked.resource == "jobs" {
            assert_eq!(asked.body["propagationPolicy"], "Background", "pods would be orphaned (END-09)");
            assert!(!uid.is_null(), "a delete without uid (END-09)");
        }
        let event = state.store.remove(&asked.resource, &asked.name);
        state.publish(&asked.resource, &event);
        drop(state);
        if asked.resource == "jobs" {
            self.job_deleted(&found);
        }
        object(200, &found)
    }
}

/// A follow stays open until the container has ended.
fn log_body(
    state: MutexGuard<'_, State>,
    text: impl Fn(&State) -> Option<String>,
    asked: &Asked,
    server: &ApiServer,
) -> Answer {
    let Some(text) = text(&state) else { return object(404, &status(404, "NotFound", "pods")) };
    drop(state);
    let since = asked.parameter("sinceTime");
    let wanted: String =
        text.lines().filter(|line| *line >= since.as_str()).fold(String::new(), |all, line| all + line + "\n");
    if !asked.query.contains("follow=true") {
        return Response::new(Full::new(Bytes::from(wanted)).map_err(BoxError::from).boxed_unsync());
    }
    let (server, pod) = (server.clone(), asked.name.clone());
    let end = stream::once(async move {
        while server.pod_runs(&pod) {
            sleep(Duration::from_millis(100)).await;
        }
        Ok(Frame::data(Bytes::new()))
    });
    let first = stream::once(async move { Ok::<_, BoxError>(Frame::data(Bytes::from(wanted))) });
    Response::new(StreamBody::new(first.chain(end)).boxed_unsync())
}

impl State {
    fn note(&mut self, asked: &Asked) -> Option<Fault> {
        let mut text = format!("{} {}", asked.verb, asked.resource);
        if !asked.name.is_empty() && asked.verb != "log" {
            text = format!("{text}/{}", asked.name);
        }
        if asked.verb == "review" {
            self.reviews += 1;
        } else {
            self.requests.push(text.clone());
        }
        let fault = self.faults.iter_mut().find(|(what, times, _)| text.starts_with(what.as_str()) && *times > 0)?;
        fault.1 -= 1;
        Some(fault.2)
    }

    pub(super) fn publish(&mut self, resource: &str, event: &Value) {
        let line = Bytes::from(format!("{event}\n"));
        self.watches.retain(|(kind, watch)| kind != resource || watch.send(line.clone()).is_ok());
    }

    fn watch(&mut self, asked: &Asked) -> Answer {
        let (sender, receiver) = mpsc::unbounded_channel();
        let from = asked.parameter("resourceVersion").parse().unwrap_or(0);
        for event in self.store.events_since(&asked.resource, from) {
            let sent = sender.send(Bytes::from(format!("{event}\n")));
            assert!(sent.is_ok(), "the receiver is in this function");
        }
        self.watches.push((asked.resource.clone(), sender));
        let seconds = asked.parameter("timeoutSeconds").parse().unwrap_or(60);
        let frames = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        let frames = frames.map(|chunk| Ok::<_, BoxError>(Frame::data(chunk)));
        let ends = Box::pin(sleep(Duration::from_secs(seconds)));
        Response::new(StreamBody::new(frames.take_until(ends)).boxed_unsync())
    }
}

impl Asked {
    async fn read(request: Request<Body>) -> Self {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let path: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let (resource, name) = match path.as_slice() {
            [.., "namespaces", _, "pods", pod, "log"] => ("log", *pod),
            [.., "namespaces", _, resource, name] => (*resource, *name),
            [.., "namespaces", _, resource] => (*resource, ""),
            [.., "namespaces", name] => ("namespaces", *name),
            [.., last] => (*last, ""),
            [] => ("", ""),
        };
        let verb = match parts.method {
            _ if resource == "log" => "log",
            _ if resource == "selfsubjectaccessreviews" => "review",
            Method::POST => "create",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ if query.contains("watch=true") => "watch",
            _ if name.is_empty() && resource != "version" => "list",
            _ => "get",
        };
        let resource = if resource == "log" { "pods" } else { resource }.to_owned();
        let from_body = |body: &Value| body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let name = if verb == "create" { from_body(&body) } else { name.to_owned() };
        Self { verb, resource, name, query, body }
    }

    fn parameter(&self, name: &str) -> String {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        value.replace("%2F", "/").replace("%3D", "=").replace("%2C", ",").replace("%3A", ":")
    }
}

fn forbidden(asked: &Asked) -> Value {
    let mut denied = status(403, "Forbidden", &asked.resource);
    denied["message"] = json!(format!("User \"u\" cannot {} resource \"{}\"", asked.verb, asked.resource));
    denied
}

/// Without the parts of a Job's name that say nothing.
pub(super) fn short(text: &str) -> String {
    let Some((before, name)) = text.split_once("ac-agent-1-") else { return text.to_owned() };
    let hash = name.match_indices('-').nth(1).map_or(name.len(), |(at, _)| at);
    format!("{before}{}{}", &name[..hash], name.get(hash + 7..).unwrap_or_default())
}

fn object(code: u16, body: &Value) -> Answer {
    let body = Full::new(Bytes::from(body.to_string())).map_err(BoxError::from).boxed_unsync();
    let mut answer = Response::new(body);
    *answer.status_mut() = http::StatusCode::from_u16(code).unwrap_or_default();
    answer
}

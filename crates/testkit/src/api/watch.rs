//! `watch`: reads the store's history as it grows.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use serde_json::{Value, json};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep_until};

use super::read::selector;
use super::route::Target;
use crate::cluster::{Cluster, State, Topic};
use crate::objects::rejection::Rejection;
use crate::objects::selector::Selector;
use crate::objects::store::Change;
use crate::wire::body::{SimBody, response, stream as streamed};
use crate::wire::query::Query;

/// One open watch.
struct Watch {
    cluster: Arc<Cluster>,
    changes: Receiver<()>,
    target: Target,
    selector: Selector,
    /// Everything up to this revision was looked at.
    revision: u64,
    queue: VecDeque<Bytes>,
    deadline: Instant,
    /// Next bookmark; `None` when the client did not ask for them.
    bookmark: Option<Instant>,
    bookmark_interval: Duration,
    /// `WatchKnobs::ended` at the start.
    generation: u64,
    done: bool,
}

pub(super) fn answer(cluster: &Arc<Cluster>, target: &Target, query: &Query) -> Result<Response<SimBody>, Rejection> {
    let selector = selector(target, query)?;
    if query.flag("sendInitialEvents") {
        let message = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        return Err(Rejection::new(422, "Invalid", message));
    }
    let lags = cluster.lags();
    let lifetime = query.number("timeoutSeconds").map_or(lags.watch, Duration::from_secs);
    let changes = cluster.subscribe(Topic::Everything);
    let start = query.get("resourceVersion");
    let mut queue = VecDeque::new();
    let (revision, generation) = cluster.read(|state| {
        let generation = state.knobs.answers.watches.ended;
        if !start.is_empty() && start != "0" {
            return (start.parse::<u64>().ok(), generation);
        }
        let existing = state.store.list(target.resource, &target.namespace);
        let existing = existing.filter(|(_, object)| selector.matches(object));
        queue.extend(existing.map(|(_, object)| event("ADDED", object)));
        (Some(state.store.revision()), generation)
    });
    let revision = revision.ok_or_else(|| Rejection::bad_request(format!("Invalid value: \"{start}\"")))?;
    let bookmark_interval = lags.bookmark;
    let watch = Watch {
        cluster: Arc::clone(cluster),
        changes,
        target: target.clone(),
        selector,
        revision,
        queue,
        deadline: Instant::now() + lifetime,
        bookmark: query.flag("allowWatchBookmarks").then(|| Instant::now() + bookmark_interval),
        bookmark_interval,
        generation,
        done: false,
    };
    let gauge = cluster.requests.watch_gauge();
    let events = stream::unfold((watch, gauge), |(mut watch, gauge)| async move {
        let event = watch.next().await?;
        Some((Ok(event), (watch, gauge)))
    });
    Ok(response(200, "application/json", streamed(events)))
}

impl Watch {
    /// Cancel-safe: an event leaves the queue only when it is returned.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.changes.borrow_and_update();
            let cluster = Arc::clone(&self.cluster);
            cluster.read(|state| self.gather(state));
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            if self.done {
                return None;
            }
            let bookmark = self.bookmark.unwrap_or(self.deadline);
            tokio::select! {
                biased;
                changed = self.changes.changed() => self.done = changed.is_err(),
                () = sleep_until(self.deadline) => {
                    self.done = true;
                    self.push_bookmark();
                }
                () = sleep_until(bookmark) => {
                    self.push_bookmark();
                    self.bookmark = Some(bookmark + self.bookmark_interval);
                }
            }
        }
    }

    fn gather(&mut self, state: &State) {
        if state.knobs.answers.watches.is_silent(self.target.resource.plural()) || self.done {
            return;
        }
        if state.knobs.answers.watches.ended != self.generation {
            self.done = true;
            return;
        }
        if self.revision < state.store.compacted() {
            // Not an HTTP 410: a 200 with an ERROR event (kubernetes.md 3.1).
            let message = format!("too old resource version: {} ({})", self.revision, state.store.compacted());
            self.queue.push_back(event("ERROR", &Rejection::of_code(410, Some(&message)).body()));
            self.done = true;
            return;
        }
        for change in state.store.changes_after(self.revision) {
            if let Some(event) = self.event_of(change) {
                self.queue.push_back(event);
            }
        }
        self.revision = self.revision.max(state.store.revision());
    }

    fn event_of(&self, change: &Change) -> Option<Bytes> {
        let here = self.target.namespace.is_empty() || self.target.namespace == change.namespace;
        if change.resource != self.target.resource || !here {
            return None;
        }
        let selected_before = change.before.as_ref().is_some_and(|before| self.selector.matches(before));
        let selected_now = !change.deleted && self.selector.matches(&change.object);
        match (selected_before, selected_now) {
            (false, true) => Some(event("ADDED", &change.object)),
            (true, true) => Some(event("MODIFIED", &change.object)),
            // Deleted, or no longer selected: the client cannot tell (kubernetes.md 3.1).
            (true, false) => Some(event("DELETED", &change.object)),
            (false, false) => None,
        }
    }

    fn push_bookmark(&mut self) {
        let kind = self.target.resource.plural();
        let frozen = self.cluster.read(|state| state.knobs.answers.watches.is_silent(kind));
        if self.bookmark.is_some() && !frozen {
            let resource = self.target.resource;
            let object = json!({
                "kind": resource.kind(), "apiVersion": resource.api_version(),
                "metadata": {"resourceVersion": self.revision.to_string(), "creationTimestamp": null},
            });
            self.queue.push_back(event("BOOKMARK", &object));
        }
    }
}

fn event(kind: &str, object: &Value) -> Bytes {
    let mut line = format!("{{\"type\":\"{kind}\",\"object\":").into_bytes();
    line.extend_from_slice(object.to_string().as_bytes());
    line.extend_from_slice(b"}\n");
    line.into()
}

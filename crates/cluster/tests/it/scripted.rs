//! An API server in memory whose answers a test gives one by one.
//!
//! ```text
//!  code under test ─▶ kube::Client ─▶ queue of calls ─▶ api.expect(watch("jobs")).await.streams()
//! ```
//! A call that never comes fails the test after an hour of paused time; a call nobody expected fails it at the end.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tower::BoxError;

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// Longer than any wait of the code under test, and nothing in paused time.
const NEVER_CAME: Duration = Duration::from_secs(3600);

/// The script's side of the server.
pub(crate) struct ScriptedApi {
    calls: mpsc::UnboundedReceiver<Call>,
    /// Came, and waits to be expected.
    early: VecDeque<Call>,
}

/// A request that waits for its answer.
#[derive(Debug)]
pub(crate) struct Call {
    method: Method,
    path: String,
    pub(crate) query: String,
    answer: oneshot::Sender<Answer>,
}

/// Which request is meant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    resource: &'static str,
    watch: bool,
}

/// A list of the namespace's `jobs` or `pods`.
pub(crate) fn list(resource: &'static str) -> Expected {
    Expected { resource, watch: false }
}

/// A watch of the namespace's `jobs` or `pods`.
pub(crate) fn watch(resource: &'static str) -> Expected {
    Expected { resource, watch: true }
}

impl Expected {
    fn matches(self, call: &Call) -> bool {
        let resource = call.path.ends_with(&format!("/namespaces/ns/{}", self.resource));
        call.method == Method::GET && resource && self.watch == call.query.contains("watch=true")
    }
}

/// A client of the namespace `ns` and the script that answers it.
pub(crate) fn pair() -> (Client, ScriptedApi) {
    let (sender, calls) = mpsc::unbounded_channel();
    let service = tower::service_fn(move |request: Request<Body>| {
        let sender = sender.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            let uri = request.uri();
            let (path, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
            let sent = sender.send(Call { method: request.method().clone(), path, query, answer });
            sent.map_err(|_| BoxError::from("the script is over"))?;
            answered.await.map_err(|_| BoxError::from("connection reset"))
        }
    });
    (Client::new(service, "ns"), ScriptedApi { calls, early: VecDeque::new() })
}

impl ScriptedApi {
    /// The next request of this kind; others that come meanwhile wait for their turn.
    pub(crate) async fn expect(&mut self, expected: Expected) -> Call {
        self.early.retain(Call::is_wanted);
        if let Some(call) =
            self.early.iter().position(|call| expected.matches(call)).and_then(|at| self.early.remove(at))
        {
            return call;
        }
        loop {
            match tokio::time::timeout(NEVER_CAME, self.calls.recv()).await {
                Ok(Some(call)) if expected.matches(&call) => return call,
                Ok(Some(call)) => self.early.push_back(call),
                Ok(None) => unreachable!("{expected:?} never came: the client is gone"),
                Err(_) => unreachable!("{expected:?} never came; instead: {:?}", self.early),
            }
        }
    }

    /// Both first lists and both watches, as an index makes them.
    pub(crate) async fn serves(&mut self, jobs: &[Value], pods: &[Value]) -> (Watched, Watched) {
        self.lists(jobs, pods).await;
        (self.expect(watch("jobs")).await.streams(), self.expect(watch("pods")).await.streams())
    }

    pub(crate) async fn lists(&mut self, jobs: &[Value], pods: &[Value]) {
        self.expect(list("jobs")).await.replies(&items(jobs));
        self.expect(list("pods")).await.replies(&items(pods));
    }

    /// Nothing was asked that was not expected.
    pub(crate) fn finished(mut self) {
        while let Ok(call) = self.calls.try_recv() {
            self.early.push_back(call);
        }
        self.early.retain(Call::is_wanted);
        assert!(self.early.is_empty(), "not expected: {:?}", self.early);
    }

    /// Time passes, and nothing is asked.
    pub(crate) async fn stays_quiet(&mut self, time: Duration) {
        self.early.retain(Call::is_wanted);
        let end = Instant::now() + time;
        if let Ok(Some(call)) = tokio::time::timeout_at(end, self.calls.recv()).await {
            self.early.push_back(call);
        }
        assert!(self.early.is_empty(), "not expected: {:?}", self.early);
        tokio::time::sleep_until(end).await; // the client may be gone
    }
}

impl Call {
    /// Its sender still waits for the answer.
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    pub(crate) fn replies(self, body: &Value) {
        self.answers(StatusCode::OK, body);
    }

    /// A `Status` as the API server writes it.
    pub(crate) fn fails(self, code: u16) {
        self.answers(StatusCode::from_u16(code).unwrap_or_default(), &status(code));
    }

    /// The connection is reset.
    pub(crate) fn breaks(self) {
        drop(self.answer);
    }

    /// A watch that stays open until the script ends or breaks it.
    pub(crate) fn streams(self) -> Watched {
        let (sender, receiver) = mpsc::unbounded_channel();
        let frames = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
        let body = StreamBody::new(frames.map(|chunk: Result<Bytes, BoxError>| chunk.map(Frame::data)));
        let answered = self.answer.send(Response::new(body.boxed_unsync()));
        assert!(answered.is_ok(), "the watch was given up before it was answered");
        Watched { sender }
    }

    fn answers(self, code: StatusCode, body: &Value) {
        let body = Full::new(Bytes::from(body.to_string())).map_err(BoxError::from).boxed_unsync();
        let mut answer = Response::new(body);
        *answer.status_mut() = code;
        assert!(self.answer.send(answer).is_ok(), "the call was given up before it was answered");
    }
}

/// The server's end of an open watch; dropping it ends the stream cleanly.
pub(crate) struct Watched {
    sender: mpsc::UnboundedSender<Result<Bytes, BoxError>>,
}

impl Watched {
    pub(crate) fn sends(&self, kind: &str, object: &Value) {
        let line = format!("{}\n", json!({ "type": kind, "object": object }));
        assert!(self.sender.send(Ok(line.into())).is_ok(), "the watch was given up");
    }

    /// The connection breaks in the middle.
    pub(crate) fn breaks(self) {
        assert!(self.sender.send(Err("connection reset".into())).is_ok(), "the watch was given up");
    }

    /// The client closed it.
    pub(crate) async fn closed(&self) {
        self.sender.closed().await;
    }
}

pub(crate) fn status(code: u16) -> Value {
    let reason = match code {
        403 => "Forbidden",
        410 => "Expired",
        429 => "TooManyRequests",
        _ => "InternalError",
    };
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "m", "reason": reason, "code": code })
}

/// A list at version 10.
pub(crate) fn items(items: &[Value]) -> Value {
    json!({ "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": "10" }, "items": items })
}

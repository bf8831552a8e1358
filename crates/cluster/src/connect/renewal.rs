//! A client that is built anew when the server refuses its credentials (CFG-11).
//!
//! Token files are read again by the library. What it never renews is a plugin's token without an expiry and a client
//! certificate that was replaced: there a refused request is the only sign.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use claude_k8s_core::connect::ConnectError;
use http::{Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use tokio::time::Instant;

use super::ServerClock;

/// A credential that stays refused is not read all the time: some plugins ask a person.
const PAUSE: Duration = Duration::from_secs(60);

/// Builds a client from the credentials as they are now. Blocking.
pub(super) type Build = Box<dyn Fn() -> Result<Client, ConnectError> + Send + Sync>;

struct Renewing {
    build: Build,
    /// How often it was renewed, and the newest client.
    current: Mutex<(u64, Client)>,
    /// One renewal at a time; when the last one was tried.
    tried: tokio::sync::Mutex<Option<Instant>>,
    /// Hears every answer.
    clock: ServerClock,
}

/// A client of the namespace that renews itself.
pub(super) fn renewing(build: Build, namespace: &str, clock: ServerClock) -> Result<Client, ConnectError> {
    let current = Mutex::new((0, build()?));
    let renewing = Arc::new(Renewing { build, current, tried: tokio::sync::Mutex::default(), clock });
    let service = tower::service_fn(move |request| Arc::clone(&renewing).send(request));
    Ok(Client::new(service, namespace))
}

impl Renewing {
    /// A request that is refused is sent once more with the renewed client.
    async fn send(self: Arc<Self>, request: Request<Body>) -> Result<Response<Body>, kube::Error> {
        let again = copy(&request);
        let (generation, client) = self.current();
        let response = client.send(request).await?;
        self.clock.hear(response.headers());
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        match (again, self.renewed(generation).await) {
            (Some(again), Some(client)) => client.send(again).await,
            _ => Ok(response),
        }
    }

    fn current(&self) -> (u64, Client) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A client newer than `generation`, if there can be one.
    async fn renewed(self: &Arc<Self>, generation: u64) -> Option<Client> {
        let mut tried = self.tried.lock().await;
        let (newest, client) = self.current();
        if newest != generation {
            return Some(client);
        }
        if tried.is_some_and(|at| at.elapsed() < PAUSE) {
            return None;
        }
        *tried = Some(Instant::now());
        let building = Arc::clone(self);
        let built = tokio::task::spawn_blocking(move || (building.build)()).await;
        let client = built.ok()?.ok()?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = (generation + 1, client.clone());
        Some(client)
    }
}

/// `None` for a body that is a stream.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use serde_json::json;

    use super::*;
    use crate::api::Namespace;
    use claude_k8s_core::api_failure::FailureKind;

    /// The server accepts the `accepted`th client only.
    fn namespace(accepted: usize) -> (Namespace, Arc<AtomicUsize>) {
        let built = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&built);
        let connect: Build = Box::new(move || {
            let number = counter.fetch_add(1, Relaxed) + 1;
            let service = tower::service_fn(move |request: Request<Body>| async move {
                assert!(!request.headers().contains_key("authorization"));
                let (code, body) = if number == accepted {
                    (200, r#"{"metadata":{"name":"x"}}"#)
                } else {
                    (401, r#"{"kind":"Status","code":401,"reason":"Unauthorized"}"#)
                };
                let answer = Response::builder().status(code).body(Body::from(body.as_bytes().to_vec())).unwrap();
                Ok::<_, std::convert::Infallible>(answer)
            });
            Ok(Client::new(service, "ns"))
        });
        (Namespace::new(renewing(connect, "ns", ServerClock::default()).unwrap(), "ns"), built)
    }

    #[tokio::test(start_paused = true)]
    async fn cfg_11_a_refused_credential_is_read_again_and_nobody_notices() {
        let (namespace, built) = namespace(2);
        let several = futures_util::future::join_all((0..5).map(|_| namespace.get_job("x"))).await;
        assert!(several.iter().all(Result::is_ok), "{several:?}");
        assert!(namespace.create_job(&json!({})).await.is_ok());
        assert_eq!(built.load(Relaxed), 2, "one renewal serves all");
    }

    #[tokio::test(start_paused = true)]
    async fn cfg_11_a_credential_that_stays_refused_is_read_once_a_minute() {
        let (namespace, built) = namespace(3);
        for _ in 0..10 {
            assert_eq!(namespace.get_job("x").await.unwrap_err().kind, FailureKind::Unauthorized);
        }
        assert_eq!(built.load(Relaxed), 2);
        tokio::time::advance(PAUSE).await;
        assert!(namespace.get_job("x").await.is_ok());
    }
}

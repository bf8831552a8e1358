//! Answers with a bound: whichever server a kubeconfig names, it may waste a run, never the process (TRU-03).

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use claude_k8s_core::answers::{Bound, LIST_MAX, Meter, TooMuch, list_of};
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use kube::client::Body;
use tower::{BoxError, Service};

/// Lists that are being read at the same time; with more of them their counts begin anew.
const LISTS: usize = 64;

/// A service whose answers end with an error where they are too much.
#[derive(Clone)]
pub(super) struct Bounded<S> {
    inner: S,
    lists: Arc<Lists>,
}

impl<S> Bounded<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, lists: Arc::default() }
    }
}

impl<S, B> Service<Request<Body>> for Bounded<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = Response<BoundedBody<B>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
        let list = self.lists.of(&path, &query);
        let answer = self.inner.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            let meter = Meter::new(Bound::of(&path, &query, answer.status().is_success()));
            Ok(answer.map(|body| BoundedBody { body, meter, list }))
        })
    }
}

/// Bytes of the pages of each list that is being read.
#[derive(Default)]
struct Lists(Mutex<HashMap<String, Arc<AtomicU64>>>);

impl Lists {
    /// The count that a page adds to. The first page begins a new one.
    fn of(&self, path: &str, query: &str) -> Option<Arc<AtomicU64>> {
        let (list, is_next) = list_of(path, query)?;
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lists.len() >= LISTS && !lists.contains_key(&list) {
            lists.clear();
        }
        let count = lists.entry(list).or_default();
        if !is_next {
            *count = Arc::default();
        }
        Some(Arc::clone(count))
    }
}

/// A body that ends with an error instead of going on.
pub(super) struct BoundedBody<B> {
    body: B,
    meter: Meter,
    list: Option<Arc<AtomicU64>>,
}

impl<B> BoundedBody<B> {
    fn take(&mut self, piece: &[u8]) -> Result<(), TooMuch> {
        self.meter.take(piece)?;
        let length = piece.len() as u64;
        match &self.list {
            Some(list) if list.fetch_add(length, Relaxed) + length > LIST_MAX => Err(TooMuch::List),
            _ => Ok(()),
        }
    }
}

impl<B> HttpBody for BoundedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)) else { return Poll::Ready(None) };
        let frame = frame.map_err(Into::into)?;
        if let Some(piece) = frame.data_ref() {
            self.take(piece)?;
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use claude_k8s_core::answers::OBJECTS_MAX;
    use claude_k8s_core::api_failure::FailureKind;
    use claude_k8s_core::request::HostProcess;
    use claude_k8s_core::view::{JobFacts, Listed as _};
    use futures_util::TryStreamExt as _;
    use k8s_openapi::api::batch::v1::Job;
    use k8s_openapi::api::core::v1::Pod;
    use kube::api::{Api, WatchParams};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::api::Namespace;
    use crate::connect::{Connection, Credentials};

    const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

    /// A server that answers every request by `answer`, and how many bytes of bodies it got rid of.
    struct Hostile {
        address: String,
        sent: Arc<AtomicUsize>,
        requests: Arc<AtomicUsize>,
    }

    impl Hostile {
        async fn new<F>(answer: impl Fn(Sent) -> F + Send + Sync + 'static) -> Self
        where
            F: Future<Output = std::io::Result<()>> + Send + 'static,
        {
            let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = server.local_addr().unwrap().to_string();
            let (sent, requests) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
            let (counted, asked) = (Arc::clone(&sent), Arc::clone(&requests));
            let answer = Arc::new(answer);
            #[expect(clippy::disallowed_methods, reason = "a server of the test ends with its runtime")]
            tokio::spawn(async move {
                while let Ok((mut stream, _)) = server.accept().await {
                    let (answer, counted, asked) = (Arc::clone(&answer), Arc::clone(&counted), Arc::clone(&asked));
                    tokio::spawn(async move {
                        if has_asked(&mut stream).await {
                            asked.fetch_add(1, Relaxed);
                            let sent = Sent { stream, bytes: Arc::clone(&counted), number: asked.load(Relaxed) };
                            let _ = answer(sent).await;
                        }
                    });
                }
            });
            Self { address, sent, requests }
        }

        async fn connection(&self) -> Connection {
            let text = format!(
                "{{current-context: c, contexts: [{{name: c, context: {{cluster: k}}}}], clusters: [{{name: k, cluster: {{server: 'http://{}'}}}}]}}",
                self.address
            );
            let config = serde_json::json!({ "kubeconfigData": text });
            let config = claude_k8s_core::config::Config::parse(config.as_object().unwrap()).unwrap();
            let credentials = Credentials::choose(config.kubeconfig.as_ref(), &HostProcess::default(), &[]).unwrap();
            tokio::task::spawn_blocking(move || Connection::open(&credentials)).await.unwrap().unwrap()
        }

        async fn namespace(&self) -> Namespace {
            Namespace::new(self.connection().await.requests, "ns")
        }

        /// MiB that left the server, those in the buffers of the connection included.
        fn sent(&self) -> usize {
            self.sent.load(Relaxed) >> 20
        }
    }

    async fn has_asked(stream: &mut TcpStream) -> bool {
        let mut head = vec![];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return false,
            }
        }
        true
    }

    /// One answer in the making.
    struct Sent {
        stream: TcpStream,
        bytes: Arc<AtomicUsize>,
        number: usize,
    }

    impl Sent {
        async fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            self.stream.write_all(bytes).await?;
            self.bytes.fetch_add(bytes.len(), Relaxed);
            Ok(())
        }

        async fn chunk(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            self.raw(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
            self.raw(bytes).await?;
            self.raw(b"\r\n").await
        }

        /// A whole body, and the end of the connection.
        async fn body(&mut self, body: &str) -> std::io::Result<()> {
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            self.raw(head.as_bytes()).await?;
            self.raw(body.as_bytes()).await
        }

        async fn for_ever(mut self, head: &str, start: &str, piece: String) -> std::io::Result<()> {
            self.raw(head.as_bytes()).await?;
            self.chunk(start.as_bytes()).await?;
            loop {
                self.chunk(piece.as_bytes()).await?;
            }
        }
    }

    #[tokio::test]
    async fn tru_03_a_body_without_an_end_is_an_error_with_its_own_text() {
        let server = Hostile::new(|sent| sent.for_ever(HEAD, "{\"a\":\"", "x".repeat(60_000))).await;
        let failure = server.namespace().await.get_job("j").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreadable);
        assert!(failure.to_string().contains("longer than 8 MiB"), "{failure}");
        assert!(server.sent() < 24, "{} MiB", server.sent());
    }

    #[tokio::test]
    async fn tru_03_pages_without_an_end_are_an_error_with_its_own_text() {
        let page = |items: String| format!("{{\"metadata\":{{\"continue\":\"more\"}},\"items\":[{items}]}}");
        let small = page(vec!["{}"; 500].join(","));
        let large = page(format!("{{\"metadata\":{{\"name\":\"{}\"}}}}", "x".repeat(7 << 20)));
        for (body, pages, text) in [
            (small, OBJECTS_MAX / 500 + 1, "does not end after 20000 objects"),
            (large, 10, "does not end after 64 MiB"),
            (page(vec!["{}"; 500_000].join(",")), 1, "more objects than an answer can have"),
        ] {
            let body = Arc::new(body);
            let server = Hostile::new(move |mut sent| {
                let body = Arc::clone(&body);
                async move { sent.body(&body).await }
            })
            .await;
            // Without the limit of time: reading this much takes seconds.
            let namespace = server.namespace().await;
            let error = namespace.pages("a=b", |job: Job| JobFacts::of(&job), JobFacts::weight).await.unwrap_err();
            let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
            let told: Vec<String> = causes.map(ToString::to_string).collect();
            assert!(told.iter().any(|told| told.contains(text)), "{told:?}");
            assert_eq!(server.requests.load(Relaxed), pages, "{text}");
        }
    }

    #[tokio::test]
    async fn tru_03_an_event_without_an_end_is_an_error_with_its_own_text() {
        let server = Hostile::new(|sent| sent.for_ever(HEAD, "{\"type\":\"", "x".repeat(60_000))).await;
        let pods: Api<Pod> = Api::namespaced(server.connection().await.requests, "ns");
        let events = pods.watch(&WatchParams::default(), "0").await.unwrap();
        let error = events.try_collect::<Vec<_>>().await.unwrap_err();
        assert!(format!("{error:?}").contains("Event"), "{error:?}");
        assert!(server.sent() < 16, "{} MiB", server.sent());
    }

    #[tokio::test]
    async fn tru_03_headers_without_an_end_are_an_error() {
        let server = Hostile::new(|mut sent| async move {
            sent.raw(b"HTTP/1.1 200 OK\r\n").await?;
            for number in 0.. {
                sent.raw(format!("x-{number}: {}\r\n", "x".repeat(8000)).as_bytes()).await?;
            }
            Ok(())
        })
        .await;
        let connection = server.connection().await;
        for client in [connection.requests, connection.follows] {
            assert!(Namespace::new(client, "ns").get_job("j").await.is_err());
        }
        assert!(server.sent() < 16, "{} MiB", server.sent());
    }

    #[tokio::test]
    async fn tru_03_nothing_compressed_is_unpacked() {
        let server = Hostile::new(|mut sent| async move {
            assert_eq!(sent.number, 1);
            // Whatever it holds: nobody asked for it, and it is no JSON.
            let body = "\u{1f}not-gzip";
            let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
            sent.raw(head.as_bytes()).await?;
            sent.raw(body.as_bytes()).await
        })
        .await;
        let failure = server.namespace().await.get_job("j").await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unreadable, "{failure}");
    }
}

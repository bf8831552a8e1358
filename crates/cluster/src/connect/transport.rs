//! Two clients of one identity: one for requests and watches, one for follows of logs.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use claude_k8s_core::answers::HEAD_MAX;
use claude_k8s_core::connect::{ConnectError, Unusable};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Builder;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connection as Connected, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::{Client, Config};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::bounded::Bounded;
use super::buffered::BufferedConnector;
use super::credentials::with_doubts;
use super::direct::Direct;
use super::renewal::renewing;
use super::{Credentials, ServerClock};

const CONNECT: Duration = Duration::from_secs(10);
/// Above the server-side timeout of a watch, so that only a connection that brings nothing at all is cut.
const READ: Duration = Duration::from_secs(90);
/// A dead peer is noticed after 24 s, so that the next connection stands within 30 s (LOG-04): 8 s idle, then probes.
const KEEPALIVE: Duration = Duration::from_secs(8);
const PROBES: u32 = 2;
/// Looked at when a probe is due; data that nobody acknowledges has the same bound.
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// A cluster as one identity.
#[derive(Clone)]
pub struct Connection {
    /// Requests and watches; a connection without a byte for 90 s is cut.
    pub requests: Client,
    /// Follows of logs: a connection each, driven by its reader. Silence is normal there; the follower has its own
    /// watchdog.
    pub follows: Client,
    /// Address of the API server, for messages.
    pub server: String,
    /// The server's clock.
    pub clock: ServerClock,
    /// Namespace of the kubeconfig's context or of the service account.
    pub default_namespace: String,
}

impl Connection {
    /// Reads the credentials and builds both clients. Blocking, on the runtime that will use them.
    ///
    /// # Errors
    /// When the credentials, or their certificates, tokens or plugins, cannot be used.
    pub fn open(credentials: &Credentials) -> Result<Self, ConnectError> {
        let loaded = credentials.load()?;
        let (server, default_namespace) = (loaded.cluster_url.to_string(), loaded.default_namespace);
        let clock = ServerClock::default();
        let build = |client: fn(&Config) -> Result<Client, kube::Error>| {
            let credentials = credentials.clone();
            let build = move || {
                let config = credentials.load()?;
                let refused = |error: kube::Error| with_doubts(&config, &error.to_string());
                client(&config).map_err(|error| credentials.unusable(Unusable::Said(refused(error))))
            };
            renewing(Box::new(build), &default_namespace, clock.clone())
        };
        Ok(Self {
            requests: build(requests)?,
            follows: build(follows)?,
            server,
            clock: clock.clone(),
            default_namespace: default_namespace.clone(),
        })
    }

    /// One client for everything, for tests on an in-memory API server.
    #[must_use]
    pub fn from_client(client: Client) -> Self {
        let default_namespace = client.default_namespace().to_owned();
        let clock = ServerClock::default();
        let (asked, heard) = (client.clone(), clock.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, clock) = (asked.clone(), heard.clone());
            async move {
                // As the connection of a real cluster: one that brings nothing is cut.
                let answer = tokio::time::timeout(READ, client.send(request)).await;
                let response = answer.map_err(|late| kube::Error::Service(late.into()))??;
                clock.hear(response.headers());
                Ok::<_, kube::Error>(response)
            }
        });
        let requests = Client::new(service, default_namespace.clone());
        Self { requests, follows: client, server: "in memory".to_owned(), clock, default_namespace }
    }
}

/// Pooled connections.
fn requests(config: &Config) -> Result<Client, kube::Error> {
    match &config.proxy_url {
        None => pooled(config, tcp()),
        Some(proxy) => pooled(config, tunnel(proxy, tcp())),
    }
}

/// A connection per request.
fn follows(config: &Config) -> Result<Client, kube::Error> {
    let tcp = BufferedConnector(tcp());
    match &config.proxy_url {
        None => direct(config, tcp),
        Some(proxy) => direct(config, tunnel(proxy, tcp)),
    }
}

fn tcp() -> HttpConnector {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_keepalive(Some(KEEPALIVE));
    http.set_keepalive_interval(Some(KEEPALIVE));
    http.set_keepalive_retries(Some(PROBES));
    #[cfg(target_os = "linux")]
    http.set_tcp_user_timeout(Some(USER_TIMEOUT));
    http
}

/// Both `http` and `https` servers are reached through `CONNECT`.
fn tunnel<C>(proxy: &Uri, tcp: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(proxy.clone(), tcp);
    let account = proxy.authority().and_then(|authority| Some(authority.as_str().rsplit_once('@')?.0.to_owned()));
    let header = account.and_then(|account| HeaderValue::try_from(format!("Basic {}", STANDARD.encode(account))).ok());
    match header {
        Some(header) => tunnel.with_auth(header),
        None => tunnel,
    }
}

fn pooled<C>(config: &Config, transport: C) -> Result<Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Connected + Unpin + Send + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(transport)?);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_read_timeout(Some(READ));
    // Otherwise the time a pooled connection sat idle counts as silence.
    connector.set_reset_reader_on_write(true);
    authorized(config, Builder::new(TokioExecutor::new()).http1_max_buf_size(HEAD_MAX).build::<_, Body>(connector))
}

fn direct<C>(config: &Config, transport: C) -> Result<Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Connected + Unpin + Send + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(transport)?);
    connector.set_connect_timeout(Some(CONNECT));
    authorized(config, Direct(connector))
}

/// The library's stack without its retry layer, which repeats a POST up to 15 times (GRD-11).
fn authorized<S, B>(config: &Config, service: S) -> Result<Client, kube::Error>
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<BoxError>,
{
    let service = ServiceBuilder::new()
        .layer_fn(Bounded::new)
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(Into::<BoxError>::into)
        .service(service);
    Ok(Client::new(
        service.map_response(|response| response.map(BodyExt::boxed_unsync)),
        config.default_namespace.clone(),
    ))
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::api::Namespace;

    async fn read(stream: &TcpStream) -> String {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            stream.readable().await.unwrap();
            let mut part = [0; 1024];
            match stream.try_read(&mut part) {
                Ok(0) => break,
                Ok(count) => text.extend_from_slice(&part[..count]),
                Err(_) => {}
            }
        }
        String::from_utf8(text).unwrap()
    }

    async fn write(stream: &TcpStream, text: &str) {
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write(text.as_bytes()).unwrap(), text.len());
    }

    #[tokio::test]
    async fn a_kubeconfig_with_a_proxy_reaches_its_server_through_it() {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = proxy.local_addr().unwrap();
        let text = format!(
            "current-context: c\nclusters: [{{name: k, cluster: {{server: 'http://k8s.example:8001', proxy-url: 'http://me:pass@{address}'}}}}]\n\
             users: [{{name: u, user: {{}}}}]\ncontexts: [{{name: c, context: {{cluster: k, user: u}}}}]\n"
        );
        let config = serde_json::json!({ "kubeconfigData": text });
        let config = claude_k8s_core::config::Config::parse(config.as_object().unwrap()).unwrap();
        let host = claude_k8s_core::request::HostProcess::default();
        let credentials = Credentials::choose(config.kubeconfig.as_ref(), &host, &[]).unwrap();
        let connection = tokio::task::spawn_blocking(move || Connection::open(&credentials)).await.unwrap().unwrap();
        let serving = async {
            let (stream, _) = proxy.accept().await.unwrap();
            let connect = read(&stream).await;
            assert!(connect.starts_with("CONNECT k8s.example:8001 HTTP/1.1"), "{connect}");
            assert!(connect.to_lowercase().contains("proxy-authorization: basic "), "{connect}");
            write(&stream, "HTTP/1.1 200 OK\r\n\r\n").await;
            let request = read(&stream).await;
            assert!(request.starts_with("GET /apis/batch/v1/namespaces/ns/jobs/j "), "{request}");
            let body = r#"{"metadata":{"name":"j"}}"#;
            write(&stream, &format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
        };
        let namespace = Namespace::new(connection.requests.clone(), "ns");
        let (job, ()) = tokio::join!(namespace.get_job("j"), serving);
        assert_eq!(job.unwrap().metadata.name.as_deref(), Some("j"));
    }
}

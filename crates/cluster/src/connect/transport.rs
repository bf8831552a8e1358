//! Two clients of one identity: one for requests and watches, one for logs.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::{Builder, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ConfigExt};
use kube::{Client, Config};
use tower::{BoxError, ServiceBuilder, ServiceExt};

use super::{ConnectError, Credentials};

const CONNECT: Duration = Duration::from_secs(10);
/// Above the server-side timeout of a watch, so that only a connection that brings nothing at all is cut.
const READ: Duration = Duration::from_secs(90);
/// A dead peer is noticed within 30 s (LOG-04): 10 s idle, then probes.
const KEEPALIVE: Duration = Duration::from_secs(10);
const PROBES: u32 = 2;
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// A cluster as one identity.
#[derive(Clone)]
pub struct Connection {
    /// Requests and watches; a connection without a byte for 90 s is cut.
    pub requests: Client,
    /// Logs: silence is normal there, the follower has its own watchdog.
    pub logs: Client,
    /// Address of the API server, for messages.
    pub server: String,
    /// Namespace of the kubeconfig's context or of the service account.
    pub default_namespace: String,
}

impl Connection {
    /// Reads the credentials and builds both clients. Blocking, on the runtime that will use them.
    ///
    /// # Errors
    /// When the credentials, or their certificates, tokens or plugins, cannot be used.
    pub fn open(credentials: &Credentials) -> Result<Self, ConnectError> {
        let config = credentials.load()?;
        let invalid = |error: kube::Error| ConnectError::invalid(credentials, &error);
        Ok(Self {
            requests: client(&config, Some(READ)).map_err(invalid)?,
            logs: client(&config, None).map_err(invalid)?,
            server: config.cluster_url.to_string(),
            default_namespace: config.default_namespace,
        })
    }

    /// One client for everything, for tests on an in-memory API server.
    #[must_use]
    pub fn from_client(client: Client) -> Self {
        let default_namespace = client.default_namespace().to_owned();
        Self { requests: client.clone(), logs: client, server: "in memory".to_owned(), default_namespace }
    }
}

/// The library's stack without its retry layer, which repeats a POST up to 15 times (GRD-11).
fn client(config: &Config, read: Option<Duration>) -> Result<Client, kube::Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_keepalive(Some(KEEPALIVE));
    http.set_keepalive_interval(Some(KEEPALIVE));
    http.set_keepalive_retries(Some(PROBES));
    #[cfg(target_os = "linux")]
    http.set_tcp_user_timeout(Some(USER_TIMEOUT));

    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(http)?);
    connector.set_connect_timeout(Some(CONNECT));
    connector.set_read_timeout(read);
    // Otherwise the time a pooled connection sat idle counts as silence.
    connector.set_reset_reader_on_write(true);

    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(Builder::new(TokioExecutor::new()).build::<_, Body>(connector));
    Ok(Client::new(
        service.map_response(|response| response.map(BodyExt::boxed_unsync)),
        config.default_namespace.clone(),
    ))
}

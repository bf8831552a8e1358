//! The one door: a request goes to the API server or to the control API. In process, or as HTTP/1.1 on a socket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use crate::api;
use crate::cluster::Cluster;
use crate::control;
use crate::wire::body::{Broken, SimBody};

/// Answers one request. An error is a broken connection.
pub(crate) async fn answer<B>(cluster: Arc<Cluster>, request: Request<B>) -> Result<Response<SimBody>, Broken>
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|error| Broken(error.to_string()))?.to_bytes();
    if control::claims(parts.uri.path()) {
        return Ok(control::handle(&cluster, &parts, &body));
    }
    api::handle(cluster, parts, body).await
}

/// Accepts connections until the cluster is shut down.
pub(crate) async fn run(cluster: &Arc<Cluster>, listener: TcpListener) -> io::Result<()> {
    loop {
        let accepted = tokio::select! {
            biased;
            () = cluster.shutdown_token().cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => cluster.spawn(connection(Arc::clone(cluster), stream)),
            // A client that gave up while in the backlog, or no free descriptor for a moment: neither ends the server.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) if error.raw_os_error().is_some() => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => return Err(error),
        }
    }
}

async fn connection(cluster: Arc<Cluster>, stream: TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let service = service_fn(move |request: Request<Incoming>| answer(Arc::clone(&cluster), request));
    // An error is a client that went away, or an injected reset: both end this connection only.
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection");
    }
}

//! One connection for one request, driven by whoever reads the answer.
//!
//! A pooled connection is a task of its own, and each piece of a body crosses from it to the reader: for a log, which
//! arrives line by line, that costs more than everything that is done with a line.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use claude_k8s_core::answers::HEAD_MAX;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use kube::client::Body;
use tower::{BoxError, Service, ServiceExt};

/// Longest head of an answer, and what is read ahead of a body. hyper's own 400 KiB are renewed again and again while a
/// burst is read. Unit: bytes.
const BUFFER: usize = HEAD_MAX;

/// Opens a connection per request through a connector.
#[derive(Clone)]
pub(super) struct Direct<C>(pub(super) C);

impl<C> Service<Request<Body>> for Direct<C>
where
    C: Service<Uri> + Clone + Send + 'static,
    C::Response: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = Response<Driven>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(())) // the connector is asked in `call`
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connector = self.0.clone();
        Box::pin(async move {
            let stream = connector.oneshot(request.uri().clone()).await.map_err(Into::into)?;
            let (mut sender, connection) = http1::Builder::new().max_buf_size(BUFFER).handshake(stream).await?;
            let mut connection: HttpDriver = Box::pin(connection);
            let mut answer = std::pin::pin!(sender.send_request(in_origin_form(request)?));
            let mut is_open = true;
            let answer = std::future::poll_fn(|context| {
                if is_open && let Poll::Ready(ended) = connection.as_mut().poll(context) {
                    ended?;
                    is_open = false;
                }
                answer.as_mut().poll(context)
            });
            let answer = answer.await?;
            Ok(answer.map(|body| Driven { body, connection: is_open.then_some(connection) }))
        })
    }
}

/// Drives the bytes of one HTTP connection; nothing moves unless it is polled.
type HttpDriver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A body that reads its connection itself. Dropping it closes the connection.
pub(super) struct Driven {
    body: Incoming,
    /// `None`: it brought everything it had.
    connection: Option<HttpDriver>,
}

impl HttpBody for Driven {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let body = Pin::new(&mut self.body).poll_frame(context);
        let Some(connection) = self.connection.as_mut().filter(|_| body.is_pending()) else { return body };
        // An error of the connection reaches the body as well.
        if connection.as_mut().poll(context).is_ready() {
            self.connection = None;
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A server is asked for a path and is told its name in a header.
fn in_origin_form(mut request: Request<Body>) -> Result<Request<Body>, BoxError> {
    let uri = std::mem::take(request.uri_mut());
    let host = uri.host().unwrap_or_default();
    let host = uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    request.headers_mut().entry(header::HOST).or_insert(HeaderValue::try_from(host)?);
    *request.uri_mut() =
        uri.path_and_query().map_or_else(|| Ok(Uri::from_static("/")), |path| path.as_str().parse())?;
    Ok(request)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use hyper_util::client::legacy::connect::HttpConnector;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::connect::buffered::BufferedConnector;

    const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    async fn asked(server: &TcpListener) -> (String, TcpStream) {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut head = vec![];
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        (String::from_utf8(head).unwrap(), stream)
    }

    /// Sends a request to a server that answers with `text`.
    async fn answered(text: &str) -> (Driven, String, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let request = Request::get(format!("http://{address}/log?follow=true")).body(Body::empty()).unwrap();
        let serving = async {
            let (head, mut stream) = asked(&server).await;
            stream.write_all(format!("{HEAD}{text}").as_bytes()).await.unwrap();
            (head.replace(&address.to_string(), "SERVER"), stream)
        };
        let asking = Direct(BufferedConnector(HttpConnector::new())).oneshot(request);
        let (answer, (head, stream)) = tokio::join!(asking, serving);
        (answer.unwrap().into_body(), head, stream)
    }

    async fn next(body: &mut Driven) -> Option<Result<Bytes, String>> {
        let frame = body.frame().await?;
        Some(frame.map(|frame| frame.into_data().unwrap()).map_err(|error| error.to_string()))
    }

    #[tokio::test]
    async fn a_body_needs_no_task_and_closes_its_connection_when_dropped() {
        let (mut body, head, mut stream) = answered("5\r\nhello\r\n").await;
        assert_eq!(head, "GET /log?follow=true HTTP/1.1\r\nhost: SERVER\r\n\r\n");
        assert_eq!(next(&mut body).await, Some(Ok("hello".into())));
        let (written, more) = tokio::join!(stream.write_all(b"4\r\nmore\r\n"), next(&mut body));
        assert_eq!((written.is_ok(), more), (true, Some(Ok("more".into()))));
        assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
        drop(body);
        assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "closed");
    }

    #[tokio::test]
    async fn a_proper_end_and_a_cut_are_told_apart() {
        let (mut body, _, stream) = answered("5\r\nhello\r\n0\r\n\r\n").await;
        assert_eq!((next(&mut body).await, next(&mut body).await), (Some(Ok("hello".into())), None));
        drop(stream);
        let (mut body, _, stream) = answered("5\r\nhello\r\n").await;
        assert_eq!(next(&mut body).await, Some(Ok("hello".into())));
        drop(stream);
        assert!(matches!(next(&mut body).await, Some(Err(_))));
    }

    #[tokio::test]
    async fn a_server_that_closes_instead_of_answering_is_an_error() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let request = Request::get(format!("http://{}/", server.local_addr().unwrap())).body(Body::empty()).unwrap();
        let closing = async { drop(asked(&server).await) };
        let (answer, ()) = tokio::join!(Direct(BufferedConnector(HttpConnector::new())).oneshot(request), closing);
        assert!(answer.is_err());
    }
}

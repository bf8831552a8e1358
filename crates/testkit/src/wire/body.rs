//! Response bodies: whole or streamed, always pulled by the reader.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::Value;

use crate::objects::rejection::Rejection;

/// A connection that breaks, before or inside an answer.
#[derive(Debug, Clone)]
pub struct Broken(pub(crate) String);

impl std::fmt::Display for Broken {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// The body of every response.
pub type SimBody = UnsyncBoxBody<Bytes, Broken>;

pub(crate) fn full(bytes: impl Into<Bytes>) -> SimBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn stream(pieces: impl Stream<Item = Result<Bytes, Broken>> + Send + 'static) -> SimBody {
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data))).boxed_unsync()
}

pub(crate) fn response(code: u16, content_type: &'static str, body: SimBody) -> Response<SimBody> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if code != 204 {
        response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    }
    response
}

pub(crate) fn json(code: u16, value: &Value) -> Response<SimBody> {
    response(code, "application/json", full(value.to_string()))
}

pub(crate) fn rejected(rejection: &Rejection) -> Response<SimBody> {
    let mut response = json(rejection.code, &rejection.body());
    if let Some(after) = rejection.retry_after {
        response.headers_mut().insert(http::header::RETRY_AFTER, after.as_secs().into());
    }
    response
}

/// What a client sees as a broken connection.
pub(crate) fn connection_reset() -> Broken {
    Broken("connection reset by the simulator".to_owned())
}

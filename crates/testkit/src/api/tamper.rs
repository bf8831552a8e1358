//! Carries out a fault on an answer.

use std::time::Duration;

use futures_util::stream;
use http::Response;
use http_body_util::BodyExt;

use crate::knobs::{CutEnd, FaultAction};
use crate::objects::rejection::Rejection;
use crate::wire::body::{Broken, SimBody, connection_reset, full, rejected, response, stream as streamed};

/// Replaces or damages the genuine answer. `genuine` is there when the action wants the request carried out.
pub(super) async fn apply(
    action: FaultAction,
    genuine: Option<Response<SimBody>>,
) -> Result<Response<SimBody>, Broken> {
    match action {
        FaultAction::Status { code, message, reason, details_kind, retry_after_seconds, .. } => {
            let mut rejection = Rejection::of_code(code, message.as_deref());
            if let Some(reason) = reason {
                rejection.reason = reason;
            }
            if let Some(kind) = details_kind {
                *rejection.details = serde_json::json!({"kind": kind});
            }
            rejection.retry_after = retry_after_seconds.map(Duration::from_secs);
            Ok(rejected(&rejection))
        }
        FaultAction::Html { code, .. } => {
            let page = format!("<html><head><title>{code}</title></head><body><h1>{code}</h1>proxy</body></html>\n");
            Ok(response(code, "text/html", full(page)))
        }
        FaultAction::Reset { .. } => Err(connection_reset()),
        FaultAction::Hang { .. } => std::future::pending().await,
        FaultAction::Delay { .. } => genuine.ok_or_else(connection_reset),
        FaultAction::CutBody { after_bytes, end } => {
            let genuine = genuine.ok_or_else(connection_reset)?;
            Ok(genuine.map(|body| cut(body, after_bytes, end)))
        }
    }
}

struct Cut {
    body: SimBody,
    remaining: usize,
    end: CutEnd,
}

/// Passes so many bytes on, then ends as told. A shorter body ends by itself.
fn cut(body: SimBody, after_bytes: usize, end: CutEnd) -> SimBody {
    let state = Cut { body, remaining: after_bytes, end };
    streamed(stream::unfold(state, |mut state| async move {
        while state.remaining > 0 {
            let frame = match state.body.frame().await? {
                Ok(frame) => frame,
                Err(error) => return Some((Err(error), state)),
            };
            let Ok(mut data) = frame.into_data() else { continue };
            data.truncate(state.remaining);
            state.remaining -= data.len();
            return Some((Ok(data), state));
        }
        match state.end {
            CutEnd::Clean => None,
            CutEnd::Reset => {
                state.end = CutEnd::Clean;
                Some((Err(connection_reset()), state))
            }
            CutEnd::Stall => std::future::pending().await,
        }
    }))
}

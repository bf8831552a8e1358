//! The answer to a create: the Job as it was stored, and what the server says about it beside.

use http::Response;
use http_body_util::BodyExt as _;
use k8s_openapi::api::batch::v1::Job;
use kube::client::Body;
use kube::core::Status;
use serde::Deserialize as _;
use serde_json::Value;

use super::named::NO_STATUS;

/// What the server made of a Job.
#[derive(Debug, Clone)]
pub struct Stored {
    /// As it is stored.
    pub job: Job,
    /// The same, members that no compiled type knows included.
    pub object: Value,
    /// `Warning` headers of the answer, as they came.
    pub warnings: Vec<String>,
}

impl Stored {
    /// Reads an answer, as the client library does for answers whose headers nobody asks for.
    pub(super) async fn read(answer: Response<Body>) -> Result<Self, kube::Error> {
        let (head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        if head.status.is_client_error() || head.status.is_server_error() {
            let foreign = || {
                let text = String::from_utf8_lossy(&body);
                Status::failure(text.trim(), NO_STATUS).with_code(head.status.as_u16())
            };
            let status = serde_json::from_slice::<Status>(&body).unwrap_or_else(|_| foreign());
            return Err(kube::Error::Api(Box::new(status)));
        }
        let object: Value = serde_json::from_slice(&body).map_err(kube::Error::SerdeError)?;
        let job = Job::deserialize(&object).map_err(kube::Error::SerdeError)?;
        let warnings = head.headers.get_all(http::header::WARNING).into_iter();
        let warnings = warnings.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
        Ok(Self { job, object, warnings })
    }
}

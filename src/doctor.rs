//! `checkEnvironment`: the environment test.

use claude_k8s_core::request::RunRequest;
use napi::bindgen_prelude::Result;

use crate::runtime::engine;

/// Runs every check of the environment test. Resolves with `{ status, checks, testedAt }` as JSON text.
///
/// # Errors
/// The request is not the JSON this version expects.
#[napi_derive::napi]
pub async fn check_environment(request: String) -> Result<String> {
    let request: RunRequest = serde_json::from_str(&request)
        .map_err(|error| napi::Error::from_reason(format!("the request cannot be read: {error}")))?;
    let report = engine().check_environment(request).await;
    serde_json::to_string(&report).map_err(|error| napi::Error::from_reason(error.to_string()))
}

//! `renderManifests`: what a run would create, without creating it.

use claude_k8s_core::request::RunRequest;
use napi::bindgen_prelude::Result;
use serde_json::json;

use crate::runtime::engine;

/// Renders the objects of a run. Resolves with JSON text: `{ namespace, job, secrets, warnings, degraded }` with masked
/// secrets, or `{ refused: { code, message, next } }` when a run of this request would be refused.
///
/// # Errors
/// The request is not the JSON this version expects.
#[napi_derive::napi]
pub async fn render_manifests(request: String) -> Result<String> {
    let request: RunRequest = serde_json::from_str(&request)
        .map_err(|error| napi::Error::from_reason(format!("the request cannot be read: {error}")))?;
    let answer = match engine().render(request).await {
        Ok(rendered) => serde_json::to_string(&rendered),
        Err(refusal) => {
            let next = refusal.code.meaning().1;
            serde_json::to_string(
                &json!({ "refused": { "code": refusal.code, "message": refusal.message, "next": next } }),
            )
        }
    };
    answer.map_err(|error| napi::Error::from_reason(error.to_string()))
}

//! What the JavaScript side asks about the native code.

use claude_k8s_core::failure::ErrorCode;
use napi::bindgen_prelude::Result;
use serde_json::json;

/// Version of the package this binary was built for.
#[napi_derive::napi(catch_unwind)]
#[must_use]
pub fn native_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Raised on every incompatible change between the JavaScript and the native code.
#[napi_derive::napi(catch_unwind)]
#[must_use]
pub fn abi() -> u32 {
    1
}

/// Every error code as JSON: `[{ code, meaning, next }]`.
///
/// # Errors
/// None that can happen: the rows are texts.
#[napi_derive::napi(catch_unwind)]
pub fn error_codes_json() -> Result<String> {
    let rows: Vec<_> = ErrorCode::ALL
        .iter()
        .map(|code| {
            let (meaning, next) = code.meaning();
            json!({ "code": code.as_str(), "meaning": meaning, "next": next })
        })
        .collect();
    serde_json::to_string(&rows).map_err(|error| napi::Error::from_reason(error.to_string()))
}

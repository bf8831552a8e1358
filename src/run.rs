//! `startRun` and the handle it returns.

use std::sync::{Arc, Mutex, PoisonError};

use claude_k8s_cluster::host::{StopOrder, StopSignal, StopSwitch};
use claude_k8s_core::request::RunRequest;
use napi::bindgen_prelude::Result;

use crate::callback::{BindingCallbacks, JsHost};
use crate::runtime::engine;

/// One run. Nothing happens before `wait()`.
#[napi_derive::napi]
pub struct Run {
    switch: StopSwitch,
    pending: Mutex<Option<Pending>>,
}

struct Pending {
    request: RunRequest,
    host: JsHost,
    stop: StopSignal,
}

/// Takes the run's request as JSON and its callbacks. Cheap; starts nothing.
///
/// # Errors
/// The request is not the JSON this version expects: the package's JavaScript is from another version.
#[napi_derive::napi(catch_unwind)]
pub fn start_run(request: String, callbacks: BindingCallbacks) -> Result<Run> {
    let request = serde_json::from_str(&request)
        .map_err(|error| napi::Error::from_reason(format!("the run's request cannot be read: {error}")))?;
    let (switch, stop) = StopSwitch::new();
    let pending = Pending { request, host: JsHost::new(callbacks), stop };
    Ok(Run { switch, pending: Mutex::new(Some(pending)) })
}

#[napi_derive::napi]
impl Run {
    /// Executes the run. Resolves with the result as JSON text, whatever happens to the run.
    ///
    /// # Errors
    /// It was called twice.
    #[napi]
    pub async fn wait(&self) -> Result<String> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Pending { request, host, stop }) = pending else {
            return Err(napi::Error::from_reason("`wait()` was called twice"));
        };
        let result = engine().execute(request, Arc::new(host), stop).await;
        serde_json::to_string(&result).map_err(|error| napi::Error::from_reason(error.to_string()))
    }

    /// Orders the run to stop: `operator` cancels it, `leaseLost` leaves its Job alone. Harmless at any time.
    #[napi(catch_unwind)]
    pub fn cancel(&self, #[napi(ts_arg_type = "'operator' | 'leaseLost'")] kind: String) {
        let order = if kind == "leaseLost" { StopOrder::LeaseLost } else { StopOrder::Cancel };
        self.switch.order(order);
    }
}

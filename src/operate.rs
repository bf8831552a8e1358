//! `operate`: what an operator does from a terminal.

use std::sync::{Arc, Mutex, PoisonError};

use claude_k8s_cluster::OperatorRequest;
use claude_k8s_cluster::host::{StopOrder, StopSignal, StopSwitch};
use napi::bindgen_prelude::Result;
use serde_json::json;

use crate::callback::{BindingCallbacks, JsHost};
use crate::runtime::engine;

/// One command. Nothing happens before `wait()`.
#[napi_derive::napi]
pub struct Operation {
    switch: StopSwitch,
    pending: Mutex<Option<Pending>>,
}

struct Pending {
    request: OperatorRequest,
    host: JsHost,
    stop: StopSignal,
}

/// Takes a command as JSON and its callbacks. Cheap; starts nothing.
///
/// # Errors
/// The request is not the JSON this version expects.
#[napi_derive::napi(catch_unwind)]
pub fn operate(request: String, callbacks: BindingCallbacks) -> Result<Operation> {
    let request = serde_json::from_str(&request)
        .map_err(|error| napi::Error::from_reason(format!("the command cannot be read: {error}")))?;
    let (switch, stop) = StopSwitch::new();
    let pending = Pending { request, host: JsHost::new(callbacks), stop };
    Ok(Operation { switch, pending: Mutex::new(Some(pending)) })
}

#[napi_derive::napi]
impl Operation {
    /// Carries it out. Resolves with JSON text: `{ answer }`, or `{ refused: { code, message } }`.
    ///
    /// # Errors
    /// It was called twice.
    #[napi]
    pub async fn wait(&self) -> Result<String> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Pending { request, host, stop }) = pending else {
            return Err(napi::Error::from_reason("`wait()` was called twice"));
        };
        let answer = match engine().operate(request, Arc::new(host), stop).await {
            Ok(answer) => json!({ "answer": answer }),
            Err(refusal) => json!({ "refused": { "code": refusal.code, "message": refusal.message } }),
        };
        Ok(answer.to_string())
    }

    /// Ends a watch or a follow. Harmless at any time.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.switch.order(StopOrder::Cancel);
    }
}

//! `operate`: what an operator does from a terminal.

use claude_k8s_cluster::OperatorRequest;
use claude_k8s_cluster::host::StopOrder;
use napi::bindgen_prelude::Result;
use serde_json::json;

use crate::callback::BindingCallbacks;
use crate::pending::Pending;
use crate::runtime::engine;

/// One command. Nothing happens before `wait()`.
#[napi_derive::napi]
pub struct Operation(Pending<OperatorRequest>);

/// Takes a command as JSON and its callbacks. Cheap; starts nothing.
///
/// # Errors
/// The request is not the JSON this version expects.
#[napi_derive::napi(catch_unwind)]
pub fn operate(request: String, callbacks: BindingCallbacks) -> Result<Operation> {
    Pending::new(serde_json::from_str(&request), "the command", callbacks).map(Operation)
}

#[napi_derive::napi]
impl Operation {
    /// Carries it out. Resolves with JSON text: `{ answer }`, or `{ refused: { code, message } }`.
    ///
    /// # Errors
    /// It was called twice.
    #[napi]
    pub async fn wait(&self) -> Result<String> {
        let (request, host, stop) = self.0.take()?;
        let answer = match engine().operate(request, host, stop).await {
            Ok(answer) => json!({ "answer": answer }),
            Err(refusal) => json!({ "refused": { "code": refusal.code, "message": refusal.message } }),
        };
        Ok(answer.to_string())
    }

    /// Ends a watch or a follow. Harmless at any time.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.0.order(StopOrder::Cancel);
    }
}

//! `startRun` and the handle it returns.

use claude_k8s_cluster::host::{Behind, StopOrder};
use claude_k8s_core::request::RunRequest;
use napi::bindgen_prelude::Result;

use crate::callback::BindingCallbacks;
use crate::pending::Pending;
use crate::runtime::engine;

/// One run. Nothing happens before `wait()`.
#[napi_derive::napi]
pub struct Run {
    pending: Pending<RunRequest>,
    behind: Behind,
}

/// Takes the run's request as JSON and its callbacks. Cheap; starts nothing.
///
/// # Errors
/// The request is not the JSON this version expects: the package's JavaScript is from another version.
#[napi_derive::napi(catch_unwind)]
pub fn start_run(request: String, callbacks: BindingCallbacks) -> Result<Run> {
    let pending = Pending::new(serde_json::from_str(&request), "the run's request", callbacks)?;
    Ok(Run { pending, behind: Behind::default() })
}

#[napi_derive::napi]
impl Run {
    /// Executes the run. Resolves with the result as JSON text, whatever happens to the run.
    ///
    /// # Errors
    /// It was called twice.
    #[napi]
    pub async fn wait(&self) -> Result<String> {
        let (request, host, stop) = self.pending.take()?;
        let result = engine().execute(request, host, stop, self.behind.clone()).await;
        serde_json::to_string(&result).map_err(|error| napi::Error::from_reason(error.to_string()))
    }

    /// Resolves when nothing of the run goes on behind its result any more, at most 10 s after it: while the promise is
    /// pending, Node does not end by itself.
    #[napi]
    pub async fn is_over(&self) {
        self.behind.is_over().await;
    }

    /// Orders the run to stop: `operator` cancels it, `leaseLost` leaves its Job alone. Harmless at any time.
    #[napi(catch_unwind)]
    pub fn cancel(&self, #[napi(ts_arg_type = "'operator' | 'leaseLost'")] kind: String) {
        self.pending.order(if kind == "leaseLost" { StopOrder::LeaseLost } else { StopOrder::Cancel });
    }
}

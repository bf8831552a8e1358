//! What JavaScript starts, awaits once and may order to stop.

use std::sync::{Arc, Mutex, PoisonError};

use claude_k8s_cluster::host::{StopOrder, StopSignal, StopSwitch};
use napi::bindgen_prelude::Result;

use crate::callback::{BindingCallbacks, JsHost};

/// A request that nobody has waited for yet, and the switch that stops whatever becomes of it.
pub(crate) struct Pending<R> {
    switch: StopSwitch,
    parts: Mutex<Option<(R, Arc<JsHost>, StopSignal)>>,
}

impl<R> Pending<R> {
    /// Cheap; starts nothing. `what` names a request that cannot be read.
    pub(crate) fn new(request: serde_json::Result<R>, what: &str, callbacks: BindingCallbacks) -> Result<Self> {
        let request = request.map_err(|error| napi::Error::from_reason(format!("{what} cannot be read: {error}")))?;
        let (switch, stop) = StopSwitch::new();
        Ok(Self { switch, parts: Mutex::new(Some((request, Arc::new(JsHost::new(callbacks)), stop))) })
    }

    /// Once.
    pub(crate) fn take(&self) -> Result<(R, Arc<JsHost>, StopSignal)> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner).take();
        parts.ok_or_else(|| napi::Error::from_reason("`wait()` was called twice"))
    }

    /// Harmless at any time.
    pub(crate) fn order(&self, order: StopOrder) {
        self.switch.order(order);
    }
}

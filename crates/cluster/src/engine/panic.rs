//! A defect becomes a result, never the end of the host.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claude_k8s_core::failure::{Refusal, UNKNOWN_PANIC, defect};

/// The newest panic of any thread: one that comes from a joined task was raised elsewhere.
static LAST: Mutex<Option<String>> = Mutex::new(None);

fn last() -> MutexGuard<'static, Option<String>> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps message and place of a panic for the result, instead of printing them to the host's stderr.
///
/// The hook belongs to this library's copy of the standard library; other addons keep theirs.
pub fn keep_panic_text() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let text = format!("{}{place}", payload_text(info.payload()));
        *last() = Some(text);
    }));
}

/// The refusal for a caught panic (HST-10).
pub(super) fn refusal(payload: &(dyn Any + Send)) -> Refusal {
    defect(&text(payload))
}

/// Message and place of a caught panic.
pub(super) fn text(payload: &(dyn Any + Send)) -> String {
    last().take().unwrap_or_else(|| payload_text(payload))
}

fn payload_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| UNKNOWN_PANIC.to_owned())
}

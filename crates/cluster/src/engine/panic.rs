//! A defect becomes a result, never the end of the host.

use std::any::Any;
use std::cell::RefCell;

use claude_k8s_core::failure::{ErrorCode, Refusal};

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps message and place of a panic for the result, instead of printing them to the host's stderr.
///
/// The hook belongs to this library's copy of the standard library; other addons keep theirs.
pub fn keep_panic_text() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!(" at {}:{}", at.file(), at.line())).unwrap_or_default();
        let text = format!("{}{place}", payload_text(info.payload()));
        LAST.with(|last| *last.borrow_mut() = Some(text));
    }));
}

/// The refusal for a caught panic (HST-10).
pub(super) fn refusal(payload: &(dyn Any + Send)) -> Refusal {
    let text = LAST.with(|last| last.borrow_mut().take()).unwrap_or_else(|| payload_text(payload));
    let message = format!("A defect of the adapter ended this run: {text}; its Job, if any, was left alone. Report it");
    Refusal::new(ErrorCode::InternalError, message)
}

fn payload_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic without a text".to_owned())
}

//! What Claude Code writes, as scripts of a container.

use std::time::Duration;

use claude_k8s_core::log::{FIRST_LINE, end_line};
use claude_k8s_testkit::Script;
use serde_json::json;

pub(crate) const SESSION: &str = "11111111-2222-4333-8444-555555555555";
/// Tokens and price of every result.
pub(crate) const INPUT_TOKENS: u64 = 10;
pub(crate) const COST: f64 = 0.25;

pub(crate) fn init() -> String {
    json!({ "type": "system", "subtype": "init", "session_id": SESSION, "model": "m" }).to_string()
}

/// A line of the main thread.
pub(crate) fn says(text: &str) -> String {
    json!({ "type": "assistant", "session_id": SESSION,
        "message": { "id": format!("message-{text}"), "content": [{ "type": "text", "text": text }] } })
    .to_string()
}

pub(crate) fn result(text: &str) -> String {
    json!({ "type": "result", "subtype": "success", "is_error": false, "result": text, "session_id": SESSION,
        "usage": { "input_tokens": INPUT_TOKENS, "output_tokens": 5 }, "total_cost_usd": COST })
    .to_string()
}

/// The result of a `--resume` with an id that nobody knows.
pub(crate) fn unknown_session(id: &str) -> String {
    json!({ "type": "result", "subtype": "error_during_execution", "is_error": true, "session_id": id,
        "errors": [format!("No conversation found with session ID: {id}")],
        "usage": { "input_tokens": INPUT_TOKENS, "output_tokens": 5 }, "total_cost_usd": COST })
    .to_string()
}

/// A container whose script has run, up to the CLI, and will say its end.
pub(crate) fn starts() -> Script {
    Script::new().print(FIRST_LINE).last_line(end_line("{code}"))
}

/// A container that has begun to work.
pub(crate) fn begins() -> Script {
    starts().print(init()).print(says("hello"))
}

/// A container that works for so long and succeeds.
pub(crate) fn works(time: Duration) -> Script {
    begins().wait(time).ends()
}

/// The result of a `--resume` whose context is full.
pub(crate) fn full_context() -> String {
    json!({ "type": "result", "subtype": "success", "is_error": true, "result": "Prompt is too long",
        "session_id": SESSION, "usage": { "input_tokens": INPUT_TOKENS, "output_tokens": 5 }, "total_cost_usd": COST })
    .to_string()
}

/// Its regular end.
pub(crate) trait Ends {
    fn ends(self) -> Script;
}

impl Ends for Script {
    fn ends(self) -> Script {
        self.print(result("done")).exit(0)
    }
}

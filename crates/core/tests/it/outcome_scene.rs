//! A scene: evidence with everything ordinary, in which a test changes what it is about.

use std::fmt::Write as _;

use claude_k8s_core::outcome::{
    ContainerEnd, Deletion, Ending, Evidence, LogSummary, RunFacts, RunResult, SessionFacts, Stop, decide,
    wants_fresh_attempt,
};
use claude_k8s_core::request::StoredSession;
use claude_k8s_core::transcript::{Transcript, Usage};
use claude_k8s_core::view::Terminated;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const SESSION: &str = "0f0f0f0f-0000-4000-8000-00000000abcd";
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";

pub(crate) struct Scene {
    pub(crate) run: RunFacts,
    pub(crate) session: SessionFacts,
    pub(crate) output: String,
    pub(crate) ending: Ending,
    pub(crate) fresh_attempt_used: bool,
    pub(crate) earlier: Option<Usage>,
}

impl Scene {
    /// A container that exited with `exit_code` after printing `output`, its whole log read.
    pub(crate) fn exited(exit_code: i32, output: impl Into<String>) -> Self {
        Self {
            run: RunFacts {
                job: "agent-claude-1a2b".to_owned(),
                uid: "uid-1".to_owned(),
                namespace: "agents".to_owned(),
                pod: Some("agent-claude-1a2b-x".to_owned()),
                node: Some("node-7".to_owned()),
                attempts: 1,
                timeout_seconds: Some(600),
                ..RunFacts::default()
            },
            session: SessionFacts {
                persistent: true,
                stored: StoredSession { cwd: Some("/data/work".to_owned()), ..StoredSession::default() },
                ..SessionFacts::default()
            },
            output: output.into(),
            ending: Ending {
                log: LogSummary { complete: true, readable: true, ..LogSummary::default() },
                ..Ending::seen(exit(exit_code, None, ""))
            },
            fresh_attempt_used: false,
            earlier: None,
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn decide(&self) -> RunResult {
        self.ask(decide)
    }

    pub(crate) fn wants_fresh_attempt(&self) -> bool {
        self.ask(wants_fresh_attempt)
    }

    /// The result as the host gets it.
    pub(crate) fn json(&self) -> Value {
        serde_json::to_value(self.decide()).unwrap()
    }

    pub(crate) fn transcript(&self) -> Transcript {
        let mut transcript = Transcript::default();
        for line in self.output.lines() {
            transcript.line(line.as_bytes());
        }
        transcript
    }

    fn ask<T>(&self, question: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let transcript = self.transcript();
        question(&Evidence {
            run: &self.run,
            session: &self.session,
            transcript: &transcript,
            ending: self.ending.clone(),
            fresh_attempt_used: self.fresh_attempt_used,
            earlier: self.earlier,
            now: now(),
        })
    }
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn exit(exit_code: i32, reason: Option<&str>, stderr: &str) -> ContainerEnd {
    ContainerEnd::Exited(Terminated {
        exit_code,
        reason: reason.map(str::to_owned),
        message: Some(stderr.to_owned()),
        started_at: Some("2026-11-22T11:00:00Z".parse().unwrap()),
        finished_at: Some("2026-11-22T11:59:00Z".parse().unwrap()),
        ..Terminated::default()
    })
}

// Lines of the stream, as short as the reader needs them.

pub(crate) fn stream<const N: usize>(events: [Value; N]) -> String {
    events.into_iter().fold(String::new(), |mut lines, event| {
        writeln!(lines, "{event}").unwrap();
        lines
    })
}

pub(crate) fn init() -> Value {
    json!({ "type": "system", "subtype": "init", "session_id": SESSION, "model": "claude-sonnet-4-6", "apiKeySource": "ANTHROPIC_API_KEY" })
}

pub(crate) fn text(text: &str) -> Value {
    json!({ "type": "assistant", "message": { "model": "claude-sonnet-4-6", "content": [{ "type": "text", "text": text }] },
        "parent_tool_use_id": null, "session_id": SESSION })
}

pub(crate) fn tool_use(id: &str) -> Value {
    json!({ "type": "assistant", "message": { "model": "claude-sonnet-4-6", "content": [{ "type": "tool_use", "id": id, "name": "Bash" }] },
        "parent_tool_use_id": null, "session_id": SESSION })
}

pub(crate) fn tool_result(id: &str, is_error: bool) -> Value {
    json!({ "type": "user", "message": { "content": [{ "type": "tool_result", "tool_use_id": id, "content": "x", "is_error": is_error }] } })
}

pub(crate) fn ok(result: &str) -> Value {
    result_event(json!({ "subtype": "success", "is_error": false, "result": result, "terminal_reason": "completed" }))
}

/// A failed result: the given members on top of an API failure.
pub(crate) fn failed(members: Value) -> Value {
    let mut event = json!({ "subtype": "success", "is_error": true, "terminal_reason": "api_error" });
    if let (Value::Object(event), Value::Object(members)) = (&mut event, members) {
        event.extend(members);
    }
    result_event(event)
}

fn result_event(mut event: Value) -> Value {
    event["type"] = "result".into();
    event["session_id"] = SESSION.into();
    event["model_usage_since_last_result"] = json!({ "claude-sonnet-4-6": {
        "inputTokens": 100, "cacheCreationInputTokens": 20, "cacheReadInputTokens": 50, "outputTokens": 26, "costUSD": 0.25 } });
    event
}

/// A CLI-made message before a failure.
pub(crate) fn cli_error(error: &str) -> Value {
    json!({ "type": "assistant", "error": error, "message": { "model": "<synthetic>", "content": [{ "type": "text", "text": "API Error" }] } })
}

pub(crate) const IN_A_MINUTE: &str = "2026-11-22T12:01:00.000Z";

/// The model spoke and a tool ran, then `last`.
pub(crate) fn busy(last: Value) -> String {
    stream([init(), text("Working."), tool_use("t1"), tool_result("t1", false), last])
}

/// Nothing but a failure.
pub(crate) fn idle(last: Value) -> String {
    stream([init(), last])
}

pub(crate) fn cancelled(output: String) -> Scene {
    Scene::exited(143, output).with(|scene| scene.ending.stop = Some(Stop::Cancelled { forced: false }))
}

pub(crate) fn gone(output: String) -> Scene {
    Scene::exited(0, output).with(|scene| scene.ending.container = ContainerEnd::PodGone)
}

pub(crate) fn deletion() -> Deletion {
    Deletion {
        detected_via: "job_404".to_owned(),
        job_conditions: vec!["Suspended".to_owned()],
        elapsed_since_running: Some(42),
    }
}

pub(crate) fn background_result(result: Value, then: Value) -> String {
    stream([init(), text("Started."), result, then])
}

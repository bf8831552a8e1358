//! The reader: one call per line of the container.

use std::borrow::Cow;

use jiff::Timestamp;

use super::activity::{Activities, Activity};
use super::event::{Conversation, Kind, RateLimit, ResultEvent, Stream, System};
use super::last_result::{LastResult, owned, start_of};
use super::lenient::{Flag, Text};
use super::output_tail::OutputTail;
use super::repair::repaired;
use super::texts::Texts;
use super::tool_calls::ToolCalls;
use super::usage::Spending;
use crate::names::is_uuid;
use crate::redact::Redactor;

/// `message.model` of messages that Claude Code made itself.
const MADE_BY_CLI: &str = "<synthetic>";
/// How many MCP servers of an `init` are kept, and how much of each of their texts.
const MCP_SERVERS: usize = 100;
const MCP_TEXT_BYTES: usize = 200;

/// Everything that is known from the output of one container. Feed it whole lines; ask it any time.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a stream")]
#[derive(Debug, Default, Clone)]
pub struct Transcript {
    pub(super) bytes: u64,
    pub(super) lines: u64,
    pub(super) tail: OutputTail,
    /// What the last line was, for people.
    pub(super) last_heard: Option<&'static str>,
    pub(super) inits: u64,
    pub(super) results: u64,
    pub(super) session_id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) api_key_source: Option<String>,
    /// Name and status of the MCP servers of the last `init`; `None` when it lists none at all.
    pub(super) mcp_servers: Option<Vec<(String, String)>>,
    /// The model itself has said something, in any thread.
    pub(super) model_spoke: bool,
    pub(super) texts: Texts,
    pub(super) tools: ToolCalls,
    /// `error` of the last CLI-made message since the model last answered.
    pub(super) assistant_error: Option<String>,
    /// `model_refusal_no_fallback` since the last result.
    pub(super) declined: bool,
    pub(super) last_rate_limit: Option<RateLimitSeen>,
    pub(super) last_result: Option<LastResult>,
    /// The main thread went on after the last result.
    pub(super) main_after_result: bool,
    /// A subagent spoke after the last result.
    pub(super) subagent_after_result: bool,
    pub(super) spending: Spending,
    pub(super) activities: Activities,
    /// Values that are gone before a text is kept.
    pub(super) redactor: Redactor,
}

/// The servers of an `init`, bounded.
fn mcp_servers(event: &System<'_>) -> Option<Vec<(String, String)>> {
    let text = |text: &Text<'_>| start_of(text.get().unwrap_or_default(), MCP_TEXT_BYTES).to_owned();
    let servers = event.mcp_servers.as_ref()?.0.iter().take(MCP_SERVERS);
    Some(servers.map(|server| (text(&server.0.name), text(&server.0.status))).collect())
}

/// The line as the parser gets it: a byte order mark before it and raw NUL bytes in it are no part of an event (FLD-30).
fn readable(line: &[u8]) -> Cow<'_, [u8]> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    if line.contains(&0) {
        line.iter().copied().filter(|byte| *byte != 0).collect::<Vec<u8>>().into()
    } else {
        line.into()
    }
}

/// The last `rate_limit_event`.
#[derive(Debug, Clone, Copy)]
pub(super) struct RateLimitSeen {
    pub(super) rejected: bool,
    pub(super) resets_at: Option<Timestamp>,
}

impl Transcript {
    /// A reader that keeps no value which the redactor knows: texts are shortened here, and half a value is found by
    /// nobody later (TRU-22).
    #[must_use]
    pub fn without(redactor: Redactor) -> Self {
        Self { tail: OutputTail::for_values_of(&redactor), redactor, ..Self::default() }
    }

    /// Takes one line of the container's stdout, without its newline. Never fails: a line that is no event only
    /// counts and enters the tail (RES-04).
    pub fn line(&mut self, line: &[u8]) {
        self.bytes += line.len() as u64 + 1;
        self.tail.push(line);
        let line = &*readable(line);
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        self.lines += 1;
        self.last_heard = Some("a line that is no event");
        if line.starts_with(b"{")
            && self.event(line).is_err()
            && let Some(line) = repaired(line)
        {
            // Still no event: what the CLI or a tool printed is not ours to judge.
            let _ = self.event(&line);
        }
    }

    /// What the agent does right now.
    #[must_use]
    pub fn activity(&self) -> Activity {
        self.activities.newest()
    }

    /// Rises with each change of [`Self::activity`].
    #[must_use]
    pub fn activity_version(&self) -> u64 {
        self.activities.version()
    }

    /// Each kind is parsed completely before anything is changed, so a bad line leaves no trace.
    fn event(&mut self, line: &[u8]) -> Result<(), serde_json::Error> {
        let kind = Kind::of(line)?;
        self.last_heard = Some(kind.for_people());
        // Nothing is kept of the biggest lines, the tool results, so nothing is looked for in them.
        let clean = if kind == Kind::User { None } else { self.redactor.redact_line(line) };
        // A value that looks like JSON itself may leave no event: then the run's end counts for more.
        match clean.map(|clean| self.known_event(kind, &clean)) {
            Some(Ok(())) => Ok(()),
            _ => self.known_event(kind, line),
        }
    }

    /// Each kind is parsed completely before anything is changed, so a bad line leaves no trace.
    fn known_event(&mut self, kind: Kind, line: &[u8]) -> Result<(), serde_json::Error> {
        match kind {
            Kind::System => self.system(&serde_json::from_slice(line)?),
            Kind::Assistant => self.assistant(&serde_json::from_slice(line)?),
            // The biggest lines are tool results; without an open call they cannot change anything.
            Kind::User if self.tools.none_open() => {}
            Kind::User => self.user(&serde_json::from_slice(line)?),
            Kind::Result => self.result(line, &serde_json::from_slice(line)?),
            Kind::RateLimit => self.rate_limit(&serde_json::from_slice(line)?),
            Kind::Stream if self.model_spoke => {}
            Kind::Stream => self.stream(&serde_json::from_slice(line)?),
            Kind::ConversationReset => {
                let event: System<'_> = serde_json::from_slice(line)?;
                self.set_session(event.new_conversation_id.get());
            }
            Kind::Other => {}
        }
        Ok(())
    }

    fn system(&mut self, event: &System<'_>) {
        match event.subtype.get() {
            Some("init") => {
                self.inits += 1;
                self.main_after_result |= self.last_result.is_some();
                self.set_session(event.session_id.get());
                self.model = owned(&event.model).or(self.model.take());
                self.api_key_source = owned(&event.api_key_source).or(self.api_key_source.take());
                self.mcp_servers = mcp_servers(event);
            }
            Some("background_tasks_changed") => self.tools.background_list(event.tasks.0.len()),
            Some("task_notification") => self.tools.background_task_ended(event.status.get().unwrap_or_default()),
            Some("task_updated") => self.tools.background_task_ended(event.patch.0.status.get().unwrap_or_default()),
            Some("model_refusal_no_fallback") => self.declined = true,
            _ => {}
        }
    }

    fn assistant(&mut self, event: &Conversation<'_>) {
        let main_thread = event.parent_tool_use_id.get().is_none();
        if self.last_result.is_some() {
            self.main_after_result |= main_thread;
            self.subagent_after_result |= !main_thread;
        }
        if event.message.0.model.is(MADE_BY_CLI) || event.error.get().is_some() {
            self.assistant_error = owned(&event.error);
            return;
        }
        for block in event.message.0.content.0.iter().map(|block| &block.0) {
            match (block.kind.get(), block.text.get()) {
                (Some("text"), Some(text)) => {
                    self.model_said(main_thread);
                    if main_thread {
                        self.activities.said(text);
                        self.texts.push(text);
                    }
                }
                (Some("text"), None) => {} // an empty block is no output (sample `emptyblock`)
                (Some("tool_use"), _) => {
                    self.model_said(main_thread);
                    self.tools.called(block.id.get(), block.name.get());
                    self.activities.called(block);
                }
                _ => self.model_said(main_thread),
            }
        }
    }

    /// The model answers: what went wrong before has been overcome.
    fn model_said(&mut self, main_thread: bool) {
        self.model_spoke = true;
        if main_thread {
            self.assistant_error = None;
            self.tools.answered();
        }
    }

    fn user(&mut self, event: &Conversation<'_>) {
        for block in event.message.0.content.0.iter().map(|block| &block.0) {
            if let Some(id) = block.tool_use_id.get() {
                self.tools.returned(id, block.is_error == Flag::Yes);
                self.activities.returned(id);
            }
        }
    }

    fn stream(&mut self, event: &Stream<'_>) {
        // Part of an answer that may never be completed; it was said all the same.
        self.model_spoke |= event.event.0.kind.is("content_block_delta");
    }

    fn rate_limit(&mut self, event: &RateLimit<'_>) {
        let info = &event.rate_limit_info.0;
        let resets_at = info.resets_at.0.and_then(|_| i64::try_from(info.resets_at.count()).ok());
        self.last_rate_limit = Some(RateLimitSeen {
            rejected: info.status.is("rejected"),
            resets_at: resets_at.and_then(|second| Timestamp::from_second(second).ok()),
        });
    }

    fn result(&mut self, line: &[u8], event: &ResultEvent<'_>) {
        self.results += 1;
        if event.parent_tool_use_id.get().is_some() {
            return; // not of the main thread: it says nothing about the run
        }
        let declined = std::mem::take(&mut self.declined);
        let result = LastResult::new(line, event, self.assistant_error.take(), declined);
        // An error without `init` comes from a run that never began: its id is the unknown or an unused one
        // (docs/internals/claude.md 7), its usage is made of zeros.
        if result.ok || self.inits > 0 {
            self.set_session(event.session_id.get());
            self.spending.add(event);
        }
        self.tools.reported();
        self.activities.over();
        self.main_after_result = false;
        self.subagent_after_result = false;
        self.last_result = Some(result);
    }

    fn set_session(&mut self, id: Option<&str>) {
        // A claim of the container: what is no id of a session is stored nowhere (TRU-20).
        if let Some(id) = id.filter(|id| is_uuid(id)) {
            self.session_id = Some(id.to_owned());
        }
    }
}

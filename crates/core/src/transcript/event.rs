//! The events of the stream, reduced to the members that are read. Unread members are skipped without allocation.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::lenient::{Flag, Many, Number, Object, Text};
use super::usage::UsageByModel;

/// `type` of an event, as far as the reader cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    System,
    Assistant,
    User,
    Result,
    RateLimit,
    Stream,
    ConversationReset,
    Other,
}

impl Kind {
    /// The kind of a line.
    ///
    /// Key order is free, so in general the whole line has to be scanned; Claude Code writes `type` first on the
    /// big lines, which makes this a comparison of a few bytes there.
    pub(super) fn of(line: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Head<'a> {
            #[serde(borrow, rename = "type")]
            kind: Text<'a>,
        }

        if let Some(rest) = line.strip_prefix(b"{\"type\":\"") {
            let name = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
            if !name.contains(&b'\\') {
                return Ok(Self::named(&String::from_utf8_lossy(name)));
            }
        }
        let head: Head = serde_json::from_slice(line)?;
        Ok(head.kind.get().map_or(Self::Other, Self::named))
    }

    /// What an event of this kind is, for people.
    pub(super) fn for_people(self) -> &'static str {
        match self {
            Self::System => "an event of the CLI itself",
            Self::Assistant | Self::Stream => "an answer of the model",
            Self::User => "what a tool returned",
            Self::Result => "a result",
            Self::RateLimit => "an event about a usage limit",
            Self::ConversationReset => "a new conversation",
            Self::Other => "an event of an unknown kind",
        }
    }

    fn named(name: &str) -> Self {
        match name {
            "system" => Self::System,
            "assistant" => Self::Assistant,
            "user" => Self::User,
            "result" => Self::Result,
            "rate_limit_event" => Self::RateLimit,
            "stream_event" => Self::Stream,
            "conversation_reset" => Self::ConversationReset,
            _ => Self::Other,
        }
    }
}

/// `system` and `conversation_reset`.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct System<'a> {
    #[serde(borrow)]
    pub(super) subtype: Text<'a>,
    #[serde(borrow)]
    pub(super) session_id: Text<'a>,
    #[serde(borrow)]
    pub(super) new_conversation_id: Text<'a>,
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow, rename = "apiKeySource")]
    pub(super) api_key_source: Text<'a>,
    /// `init`: the MCP servers and how they are.
    #[serde(borrow)]
    pub(super) mcp_servers: Option<Many<Object<McpServer<'a>>>>,
    /// `background_tasks_changed`: what still runs.
    pub(super) tasks: Many<IgnoredAny>,
    /// `task_notification`.
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    /// `task_updated`.
    #[serde(borrow)]
    pub(super) patch: Object<Patch<'a>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct McpServer<'a> {
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) status: Text<'a>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct Patch<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
}

/// `assistant` and `user`.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct Conversation<'a> {
    #[serde(borrow)]
    pub(super) message: Object<Message<'a>>,
    /// Not null: the event belongs to a subagent.
    #[serde(borrow)]
    pub(super) parent_tool_use_id: Text<'a>,
    /// On messages that Claude Code made itself.
    #[serde(borrow)]
    pub(super) error: Text<'a>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) model: Text<'a>,
    #[serde(borrow)]
    pub(super) content: Many<Object<Block<'a>>>,
}

/// A content block. `content` of a tool result is not read: it can have megabytes.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct Block<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) tool_use_id: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
    pub(super) is_error: Flag,
    #[serde(borrow)]
    pub(super) name: Text<'a>,
    #[serde(borrow)]
    pub(super) input: Object<ToolInput<'a>>,
}

/// `input` of a tool call: the members that say in a few words what it is about.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct ToolInput<'a> {
    #[serde(borrow)]
    command: Text<'a>,
    #[serde(borrow)]
    file_path: Text<'a>,
    #[serde(borrow)]
    notebook_path: Text<'a>,
    #[serde(borrow)]
    pattern: Text<'a>,
    #[serde(borrow)]
    url: Text<'a>,
    #[serde(borrow)]
    query: Text<'a>,
    #[serde(borrow)]
    skill: Text<'a>,
    #[serde(borrow)]
    description: Text<'a>,
}

impl ToolInput<'_> {
    /// The most telling one.
    pub(super) fn about(&self) -> Option<&str> {
        let Self { command, file_path, notebook_path, pattern, url, query, skill, description } = self;
        [command, file_path, notebook_path, pattern, url, query, skill, description].into_iter().find_map(Text::get)
    }
}

/// `rate_limit_event`, printed with bearer credentials only.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct RateLimit<'a> {
    #[serde(borrow)]
    pub(super) rate_limit_info: Object<RateLimitInfo<'a>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct RateLimitInfo<'a> {
    #[serde(borrow)]
    pub(super) status: Text<'a>,
    /// Seconds since 1970.
    #[serde(rename = "resetsAt")]
    pub(super) resets_at: Number,
}

/// `stream_event`, printed only with `--include-partial-messages`.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct Stream<'a> {
    #[serde(borrow)]
    pub(super) event: Object<StreamStep<'a>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct StreamStep<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
}

/// `result`.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct ResultEvent<'a> {
    #[serde(borrow)]
    pub(super) subtype: Text<'a>,
    pub(super) is_error: Flag,
    #[serde(borrow)]
    pub(super) result: Text<'a>,
    #[serde(borrow)]
    pub(super) errors: Many<Text<'a>>,
    #[serde(borrow)]
    pub(super) stop_reason: Text<'a>,
    #[serde(borrow)]
    pub(super) session_id: Text<'a>,
    #[serde(borrow)]
    pub(super) parent_tool_use_id: Text<'a>,
    #[serde(borrow)]
    pub(super) terminal_reason: Text<'a>,
    pub(super) api_error_status: Number,
    #[serde(borrow)]
    pub(super) api_error: Text<'a>,
    #[serde(borrow)]
    pub(super) startup_failure_reason: Text<'a>,
    pub(super) total_cost_usd: Number,
    pub(super) usage: Object<LastTurnUsage>,
    #[serde(rename = "modelUsage")]
    pub(super) model_usage: UsageByModel,
    pub(super) model_usage_since_last_result: UsageByModel,
}

/// `usage` of a result: the main loop of its turn only.
#[expect(clippy::struct_field_names, reason = "the names of the CLI")]
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
pub(super) struct LastTurnUsage {
    pub(super) input_tokens: Number,
    pub(super) cache_creation_input_tokens: Number,
    pub(super) cache_read_input_tokens: Number,
    pub(super) output_tokens: Number,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_found_at_every_position_and_behind_escapes() {
        for (line, kind) in [
            (r#"{"type":"result","x":1}"#, Kind::Result),
            (r#"{ "x" : {"type":"user"}, "type" : "result" }"#, Kind::Result),
            (r#"{"type":"resul\u0074"}"#, Kind::Result),
            (r#"{"type":"brand_new"}"#, Kind::Other),
            (r#"{"type":7}"#, Kind::Other),
            ("{}", Kind::Other),
        ] {
            assert_eq!(Kind::of(line.as_bytes()).unwrap(), kind, "{line}");
        }
    }
}

//! What the agent does right now: the tool it waits for, or what it said last.

use super::event::Block;
use super::last_result::start_of;

/// Calls that are remembered at the same time; with more, the newest are shown.
const OPEN_CALLS: usize = 32;
/// Bound of each kept text. Longer than what is shown: a secret is replaced before a text is shortened (TRU-22).
const KEPT_BYTES: usize = 4 * 1024;

/// What the agent does right now, as its output tells it. Texts are the agent's own: not yet redacted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// The newest call that has not returned.
    pub tool: Option<OpenTool>,
    /// The last text of the model, at most 4 KiB.
    pub said: Option<String>,
}

/// A tool that was called and has not returned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenTool {
    /// The id of the call: two calls alike are two.
    pub id: String,
    /// For example `Bash`.
    pub name: String,
    /// What it is called with, in its own words: a command, a path, a pattern. At most 4 KiB.
    pub about: Option<String>,
}

/// Keeps [`Activity`] up to date.
#[derive(Debug, Default, Clone)]
pub(super) struct Activities {
    open: Vec<OpenTool>,
    said: Option<String>,
    /// Rises with each change.
    version: u64,
}

impl Activities {
    pub(super) fn called(&mut self, block: &Block<'_>) {
        self.version += 1;
        if self.open.len() == OPEN_CALLS {
            self.open.remove(0);
        }
        self.open.push(OpenTool {
            id: kept(block.id.get().unwrap_or_default()),
            name: kept(block.name.get().unwrap_or("tool")),
            about: block.input.0.about().map(kept),
        });
    }

    pub(super) fn returned(&mut self, id: &str) {
        let before = self.open.len();
        self.open.retain(|tool| tool.id != id);
        self.version += u64::from(self.open.len() != before);
    }

    pub(super) fn said(&mut self, text: &str) {
        self.version += 1;
        self.said = Some(kept(text));
    }

    /// A result: nothing is under way.
    pub(super) fn over(&mut self) {
        self.version += 1;
        self.open.clear();
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn newest(&self) -> Activity {
        Activity { tool: self.open.last().cloned(), said: self.said.clone() }
    }
}

fn kept(text: &str) -> String {
    start_of(text, KEPT_BYTES).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Transcript;
    use super::*;

    fn after(lines: &[&str]) -> Activity {
        let mut transcript = Transcript::default();
        for line in lines {
            transcript.line(line.as_bytes());
        }
        transcript.activity()
    }

    const TEXT: &str = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"I look first."}]}}"#;
    const BASH: &str = r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"a","name":"Bash","input":{"description":"Tests","command":"npm test"}}]}}"#;
    const READ: &str = r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"b","name":"Read","input":{"file_path":"/a.rs"}}]}}"#;

    fn returned(id: &str) -> String {
        format!(
            r#"{{"type":"user","message":{{"content":[{{"type":"tool_result","tool_use_id":"{id}","content":"ok"}}]}}}}"#
        )
    }

    #[test]
    fn hos_01_the_newest_call_that_has_not_returned_is_what_the_agent_does() {
        let both = after(&[TEXT, BASH, READ]);
        assert_eq!(both.said.as_deref(), Some("I look first."));
        assert_eq!(both.tool.map(|tool| (tool.name, tool.about)), Some(("Read".to_owned(), Some("/a.rs".to_owned()))));
        let one = after(&[BASH, READ, &returned("b")]);
        assert_eq!(
            one.tool.map(|tool| (tool.name, tool.about)),
            Some(("Bash".to_owned(), Some("npm test".to_owned())))
        );
        assert_eq!(after(&[BASH, &returned("a")]).tool, None);
        assert_eq!(after(&[BASH, r#"{"type":"result","subtype":"success","is_error":false}"#]).tool, None);
    }

    #[test]
    fn hos_01_what_is_remembered_is_bounded() {
        let mut transcript = Transcript::default();
        for number in 0..10_000 {
            let input = "x".repeat(10_000);
            let line = format!(
                r#"{{"type":"assistant","message":{{"content":[{{"type":"tool_use","id":"{number}","name":"Bash","input":{{"command":"{input}"}}}}]}}}}"#
            );
            transcript.line(line.as_bytes());
        }
        assert_eq!(transcript.activity().tool.and_then(|tool| tool.about).map(|text| text.len()), Some(KEPT_BYTES));
        assert_eq!(transcript.activities.open.len(), OPEN_CALLS);
    }

    #[test]
    fn an_input_of_another_shape_is_no_obstacle() {
        let odd = after(&[
            r#"{"type":"assistant","message":{"content":[{"type":"tool_use","id":"a","name":7,"input":[1]}]}}"#,
        ]);
        assert_eq!(odd.tool.map(|tool| (tool.name, tool.about)), Some(("tool".to_owned(), None)));
    }
}

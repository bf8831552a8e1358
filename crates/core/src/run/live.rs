//! What a person who looks at the task reads while the agent works (HOS-01).

use std::time::Duration;

use jiff::Timestamp;

use super::constants::{KEEPALIVE, KEEPALIVE_LATER, KEEPALIVE_SWITCH};
use super::state::after;
use crate::transcript::{Activity, OpenTool};

/// Between two of them: each costs the host two reads of its database.
const PACE: Duration = Duration::from_secs(5);
/// The same when the agent turns to another tool.
const PACE_OF_TOOLS: Duration = Duration::from_secs(1);
/// Longest text of a member, in characters.
const SNIPPET: usize = 200;
/// Longest thing a tool is called with, in characters.
const ABOUT: usize = 100;

/// What `onRuntimeProgress` is told of a run that works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveProgress {
    /// One line for people: `Bash: npm test (41 s)`.
    pub message: String,
    /// The tool that is under way.
    pub tool: Option<String>,
    /// What the model said last, at most 200 characters.
    pub snippet: Option<String>,
    /// When the agent was last heard.
    pub heard: Timestamp,
}

/// Paces [`LiveProgress`]: at once when the tool changes, otherwise every 5 s at most; while nothing changes as often
/// as a keepalive.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    activity: Activity,
    /// Since when the agent does this.
    since: Timestamp,
    heard: Timestamp,
    /// When the newest was given, and whether something changed after it.
    given: Option<Given>,
}

#[derive(Debug, Clone, PartialEq)]
struct Given {
    at: Timestamp,
    tool: Option<OpenTool>,
    stale: bool,
}

impl Live {
    /// Nothing was heard yet.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { activity: Activity::default(), since: now, heard: now, given: None }
    }

    /// The agent does something else.
    pub fn turn_to(&mut self, activity: Activity, now: Timestamp) {
        if activity.tool != self.activity.tool || activity.tool.is_none() {
            self.since = now;
        }
        self.activity = activity;
        self.heard = now;
        if let Some(given) = &mut self.given {
            given.stale = true;
        }
    }

    /// When [`Self::next`] has something, if nothing else happens. `None` before the first word of the agent.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let Some(given) = &self.given else {
            return (self.activity != Activity::default()).then_some(self.heard);
        };
        let silent = given.at.duration_since(self.heard).unsigned_abs();
        Some(after(
            given.at,
            match given.stale {
                true if given.tool == self.activity.tool => PACE,
                true => PACE_OF_TOOLS,
                false if silent >= KEEPALIVE_SWITCH => KEEPALIVE_LATER,
                false => KEEPALIVE,
            },
        ))
    }

    /// What to tell now. `redact` removes known secrets; it sees whole texts, which are shortened afterwards.
    pub fn next(&mut self, now: Timestamp, redact: impl Fn(&str) -> String) -> Option<LiveProgress> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        self.given = Some(Given { at: now, tool: self.activity.tool.clone(), stale: false });
        let one_line = |text: &str, longest| shortened(&redact(text), longest);
        let tool = self.activity.tool.as_ref().map(|tool| one_line(&tool.name, ABOUT));
        let about =
            self.activity.tool.as_ref().and_then(|tool| tool.about.as_deref()).map(|text| one_line(text, ABOUT));
        let snippet = self.activity.said.as_deref().map(|text| one_line(text, SNIPPET));
        let seconds = now.duration_since(self.since).as_secs();
        let lasting = if seconds > 0 { format!(" ({seconds} s)") } else { String::new() };
        let message = match (&tool, about, &snippet) {
            (Some(tool), Some(about), _) => format!("{tool}: {about}{lasting}"),
            (Some(tool), None, _) => format!("{tool}{lasting}"),
            (None, _, Some(said)) => format!("Writing: {said}"),
            (None, _, None) => format!("Thinking{lasting}"),
        };
        Some(LiveProgress { message, tool, snippet, heard: self.heard })
    }
}

/// One line of at most so many characters.
fn shortened(text: &str, longest: usize) -> String {
    let printable = |character: char| if character.is_control() { ' ' } else { character };
    let text: String = text.chars().map(printable).collect();
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > longest {
        words = words.chars().take(longest - 1).collect();
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn tool(id: &str, about: &str) -> Activity {
        let tool = OpenTool { id: id.to_owned(), name: "Bash".to_owned(), about: Some(about.to_owned()) };
        Activity { tool: Some(tool), said: None }
    }

    fn said(text: &str) -> Activity {
        Activity { tool: None, said: Some(text.to_owned()) }
    }

    /// The messages of a run: what the agent turns to at which second, asked every second.
    fn messages(turns: &[(i64, Activity)], until: i64) -> Vec<(i64, String)> {
        let mut live = Live::new(at(0));
        let mut told = Vec::new();
        for second in 0..=until {
            for (_, activity) in turns.iter().filter(|(when, _)| *when == second) {
                live.turn_to(activity.clone(), at(second));
            }
            told.extend(live.next(at(second), str::to_owned).map(|progress| (second, progress.message)));
        }
        told
    }

    fn expect(told: &[(i64, String)], expected: &[(i64, &str)]) {
        let told: Vec<_> = told.iter().map(|(second, text)| (*second, text.as_str())).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn hos_01_a_change_of_the_tool_is_told_at_once_and_words_every_five_seconds() {
        let turns = [(1, said("First.")), (2, said("Second.")), (3, tool("a", "npm test")), (5, tool("b", "ls"))];
        expect(&messages(&turns, 6), &[(1, "Writing: First."), (3, "Bash: npm test"), (5, "Bash: ls")]);
        expect(
            &messages(&[(1, said("First.")), (2, said("Second.")), (3, said("Third."))], 8),
            &[(1, "Writing: First."), (6, "Writing: Third.")],
        );
    }

    #[test]
    fn hos_02_a_long_call_is_told_as_often_as_a_keepalive() {
        let told = messages(&[(0, tool("a", "npm test"))], 300);
        let seconds: Vec<_> = told.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [0, 15, 30, 45, 60, 75, 90, 105, 120, 180, 240, 300]);
        assert_eq!(told.last().map(|(_, text)| text.as_str()), Some("Bash: npm test (300 s)"));
    }

    #[test]
    fn hos_01_nothing_is_told_before_the_first_word() {
        expect(&messages(&[], 100), &[]);
    }

    #[test]
    fn hos_01_texts_are_redacted_before_they_are_shortened_and_are_one_line() {
        let mut live = Live::new(at(0));
        let long = format!("{}secret-value\n\u{1b}[2Jand more", "x".repeat(SNIPPET - 5));
        live.turn_to(said(&long), at(0));
        let progress = live.next(at(0), |text| text.replace("secret-value", "***")).unwrap();
        let snippet = progress.snippet.unwrap();
        assert!(!snippet.contains("secret") && !snippet.contains('\u{1b}') && !snippet.contains('\n'), "{snippet}");
        assert_eq!(snippet.chars().count(), SNIPPET);
    }
}

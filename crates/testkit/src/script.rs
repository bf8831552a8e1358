//! Containers that play a script: nothing but tokio time passes in them.
//!
//! Built in Rust (`Script::new().print("hello").wait(Duration::from_secs(3)).exit(0)`) or read from JSON
//! (`{"steps":[{"print":"hello"},{"wait":3000},{"exit":{"code":0}}],"onTerm":"ignore"}`).

use std::time::Duration;

use serde::Deserialize;

use crate::clock::milliseconds;

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exit {
    /// Exit code; 128 + n for signal n.
    pub code: i32,
    /// `terminated.reason`; `Completed` or `Error` when absent.
    #[serde(default)]
    pub reason: Option<String>,
    /// `terminated.message`, i.e. the content of the termination log; the last 4096 bytes count.
    #[serde(default)]
    pub message: Option<String>,
}

impl Exit {
    /// An exit with this code.
    #[must_use]
    pub fn code(code: i32) -> Self {
        Self { code, reason: None, message: None }
    }

    /// Killed by the memory limit.
    #[must_use]
    pub fn out_of_memory() -> Self {
        Self { code: 137, reason: Some("OOMKilled".to_owned()), message: None }
    }

    /// The same exit with a reason.
    #[must_use]
    pub fn reason(self, reason: &str) -> Self {
        Self { reason: Some(reason.to_owned()), ..self }
    }

    /// The same exit with a termination message.
    #[must_use]
    pub fn message(self, message: &str) -> Self {
        Self { message: Some(message.to_owned()), ..self }
    }
}

/// One thing a scripted container does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Step {
    /// Writes a line to stdout.
    Print(String),
    /// Writes text to stdout, without a newline.
    Write(String),
    /// Writes a line to stderr (which shares the container log).
    Stderr(String),
    /// Writes many lines to stdout; `{n}` in the text is the number of the line, from 0.
    Lines {
        /// How many.
        count: u64,
        /// The text.
        text: String,
    },
    /// Writes text to stdout so often, without a newline.
    Repeat {
        /// How often.
        count: u64,
        /// The text.
        text: String,
    },
    /// Waits. In JSON: milliseconds.
    #[serde(deserialize_with = "milliseconds::deserialize")]
    Wait(Duration),
    /// Waits until a test opens the gate of this name.
    Gate(String),
    /// Ends.
    Exit(Exit),
    /// Goes on for ever, silently.
    Never,
}

/// What SIGTERM does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnTerm {
    /// Ends at once with code 143.
    #[default]
    Exit,
    /// Nothing: the container runs until it is killed.
    Ignore,
    /// Plays other steps; without an `exit` among them the code is 143.
    Steps(Vec<Step>),
}

/// What a scripted container does. Without an `exit` it ends with code 0 after its last step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Script {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What SIGTERM does.
    pub on_term: OnTerm,
    /// Printed on a line of its own when the container ends, unless it is killed; `{code}` is its exit code.
    pub last_line: Option<String>,
}

impl Script {
    /// A container that ends at once with code 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Prints this on a line of its own when it ends, unless it is killed; `{code}` is its exit code.
    #[must_use]
    pub fn last_line(self, text: impl Into<String>) -> Self {
        Self { last_line: Some(text.into()), ..self }
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Writes a line to stdout.
    #[must_use]
    pub fn print(self, line: impl Into<String>) -> Self {
        self.then(Step::Print(line.into()))
    }

    /// Writes text to stdout, without a newline.
    #[must_use]
    pub fn write(self, text: impl Into<String>) -> Self {
        self.then(Step::Write(text.into()))
    }

    /// Writes a line to stderr.
    #[must_use]
    pub fn stderr(self, line: impl Into<String>) -> Self {
        self.then(Step::Stderr(line.into()))
    }

    /// Writes many lines to stdout; `{n}` is the number of the line, from 0.
    #[must_use]
    pub fn lines(self, count: u64, text: impl Into<String>) -> Self {
        self.then(Step::Lines { count, text: text.into() })
    }

    /// Waits.
    #[must_use]
    pub fn wait(self, duration: Duration) -> Self {
        self.then(Step::Wait(duration))
    }

    /// Waits until the test opens this gate.
    #[must_use]
    pub fn gate(self, name: impl Into<String>) -> Self {
        self.then(Step::Gate(name.into()))
    }

    /// Ends with this code.
    #[must_use]
    pub fn exit(self, code: i32) -> Self {
        self.then(Step::Exit(Exit::code(code)))
    }

    /// Ends with code, reason and termination message.
    #[must_use]
    pub fn exit_with(self, exit: Exit) -> Self {
        self.then(Step::Exit(exit))
    }

    /// Goes on for ever.
    #[must_use]
    pub fn never_ends(self) -> Self {
        self.then(Step::Never)
    }

    /// SIGTERM is ignored: only SIGKILL ends the container.
    #[must_use]
    pub fn ignores_term(self) -> Self {
        Self { on_term: OnTerm::Ignore, ..self }
    }

    /// SIGTERM switches to the steps of another script.
    #[must_use]
    pub fn on_term(self, script: Self) -> Self {
        Self { on_term: OnTerm::Steps(script.steps), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_is_the_documented_one() {
        let json = r#"{"steps":[{"print":"a"},{"wait":100},{"lines":{"count":2,"text":"{n}"}},"never"],
            "onTerm":{"steps":[{"exit":{"code":5}}]}}"#;
        let script: Script = serde_json::from_str(json).unwrap();
        let built = Script::new().print("a").wait(Duration::from_millis(100)).lines(2, "{n}").never_ends();
        assert_eq!(script, built.on_term(Script::new().exit(5)));
        assert_eq!(serde_json::from_str::<Script>(r#"{"onTerm":"ignore"}"#).unwrap().on_term, OnTerm::Ignore);
    }
}

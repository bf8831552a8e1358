//! No line stops the reader, no line between others changes what those say (RES-04), and every verdict is complete.

use claude_k8s_core::outcome::{self, ContainerEnd, Ending, Evidence, LogSummary, RunFacts, RunResult, SessionFacts};
use claude_k8s_core::transcript::Transcript;
use claude_k8s_core::view::Terminated;
use jiff::Timestamp;

/// Longest message for a person. Unit: characters.
const LONGEST_MESSAGE: usize = 2000;

/// The first byte is the exit code, the rest what the container wrote.
pub(crate) fn check(data: &[u8]) {
    let Some((&exit_code, text)) = data.split_first() else { return };
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let transcript = read(lines.iter().copied());
    // Garbage between the lines and white space around them.
    let padded: Vec<Vec<u8>> = lines.iter().map(|line| [b" \t", *line, b" \r"].concat()).collect();
    let between = [&b"npm warn deprecated"[..], b"{\"type\":", b"[1]", b"\xff\xfe"];
    let noisy = read(padded.iter().zip(between.iter().cycle()).flat_map(|(line, noise)| [line, *noise]));
    assert_eq!(facts(&transcript), facts(&noisy));

    assert!(transcript.session_id().is_none_or(|id| !id.is_empty() && id.len() <= 200));
    assert!(transcript.tool_calls() == 0 || !transcript.is_silent());
    assert!(transcript.stdout_tail().len() <= 3 * 32 * 1024, "a broken byte becomes three");
    verdict(&transcript, i32::from(exit_code));
}

fn read<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Transcript {
    let mut transcript = Transcript::default();
    lines.for_each(|line| transcript.line(line));
    transcript
}

/// What was understood, as text.
fn facts(of: &Transcript) -> String {
    format!(
        "{:?} {:?} {:?} {} {} {} {} {} {:?} {:?} {:?}",
        of.session_id(),
        of.model(),
        of.api_key_source(),
        of.inits(),
        of.results(),
        of.tool_calls(),
        of.has_unsettled_tools(),
        of.is_silent(),
        of.quota_resets_at(),
        of.usage(),
        of.main_texts(),
    )
}

fn verdict(transcript: &Transcript, exit_code: i32) {
    let container = ContainerEnd::Exited(Terminated { exit_code, ..Terminated::default() });
    let log = LogSummary { complete: true, readable: true, ..LogSummary::default() };
    let result = outcome::decide(&Evidence {
        run: &RunFacts::default(),
        session: &SessionFacts { persistent: true, ..SessionFacts::default() },
        transcript,
        ending: Ending { log, ..Ending::seen(container) },
        fresh_attempt_used: false,
        earlier: None,
        now: Timestamp::UNIX_EPOCH,
    });
    complete(&result, transcript);
}

/// Success needs a result event; a failure has a code and a message for people (RES-02, RES-05).
fn complete(result: &RunResult, transcript: &Transcript) {
    assert!(serde_json::to_string(result).is_ok());
    match (&result.error_code, &result.error_message) {
        (None, None) => {
            assert!(transcript.results() > 0 && result.exit_code == Some(0) && !result.timed_out);
        }
        (Some(_), Some(message)) => {
            assert!(!message.trim().is_empty() && message.chars().count() <= LONGEST_MESSAGE, "{message}");
            assert!(result.summary.is_none());
        }
        (code, message) => unreachable!("{code:?} {message:?}"),
    }
}

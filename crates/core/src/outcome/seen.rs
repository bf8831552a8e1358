//! The evidence as the questions that the decision table asks.

use super::class::{Class, class, says_session_unusable};
use super::ending::{ContainerEnd, Stop};
use super::evidence::Evidence;
use crate::transcript::LastResult;
use crate::view::Terminated;

/// Answers, each derived once.
#[expect(clippy::struct_excessive_bools, reason = "independent questions of the table")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) evidence: &'a Evidence<'a>,
    /// The last result, when it is positive.
    pub(super) ok: Option<&'a LastResult>,
    /// The run went on after its last result.
    pub(super) cut: bool,
    /// The process did not end by itself, or nobody saw how it ended.
    pub(super) killed: bool,
    /// The model did nothing at all.
    pub(super) silent: bool,
    /// The same, and the log is known to be complete: proof for a retry (RES-12).
    pub(super) nothing_done: bool,
    /// There was no earlier attempt in which the model answered.
    pub(super) first_attempt_silent: bool,
    /// What the failure means, when Claude Code reported one.
    pub(super) class: Option<Class>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(evidence: &'a Evidence<'a>) -> Self {
        let transcript = evidence.transcript;
        let result = transcript.last_result();
        let silent = transcript.is_silent();
        Self {
            evidence,
            ok: result.filter(|result| result.ok),
            cut: transcript.is_cut(killed(evidence)),
            killed: killed(evidence),
            silent,
            nothing_done: silent && whole_log(evidence),
            first_attempt_silent: evidence.earlier.is_none_or(|usage| usage.output_tokens == 0),
            class: reported_class(evidence),
        }
    }

    /// Exit code and signal name, as far as they are true.
    pub(super) fn exit(&self) -> (Option<i32>, Option<String>) {
        match terminated(self.evidence) {
            Some(end) => (Some(end.exit_code), signal_name(end)),
            None => (None, None),
        }
    }

    pub(super) fn exit_code(&self) -> Option<i32> {
        terminated(self.evidence).map(|end| end.exit_code)
    }

    /// The API refuses what a resumed session contains: the CLI names it, or nothing came before the refusal.
    pub(super) fn session_refused(&self, class: Class) -> bool {
        self.evidence.session.resumed.is_some() && (class == Class::Content || self.silent)
    }

    pub(super) fn never_started(&self) -> bool {
        self.evidence.ending.container == ContainerEnd::NeverStarted
    }

    /// The last lines of stderr, empty when there are none.
    pub(super) fn stderr(&self) -> &'a str {
        stderr(self.evidence)
    }

    /// The session is kept, and no tool was at work. An unread end of the log could hide one, so it is no evidence (CAN-07).
    pub(super) fn settled(&self) -> bool {
        let transcript = self.evidence.transcript;
        self.evidence.session.persistent
            && transcript.session_id().is_some()
            && !transcript.has_unsettled_tools()
            && self.whole_log()
    }

    /// The whole log was read and no gap was reported.
    pub(super) fn whole_log(&self) -> bool {
        whole_log(self.evidence)
    }
}

/// The end of the container, when it said so itself or the kubelet really saw it (END-06).
pub(super) fn terminated<'a>(evidence: &'a Evidence<'_>) -> Option<&'a Terminated> {
    evidence.ending.container.exit().filter(|end| !end.was_lost())
}

/// The process did not end by itself, or nobody saw how it ended. One that was stopped after its final result was done.
fn killed(evidence: &Evidence<'_>) -> bool {
    evidence.ending.stop != Some(Stop::AfterResult)
        && terminated(evidence).is_none_or(|end| end.exit_code > 128 || end.signal.is_some_and(|signal| signal != 0))
}

/// Nothing can have happened that the transcript does not show.
fn whole_log(evidence: &Evidence<'_>) -> bool {
    evidence.ending.log.complete && evidence.ending.log.gaps.is_empty()
}

/// What the container's log says of it; a Job of 0.2.0 says it in its termination message.
fn stderr<'a>(evidence: &'a Evidence<'_>) -> &'a str {
    if let Some(stderr) = &evidence.ending.log.stderr {
        return stderr;
    }
    match &evidence.ending.container {
        ContainerEnd::Exited(end) => end.message.as_deref().unwrap_or_default(),
        _ => "",
    }
}

fn reported_class(evidence: &Evidence<'_>) -> Option<Class> {
    let transcript = evidence.transcript;
    match transcript.last_result() {
        Some(result) if result.ok => None,
        Some(result) => Some(class(result, transcript.quota_resets_at().is_some())),
        // Before `init` stderr is the only place where some releases say it; later it may hold anything.
        None if transcript.inits() == 0 && stderr(evidence).lines().any(says_session_unusable) => Some(Class::Session),
        None => None,
    }
}

/// The signal that ended the container: from its state, else from the exit code.
fn signal_name(end: &Terminated) -> Option<String> {
    let number = end.signal.filter(|signal| *signal > 0).or(match end.exit_code {
        134 | 137 | 139 | 143 => Some(end.exit_code - 128),
        _ => None,
    })?;
    Some(match number {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        3 => "SIGQUIT".to_owned(),
        6 => "SIGABRT".to_owned(),
        9 => "SIGKILL".to_owned(),
        11 => "SIGSEGV".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    })
}

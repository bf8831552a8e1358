//! Where the cause of a failure lies: in the session that was resumed, or outside of it (FLD-08 to FLD-10).
//!
//! A session that cannot go on fails in the same way on every wake, and no wording tells it reliably from a provider
//! that refuses everything. So a resumed run in which nothing was done counts as suspicious unless the failure names a
//! cause elsewhere, and one fresh attempt decides: it works, and its session replaces the old one; or it fails alike,
//! and the old session is spared. Where no fresh attempt is possible, the session goes. A wake never ends with what it
//! began with and no answer.

use super::class::Class;
use super::ending::{ContainerEnd, Stop};
use super::evidence::Evidence;
use super::good::is_empty_answer;
use super::seen::{Seen, terminated};
use super::verdict::{Session, Verdict};
use crate::failure::ErrorCode;
use crate::view::Terminated;

/// Where a failure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Claude Code says that it is the session.
    Session,
    /// Nothing names a cause outside of the session.
    Perhaps,
    /// Every other session would have failed in the same way, or nothing about the failure is known.
    Outside,
}

/// The table of what Claude Code reports.
pub(super) fn of_class(class: Class) -> Cause {
    match class {
        Class::Session | Class::Content | Class::Context => Cause::Session,
        // The limits count what the session spent before, so a session that is over one of them ends at once.
        Class::BadRequest | Class::EmptyAnswer | Class::TurnLimit | Class::Budget | Class::Other => Cause::Perhaps,
        // Claude Code leaves what was refused out of the session's next requests by itself.
        Class::MediaRemoved => Cause::Outside,
        Class::Auth | Class::Quota | Class::Billing | Class::Model | Class::Transient | Class::Start | Class::Setup => {
            Cause::Outside
        }
    }
}

/// Where the failure of a run comes from.
pub(super) fn cause(seen: &Seen<'_>) -> Cause {
    let ending = &seen.evidence.ending;
    let taken_away = ending.stop.as_ref().is_some_and(|stop| *stop != Stop::AfterResult)
        || ending.deadline_passed
        || ending.start_failure.is_some()
        || ending.platform.is_some()
        || ending.deletion.is_some();
    let Some(end) = terminated(seen.evidence).filter(|_| !taken_away) else { return Cause::Outside };
    let transcript = seen.evidence.transcript;
    match (seen.class, transcript.last_result()) {
        (Some(class), _) => of_class(class),
        (None, Some(result)) if result.refused || is_empty_answer(transcript) => Cause::Perhaps,
        (None, None) if transcript.inits() == 0 && image_cannot_start(seen, end) => Cause::Outside,
        // Without an `init` it was loading the session; with one the first request was built from it.
        (None, None) if end.exit_code != 0 || transcript.inits() > 0 => Cause::Perhaps,
        _ => Cause::Outside,
    }
}

/// The resumed session is unusable, or may be, and nothing was done yet: one fresh attempt inside the run (SES-03).
#[must_use]
pub fn wants_fresh_attempt(evidence: &Evidence<'_>) -> bool {
    let seen = Seen::new(evidence);
    let suspicious = match cause(&seen) {
        Cause::Session => true,
        Cause::Perhaps => seen.silent,
        Cause::Outside => false,
    };
    suspicious
        && evidence.session.resumed.is_some()
        && !evidence.fresh_attempt_used
        && evidence.run.attempts < 2
        && matches!(evidence.ending.container, ContainerEnd::Exited(_))
        && evidence.transcript.tool_calls() == 0
        && seen.whole_log()
}

/// What becomes of the session after a failure in which nothing was done. The rows of the table know the other failures.
pub(super) fn settle_session(verdict: &mut Verdict, seen: &Seen<'_>) {
    let undecided = verdict.code.is_some() && verdict.session != Session::Clear && seen.silent;
    if !undecided || cause(seen) == Cause::Outside {
        return;
    }
    let text = verdict.message.take().unwrap_or_default();
    let text = text.trim_end_matches('.');
    verdict.message = Some(if seen.evidence.session.resumed.is_some() {
        verdict.session = Session::Clear;
        format!("{text}; nothing was done, so the session itself may be the cause: the next run starts a fresh one")
    } else if seen.evidence.run.attempts >= 2 {
        verdict.session = Session::Spare;
        format!("{text}; a fresh session failed in the same way, so the old one is kept: {}", to_check(verdict.code))
    } else {
        format!("{text}{}", to_check_alone(verdict.code))
    });
}

/// Where a person has to look when two sessions failed in the same way.
fn to_check(code: Option<ErrorCode>) -> &'static str {
    match code {
        Some(ErrorCode::ClaudeStartFailed | ErrorCode::ClaudeNoResult) => {
            "check the image, `extraArgs` and `resources.limits.memory`"
        }
        Some(ErrorCode::ClaudeRefusal) => "change the request or the agent's instructions",
        Some(ErrorCode::ClaudeBudgetExhausted) => "raise the budget",
        Some(ErrorCode::MaxTurnsExhausted) => "raise `maxTurnsPerRun`",
        _ => "check `model`, the gateway or provider, and what MCP servers, skills and instructions add to a request",
    }
}

/// The same for a run that had a fresh session from the start; other codes say it already.
fn to_check_alone(code: Option<ErrorCode>) -> String {
    match code {
        Some(ErrorCode::ClaudeFailed) => format!("; nothing was done in a fresh session: {}", to_check(code)),
        _ => String::new(),
    }
}

/// The program, its options or the place it runs in are wrong; no session was looked at.
fn image_cannot_start(seen: &Seen<'_>, end: &Terminated) -> bool {
    const NOT_THE_SESSION: &[&str] = &[
        "unknown option",
        "is invalid",
        "missing required argument",
        "argument missing",
        "invalid mcp configuration",
        "file not found",
        "cannot be used with root",
        "input must be provided",
        "requires --verbose",
        "erofs",
        "read-only file system",
        "permission denied",
        "no space left",
        "not found",
        "can't cd to",
        "cannot execute",
    ];
    let by_runtime = matches!(end.reason.as_deref(), Some("StartError" | "ContainerCannotRun"));
    let says = seen.stderr().to_lowercase();
    by_runtime || matches!(end.exit_code, 126 | 127) || NOT_THE_SESSION.iter().any(|text| says.contains(text))
}

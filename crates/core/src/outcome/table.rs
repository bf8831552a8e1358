//! The decision table of a run: the first matching row decides. `docs/internals/outcomes.md` has every row in words.

use super::cause::settle_session;
use super::class::Class;
use super::ending::{PlatformLoss, Stop};
use super::good::is_empty_answer;
use super::messages as say;
use super::result::ExecutionRecovery;
use super::seen::Seen;
use super::verdict::{Exit, Session, Verdict};
use crate::failure::{ErrorCode, ErrorFamily};

/// A row: `None` when it does not apply.
type Row = fn(&Seen<'_>) -> Option<Verdict>;

/// Every row, in order, with its numbers in `docs/internals/outcomes.md`.
const TABLE: &[Row] = &[
    cancelled_before_release, // 1
    cancelled,                // 2
    cancelled_unverified,     // 3
    lease_lost,               // 4
    never_scheduled,          // 5
    never_started,            // 6
    refusal,                  // 7
    success,                  // 8b
    silent_run,               // 8c
    deadline,                 // 9
    reported_failure,         // 10-20, by class
    evicted,                  // 21
    deleted_by_others,        // 22
    replaced,                 // 23
    node_lost,                // 24
    truncated,                // 25
    empty_answer,             // 8a: whatever followed an empty answer says more (FLD-11)
    start_failed,             // 26
    no_result,                // 27
];

/// The verdict of the first matching row; the last row (28) knows nothing.
pub(super) fn verdict(seen: &Seen<'_>) -> Verdict {
    let mut verdict = TABLE.iter().find_map(|row| row(seen)).unwrap_or_else(|| outcome_unknown(seen));
    settle_session(&mut verdict, seen);
    // Rows speak of this attempt; the evidence is about the run (RES-12).
    if verdict.recovery == Some(ExecutionRecovery::Bootstrap) && !seen.first_attempt_silent {
        verdict.recovery = None;
    }
    verdict.continues = continues(&verdict, seen);
    verdict
}

/// Without it the host blocks the task until a person has looked (docs/internals/host.md 7). Claimed when the failure may
/// pass, and either nothing was done or the CLI has ended with everything it did in the session.
fn continues(verdict: &Verdict, seen: &Seen<'_>) -> bool {
    let nothing_done = verdict.recovery == Some(ExecutionRecovery::Bootstrap);
    let in_session = verdict.session == Session::Keep && seen.exit_code().is_some() && seen.settled();
    !seen.evidence.ending.is_ordered() && verdict.may_pass() && (nothing_done || in_session)
}

fn cancelled_before_release(seen: &Seen<'_>) -> Option<Verdict> {
    (seen.evidence.ending.stop == Some(Stop::CancelledBeforeRelease)).then(|| Verdict {
        acknowledged: Some(false),
        ..Verdict::failure(ErrorCode::Cancelled, say::cancelled(true))
            .exit(Exit::Unknown)
            .session(Session::Untouched)
            .bootstrap_if(true)
    })
}

fn cancelled(seen: &Seen<'_>) -> Option<Verdict> {
    let Some(Stop::Cancelled { forced }) = seen.evidence.ending.stop else { return None };
    if !seen.evidence.ending.termination_verified {
        return None;
    }
    let recovery = match (seen.never_started(), seen.settled()) {
        (true, _) => Some(ExecutionRecovery::Bootstrap),
        (false, true) => Some(ExecutionRecovery::Interrupted),
        (false, false) => None,
    };
    let verdict = Verdict::failure(ErrorCode::Cancelled, say::cancelled(true));
    Some(Verdict { acknowledged: Some(forced), recovery, ..verdict })
}

fn cancelled_unverified(seen: &Seen<'_>) -> Option<Verdict> {
    matches!(seen.evidence.ending.stop, Some(Stop::Cancelled { .. }))
        .then(|| Verdict::failure(ErrorCode::Cancelled, say::cancelled(false)).exit(Exit::Unknown))
}

fn lease_lost(seen: &Seen<'_>) -> Option<Verdict> {
    (seen.evidence.ending.stop == Some(Stop::LeaseLost)).then(|| {
        Verdict::failure(ErrorCode::ControllerLeaseLost, say::lease_lost(seen.evidence.run)).exit(Exit::Unknown)
    })
}

fn never_scheduled(seen: &Seen<'_>) -> Option<Verdict> {
    let failure = seen.evidence.ending.start_failure.as_ref().filter(|failure| failure.is_unscheduled())?;
    Some(not_started(&failure.message()).retry_after_platform_loss(seen))
}

fn never_started(seen: &Seen<'_>) -> Option<Verdict> {
    seen.evidence.ending.start_failure.as_ref().map(|failure| not_started(&failure.message()))
}

fn not_started(message: &str) -> Verdict {
    Verdict::failure(ErrorCode::PodScheduleFailed, say::not_started(message))
        .exit(Exit::Unknown)
        .session(Session::Untouched)
        .bootstrap_if(true)
}

fn refusal(seen: &Seen<'_>) -> Option<Verdict> {
    seen.evidence.transcript.last_result().filter(|result| result.refused).map(|_| Verdict {
        stop_reason: Some("refusal"),
        ..Verdict::failure(ErrorCode::ClaudeRefusal, say::reported(seen, ErrorCode::ClaudeRefusal))
            .family(ErrorFamily::ModelRefusal)
    })
}

fn empty_answer(seen: &Seen<'_>) -> Option<Verdict> {
    is_empty_answer(seen.evidence.transcript).then(|| {
        Verdict::failure(ErrorCode::LlmApiError, say::empty_answer(seen))
            .family(ErrorFamily::TransientUpstream)
            .bootstrap_if(seen.nothing_done)
    })
}

fn success(seen: &Seen<'_>) -> Option<Verdict> {
    seen.ok.filter(|_| !seen.cut && !is_empty_answer(seen.evidence.transcript)).map(|_| Verdict::success())
}

fn silent_run(seen: &Seen<'_>) -> Option<Verdict> {
    let Some(Stop::Silent { bound }) = seen.evidence.ending.stop else { return None };
    let proven = seen.nothing_done && seen.evidence.ending.termination_verified;
    Some(Verdict::failure(ErrorCode::SilentRun, say::silent(seen, bound)).bootstrap_if(proven))
}

fn deadline(seen: &Seen<'_>) -> Option<Verdict> {
    (seen.evidence.ending.deadline_passed && seen.exit_code() != Some(0))
        .then(|| Verdict { timed_out: true, ..Verdict::failure(ErrorCode::Timeout, say::timed_out(seen)) })
}

/// Rows 10 to 20: Claude Code said what went wrong.
fn reported_failure(seen: &Seen<'_>) -> Option<Verdict> {
    let class = seen.class?;
    let failure = |code: ErrorCode| Verdict::failure(code, say::reported(seen, code));
    let resets_at = seen.evidence.transcript.quota_resets_at();
    Some(match class {
        Class::Session => {
            failure(ErrorCode::SessionUnavailable).session(Session::Clear).bootstrap_if(seen.nothing_done)
        }
        Class::Content | Class::BadRequest if seen.session_refused(class) => {
            failure(ErrorCode::SessionUnavailable).session(Session::Clear).bootstrap_if(seen.nothing_done)
        }
        Class::Auth => failure(ErrorCode::ClaudeAuthRequired).bootstrap_if(seen.nothing_done),
        Class::Quota => Verdict {
            retry_not_before: resets_at,
            ..failure(ErrorCode::ProviderQuota).family(ErrorFamily::ProviderQuota).bootstrap_if(seen.nothing_done)
        },
        Class::Billing => {
            failure(ErrorCode::ProviderQuota).family(ErrorFamily::ProviderQuota).bootstrap_if(seen.nothing_done)
        }
        Class::Model => failure(ErrorCode::ModelNotFound).bootstrap_if(seen.nothing_done),
        Class::Transient => failure(ErrorCode::ClaudeTransientUpstream)
            .family(ErrorFamily::TransientUpstream)
            .bootstrap_if(seen.nothing_done),
        Class::Context => {
            failure(ErrorCode::ClaudePromptTooLong).session(Session::Clear).bootstrap_if(seen.nothing_done)
        }
        Class::TurnLimit => Verdict {
            stop_reason: Some("max_turns_exhausted"),
            ..failure(ErrorCode::MaxTurnsExhausted).session(Session::Clear)
        },
        Class::Budget => failure(ErrorCode::ClaudeBudgetExhausted),
        Class::Start => {
            failure(ErrorCode::ClaudeStartFailed).session(Session::Untouched).bootstrap_if(seen.nothing_done)
        }
        Class::EmptyAnswer => {
            failure(ErrorCode::LlmApiError).family(ErrorFamily::TransientUpstream).bootstrap_if(seen.nothing_done)
        }
        Class::Content | Class::BadRequest | Class::MediaRemoved | Class::Setup | Class::Other => {
            failure(ErrorCode::ClaudeFailed)
        }
    })
}

fn evicted(seen: &Seen<'_>) -> Option<Verdict> {
    let taken = |message| Verdict::failure(ErrorCode::PodEvicted, message).bootstrap_if(seen.nothing_done);
    Some(match seen.evidence.ending.platform.as_ref()? {
        PlatformLoss::Evicted { reason, message } => {
            taken(say::evicted(seen, reason, message)).retry_after_platform_loss(seen)
        }
        PlatformLoss::ContainerLost { reason, message } => {
            taken(say::container_lost(seen, reason, message)).retry_after_platform_loss(seen)
        }
        // The same run needs the same room: no retry helps.
        PlatformLoss::OverLimit { message, key } => taken(say::over_limit(seen, message, key)),
        PlatformLoss::Replaced { .. } | PlatformLoss::NodeLost { .. } => return None,
    })
}

fn deleted_by_others(seen: &Seen<'_>) -> Option<Verdict> {
    let deletion = seen.evidence.ending.deletion.as_ref()?;
    Some(
        Verdict::failure(ErrorCode::JobDeletedExternally, say::deleted(seen, deletion))
            .bootstrap_if(seen.never_started()),
    )
}

fn replaced(seen: &Seen<'_>) -> Option<Verdict> {
    let Some(PlatformLoss::Replaced { detail }) = &seen.evidence.ending.platform else { return None };
    Some(Verdict::failure(ErrorCode::PodEvicted, say::replaced(detail)).retry_after_platform_loss(seen))
}

fn node_lost(seen: &Seen<'_>) -> Option<Verdict> {
    let Some(PlatformLoss::NodeLost { node }) = &seen.evidence.ending.platform else { return None };
    Some(Verdict::failure(ErrorCode::NodeLost, say::node_lost(node)).exit(Exit::Unknown))
}

fn truncated(seen: &Seen<'_>) -> Option<Verdict> {
    let emptied = is_empty_answer(seen.evidence.transcript) && seen.killed;
    let went_on = seen.ok.is_some() && (seen.cut || emptied);
    let spoke = seen.evidence.transcript.last_result().is_none() && !seen.silent;
    (went_on || spoke).then(|| Verdict::failure(ErrorCode::ClaudeTruncated, say::truncated(seen)))
}

fn start_failed(seen: &Seen<'_>) -> Option<Verdict> {
    let transcript = seen.evidence.transcript;
    let nothing_printed = transcript.last_result().is_none() && transcript.inits() == 0;
    let failed = seen.exit_code().is_some_and(|code| code != 0);
    // The runtime's word about a program that it cannot execute is the whole log: no script was there to say its end.
    let whole = seen.whole_log() || say::unexecutable(seen).is_some();
    (nothing_printed && failed && whole).then(|| {
        Verdict::failure(ErrorCode::ClaudeStartFailed, say::exited(seen, ErrorCode::ClaudeStartFailed))
            .session(Session::Untouched)
            .bootstrap_if(seen.nothing_done)
    })
}

fn no_result(seen: &Seen<'_>) -> Option<Verdict> {
    let code = seen.exit_code()?;
    (seen.evidence.transcript.last_result().is_none()).then(|| {
        Verdict::failure(ErrorCode::ClaudeNoResult, say::exited(seen, ErrorCode::ClaudeNoResult))
            .bootstrap_if(seen.nothing_done && code != 0)
    })
}

fn outcome_unknown(seen: &Seen<'_>) -> Verdict {
    Verdict::failure(ErrorCode::OutcomeUnknown, say::unknown(seen)).exit(Exit::Unknown)
}

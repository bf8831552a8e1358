//! What a row of the decision table concludes.

use jiff::{SignedDuration, Timestamp};

use super::result::ExecutionRecovery;
use super::seen::Seen;
use crate::failure::{ErrorCode, ErrorFamily};

/// Delay of a retry after the platform took the pod or had no place for it.
const PLATFORM_RETRY: SignedDuration = SignedDuration::from_secs(60);

/// A conclusion. Usage, model, billing and `resultJson` do not depend on it.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    /// Absent on success.
    pub(super) code: Option<ErrorCode>,
    /// Absent on success.
    pub(super) message: Option<String>,
    pub(super) timed_out: bool,
    pub(super) exit: Exit,
    pub(super) session: Session,
    pub(super) family: Option<ErrorFamily>,
    pub(super) retry_not_before: Option<Timestamp>,
    pub(super) recovery: Option<ExecutionRecovery>,
    /// The next run of the task may continue the conversation.
    pub(super) continues: bool,
    /// The stop is acknowledged; the value says whether SIGKILL was needed.
    pub(super) acknowledged: Option<bool>,
    /// `resultJson.stopReason`.
    pub(super) stop_reason: Option<&'static str>,
}

/// Which exit code the host sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0, whatever the container said afterwards.
    Success,
    AsObserved,
    Unknown,
}

/// What happens to the stored session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// Say nothing: nothing can have changed it.
    Untouched,
    /// Say nothing, although a fresh attempt was made: the one that the host has is not the cause.
    Spare,
    /// Store the session of the run, when one was seen.
    Keep,
    /// Forget it: resuming would fail again.
    Clear,
}

impl Verdict {
    pub(super) fn success() -> Self {
        Self {
            code: None,
            message: None,
            timed_out: false,
            exit: Exit::Success,
            session: Session::Keep,
            family: None,
            retry_not_before: None,
            recovery: None,
            continues: false,
            acknowledged: None,
            stop_reason: None,
        }
    }

    pub(super) fn failure(code: ErrorCode, message: String) -> Self {
        Self { code: Some(code), message: Some(message), exit: Exit::AsObserved, ..Self::success() }
    }

    pub(super) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    pub(super) fn session(self, session: Session) -> Self {
        Self { session, ..self }
    }

    pub(super) fn family(self, family: ErrorFamily) -> Self {
        Self { family: Some(family), ..self }
    }

    pub(super) fn retry_after_platform_loss(self, seen: &Seen<'_>) -> Self {
        let retry_not_before = seen.evidence.now.checked_add(PLATFORM_RETRY).ok();
        Self { retry_not_before, ..self.family(ErrorFamily::TransientUpstream) }
    }

    /// What failed lies outside of the task and may pass: the provider, a credential, the platform, or the time that was given.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self.family, Some(ErrorFamily::TransientUpstream | ErrorFamily::ProviderQuota))
            || matches!(self.code, Some(ErrorCode::Timeout | ErrorCode::SilentRun | ErrorCode::ClaudeAuthRequired))
    }

    /// Nothing was done: the host may run the same prompt again.
    pub(super) fn bootstrap_if(self, proven: bool) -> Self {
        let recovery = if proven { Some(ExecutionRecovery::Bootstrap) } else { self.recovery };
        Self { recovery, ..self }
    }
}

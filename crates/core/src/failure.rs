//! Why a run did not succeed: a stable code, a text for the operator, and what the host may conclude.

use serde_json::Value;

/// Every error code of the package (`errorCode` of a result). Append-only within a major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the meaning of each code is its row in `ErrorCode::meaning`")]
pub enum ErrorCode {
    AdapterEngineUnavailable,
    ConfigurationIncomplete,
    AgentIdInvalid,
    CompanyIdInvalid,
    ApiUnreachable,
    RbacInsufficient,
    ConcurrencyGuardUnreachable,
    ConcurrentRunBlocked,
    OrphanTaskUnknown,
    OrphanSessionMismatch,
    PodReattachFailed,
    PromptSecretCreateFailed,
    PromptTooLarge,
    BundleUnavailable,
    JobCreateFailed,
    JobIdentityUnacknowledged,
    PodScheduleFailed,
    JobDeletedExternally,
    PodEvicted,
    NodeLost,
    OutcomeUnknown,
    ControllerLeaseLost,
    Timeout,
    Cancelled,
    SessionUnavailable,
    LlmApiError,
    ClaudeTruncated,
    ClaudeFailed,
    ClaudeNoResult,
    ClaudeStartFailed,
    ClaudeAuthRequired,
    ProviderQuota,
    ModelNotFound,
    ClaudeTransientUpstream,
    ClaudeRefusal,
    ClaudePromptTooLong,
    ClaudeBudgetExhausted,
    MaxTurnsExhausted,
    InternalError,
}

/// What the host may do with a failed run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorFamily {
    /// Likely to work when tried again.
    TransientUpstream,
    /// A limit of the model provider; works again after a known or unknown time.
    ProviderQuota,
    /// The model declined.
    ModelRefusal,
}

impl ErrorFamily {
    /// The host's name of the family.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TransientUpstream => "transient_upstream",
            Self::ProviderQuota => "provider_quota",
            Self::ModelRefusal => "model_refusal",
        }
    }
}

/// A refusal before anything ran: nothing was started, nothing is left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The stable code.
    pub code: ErrorCode,
    /// What happened, why, and what to do next. At most 2000 characters.
    pub message: String,
    /// Finer reason, for `resultJson.k8s.reason` (for example `k8s_image_unresolved`).
    pub reason: Option<&'static str>,
    /// Family, for a retry by the host.
    pub family: Option<ErrorFamily>,
    /// Seconds from now before which a retry is pointless.
    pub retry_after_seconds: Option<u32>,
    /// `errorMeta`, informative only.
    pub meta: Option<Value>,
}

impl Refusal {
    /// A refusal with a code and a message and nothing else.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), reason: None, family: None, retry_after_seconds: None, meta: None }
    }

    /// Adds the finer reason.
    #[must_use]
    pub fn reason(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Marks the refusal as worth a retry, optionally not before some seconds.
    #[must_use]
    pub fn transient(mut self, after_seconds: Option<u32>) -> Self {
        self.family = Some(ErrorFamily::TransientUpstream);
        self.retry_after_seconds = after_seconds;
        self
    }

    /// Adds `errorMeta`.
    #[must_use]
    pub fn meta(mut self, meta: Value) -> Self {
        self.meta = Some(meta);
        self
    }
}

/// The refusal for a defect of the adapter itself (HST-10).
#[must_use]
pub fn defect(text: &str) -> Refusal {
    let message = format!("A defect of the adapter ended this run: {text}; its Job, if any, was left alone. Report it");
    Refusal::new(ErrorCode::InternalError, message)
}

impl ErrorCode {
    /// All codes, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::AdapterEngineUnavailable,
        Self::ConfigurationIncomplete,
        Self::AgentIdInvalid,
        Self::CompanyIdInvalid,
        Self::ApiUnreachable,
        Self::RbacInsufficient,
        Self::ConcurrencyGuardUnreachable,
        Self::ConcurrentRunBlocked,
        Self::OrphanTaskUnknown,
        Self::OrphanSessionMismatch,
        Self::PodReattachFailed,
        Self::PromptSecretCreateFailed,
        Self::PromptTooLarge,
        Self::BundleUnavailable,
        Self::JobCreateFailed,
        Self::JobIdentityUnacknowledged,
        Self::PodScheduleFailed,
        Self::JobDeletedExternally,
        Self::PodEvicted,
        Self::NodeLost,
        Self::OutcomeUnknown,
        Self::ControllerLeaseLost,
        Self::Timeout,
        Self::Cancelled,
        Self::SessionUnavailable,
        Self::LlmApiError,
        Self::ClaudeTruncated,
        Self::ClaudeFailed,
        Self::ClaudeNoResult,
        Self::ClaudeStartFailed,
        Self::ClaudeAuthRequired,
        Self::ProviderQuota,
        Self::ModelNotFound,
        Self::ClaudeTransientUpstream,
        Self::ClaudeRefusal,
        Self::ClaudePromptTooLong,
        Self::ClaudeBudgetExhausted,
        Self::MaxTurnsExhausted,
        Self::InternalError,
    ];

    /// Something in the agent's configuration has to change.
    #[must_use]
    pub fn is_configuration(self) -> bool {
        self == Self::ConfigurationIncomplete
    }

    /// The code as the host stores it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AdapterEngineUnavailable => "adapter_engine_unavailable",
            Self::ConfigurationIncomplete => "configuration_incomplete",
            Self::AgentIdInvalid => "k8s_agent_id_invalid",
            Self::CompanyIdInvalid => "k8s_company_id_invalid",
            Self::ApiUnreachable => "k8s_api_unreachable",
            Self::RbacInsufficient => "k8s_rbac_insufficient",
            Self::ConcurrencyGuardUnreachable => "k8s_concurrency_guard_unreachable",
            Self::ConcurrentRunBlocked => "k8s_concurrent_run_blocked",
            Self::OrphanTaskUnknown => "k8s_orphan_task_unknown",
            Self::OrphanSessionMismatch => "k8s_orphan_session_mismatch",
            Self::PodReattachFailed => "k8s_pod_reattach_failed",
            Self::PromptSecretCreateFailed => "k8s_prompt_secret_create_failed",
            Self::PromptTooLarge => "k8s_prompt_too_large",
            Self::BundleUnavailable => "k8s_bundle_unavailable",
            Self::JobCreateFailed => "k8s_job_create_failed",
            Self::JobIdentityUnacknowledged => "k8s_job_identity_unacknowledged",
            Self::PodScheduleFailed => "k8s_pod_schedule_failed",
            Self::JobDeletedExternally => "k8s_job_deleted_externally",
            Self::PodEvicted => "k8s_pod_evicted",
            Self::NodeLost => "k8s_node_lost",
            Self::OutcomeUnknown => "k8s_outcome_unknown",
            Self::ControllerLeaseLost => "k8s_controller_lease_lost",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::SessionUnavailable => "session_unavailable",
            Self::LlmApiError => "llm_api_error",
            Self::ClaudeTruncated => "claude_truncated",
            Self::ClaudeFailed => "claude_failed",
            Self::ClaudeNoResult => "claude_no_result",
            Self::ClaudeStartFailed => "claude_start_failed",
            Self::ClaudeAuthRequired => "claude_auth_required",
            Self::ProviderQuota => "provider_quota",
            Self::ModelNotFound => "model_not_found",
            Self::ClaudeTransientUpstream => "claude_transient_upstream",
            Self::ClaudeRefusal => "claude_refusal",
            Self::ClaudePromptTooLong => "claude_prompt_too_long",
            Self::ClaudeBudgetExhausted => "claude_budget_exhausted",
            Self::MaxTurnsExhausted => "max_turns_exhausted",
            Self::InternalError => "internal_error",
        }
    }

    /// What happened and what to do next, for the documentation and the command line.
    #[must_use]
    pub fn meaning(self) -> (&'static str, &'static str) {
        match self {
            Self::AdapterEngineUnavailable => (
                "the native module is missing or stale, or a remote execution target was asked for",
                "reinstall the package or restart the server; choose the local environment",
            ),
            Self::ConfigurationIncomplete => ("a configuration value is rejected or missing", "change the named keys"),
            Self::AgentIdInvalid => ("the agent id cannot become a label", "fix the id"),
            Self::CompanyIdInvalid => ("the company id cannot become a path part", "fix the id"),
            Self::ApiUnreachable => (
                "no answer from the API server for 60 s before the launch",
                "check server address, credentials and network",
            ),
            Self::RbacInsufficient => {
                ("a permission without substitute is missing", "grant the named verb, see `deploy/`")
            }
            Self::ConcurrencyGuardUnreachable => {
                ("Jobs or pods could not be listed", "see the HTTP status in the message")
            }
            Self::ConcurrentRunBlocked => {
                ("another run of the agent is active", "wait, set `guardWaitSec`, or set `concurrencyScope` to `task`")
            }
            Self::OrphanTaskUnknown => {
                ("another run is active and its task, or this run's, is unknown", "wait for the named Job to end")
            }
            Self::OrphanSessionMismatch => {
                ("another run of the same task works in another session", "wait for the named Job to end")
            }
            Self::PodReattachFailed => ("the Job to adopt is gone, differs, or has no pod", "run again"),
            Self::PromptSecretCreateFailed => {
                ("the payload could not be stored", "grant `create` on `secrets`, see the message")
            }
            Self::PromptTooLarge => ("the prompt is larger than 8 MiB", "shorten templates or the hand-off note"),
            Self::BundleUnavailable => {
                ("skills and instructions could not be delivered", "see the size or write error in the message")
            }
            Self::JobCreateFailed => {
                ("the API server rejected the Job", "see the message: quota, admission or Pod Security")
            }
            Self::JobIdentityUnacknowledged => ("the host did not acknowledge the launch", "see the host's log"),
            Self::PodScheduleFailed => {
                ("the pod never started within its bounds, or cannot start", "see the pod events in the message")
            }
            Self::JobDeletedExternally => {
                ("somebody deleted the Job or its pod before a result", "see the facts in the message")
            }
            Self::PodEvicted => ("the platform took the pod away", "run again; see node and reason"),
            Self::NodeLost => (
                "the node stopped reporting; the container may still run",
                "check the node; the next run is blocked until the pod is gone",
            ),
            Self::OutcomeUnknown => {
                ("nothing about the end of the run can be proven", "look at what the pod wrote last")
            }
            Self::ControllerLeaseLost => (
                "the host lost ownership of the run; the Job keeps running",
                "the next run waits for it or is blocked by it",
            ),
            Self::Timeout => ("the run exceeded `timeoutSec`", "raise `timeoutSec`"),
            Self::Cancelled => ("an operator cancelled the run", "none"),
            Self::SessionUnavailable => {
                ("the session is gone and a fresh attempt was not possible", "the next run starts a fresh session")
            }
            Self::LlmApiError => ("the model returned nothing", "check the gateway or provider"),
            Self::ClaudeTruncated => (
                "the output ends without a final result",
                "see the exit cause; raise `resources.limits.memory` when it was out of memory",
            ),
            Self::ClaudeFailed => ("Claude Code reported an error", "see its text"),
            Self::ClaudeNoResult => ("Claude Code exited without a result", "see the last stderr lines"),
            Self::ClaudeStartFailed => ("Claude Code or its shell did not start", "see the last stderr lines"),
            Self::ClaudeAuthRequired => {
                ("Claude Code is not logged in, or its credential is refused", "set or refresh the credential")
            }
            Self::ProviderQuota => {
                ("a usage limit or credit limit is reached", "wait for the reset time, or add credit")
            }
            Self::ModelNotFound => ("the model does not exist for this credential", "change `model`"),
            Self::ClaudeTransientUpstream => {
                ("the model provider was overloaded or unreachable", "the host tries again, unless a tool was at work")
            }
            Self::ClaudeRefusal => ("the model declined the request", "change the request"),
            Self::ClaudePromptTooLong => ("the context is full", "the next run starts a fresh session"),
            Self::ClaudeBudgetExhausted => ("`--max-budget-usd` is used up", "raise the budget"),
            Self::MaxTurnsExhausted => ("`maxTurnsPerRun` is used up", "raise `maxTurnsPerRun`"),
            Self::InternalError => ("a defect of this adapter", "report it with the message"),
        }
    }
}

impl serde::Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl serde::Serialize for ErrorFamily {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

//! The table of error codes. The README prints it; a section of `docs/troubleshooting.md` follows each row.

use crate::table::table;

/// What is said about a code wherever it is said.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// As the host stores it.
    code: &'static str,
    /// What happened.
    meaning: &'static str,
    /// What to do about it.
    next: &'static str,
}

const fn row(code: &'static str, meaning: &'static str, next: &'static str) -> Row {
    Row { code, meaning, next }
}

table! {
    /// Every error code of the package (`errorCode` of a result), in the order of the documentation. Append-only within
    /// a major version.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    #[expect(missing_docs, reason = "the meaning of each code is in its row")]
    pub enum ErrorCode: Row {
        AdapterEngineUnavailable => row("adapter_engine_unavailable", "the native module is missing or stale, or a remote execution target was asked for", "reinstall the package or restart the server; choose the local environment"),
        ConfigurationIncomplete => row("configuration_incomplete", "a configuration value is rejected or missing", "change the named keys"),
        AgentIdInvalid => row("k8s_agent_id_invalid", "the agent id cannot become a label", "fix the id"),
        CompanyIdInvalid => row("k8s_company_id_invalid", "the company id cannot become a path part", "fix the id"),
        ApiUnreachable => row("k8s_api_unreachable", "no answer from the API server for 60 s before the launch", "check server address, credentials and network"),
        RbacInsufficient => row("k8s_rbac_insufficient", "a permission without substitute is missing", "grant the named verb, see `deploy/`"),
        ConcurrencyGuardUnreachable => row("k8s_concurrency_guard_unreachable", "Jobs or pods could not be listed", "see the HTTP status in the message"),
        ConcurrentRunBlocked => row("k8s_concurrent_run_blocked", "another run of the agent is active", "wait, set `guardWaitSec`, or set `concurrencyScope` to `task`"),
        OrphanTaskUnknown => row("k8s_orphan_task_unknown", "another run is active and its task, or this run's, is unknown", "wait for the named Job to end"),
        OrphanSessionMismatch => row("k8s_orphan_session_mismatch", "another run of the same task works in another session", "wait for the named Job to end"),
        PodReattachFailed => row("k8s_pod_reattach_failed", "the Job to adopt is gone, differs, or has no pod", "run again"),
        PromptSecretCreateFailed => row("k8s_prompt_secret_create_failed", "the payload could not be stored", "grant `create` on `secrets`, see the message"),
        PromptTooLarge => row("k8s_prompt_too_large", "the prompt is larger than 8 MiB", "shorten templates or the hand-off note"),
        BundleUnavailable => row("k8s_bundle_unavailable", "skills and instructions could not be delivered", "see the size or write error in the message"),
        JobCreateFailed => row("k8s_job_create_failed", "the API server rejected the Job", "see the message: quota, admission or Pod Security"),
        JobIdentityUnacknowledged => row("k8s_job_identity_unacknowledged", "the host did not acknowledge the launch", "see the host's log"),
        PodScheduleFailed => row("k8s_pod_schedule_failed", "the pod never started within its bounds, or cannot start", "see the pod events in the message"),
        JobDeletedExternally => row("k8s_job_deleted_externally", "somebody deleted the Job or its pod before a result", "see the facts in the message"),
        PodEvicted => row("k8s_pod_evicted", "the platform took the pod away", "run again; see node and reason"),
        NodeLost => row("k8s_node_lost", "the node stopped reporting; the container may still run", "check the node; the next run is blocked until the pod is gone"),
        OutcomeUnknown => row("k8s_outcome_unknown", "nothing about the end of the run can be proven", "look at what the pod wrote last"),
        ControllerLeaseLost => row("k8s_controller_lease_lost", "the host lost ownership of the run; the Job keeps running", "the next run waits for it or is blocked by it"),
        Timeout => row("timeout", "the run exceeded `timeoutSec`", "raise `timeoutSec`"),
        SilentRun => row("k8s_silent_run", "nothing was heard of Claude Code for `silenceTimeoutSec`", "see what was heard last and which tool was open; raise `silenceTimeoutSec` if it may work so long in silence"),
        Cancelled => row("cancelled", "an operator cancelled the run", "none"),
        SessionUnavailable => row("session_unavailable", "the session is gone and a fresh attempt was not possible", "the next run starts a fresh session"),
        LlmApiError => row("llm_api_error", "the model returned nothing", "check the gateway or provider"),
        ClaudeTruncated => row("claude_truncated", "the output ends without a final result", "see the exit cause; raise `resources.limits.memory` when it was out of memory"),
        ClaudeFailed => row("claude_failed", "Claude Code reported an error", "see its text"),
        ClaudeNoResult => row("claude_no_result", "Claude Code exited without a result", "see the end of the log; check `resources.limits.memory`"),
        ClaudeStartFailed => row("claude_start_failed", "Claude Code or its shell did not start", "check the image, `extraArgs` and the home volume"),
        ClaudeAuthRequired => row("claude_auth_required", "Claude Code is not logged in, or its credential is refused", "set or refresh the credential"),
        ProviderQuota => row("provider_quota", "a usage limit or credit limit is reached", "wait for the reset time, or add credit"),
        ModelNotFound => row("model_not_found", "the model does not exist for this credential", "change `model`"),
        ClaudeTransientUpstream => row("claude_transient_upstream", "the model provider was overloaded or unreachable", "the host tries again, unless a tool was at work"),
        ClaudeRefusal => row("claude_refusal", "the model declined the request", "change the request"),
        ClaudePromptTooLong => row("claude_prompt_too_long", "the context is full", "the next run starts a fresh session"),
        ClaudeBudgetExhausted => row("claude_budget_exhausted", "`--max-budget-usd` is used up", "raise the budget"),
        MaxTurnsExhausted => row("max_turns_exhausted", "`maxTurnsPerRun` is used up", "raise `maxTurnsPerRun`"),
        InternalError => row("internal_error", "a defect of this adapter", "report it with the message"),
    }
}

impl ErrorCode {
    /// Something in the agent's configuration has to change.
    #[must_use]
    pub fn is_configuration(self) -> bool {
        self == Self::ConfigurationIncomplete
    }

    /// The code as the host stores it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().code
    }

    /// What happened and what to do next, for the documentation and the command line.
    #[must_use]
    pub fn meaning(self) -> (&'static str, &'static str) {
        (self.row().meaning, self.row().next)
    }
}

impl serde::Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

//! What is known about a run that ended. Only facts: nothing here is concluded.

use jiff::Timestamp;
use serde_json::Value;

use super::{Ending, Stop};
use crate::launch::{NotLaunched, StopOrder};
use crate::request::StoredSession;
use crate::transcript::{Transcript, Usage};

/// Everything the verdict is based on.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Identity and circumstances of the run.
    pub run: &'a RunFacts,
    /// Session and billing circumstances.
    pub session: &'a SessionFacts,
    /// The parsed output.
    pub transcript: &'a Transcript,
    /// How its Job ended.
    pub ending: Ending,
    /// A second attempt without `--resume` was made, or is not possible for a reason outside the transcript.
    pub fresh_attempt_used: bool,
    /// What the first attempt spent, when this is the second. The usage of [`RunFacts::adopted_run`] is booked by
    /// itself and must not be part of it.
    pub earlier: Option<Usage>,
    /// Now, for `retryNotBefore`.
    pub now: Timestamp,
}

impl Evidence<'_> {
    /// A fresh attempt was to replace this one and did not come about: the evidence of this one counts, with what
    /// stopped the other.
    pub fn not_replaced(&mut self, reason: &NotLaunched) {
        self.fresh_attempt_used = true;
        match reason {
            NotLaunched::Stopped(StopOrder::Cancel) => {
                self.ending.stop = Some(Stop::Cancelled { forced: false });
                self.ending.termination_verified = true; // only an attempt that exited is replaced
            }
            NotLaunched::Stopped(StopOrder::LeaseLost) => self.ending.stop = Some(Stop::LeaseLost),
            NotLaunched::Refused(_) => {}
        }
    }
}

/// Identity and circumstances for `resultJson.k8s` and messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFacts {
    /// Job name, empty before it exists.
    pub job: String,
    /// Job uid.
    pub uid: String,
    /// Namespace.
    pub namespace: String,
    /// Pod name.
    pub pod: Option<String>,
    /// Node name.
    pub node: Option<String>,
    /// 1 or 2.
    pub attempts: u32,
    /// An orphaned Job was adopted as this run's own.
    pub adopted: bool,
    /// An orphan of another run that was followed first.
    pub adopted_run: Option<AdoptedRun>,
    /// Warnings of the configuration and the launch.
    pub warnings: Vec<String>,
    /// Degraded modes (`polling`, `created unsuspended`, `staging`, …).
    pub degraded: Vec<String>,
    /// `timeoutSec`, for the message.
    pub timeout_seconds: Option<u64>,
}

/// Another run's Job that was followed to its end before this run's own.
#[derive(Debug, Clone, PartialEq)]
pub struct AdoptedRun {
    /// The other run's id.
    pub run_id: String,
    /// Its Job.
    pub job: String,
    /// Its result, complete, as [`super::RunResult`] serializes it.
    pub result: Value,
}

/// Session circumstances: what was asked for, what may be stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionFacts {
    /// `HOME` is a persistent volume: sessions survive the pod.
    pub persistent: bool,
    /// The id given to `--resume`, if any.
    pub resumed: Option<String>,
    /// What to store beside the new session id.
    pub stored: StoredSession,
    /// Bytes of the resumed session's transcript, where the host sees them.
    pub transcript_bytes: Option<u64>,
    /// Memory limit of the container, as configured.
    pub memory_limit: Option<String>,
    /// The configured model.
    pub configured_model: Option<String>,
    /// Names of the MCP servers that the run was given.
    pub mcp_servers: Vec<String>,
    /// Who bills.
    pub billing: Billing,
}

/// Billing circumstances, from the pod's environment.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about an environment")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Billing {
    /// `CLAUDE_CODE_USE_BEDROCK`.
    pub bedrock: bool,
    /// `CLAUDE_CODE_USE_VERTEX`.
    pub vertex: bool,
    /// `CLAUDE_CODE_USE_FOUNDRY`.
    pub foundry: bool,
    /// Requests go to another base URL than the public one.
    pub gateway: bool,
    /// `billingType`, when it is configured.
    pub configured: Option<&'static str>,
    /// An API key or auth token is in the environment.
    pub api_key: bool,
    /// An OAuth token is in the environment.
    pub oauth_token: bool,
}

//! One launch of Claude Code, as the manifest builder and the outcome see it.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::names::JobName;

/// Everything that differs between the attempts of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// 1, or 2 for the attempt with a fresh session.
    pub number: u32,
    /// Name of the Job.
    pub job_name: JobName,
    /// Exactly the bytes the CLI reads.
    pub prompt: String,
    /// SHA-256 of the prompt in hexadecimal.
    pub prompt_digest: String,
    /// `promptMetrics` for `onMeta`.
    pub prompt_metrics: Map<String, Value>,
    /// The id given to `--resume`.
    pub resume: Option<String>,
    /// Arguments after `claude`.
    pub args: Vec<String>,
    /// `timeoutSec`, or what is left of it for a second attempt: the clock is shared. `None`: no timer.
    pub timeout: Option<Duration>,
}

impl Attempt {
    /// The same attempt under the rest of a clock that already runs.
    #[must_use]
    pub fn with_timeout(mut self, left: Option<Duration>) -> Self {
        self.timeout = left;
        self
    }
}

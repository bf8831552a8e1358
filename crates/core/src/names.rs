//! Names, label values and selectors: every text that Kubernetes may reject, made in one place.
//!
//! Labels and selectors must come from the same sanitiser, or the guard looks for Jobs nobody created.
//! Names are a function of (agent, run, attempt): a repeated create meets its own object.

use sha2::{Digest, Sha256};

/// `paperclip.io/adapter-type` of everything this package creates.
pub const ADAPTER_TYPE: &str = "claude_k8s";

/// The container that runs Claude Code: the end of a run is judged by it alone.
pub const CONTAINER: &str = "claude";

/// `app.kubernetes.io/managed-by` of everything this package creates.
pub const MANAGER: &str = "paperclip";

/// `app.kubernetes.io/component` of everything this package creates.
pub const COMPONENT: &str = "agent-job";

/// Longest label value and longest Job name.
const LABEL_VALUE_MAX: usize = 63;

/// Longest part of an id inside a name.
const SLUG_MAX: usize = 16;

/// Label and annotation keys.
pub mod key {
    /// Label and annotation: id of the agent.
    pub const AGENT_ID: &str = "paperclip.io/agent-id";
    /// Raw id of the run.
    pub const RUN_ID: &str = "paperclip.io/run-id";
    /// Raw id of the task.
    pub const TASK_ID: &str = "paperclip.io/task-id";
    /// The session given to `--resume`.
    pub const SESSION_ID: &str = "paperclip.io/session-id";
    /// Manifest layout version; absent on Jobs of v0.1.54.
    pub const LAYOUT: &str = "paperclip.io/layout";
    /// Which process follows the Job.
    pub const SUPERVISOR: &str = "paperclip.io/supervisor";
    /// SHA-256 of the rendered prompt.
    pub const PROMPT_DIGEST: &str = "paperclip.io/prompt-digest";
    /// `true` once the result of a kept Job has been returned.
    pub const DELIVERED: &str = "paperclip.io/delivered";
    /// Kueue's queue label.
    pub const QUEUE_NAME: &str = "kueue.x-k8s.io/queue-name";
    /// Label: tool that owns the object.
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// Label: part of the application.
    pub const COMPONENT: &str = "app.kubernetes.io/component";
    /// Label and annotation: `claude_k8s`.
    pub const ADAPTER_TYPE: &str = "paperclip.io/adapter-type";
    /// Label: sanitised company id.
    pub const COMPANY_ID: &str = "paperclip.io/company-id";
    /// Label: `1`, or `2` for the fresh-session attempt.
    pub const ATTEMPT: &str = "paperclip.io/attempt";
    /// Annotation: display name of the agent.
    pub const AGENT_NAME: &str = "paperclip.io/agent-name";
    /// Annotation: version of the npm package that created the object.
    pub const ADAPTER_VERSION: &str = "paperclip.io/adapter-version";
    /// Annotation: `secret` or `volume`.
    pub const PAYLOAD: &str = "paperclip.io/payload";
}

/// Makes a label value of any text: characters outside `A-Za-z0-9._-` deleted, cut to 63, alphanumeric at both ends.
///
/// `None` when nothing is left; the label is then omitted.
#[must_use]
pub fn label_value(raw: &str) -> Option<String> {
    let legal = raw.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    let cut: String = legal.take(LABEL_VALUE_MAX).collect();
    let value = cut.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (!value.is_empty()).then(|| value.to_owned())
}

/// The selector that finds the Jobs and the pods of one agent: the guard and the index use it alike.
///
/// `agent_label` is a value made by [`label_value`].
#[must_use]
pub fn agent_selector(agent_label: &str) -> String {
    format!("{}={agent_label},{}={ADAPTER_TYPE}", key::AGENT_ID, key::ADAPTER_TYPE)
}

/// The selector that finds everything this package creates, by labels that never change: a watch must not lose an object
/// that is rewritten.
#[must_use]
pub fn own_selector() -> String {
    format!("{}={MANAGER},{}={ADAPTER_TYPE}", key::MANAGED_BY, key::ADAPTER_TYPE)
}

/// The name of a Job: at most 46 characters, the same for the same agent, run and attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobName(String);

impl JobName {
    /// The Job of a run. `attempt` is 1, or 2 for the fresh-session attempt.
    #[must_use]
    pub fn new(agent_id: &str, run_id: &str, attempt: u32) -> Self {
        let digest = sha256_hex(format!("{agent_id}:{run_id}").as_bytes());
        let hash = &digest[..6]; // hexadecimal digits are one byte each
        let retry = if attempt > 1 { format!("-r{attempt}") } else { String::new() };
        Self(format!("ac-{}-{}-{hash}{retry}", slug(agent_id), slug(run_id)))
    }

    /// The name as Kubernetes gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Secret with a part of the prompt, counted from 0.
    #[must_use]
    pub fn prompt_secret(&self, part: usize) -> String {
        format!("{self}-prompt-{part}")
    }

    /// The Secret with environment values and run files. Only a payload above one Secret's size has more than part 0.
    #[must_use]
    pub fn run_secret(&self, part: usize) -> String {
        if part == 0 { format!("{self}-run") } else { format!("{self}-run-{part}") }
    }

    /// The Secret with a part of the skills and instructions bundle, counted from 0.
    #[must_use]
    pub fn bundle_secret(&self, part: usize) -> String {
        format!("{self}-bundle-{part}")
    }
}

impl std::fmt::Display for JobName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower case, only `a-z 0-9 -`, at most 16 characters, no hyphen at the end. Ends up empty for an id without any.
fn slug(raw: &str) -> String {
    let lower = raw.to_lowercase();
    let legal = lower.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-');
    let cut: String = legal.take(SLUG_MAX).collect();
    cut.trim_end_matches('-').to_owned()
}

/// May this id be one part of a path? Non-empty, without separators, NUL, `.` or `..`.
#[must_use]
pub fn is_path_part(id: &str) -> bool {
    !id.trim().is_empty() && !id.contains(['/', '\\', '\0']) && !id.contains("..") && id != "."
}

/// SHA-256 as 64 hexadecimal digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing into a String cannot fail
        text
    })
}

/// `8-4-4-4-12` hexadecimal digits. The CLI takes anything else for a search text.
pub(crate) fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_of_ours_is_found_by_labels_that_it_keeps() {
        assert_eq!(own_selector(), "app.kubernetes.io/managed-by=paperclip,paperclip.io/adapter-type=claude_k8s");
    }

    #[test]
    fn a_job_name_shows_agent_run_and_hash() {
        let name = JobName::new("3F2504E0-4F89-41D3-9A0C-0305E82C3301", "7c9e6679-7425-40de-944b-e07fc1f90ae7", 1);
        assert!(name.as_str().starts_with("ac-3f2504e0-4f89-41-7c9e6679-7425-40-"), "{name}");
        assert_eq!(JobName::new("a", "b", 2).as_str(), format!("{}-r2", JobName::new("a", "b", 1)));
    }

    #[test]
    fn a_label_value_keeps_only_legal_characters() {
        let cases = [
            ("plain-1", Some("plain-1")),
            ("  spaced id ", Some("spacedid")),
            ("..a..", Some("a")),
            ("日本", None),
            ("---", None),
            ("", None),
        ];
        for (raw, expected) in cases {
            assert_eq!(label_value(raw).as_deref(), expected, "{raw:?}");
        }
    }

    #[test]
    fn a_path_part_is_one_directory_name() {
        for bad in ["", " ", ".", "..", "a/b", "a\\b", "a..b", "a\0b"] {
            assert!(!is_path_part(bad), "{bad:?}");
        }
        assert!(is_path_part("company-1.x"));
    }

    #[test]
    fn secrets_are_named_after_their_job() {
        let job = JobName::new("a", "b", 1);
        assert_eq!(job.prompt_secret(0), format!("{job}-prompt-0"));
        assert_eq!(job.run_secret(0), format!("{job}-run"));
        assert_eq!(job.run_secret(1), format!("{job}-run-1"));
        assert_eq!(job.bundle_secret(3), format!("{job}-bundle-3"));
    }
}

//! The environment test's report: checks with stable codes, and the status they add up to.

pub mod findings;

use serde::Serialize;

use crate::failure::{ErrorCode, Refusal};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be, or of no consequence.
    Info,
    /// Works with a named restriction.
    Warn,
    /// A run would fail.
    Error,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable code; the host's page keys checks by it.
    pub code: String,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub message: String,
    /// Facts behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Check {
    /// A finding with a code, a level and a message.
    pub fn new(code: impl Into<String>, level: Level, message: impl Into<String>) -> Self {
        Self { code: code.into(), level, message: message.into(), detail: None, hint: None }
    }

    /// Why no Job can be made of the configuration.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal) -> Self {
        let code = match refusal.reason {
            Some("k8s_image_unresolved") => "k8s_image_unresolved",
            _ if refusal.code.is_configuration() => "k8s_config_invalid",
            _ => "k8s_job_dry_run_rejected",
        };
        Self::new(code, Level::Error, refusal.message.clone()).hint(refusal.code.meaning().1)
    }

    /// Adds the facts behind it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that was found, in the order of the documentation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `fail`, `warn` or `pass`.
    pub status: &'static str,
    /// The findings.
    pub checks: Vec<Check>,
    /// ISO time.
    pub tested_at: String,
}

impl Report {
    /// The worst finding decides.
    #[must_use]
    pub fn new(checks: Vec<Check>, now: jiff::Timestamp) -> Self {
        let status = match checks.iter().map(|check| check.level).max() {
            Some(Level::Error) => "fail",
            Some(Level::Warn) => "warn",
            _ => "pass",
        };
        Self { status, checks, tested_at: format!("{now:.3}") }
    }
}

/// A permission by API group (`""` for the core group), resource (`pods/log` for a subresource) and verb.
pub type PermissionKey = (&'static str, &'static str, &'static str);

/// What a run does about a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Asks before anything else; without it the run is refused with this code.
    Required(ErrorCode),
    /// Asks, and has a substitute.
    Replaceable,
    /// Never asks: it can do without the answer, or only the environment test has a use for it.
    Useful,
}

/// What a permission is for, and what happens without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// Ending of the check's code, after `k8s_rbac_`.
    pub code: &'static str,
    /// What is permitted.
    pub key: PermissionKey,
    /// What a run does about it.
    pub need: Need,
    /// What happens without it.
    pub without: &'static str,
}

impl Permission {
    /// How bad its absence is: as bad as it is for a run (ENV-01). `denied` holds the codes of all that are denied;
    /// with `is_staged` the payload lies on a data volume that host and pod share.
    #[must_use]
    pub fn level(&self, denied: &[&str], is_staged: bool) -> Level {
        match self.code {
            // A run is stopped by deleting or by suspending its Job; one of the two it needs.
            "job_delete" if denied.contains(&"job_patch") => Level::Error,
            "secret_create" if !is_staged => Level::Error,
            _ if matches!(self.need, Need::Required(_)) => Level::Error,
            _ => Level::Warn,
        }
    }
}

const fn permission(code: &'static str, key: PermissionKey, need: Need, without: &'static str) -> Permission {
    Permission { code, key, need, without }
}

use ErrorCode::{ConcurrencyGuardUnreachable, JobCreateFailed, RbacInsufficient};
use Need::{Replaceable, Required, Useful};

const POLLING: &str = "degraded mode \"polling\": one list every 2 s";

/// Every permission the adapter can use, in the order of the documentation.
#[rustfmt::skip]
pub const PERMISSIONS: [Permission; 15] = [
    permission("job_create", ("batch", "jobs", "create"), Required(JobCreateFailed), "no run can be launched"),
    permission("job_get", ("batch", "jobs", "get"), Required(RbacInsufficient), "the end of a run cannot be proven"),
    permission("job_list", ("batch", "jobs", "list"), Required(ConcurrencyGuardUnreachable), "competing runs cannot be seen, so every run is refused"),
    permission("job_delete", ("batch", "jobs", "delete"), Replaceable, "runs are stopped by suspending them, which takes `patch`, and removed by their TTL"),
    permission("pod_list", ("", "pods", "list"), Required(RbacInsufficient), "the pod of a run cannot be found"),
    permission("pod_log", ("", "pods/log", "get"), Required(RbacInsufficient), "there is no transcript"),
    permission("job_patch", ("batch", "jobs", "patch"), Replaceable, "degraded mode \"created unsuspended\"; `queueName` is refused, Jobs of a lost host process are not adopted"),
    permission("job_watch", ("batch", "jobs", "watch"), Replaceable, POLLING),
    permission("pod_watch", ("", "pods", "watch"), Replaceable, POLLING),
    permission("pod_get", ("", "pods", "get"), Replaceable, "nothing is inherited from the host's own pod; set `image`"),
    permission("secret_create", ("", "secrets", "create"), Replaceable, "prompt and credentials cannot be stored for the pod"),
    permission("secret_delete", ("", "secrets", "delete"), Replaceable, "the payload of a retained Job stays until the Job goes"),
    permission("secret_get", ("", "secrets", "get"), Useful, "the check of `secretRef` is skipped"),
    permission("pvc_get", ("", "persistentvolumeclaims", "get"), Useful, "the check of the data claim is skipped"),
    permission("event_list", ("", "events", "list"), Useful, "start-up problems are reported without events"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_decides_the_status() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let status = |levels: &[Level]| {
            Report::new(levels.iter().map(|level| Check::new("c", *level, "m")).collect(), now).status
        };
        assert_eq!(status(&[]), "pass");
        assert_eq!(status(&[Level::Info]), "pass");
        assert_eq!(status(&[Level::Info, Level::Warn]), "warn");
        assert_eq!(status(&[Level::Error, Level::Warn]), "fail");
    }

    #[test]
    fn env_01_a_permission_with_a_substitute_is_missed_only_when_that_is_missing_too() {
        let level = |code: &str, denied: &[&str], is_staged| {
            PERMISSIONS.iter().find(|one| one.code == code).map(|one| one.level(denied, is_staged))
        };
        assert_eq!(level("job_delete", &["job_delete"], false), Some(Level::Warn));
        assert_eq!(level("job_delete", &["job_patch", "job_delete"], false), Some(Level::Error));
        assert_eq!(level("secret_create", &["secret_create"], false), Some(Level::Error));
        assert_eq!(level("secret_create", &["secret_create"], true), Some(Level::Warn));
        assert_eq!(level("job_get", &["job_get"], true), Some(Level::Error));
    }

    #[test]
    fn every_permission_has_a_code_of_its_own() {
        let mut codes: Vec<_> = PERMISSIONS.iter().map(|one| one.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), PERMISSIONS.len());
    }
}

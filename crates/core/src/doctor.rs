//! The environment test's report: checks with stable codes, and the status they add up to.

pub mod findings;
mod isolation;

pub use isolation::isolation;
use serde::Serialize;

use crate::failure::Refusal;
use crate::permissions::{Need, Permission};

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

/// How bad it is that a permission is denied: as bad as it is for a run (ENV-01). With `is_staged` the payload lies on a
/// data volume that host and pod share.
#[must_use]
pub fn level_without(permission: Permission, denied: &[Permission], is_staged: bool) -> Level {
    match permission {
        // A run is stopped by deleting or by suspending its Job; one of the two it needs.
        Permission::DeleteJobs if denied.contains(&Permission::PatchJobs) => Level::Error,
        Permission::CreateSecrets if !is_staged => Level::Error,
        _ if matches!(permission.need(), Need::Required(_)) => Level::Error,
        _ => Level::Warn,
    }
}

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
        use Permission::{CreateSecrets, DeleteJobs, GetJobs, PatchJobs};

        let level = level_without;
        assert_eq!(level(DeleteJobs, &[DeleteJobs], false), Level::Warn);
        assert_eq!(level(DeleteJobs, &[PatchJobs, DeleteJobs], false), Level::Error);
        assert_eq!(level(CreateSecrets, &[CreateSecrets], false), Level::Error);
        assert_eq!(level(CreateSecrets, &[CreateSecrets], true), Level::Warn);
        assert_eq!(level(GetJobs, &[GetJobs], true), Level::Error);
    }
}

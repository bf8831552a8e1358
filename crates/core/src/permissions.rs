//! What the credential may do, and what a run does about what it may not.

mod rows;

use std::collections::BTreeSet;

use crate::failure::{ErrorCode, Refusal};
use crate::target::PayloadMode;

pub use rows::{Access, Need, Permission, Verb};

/// The answers to the access reviews.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    denied: BTreeSet<Permission>,
}

impl Permissions {
    /// Everything but these.
    #[must_use]
    pub fn without(denied: impl IntoIterator<Item = Permission>) -> Self {
        Self { denied: denied.into_iter().collect() }
    }

    /// Allowed, as far as is known.
    #[must_use]
    pub fn allow(&self, permission: Permission) -> bool {
        !self.denied.contains(&permission)
    }

    /// Something is missing.
    #[must_use]
    pub fn lack_any(&self) -> bool {
        !self.denied.is_empty()
    }

    /// A Job can be created suspended and released.
    #[must_use]
    pub fn may_patch_jobs(&self) -> bool {
        self.allow(Permission::PatchJobs)
    }

    /// Secrets, or the data volume that host and pod share; never values in the Job.
    #[must_use]
    pub fn payload_mode(&self) -> PayloadMode {
        if self.allow(Permission::CreateSecrets) { PayloadMode::Secret } else { PayloadMode::Volume }
    }

    /// Refuses a run that lacks something without substitute, and names it.
    ///
    /// # Errors
    /// The code of the step that is impossible, or `k8s_rbac_insufficient` for more than one.
    pub fn check_required(&self, namespace: &str) -> Result<(), Refusal> {
        let cannot_stop = !self.allow(Permission::DeleteJobs) && !self.may_patch_jobs();
        let is_needed = |one: &Permission| {
            matches!(one.need(), Need::Required(_)) || (cannot_stop && *one == Permission::DeleteJobs)
        };
        let missing: Vec<Permission> =
            Permission::ALL.iter().copied().filter(|one| !self.allow(*one)).filter(is_needed).collect();
        let code = match missing.iter().map(|one| one.need()).collect::<Vec<_>>().as_slice() {
            [] => return Ok(()),
            // Where only one step is impossible, its own code says which.
            [Need::Required(code)] => *code,
            _ => ErrorCode::RbacInsufficient,
        };
        let names: Vec<String> = missing.iter().map(|one| one.access().to_string()).collect();
        let message = format!(
            "The service account lacks {} in namespace `{namespace}`: grant the Role in `deploy/` to it",
            names.join(", ")
        );
        Err(Refusal::new(code, message))
    }

    /// Degraded modes, each named once.
    #[must_use]
    pub fn degraded(&self) -> Vec<String> {
        let polls = !self.allow(Permission::WatchJobs) || !self.allow(Permission::WatchPods);
        let modes = [
            (polls, "polling (no `watch` on `jobs` and `pods`): the end of a run is noticed within 2 s"),
            (
                !self.may_patch_jobs(),
                "created unsuspended (no `patch` on `jobs`): missing Secrets hold the pod until they exist, and Jobs of a lost host process are not adopted",
            ),
            (
                self.payload_mode() == PayloadMode::Volume,
                "staging (no `create` on `secrets`): the payload lies on the shared data volume",
            ),
            (
                !self.allow(Permission::DeleteJobs),
                "no clean-up (no `delete` on `jobs`): a Job is stopped by suspending it and goes by its TTL",
            ),
        ];
        modes.into_iter().filter(|(applies, _)| *applies).map(|(_, text)| text.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use ErrorCode::{ConcurrencyGuardUnreachable, JobCreateFailed, RbacInsufficient};
    use Permission::{
        CreateJobs, CreateSecrets, DeleteJobs, DeleteSecrets, GetJobs, GetLogs, GetPods, ListJobs, ListPods, PatchJobs,
        WatchJobs, WatchPods,
    };

    use super::*;

    fn without(denied: &[Permission]) -> Permissions {
        Permissions::without(denied.iter().copied())
    }

    #[test]
    fn each_mode_that_a_missing_permission_forces_is_named_once() {
        assert_eq!(without(&[]).degraded(), Vec::<String>::new());
        let both = [WatchJobs, WatchPods];
        assert_eq!(without(&both).degraded().len(), 1);
        let modes = without(&[CreateSecrets, PatchJobs, DeleteJobs]);
        let modes: Vec<String> = modes.degraded().iter().map(|mode| mode.chars().take(7).collect()).collect();
        assert_eq!(modes, ["created", "staging", "no clea"]);
    }

    #[test]
    fn only_what_has_no_substitute_refuses_a_run_and_is_named() {
        let replaceable = [WatchJobs, PatchJobs, GetPods, WatchPods, CreateSecrets, DeleteSecrets];
        assert_eq!(without(&replaceable).check_required("ns"), Ok(()));
        assert_eq!(without(&[DeleteJobs]).check_required("ns"), Ok(()));
        for (denied, code, named) in [
            (vec![GetJobs], RbacInsufficient, "`get` on `jobs`"),
            (vec![CreateJobs], JobCreateFailed, "`create` on `jobs`"),
            (vec![ListJobs], ConcurrencyGuardUnreachable, "`list` on `jobs`"),
            (vec![CreateJobs, ListJobs], RbacInsufficient, "`create` on `jobs`, `list` on `jobs`"),
            (vec![GetLogs, ListPods], RbacInsufficient, "`list` on `pods`, `get` on `pods/log`"),
            (vec![DeleteJobs, PatchJobs], RbacInsufficient, "`delete` on `jobs`"),
        ] {
            let refusal = without(&denied).check_required("ns").unwrap_err();
            assert_eq!(refusal.code, code);
            let expected =
                format!("The service account lacks {named} in namespace `ns`: grant the Role in `deploy/` to it");
            assert_eq!(refusal.message, expected);
        }
    }
}

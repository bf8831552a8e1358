//! What the credential may do, and what a run does about what it may not.

use std::collections::BTreeSet;

use crate::doctor::{Need, PERMISSIONS, Permission, PermissionKey};
use crate::failure::{ErrorCode, Refusal};
use crate::target::PayloadMode;

/// The answers to the access reviews.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    denied: BTreeSet<PermissionKey>,
}

impl Permissions {
    /// Everything but these.
    #[must_use]
    pub fn without(denied: impl IntoIterator<Item = PermissionKey>) -> Self {
        Self { denied: denied.into_iter().collect() }
    }

    /// Allowed, as far as is known.
    #[must_use]
    pub fn allows(&self, group: &'static str, resource: &'static str, verb: &'static str) -> bool {
        !self.denied.contains(&(group, resource, verb))
    }

    /// Something is missing.
    #[must_use]
    pub fn lack_any(&self) -> bool {
        !self.denied.is_empty()
    }

    /// A Job can be created suspended and released.
    #[must_use]
    pub fn may_patch_jobs(&self) -> bool {
        self.allows("batch", "jobs", "patch")
    }

    /// Secrets, or the data volume that host and pod share; never values in the Job.
    #[must_use]
    pub fn payload_mode(&self) -> PayloadMode {
        if self.allows("", "secrets", "create") { PayloadMode::Secret } else { PayloadMode::Volume }
    }

    /// Refuses a run that lacks something without substitute, and names it.
    ///
    /// # Errors
    /// The code of the step that is impossible, or `k8s_rbac_insufficient` for more than one.
    pub fn check_required(&self, namespace: &str) -> Result<(), Refusal> {
        let cannot_stop = !self.allows("batch", "jobs", "delete") && !self.may_patch_jobs();
        let is_needed = |one: &&Permission| {
            matches!(one.need, Need::Required(_)) || (cannot_stop && one.key == ("batch", "jobs", "delete"))
        };
        let missing = PERMISSIONS.iter().filter(|one| self.denied.contains(&one.key)).filter(is_needed);
        let missing: Vec<&Permission> = missing.collect();
        let code = match missing.as_slice() {
            [] => return Ok(()),
            // Where only one step is impossible, its own code says which.
            [Permission { need: Need::Required(code), .. }] => *code,
            _ => ErrorCode::RbacInsufficient,
        };
        let names =
            missing.iter().map(|Permission { key: (_, resource, verb), .. }| format!("`{verb}` on `{resource}`"));
        let names: Vec<String> = names.collect();
        let message = format!(
            "The service account lacks {} in namespace `{namespace}`: grant the Role in `deploy/` to it",
            names.join(", ")
        );
        Err(Refusal::new(code, message))
    }

    /// Degraded modes, each named once.
    #[must_use]
    pub fn degraded(&self) -> Vec<String> {
        let polls = !self.allows("batch", "jobs", "watch") || !self.allows("", "pods", "watch");
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
                !self.allows("batch", "jobs", "delete"),
                "no clean-up (no `delete` on `jobs`): a Job is stopped by suspending it and goes by its TTL",
            ),
        ];
        modes.into_iter().filter(|(applies, _)| *applies).map(|(_, text)| text.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use ErrorCode::{ConcurrencyGuardUnreachable, JobCreateFailed, RbacInsufficient};

    use super::*;

    fn without(denied: &[PermissionKey]) -> Permissions {
        Permissions::without(denied.iter().copied())
    }

    #[test]
    fn each_mode_that_a_missing_permission_forces_is_named_once() {
        assert_eq!(without(&[]).degraded(), Vec::<String>::new());
        let both = [("batch", "jobs", "watch"), ("", "pods", "watch")];
        assert_eq!(without(&both).degraded().len(), 1);
        let modes = without(&[("", "secrets", "create"), ("batch", "jobs", "patch"), ("batch", "jobs", "delete")]);
        let modes: Vec<String> = modes.degraded().iter().map(|mode| mode.chars().take(7).collect()).collect();
        assert_eq!(modes, ["created", "staging", "no clea"]);
    }

    #[test]
    fn only_what_has_no_substitute_refuses_a_run_and_is_named() {
        let replaceable = [
            ("batch", "jobs", "watch"),
            ("batch", "jobs", "patch"),
            ("", "pods", "get"),
            ("", "pods", "watch"),
            ("", "secrets", "create"),
            ("", "secrets", "delete"),
        ];
        assert_eq!(without(&replaceable).check_required("ns"), Ok(()));
        assert_eq!(without(&[("batch", "jobs", "delete")]).check_required("ns"), Ok(()));
        let (create, list) = (("batch", "jobs", "create"), ("batch", "jobs", "list"));
        for (denied, code, named) in [
            (vec![("batch", "jobs", "get")], RbacInsufficient, "`get` on `jobs`"),
            (vec![create], JobCreateFailed, "`create` on `jobs`"),
            (vec![list], ConcurrencyGuardUnreachable, "`list` on `jobs`"),
            (vec![create, list], RbacInsufficient, "`create` on `jobs`, `list` on `jobs`"),
            (
                vec![("", "pods/log", "get"), ("", "pods", "list")],
                RbacInsufficient,
                "`list` on `pods`, `get` on `pods/log`",
            ),
            (vec![("batch", "jobs", "delete"), ("batch", "jobs", "patch")], RbacInsufficient, "`delete` on `jobs`"),
        ] {
            let refusal = without(&denied).check_required("ns").unwrap_err();
            assert_eq!(refusal.code, code);
            let expected =
                format!("The service account lacks {named} in namespace `ns`: grant the Role in `deploy/` to it");
            assert_eq!(refusal.message, expected);
        }
    }
}

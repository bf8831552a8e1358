//! What the credential may do, asked once per connection and namespace and kept for five minutes.

use std::collections::BTreeSet;
use std::time::Duration;

use claude_k8s_core::doctor::{Need, PERMISSIONS, Permission, PermissionKey};
use claude_k8s_core::failure::{ErrorCode, Refusal};
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::api::Namespace;

/// How long an answer is believed.
pub const KEPT: Duration = Duration::from_secs(300);

/// The answers.
#[derive(Debug, Clone)]
pub struct Permissions {
    denied: BTreeSet<PermissionKey>,
    asked_at: Instant,
}

impl Permissions {
    /// Asks for all of them at once. What cannot be asked is assumed to be allowed; a 403 tells later.
    pub async fn ask(namespace: &Namespace) -> Self {
        let asked_at = Instant::now();
        let asked = || PERMISSIONS.iter().filter(|one| one.need != Need::Useful).map(|one| one.key);
        let answers = join_all(asked().map(|(group, resource, verb)| namespace.may(group, resource, verb))).await;
        let denied = asked().zip(answers).filter(|(_, allowed)| matches!(allowed, Ok(false)));
        Self { denied: denied.map(|(permission, _)| permission).collect(), asked_at }
    }

    /// Everything but these.
    #[must_use]
    pub fn without(denied: impl IntoIterator<Item = PermissionKey>) -> Self {
        Self { denied: denied.into_iter().collect(), asked_at: Instant::now() }
    }

    /// Still believed.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.asked_at.elapsed() < KEPT
    }

    /// Allowed, as far as is known.
    #[must_use]
    pub fn allows(&self, group: &'static str, resource: &'static str, verb: &'static str) -> bool {
        !self.denied.contains(&(group, resource, verb))
    }

    /// Refuses a run that lacks something without substitute, and names it.
    ///
    /// # Errors
    /// The code of the step that is impossible, or `k8s_rbac_insufficient` for more than one.
    pub fn check_required(&self, namespace: &str) -> Result<(), Refusal> {
        let cannot_stop = !self.allows("batch", "jobs", "delete") && !self.allows("batch", "jobs", "patch");
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
}

#[cfg(test)]
mod tests {
    use ErrorCode::{ConcurrencyGuardUnreachable, JobCreateFailed, RbacInsufficient};

    use super::*;

    fn without(denied: &[PermissionKey]) -> Permissions {
        Permissions::without(denied.iter().copied())
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

//! What the credential may do, asked once per connection and namespace and kept for five minutes.

use std::collections::BTreeSet;
use std::time::Duration;

use claude_k8s_core::failure::{ErrorCode, Refusal};
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::api::Namespace;

/// How long an answer is believed.
pub const KEPT: Duration = Duration::from_secs(300);

/// A permission: API group, resource, verb.
pub type Permission = (&'static str, &'static str, &'static str);

/// Every permission a run can use, in the order of `deploy/`.
const USED_BY_RUNS: [Permission; 12] = [
    ("batch", "jobs", "create"),
    ("batch", "jobs", "get"),
    ("batch", "jobs", "list"),
    ("batch", "jobs", "watch"),
    ("batch", "jobs", "patch"),
    ("batch", "jobs", "delete"),
    ("", "pods", "get"),
    ("", "pods", "list"),
    ("", "pods", "watch"),
    ("", "pods/log", "get"),
    ("", "secrets", "create"),
    ("", "secrets", "delete"),
];

/// Those without a substitute.
const REQUIRED: [Permission; 5] = [
    ("batch", "jobs", "create"),
    ("batch", "jobs", "get"),
    ("batch", "jobs", "list"),
    ("", "pods", "list"),
    ("", "pods/log", "get"),
];

/// The answers.
#[derive(Debug, Clone)]
pub struct Permissions {
    denied: BTreeSet<Permission>,
    asked_at: Instant,
}

impl Permissions {
    /// Asks for all of them at once. What cannot be asked is assumed to be allowed; a 403 tells later.
    pub async fn ask(namespace: &Namespace) -> Self {
        let asked_at = Instant::now();
        let answers = join_all(USED_BY_RUNS.map(|(group, resource, verb)| namespace.may(group, resource, verb))).await;
        let denied = USED_BY_RUNS.into_iter().zip(answers).filter(|(_, allowed)| matches!(allowed, Ok(false)));
        Self { denied: denied.map(|(permission, _)| permission).collect(), asked_at }
    }

    /// Everything but these.
    #[must_use]
    pub fn without(denied: impl IntoIterator<Item = Permission>) -> Self {
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
    /// `k8s_rbac_insufficient`.
    pub fn check_required(&self, namespace: &str) -> Result<(), Refusal> {
        let no_stop = !self.allows("batch", "jobs", "delete") && !self.allows("batch", "jobs", "patch");
        let missing: Vec<String> = REQUIRED
            .into_iter()
            .chain(no_stop.then_some(("batch", "jobs", "delete")))
            .filter(|permission| self.denied.contains(permission))
            .map(|(_, resource, verb)| format!("`{verb}` on `{resource}`"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!(
            "The service account lacks {} in namespace `{namespace}`: grant the Role in `deploy/` to it",
            missing.join(", ")
        );
        // Where only one step is impossible, its own code says which (`spec/job.md` 12).
        let code = match missing.as_slice() {
            [only] if only.starts_with("`create` on `jobs`") => ErrorCode::JobCreateFailed,
            [only] if only.starts_with("`list` on `jobs`") => ErrorCode::ConcurrencyGuardUnreachable,
            _ => ErrorCode::RbacInsufficient,
        };
        Err(Refusal::new(code, message))
    }
}

#[cfg(test)]
mod tests {
    use ErrorCode::{ConcurrencyGuardUnreachable, JobCreateFailed, RbacInsufficient};

    use super::*;

    fn without(denied: &[Permission]) -> Permissions {
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

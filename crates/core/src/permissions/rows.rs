//! The table of permissions. The README and the environment test print it; `deploy/role.yaml` grants it.

use Need::{Replaceable, Required, Useful};
use Verb::{Create, Delete, Get, List, Patch, Watch};

use crate::failure::ErrorCode;
use crate::failure::ErrorCode::{ConcurrencyGuardUnreachable, JobCreateFailed, RbacInsufficient};
use crate::table::table;

/// What a Role grants on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of Kubernetes")]
pub enum Verb {
    Create,
    Delete,
    Get,
    List,
    Patch,
    Watch,
}

impl Verb {
    /// As Kubernetes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Create => "create",
            Delete => "delete",
            Get => "get",
            List => "list",
            Patch => "patch",
            Watch => "watch",
        }
    }
}

/// One verb on one resource: what an access review asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// API group; `""` for the core group.
    pub group: &'static str,
    /// Plural, with the subresource behind a slash.
    pub resource: &'static str,
    /// What is to be done with it.
    pub verb: Verb,
}

impl Access {
    /// Only the environment test asks for it, and no Role of one namespace can grant it.
    pub const GET_NAMESPACE: Self = access("", "namespaces", Get);
    /// For an operator who looks for Secrets that nobody needs; the Role of a host has no need of it.
    pub const LIST_SECRETS: Self = access("", "secrets", List);
    /// For an operator who asks what pods use.
    pub const LIST_METRICS: Self = access("metrics.k8s.io", "pods", List);
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` on `{}`", self.verb.as_str(), self.resource)
    }
}

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

#[derive(Debug, Clone, Copy)]
struct Row {
    /// Ending of the check's code, after `k8s_rbac_`.
    code: &'static str,
    access: Access,
    need: Need,
    /// What it is for.
    why: &'static str,
    /// What happens without it.
    without: &'static str,
}

const fn access(group: &'static str, resource: &'static str, verb: Verb) -> Access {
    Access { group, resource, verb }
}

const fn job(verb: Verb) -> Access {
    access("batch", "jobs", verb)
}

const fn pod(verb: Verb) -> Access {
    access("", "pods", verb)
}

const fn secret(verb: Verb) -> Access {
    access("", "secrets", verb)
}

const fn row(code: &'static str, access: Access, need: Need, why: &'static str, without: &'static str) -> Row {
    Row { code, access, need, why, without }
}

const POLLING: &str = "degraded mode \"polling\": one list every 2 s";

table! {
    /// Every permission the adapter can use, in the order of the documentation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    #[expect(missing_docs, reason = "what each is for is in its row")]
    pub enum Permission: Row {
        CreateJobs => row("job_create", job(Create), Required(JobCreateFailed), "one run is one Job", "no run can be launched"),
        GetJobs => row("job_get", job(Get), Required(RbacInsufficient), "its conditions, and what became of a creation without an answer", "the end of a run cannot be proven"),
        ListJobs => row("job_list", job(List), Required(ConcurrencyGuardUnreachable), "does another run of the agent still live?", "competing runs cannot be seen, so every run is refused"),
        DeleteJobs => row("job_delete", job(Delete), Replaceable, "stop and clean up", "runs are stopped by suspending them, which takes `patch`, and removed by their TTL"),
        ListPods => row("pod_list", pod(List), Required(RbacInsufficient), "the pod of a Job, and of competing ones", "the pod of a run cannot be found"),
        GetLogs => row("pod_log", access("", "pods/log", Get), Required(RbacInsufficient), "the transcript", "there is no transcript"),
        PatchJobs => row("job_patch", job(Patch), Replaceable, "release the Job once its Secrets exist; claim the Job of a lost server process", "degraded mode \"created unsuspended\"; `queueName` is refused, Jobs of a lost host process are not adopted"),
        WatchJobs => row("job_watch", job(Watch), Replaceable, "changes as they happen", POLLING),
        WatchPods => row("pod_watch", pod(Watch), Replaceable, "scheduling, start and end as they happen", POLLING),
        GetPods => row("pod_get", pod(Get), Replaceable, "inherit image, volumes and scheduling from the server's pod", "nothing is inherited from the host's own pod; set `image`"),
        CreateSecrets => row("secret_create", secret(Create), Replaceable, "prompt, tokens and environment of the run", "prompt and credentials take files on a data volume that host and pod share; where there is none, every run is refused"),
        DeleteSecrets => row("secret_delete", secret(Delete), Replaceable, "the same at the end of a run whose Job is retained", "the payload of a retained Job stays until the Job goes"),
        GetSecrets => row("secret_get", secret(Get), Useful, "environment test only, of one name", "the check of `secretRef` is skipped"),
        GetClaims => row("pvc_get", access("", "persistentvolumeclaims", Get), Useful, "does the data claim exist, and can several nodes mount it?", "a Job may wait for a volume that the server's node has; the check of the data claim is skipped"),
        ListEvents => row("event_list", access("", "events", List), Useful, "why a pod does not start", "start-up problems are reported without events"),
    }
}

impl Permission {
    /// Ending of the check's code, after `k8s_rbac_`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// What is permitted.
    #[must_use]
    pub const fn access(self) -> Access {
        self.row().access
    }

    /// What a run does about it.
    #[must_use]
    pub const fn need(self) -> Need {
        self.row().need
    }

    /// What it is for.
    #[must_use]
    pub const fn why(self) -> &'static str {
        self.row().why
    }

    /// What happens without it.
    #[must_use]
    pub const fn without(self) -> &'static str {
        self.row().without
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_a_code_and_an_access_of_its_own() {
        let mut codes: Vec<_> = Permission::ALL.iter().map(|one| one.code()).collect();
        let mut accesses: Vec<_> = Permission::ALL.iter().map(|one| one.access().to_string()).collect();
        codes.sort_unstable();
        codes.dedup();
        accesses.sort_unstable();
        accesses.dedup();
        assert_eq!((codes.len(), accesses.len()), (Permission::ALL.len(), Permission::ALL.len()));
    }
}

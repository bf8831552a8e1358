//! The findings of the environment test, worded: from what was asked and answered to a check.

use crate::api_failure::{ApiFailure, FailureKind};
use crate::config::{Config, Rejection, Warning};
use crate::connect::ConnectError;
use crate::launch::{Call, unknown_fields, warning_texts};
use crate::own_pod::OwnPod;
use crate::permissions::Permission;
use crate::request::RunRequest;

use super::{Check, Level, level_without};

/// Log following can stall at rotation on older servers (`docs/internals/kubernetes.md` 1.5).
const OLDEST: (u32, u32) = (1, 29);
const LEFT_OUT: &str = "Reading a namespace needs a ClusterRole; without it the check is left out";
const CLAIM_GRANT: &str = "Grant `get` on `persistentvolumeclaims` to have the claim checked";

/// The checks took too long all together.
#[must_use]
pub fn out_of_time(seconds: u64) -> Check {
    let text = format!("The checks took longer than {seconds} s; the remaining ones were not made");
    Check::new("k8s_api_unreachable", Level::Error, text).hint("Check the network to the API server")
}

/// A key that is rejected.
#[must_use]
pub fn rejected(one: &Rejection) -> Check {
    let hint = format!("Correct `{}`, see docs/configuration.md", one.key);
    Check::new("k8s_config_invalid", Level::Error, format!("{}: {}", one.key, one.reason)).hint(hint)
}

/// A key that works otherwise than it may seem.
#[must_use]
pub fn warning(one: &Warning) -> Check {
    Check::new("k8s_config_warning", Level::Warn, format!("config.{}: {}", one.key, one.text))
}

/// The host leased a place for runs that this adapter would not use.
#[must_use]
pub fn target(request: &RunRequest) -> Option<Check> {
    let kind = request.execution_target.as_ref().and_then(|target| target.get("kind")?.as_str());
    let text = "This adapter runs in Kubernetes by itself and cannot use a remote execution environment";
    let check = Check::new("k8s_execution_target_unsupported", Level::Error, text);
    (kind == Some("remote")).then(|| check.hint("Choose the local environment"))
}

/// No credentials, or none that can be used. `reason` is that of the connection's error.
#[must_use]
pub fn no_credentials(error: &ConnectError) -> Check {
    Check::new("k8s_api_unreachable", Level::Error, error.to_string())
        .detail(error.reason())
        .hint("Set `kubeconfig`, or run the host in a pod with a service account")
}

/// The API server does not answer, or not us. `credentials`: which ones were used.
#[must_use]
pub fn not_answering(failure: &ApiFailure, credentials: &str) -> Check {
    let hint = match failure.kind {
        FailureKind::Unauthorized => "The credentials are refused: renew the token or kubeconfig",
        _ => "Check server address, network and certificates",
    };
    Check::new("k8s_api_unreachable", Level::Error, failure.to_string()).detail(credentials).hint(hint)
}

/// The API server answers with its version, for example `1.35.4`, and the numbers in it.
#[must_use]
pub fn answering(
    (version, major, minor): (&str, u32, u32),
    namespace: &str,
    config: &Config,
    credentials: &str,
) -> Vec<Check> {
    let image = config.image.as_deref().unwrap_or("the host's own image");
    let text = format!("The Kubernetes API answers; Jobs go to namespace `{namespace}`");
    let detail = format!("image: {image}; server: {version}; credentials: {credentials}");
    let mut checks = vec![Check::new("k8s_api_reachable", Level::Info, text).detail(detail)];
    if (major, minor) < OLDEST {
        let text = format!("Server {version} is older than 1.29: following a log can stall when it is rotated");
        checks.push(Check::new("k8s_server_version_old", Level::Warn, text).hint("Upgrade the cluster"));
    }
    checks
}

/// The host's own pod. `home`: `PAPERCLIP_HOME` of the host process.
#[must_use]
pub fn own_pod(own: Option<&OwnPod>, home: Option<&str>) -> Check {
    let Some(pod) = own else {
        let text = "The host's own pod is not known: nothing is inherited from it";
        return Check::new("k8s_self_pod_unavailable", Level::Warn, text)
            .hint("Outside a cluster this is normal: set `image` and `env`. In a cluster grant `get` on `pods`");
    };
    let detail = format!(
        "image: {}; data claim: {}; env: {}; envFrom: {}; volumes: {}; tolerations: {}",
        pod.image.as_deref().unwrap_or("none"),
        pod.data_claim(home).unwrap_or("none"),
        pod.env.len(),
        pod.env_from.len(),
        pod.volumes.len(),
        pod.tolerations.len()
    );
    Check::new("k8s_self_pod_found", Level::Info, format!("The host's own pod is `{}`", pod.name)).detail(detail)
}

/// What an agent does not get of the server's pod because nobody asked for it.
#[must_use]
pub fn left_behind(text: &str) -> Check {
    Check::new("k8s_not_inherited", Level::Info, text).hint("Nothing to do, unless an agent misses one of them")
}

/// The Jobs' namespace is the host's own.
#[must_use]
pub fn own_namespace(name: &str) -> Check {
    Check::new("k8s_namespace_exists", Level::Info, format!("Namespace `{name}` is the host's own"))
}

/// The documented Role does not grant reading namespaces (ENV-06).
#[must_use]
pub fn namespace_not_readable(name: &str) -> Check {
    let text = format!("Not allowed: `get` on namespace `{name}`");
    Check::new("k8s_namespace_check_failed", Level::Warn, text).hint(LEFT_OUT)
}

/// The namespace was read.
#[must_use]
pub fn namespace(name: &str, found: &Result<(), ApiFailure>) -> Check {
    match found {
        Ok(()) => Check::new("k8s_namespace_exists", Level::Info, format!("Namespace `{name}` exists")),
        Err(failure) if failure.kind == FailureKind::NotFound => {
            Check::new("k8s_namespace_missing", Level::Error, format!("Namespace `{name}` does not exist"))
                .hint("Create it or change `namespace`")
        }
        Err(failure) => Check::new("k8s_namespace_check_failed", Level::Warn, failure.to_string()).hint(LEFT_OUT),
    }
}

/// One check per permission, from the answers in the order of [`Permission::ALL`]. `staging`: host and pod share a volume that can take the place of Secrets.
pub fn permissions<'a>(
    namespace: &'a str,
    answers: &'a [Result<bool, ApiFailure>],
    staging: bool,
) -> impl Iterator<Item = Check> + 'a {
    let asked = move || Permission::ALL.iter().copied().zip(answers);
    let denied = asked().filter(|(_, answer)| matches!(answer, Ok(false)));
    let denied: Vec<Permission> = denied.map(|(permission, _)| permission).collect();
    asked().map(move |(permission, answer)| {
        let code = format!("k8s_rbac_{}", permission.code());
        let what = format!("{} in namespace `{namespace}`", permission.access());
        let level = level_without(permission, &denied, staging);
        let without = match permission {
            Permission::CreateSecrets if staging => "degraded mode \"staging\": the payload lies on the data volume",
            _ => permission.without(),
        };
        match answer {
            Ok(true) => Check::new(code, Level::Info, format!("Allowed: {what}")),
            Ok(false) => Check::new(code, level, format!("Not allowed: {what}"))
                .hint(format!("Without it: {without}. Grant the Role in `deploy/`")),
            Err(failure) => Check::new(code, Level::Warn, failure.to_string())
                .hint("It is not known whether it is granted; a run assumes that it is"),
        }
    })
}

/// `secretRef` was read, or may not be read.
#[must_use]
pub fn secret(name: &str, namespace: &str, found: Option<&Result<(), ApiFailure>>) -> Check {
    match found {
        None => {
            let text = format!("Secret `{name}` may not be read: whether it exists is not known");
            Check::new("k8s_secret_check_skipped", Level::Info, text)
        }
        Some(Ok(())) => Check::new("k8s_secret_exists", Level::Info, format!("Secret `{name}` exists")),
        Some(Err(failure)) if failure.kind == FailureKind::NotFound => {
            let text = format!("Secret `{name}` does not exist in namespace `{namespace}`");
            Check::new("k8s_secret_missing", Level::Warn, text)
                .hint("Create it if your agents take credentials from it, or set `secretRef`")
        }
        Some(Err(failure)) => Check::new("k8s_secret_check_skipped", Level::Info, failure.to_string()),
    }
}

/// A run of this agent has no data claim.
#[must_use]
pub fn no_claim() -> Check {
    let text = "No data claim: sessions cannot be resumed and no workspace is shared";
    Check::new("k8s_pvc_not_detected", Level::Warn, text).hint("Set `workspaceVolumeClaim`")
}

/// The data claim may not be read.
#[must_use]
pub fn claim_not_readable(claim: &str) -> Check {
    let text = format!("Claim `{claim}` may not be read: whether several nodes can mount it is not known");
    Check::new("k8s_pvc_check_failed", Level::Warn, text).hint(CLAIM_GRANT)
}

/// The data claim was read: its access modes.
#[must_use]
pub fn claim(claim: &str, namespace: &str, config: &Config, modes: &Result<Vec<String>, ApiFailure>) -> Check {
    match modes {
        Ok(modes) if modes.iter().any(|mode| mode == "ReadWriteMany") => {
            Check::new("k8s_pvc_rwx", Level::Info, format!("Claim `{claim}` can be mounted on every node"))
        }
        Ok(_) => {
            let text = format!("Claim `{claim}` is not ReadWriteMany: pods on other nodes cannot mount it");
            Check::new("k8s_pvc_not_rwx", Level::Warn, text)
                .hint("Use a ReadWriteMany claim. Jobs that share this one with the server's pod run on its node; others need a `nodeSelector`")
        }
        Err(failure) if Call::Claim.knows_by(failure.kind) && config.workspace_volume_claim.is_some() => {
            let text = format!("Claim `{claim}` does not exist in namespace `{namespace}`");
            Check::new("k8s_pvc_missing", Level::Error, text).hint("Create it or change `workspaceVolumeClaim`")
        }
        Err(failure) => Check::new("k8s_pvc_check_failed", Level::Warn, failure.to_string()).hint(CLAIM_GRANT),
    }
}

/// No URL of the host is known that a pod can reach.
#[must_use]
pub fn no_api_url() -> Check {
    let text = "No Paperclip URL is known that a pod can reach: agents cannot report back";
    Check::new("k8s_api_url_unreachable", Level::Warn, text).hint("Set `PAPERCLIP_API_URL` on the host or in `env`")
}

/// What this API server does not know of a Job like those of a run.
#[must_use]
pub fn unknown_to_the_server(failure: &ApiFailure) -> Option<Check> {
    let fields = unknown_fields(&failure.cause);
    let names = fields.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let text = format!("This API server does not know {names}: a run's Job is stored without it");
    let check = Check::new("k8s_job_unknown_fields", Level::Warn, text);
    (!fields.is_empty()).then(|| check.hint("Take it out of `podTemplate`, or upgrade the cluster"))
}

/// What the API server warns of although it accepts the Job.
pub fn warnings(headers: &[String]) -> impl Iterator<Item = Check> {
    let texts = warning_texts(headers.iter().map(String::as_str)).into_iter();
    texts.map(|text| Check::new("k8s_job_dry_run_warning", Level::Warn, text))
}

/// What the API server says about a Job like those of a run.
#[must_use]
pub fn dry_run(answer: &Result<(), ApiFailure>) -> Check {
    match answer {
        // The controller creates the pod later: no dry run of a Job asks what is judged then.
        Ok(()) => Check::new("k8s_job_dry_run_ok", Level::Info, "The API server accepts a Job like those of a run")
            .detail("Not asked: what is judged with the pod (Pod Security, quota of pods, priority and runtime class)"),
        Err(failure) => {
            let hint = match failure.kind {
                FailureKind::Forbidden => "Grant `create` on `jobs`, see `deploy/`",
                _ => "The message names the quota, admission rule or class that rejects it",
            };
            Check::new("k8s_job_dry_run_rejected", Level::Error, failure.to_string()).hint(hint)
        }
    }
}

//! Checks of configuration, credentials, API, own pod, namespace, permissions and Secret.

use claude_k8s_core::config::{Config, Rejection, Warning};
use claude_k8s_core::doctor::{Check, Level, PERMISSIONS, Permission};
use claude_k8s_core::request::RunRequest;

use crate::api::Namespace;
use crate::connect::{ConnectError, Credentials};
use crate::engine::own_pod::OwnPlace;
use claude_k8s_core::api_failure::{ApiFailure, FailureKind};

/// Log following can stall at rotation on older servers (`docs/internals/kubernetes.md` 1.5).
const OLDEST: (u32, u32) = (1, 29);
const LEFT_OUT: &str = "Reading a namespace needs a ClusterRole; without it the check is left out";

pub(super) fn rejected(one: &Rejection) -> Check {
    let hint = format!("Correct `{}`, see docs/configuration.md", one.key);
    Check::new("k8s_config_invalid", Level::Error, format!("{}: {}", one.key, one.reason)).hint(hint)
}

pub(super) fn warning(one: &Warning) -> Check {
    Check::new("k8s_config_warning", Level::Warn, format!("config.{}: {}", one.key, one.text))
}

pub(super) fn target(request: &RunRequest) -> Option<Check> {
    let kind = request.execution_target.as_ref().and_then(|target| target.get("kind")?.as_str());
    let text = "This adapter runs in Kubernetes by itself and cannot use a remote execution environment";
    let check = Check::new("k8s_execution_target_unsupported", Level::Error, text);
    (kind == Some("remote")).then(|| check.hint("Choose the local environment"))
}

pub(super) fn no_credentials(error: &ConnectError) -> Check {
    Check::new("k8s_api_unreachable", Level::Error, error.to_string())
        .detail(error.reason())
        .hint("Set `kubeconfig`, or run the host in a pod with a service account")
}

/// Without an answer nothing else can be asked.
pub(super) async fn api(
    namespace: &Namespace,
    config: &Config,
    credentials: &Credentials,
    checks: &mut Vec<Check>,
) -> bool {
    let (version, major, minor) = match namespace.server_version().await {
        Ok(version) => version,
        Err(failure) => {
            let check = Check::new("k8s_api_unreachable", Level::Error, failure.to_string());
            let hint = match failure.kind {
                FailureKind::Unauthorized => "The credentials are refused: renew the token or kubeconfig",
                _ => "Check server address, network and certificates",
            };
            checks.push(check.detail(credentials.describe()).hint(hint));
            return false;
        }
    };
    let image = config.image.as_deref().unwrap_or("the host's own image");
    let text = format!("The Kubernetes API answers; Jobs go to namespace `{}`", namespace.name);
    let detail = format!("image: {image}; server: {version}; credentials: {}", credentials.describe());
    checks.push(Check::new("k8s_api_reachable", Level::Info, text).detail(detail));
    if (major, minor) < OLDEST {
        let text = format!("Server {version} is older than 1.29: following a log can stall when it is rotated");
        checks.push(Check::new("k8s_server_version_old", Level::Warn, text).hint("Upgrade the cluster"));
    }
    true
}

/// `home`: `PAPERCLIP_HOME` of the host process.
pub(super) fn own_pod(own: &OwnPlace, home: Option<&str>) -> Check {
    let Some(pod) = &own.pod else {
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

pub(super) async fn namespace(namespace: &Namespace, own: Option<&str>) -> Check {
    let name = &namespace.name;
    if own == Some(name) {
        return Check::new("k8s_namespace_exists", Level::Info, format!("Namespace `{name}` is the host's own"));
    }
    // ENV-06: the documented Role does not grant it, so it is asked for before it is tried.
    if matches!(namespace.may_named("", "namespaces", "get", Some(name)).await, Ok(false)) {
        let text = format!("Not allowed: `get` on namespace `{name}`");
        return Check::new("k8s_namespace_check_failed", Level::Warn, text).hint(LEFT_OUT);
    }
    match namespace.exists().await {
        Ok(()) => Check::new("k8s_namespace_exists", Level::Info, format!("Namespace `{name}` exists")),
        Err(failure) if failure.kind == FailureKind::NotFound => {
            Check::new("k8s_namespace_missing", Level::Error, format!("Namespace `{name}` does not exist"))
                .hint("Create it or change `namespace`")
        }
        Err(failure) => Check::new("k8s_namespace_check_failed", Level::Warn, failure.to_string()).hint(LEFT_OUT),
    }
}

/// `staging`: host and pod share a volume that can take the place of Secrets.
pub(super) fn permissions<'a>(
    namespace: &'a str,
    answers: &'a [Result<bool, ApiFailure>],
    staging: bool,
) -> impl Iterator<Item = Check> + 'a {
    let is_denied = |(permission, answer): (&Permission, &Result<bool, ApiFailure>)| {
        matches!(answer, Ok(false)).then_some(permission.code)
    };
    let denied: Vec<&str> = PERMISSIONS.iter().zip(answers).filter_map(is_denied).collect();
    PERMISSIONS.iter().zip(answers).map(move |(permission, answer)| {
        let code = format!("k8s_rbac_{}", permission.code);
        let (_, resource, verb) = permission.key;
        let what = format!("`{verb}` on `{resource}` in namespace `{namespace}`");
        let level = permission.level(&denied, staging);
        let without = match permission.code {
            "secret_create" if staging => "degraded mode \"staging\": the payload lies on the data volume",
            _ => permission.without,
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

/// `may_read`: as far as is known, the Secret may be read.
pub(super) async fn secret(namespace: &Namespace, config: &Config, may_read: bool) -> Check {
    let name = &config.secret_ref;
    if !may_read {
        let text = format!("Secret `{name}` may not be read: whether it exists is not known");
        return Check::new("k8s_secret_check_skipped", Level::Info, text);
    }
    match namespace.secret_exists(name).await {
        Ok(()) => Check::new("k8s_secret_exists", Level::Info, format!("Secret `{name}` exists")),
        Err(failure) if failure.kind == FailureKind::NotFound => {
            let text = format!("Secret `{name}` does not exist in namespace `{}`", namespace.name);
            Check::new("k8s_secret_missing", Level::Warn, text)
                .hint("Create it if your agents take credentials from it, or set `secretRef`")
        }
        Err(failure) => Check::new("k8s_secret_check_skipped", Level::Info, failure.to_string()),
    }
}

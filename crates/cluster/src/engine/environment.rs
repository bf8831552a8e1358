//! The environment test: what a run would need, asked before one is started. Creates nothing (ENV-02).

use std::time::Duration;

use claude_k8s_core::config::Config;
use claude_k8s_core::environment::{Check, Level, PERMISSIONS, Report};
use claude_k8s_core::failure::{ErrorCode, Refusal};
use claude_k8s_core::request::{Prompt, RunRequest};
use claude_k8s_core::spec::{PayloadMode, RunSpec};
use futures_util::future::join_all;
use k8s_openapi::api::batch::v1::Job;

use super::Engine;
use super::own_pod::{OwnPlace, own_namespace};
use super::surroundings::surroundings;
use crate::api::Namespace;
use crate::clock::Clock;
use crate::connect::{Connection, Credentials};
use crate::failure::{ApiFailure, FailureKind};
use crate::permissions::Permissions;

/// For all checks together.
const BUDGET: Duration = Duration::from_secs(30);
/// Log following can stall at rotation on older servers (`docs/internals/kubernetes.md` 1.5).
const OLDEST: (u32, u32) = (1, 29);

impl Engine {
    /// Runs every check that can be run. Never fails, never creates anything, takes at most 30 s.
    pub async fn check_environment(&self, request: RunRequest) -> Report {
        let clock = Clock::start();
        let mut checks = Vec::new();
        if tokio::time::timeout(BUDGET, Box::pin(self.check_all(request, &mut checks))).await.is_err() {
            let text = format!("The checks took longer than {} s; the remaining ones were not made", BUDGET.as_secs());
            checks.push(
                Check::new("k8s_api_unreachable", Level::Error, text).hint("Check the network to the API server"),
            );
        }
        Report::new(checks, clock.now())
    }

    async fn check_all(&self, mut request: RunRequest, checks: &mut Vec<Check>) {
        let Some(config) = check_config(&request, checks) else { return };
        check_target(&request, checks);
        let Some((credentials, connection)) = self.check_credentials(&request, &config, checks).await else { return };
        let own_namespace = own_namespace(&request.host);
        let name = config.namespace.clone().or_else(|| own_namespace.clone());
        let name = name.unwrap_or_else(|| connection.default_namespace.clone());
        let namespace = Namespace::new(connection.requests.clone(), name);
        if !check_api(&namespace, &config, &credentials, checks).await {
            return;
        }
        let own = self.own_place(&request.host, &connection, &credentials).await;
        check_own_pod(&own, checks);
        check_namespace(&namespace, own_namespace.as_deref(), checks).await;

        complete(&mut request);
        let permissions = Permissions::ask(&namespace).await;
        let surroundings = surroundings(&request, &config, &namespace.name, &own, &permissions).await;
        let is_staged = surroundings.as_ref().is_ok_and(|found| found.payload == PayloadMode::Volume);
        check_permissions(&namespace, &config, is_staged, checks).await;
        check_secret(&namespace, &config, checks).await;

        let spec = surroundings.and_then(|found| RunSpec::resolve(&request, config.clone(), found));
        match spec.and_then(|spec| Ok((spec.job(&spec.first_attempt(), true)?, spec))) {
            Ok((job, _)) => {
                check_claim(&namespace, &job, &config, checks).await;
                check_api_url(&job, checks);
                check_dry_run(&namespace, &job, checks).await;
            }
            Err(refusal) => checks.push(unresolved(&refusal)),
        }
    }

    async fn check_credentials(
        &self,
        request: &RunRequest,
        config: &Config,
        checks: &mut Vec<Check>,
    ) -> Option<(Credentials, std::sync::Arc<Connection>)> {
        let opened = match Credentials::choose(config.kubeconfig.as_ref(), &request.host) {
            Ok(credentials) => self.connection(&credentials).await.map(|connection| (credentials, connection)),
            Err(error) => Err(error),
        };
        opened
            .map_err(|error| {
                let check = Check::new("k8s_api_unreachable", Level::Error, error.to_string());
                checks.push(
                    check
                        .detail(error.reason())
                        .hint("Set `kubeconfig`, or run the host in a pod with a service account"),
                );
            })
            .ok()
    }
}

fn check_config(request: &RunRequest, checks: &mut Vec<Check>) -> Option<Config> {
    match Config::parse(&request.config) {
        Ok(config) => {
            checks.extend(config.warnings.iter().map(|warning| {
                Check::new("k8s_config_warning", Level::Warn, format!("config.{}: {}", warning.key, warning.text))
            }));
            Some(config)
        }
        Err(rejections) => {
            checks.extend(rejections.into_iter().map(|one| {
                let hint = format!("Correct `{}`, see docs/configuration.md", one.key);
                Check::new("k8s_config_invalid", Level::Error, format!("{}: {}", one.key, one.reason)).hint(hint)
            }));
            None
        }
    }
}

fn check_target(request: &RunRequest, checks: &mut Vec<Check>) {
    let kind = request.execution_target.as_ref().and_then(|target| target.get("kind")?.as_str());
    if kind == Some("remote") {
        let text = "This adapter runs in Kubernetes by itself and cannot use a remote execution environment";
        checks.push(
            Check::new("k8s_execution_target_unsupported", Level::Error, text).hint("Choose the local environment"),
        );
    }
}

async fn check_api(namespace: &Namespace, config: &Config, credentials: &Credentials, checks: &mut Vec<Check>) -> bool {
    match namespace.server_version().await {
        Ok((version, major, minor)) => {
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
        Err(failure) => {
            let check = Check::new("k8s_api_unreachable", Level::Error, failure.to_string());
            checks.push(
                check
                    .detail(credentials.describe())
                    .hint("Check server address, credentials, network and certificates"),
            );
            false
        }
    }
}

fn check_own_pod(own: &OwnPlace, checks: &mut Vec<Check>) {
    checks.push(match &own.pod {
        Some(pod) => {
            let detail = format!(
                "image: {}; env: {}; envFrom: {}; volumes: {}; tolerations: {}",
                pod.image.as_deref().unwrap_or("none"),
                pod.env.len(),
                pod.env_from.len(),
                pod.volumes.len(),
                pod.tolerations.len()
            );
            Check::new("k8s_self_pod_found", Level::Info, format!("The host's own pod is `{}`", pod.name))
                .detail(detail)
        }
        None => Check::new(
            "k8s_self_pod_unavailable",
            Level::Warn,
            "The host's own pod is not known: nothing is inherited from it",
        )
        .hint("Outside a cluster this is normal: set `image` and `env`. In a cluster grant `get` on `pods`"),
    });
}

async fn check_namespace(namespace: &Namespace, own: Option<&str>, checks: &mut Vec<Check>) {
    let name = &namespace.name;
    if own == Some(name) {
        checks.push(Check::new("k8s_namespace_exists", Level::Info, format!("Namespace `{name}` is the host's own")));
        return;
    }
    checks.push(match namespace.exists().await {
        Ok(()) => Check::new("k8s_namespace_exists", Level::Info, format!("Namespace `{name}` exists")),
        Err(failure) if failure.kind == FailureKind::NotFound => {
            Check::new("k8s_namespace_missing", Level::Error, format!("Namespace `{name}` does not exist"))
                .hint("Create it or change `namespace`")
        }
        Err(failure) => Check::new("k8s_namespace_check_failed", Level::Warn, failure.to_string())
            .hint("Reading a namespace needs a ClusterRole; without it the check is left out"),
    });
}

async fn check_permissions(namespace: &Namespace, config: &Config, is_staged: bool, checks: &mut Vec<Check>) {
    let answers = join_all(PERMISSIONS.map(|one| {
        // `deploy/` grants reading of this one Secret only.
        let name = (one.code == "secret_get").then_some(config.secret_ref.as_str());
        namespace.may_touch(one.group, one.resource, one.verb, name)
    }))
    .await;
    let denied: Vec<_> = PERMISSIONS.iter().zip(&answers).filter(|(_, answer)| matches!(answer, Ok(false))).collect();
    let denied: Vec<_> = denied.into_iter().map(|(permission, _)| permission.code).collect();
    for (permission, answer) in PERMISSIONS.iter().zip(answers) {
        let code = format!("k8s_rbac_{}", permission.code);
        let what = format!("`{}` on `{}` in namespace `{}`", permission.verb, permission.resource, namespace.name);
        checks.push(match answer {
            Ok(true) => Check::new(code, Level::Info, format!("Allowed: {what}")),
            Ok(false) => {
                let level = permission.level(&denied, is_staged);
                Check::new(code, level, format!("Not allowed: {what}; {}", permission.without))
                    .hint("Grant the Role in `deploy/`")
            }
            Err(failure) => Check::new(code, Level::Warn, failure.to_string()),
        });
    }
}

async fn check_secret(namespace: &Namespace, config: &Config, checks: &mut Vec<Check>) {
    let name = &config.secret_ref;
    checks.push(match namespace.secret_exists(name).await {
        Ok(()) => Check::new("k8s_secret_exists", Level::Info, format!("Secret `{name}` exists")),
        Err(failure) if failure.kind == FailureKind::NotFound => Check::new(
            "k8s_secret_missing",
            Level::Warn,
            format!("Secret `{name}` does not exist in namespace `{}`", namespace.name),
        )
        .hint("Create it if your agents take credentials from it, or set `secretRef`"),
        Err(failure) => Check::new("k8s_secret_check_skipped", Level::Info, failure.to_string()),
    });
}

async fn check_claim(namespace: &Namespace, job: &Job, config: &Config, checks: &mut Vec<Check>) {
    let Some(claim) = data_claim(job) else {
        let text = "No data claim: sessions cannot be resumed and no workspace is shared";
        checks.push(Check::new("k8s_pvc_not_detected", Level::Warn, text).hint("Set `workspaceVolumeClaim`"));
        return;
    };
    checks.push(match namespace.get_claim(&claim).await {
        Ok(found) => {
            let modes = found.spec.and_then(|spec| spec.access_modes).unwrap_or_default();
            if modes.iter().any(|mode| mode == "ReadWriteMany") {
                Check::new("k8s_pvc_rwx", Level::Info, format!("Claim `{claim}` can be mounted on every node"))
            } else {
                Check::new(
                    "k8s_pvc_not_rwx",
                    Level::Warn,
                    format!("Claim `{claim}` is not ReadWriteMany: pods on other nodes cannot mount it"),
                )
                .hint("Use a ReadWriteMany claim, or a `nodeSelector` that keeps pods on one node")
            }
        }
        Err(failure) if failure.kind == FailureKind::NotFound && config.workspace_volume_claim.is_some() => Check::new(
            "k8s_pvc_missing",
            Level::Error,
            format!("Claim `{claim}` does not exist in namespace `{}`", namespace.name),
        )
        .hint("Create it or change `workspaceVolumeClaim`"),
        Err(failure) => Check::new("k8s_pvc_check_failed", Level::Warn, failure.to_string()),
    });
}

fn data_claim(job: &Job) -> Option<String> {
    let volumes = job.spec.as_ref()?.template.spec.as_ref()?.volumes.as_ref()?;
    let data = volumes.iter().find(|volume| volume.name == "data")?;
    Some(data.persistent_volume_claim.as_ref()?.claim_name.clone())
}

fn check_api_url(job: &Job, checks: &mut Vec<Check>) {
    let containers =
        job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).map(|pod| pod.containers.as_slice());
    let Some([claude, ..]) = containers else { return };
    let named = claude.env.iter().flatten().any(|entry| entry.name == "PAPERCLIP_API_URL");
    let may_be_inherited = claude.env_from.as_ref().is_some_and(|sources| !sources.is_empty());
    if !named && !may_be_inherited {
        let text = "No Paperclip URL is known that a pod can reach: agents cannot report back";
        checks.push(
            Check::new("k8s_api_url_unreachable", Level::Warn, text)
                .hint("Set `PAPERCLIP_API_URL` on the host or in `env`"),
        );
    }
}

async fn check_dry_run(namespace: &Namespace, job: &Job, checks: &mut Vec<Check>) {
    checks.push(match namespace.dry_run_job(job).await {
        // Pod Security and the classes are judged when the controller creates the pod: no dry run of a Job asks for them.
        Ok(_) => Check::new("k8s_job_dry_run_ok", Level::Info, "The API server accepts a Job like those of a run")
            .detail("Not asked: what is judged with the pod (Pod Security, quota of pods, priority and runtime class)"),
        Err(failure) => {
            Check::new("k8s_job_dry_run_rejected", Level::Error, failure.to_string()).hint(dry_run_hint(&failure))
        }
    });
}

fn dry_run_hint(failure: &ApiFailure) -> &'static str {
    match failure.kind {
        // Admission and quota refuse with the same status as a missing permission, in other words.
        FailureKind::Forbidden if failure.cause.contains("cannot create resource") => {
            "Grant `create` on `jobs`, see `deploy/`"
        }
        _ => "The message names the quota, admission rule or class that rejects it",
    }
}

fn unresolved(refusal: &Refusal) -> Check {
    let code = match (refusal.code, refusal.reason) {
        (ErrorCode::ConfigurationIncomplete, Some("k8s_image_unresolved")) => "k8s_image_unresolved",
        (ErrorCode::ConfigurationIncomplete, _) => "k8s_config_invalid",
        _ => "k8s_job_dry_run_rejected",
    };
    Check::new(code, Level::Error, refusal.message.clone()).hint(refusal.code.meaning().1)
}

/// What a run would bring along: ids and a prompt. A remote target has a finding of its own and hides no other.
fn complete(request: &mut RunRequest) {
    const ID: &str = "environment-test";
    ID.clone_into(&mut request.run_id);
    ID.clone_into(&mut request.agent.id);
    if request.agent.company_id.is_empty() {
        ID.clone_into(&mut request.agent.company_id);
    }
    request.execution_target = None;
    request.prompts.fresh = Prompt { text: "environment test".to_owned(), ..Prompt::default() };
    request.prompts.resumed = request.prompts.fresh.clone();
}

//! The result of parsing: one field per key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use k8s_openapi::api::core::v1::Toleration;
use serde_json::{Map, Value};

use super::inherit::Inherit;
use super::kubeconfig::InlineKubeconfig;
use super::problem::Warning;

/// A checked configuration. Every key of the documentation is here once, with its type; ranges and defaults are in its row.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key that the operator switches by itself")]
pub struct Config {
    /// `model`: passed as `--model`.
    pub model: Option<String>,
    /// `effort`: passed as `--effort`.
    pub effort: Option<String>,
    /// `maxTurnsPerRun`: `--max-turns` when above 0.
    pub max_turns_per_run: u32,
    /// `dangerouslySkipPermissions`.
    pub skip_permissions: bool,
    /// `extraArgs`, else `args`: appended last to the CLI arguments.
    /// Free of flags that would break the protocol.
    pub extra_args: Vec<String>,
    /// `promptTemplate`; the host side of the package renders it.
    pub prompt_template: Option<String>,
    /// `bootstrapPromptTemplate`; the host side of the package renders it.
    pub bootstrap_prompt_template: Option<String>,
    /// `resumeLastSession`.
    pub resume_last_session: bool,
    /// `mcpServers`: name to definition, in the CLI's own format.
    pub mcp_servers: Map<String, Value>,
    /// `strictMcpConfig`.
    pub strict_mcp_config: bool,
    /// `instructionsFilePath`: absolute path on the host.
    pub instructions_file_path: Option<String>,
    /// `instructionsRootPath`.
    pub instructions_root_path: Option<String>,
    /// `instructionsEntryFile`: set by the host, for its own use.
    pub instructions_entry_file: Option<String>,
    /// `instructionsBundleMode` is `external`.
    pub instructions_external: bool,
    /// `cwd`: absolute path.
    pub cwd: Option<String>,
    /// `env`, in the order given, without reserved names ([`super::env::is_reserved`]). Host-only names are
    /// still in it: whether the host or the operator set them is known only where the environment is built.
    pub env: Vec<(String, String)>,
    /// `inheritEnv`: names of the server's environment beyond those that Claude Code needs.
    pub inherit_env: Inherit,
    /// `inheritVolumes`: volumes of the server's pod that are mounted, read-only.
    pub inherit_volumes: Inherit,
    /// `kubeconfig` or `kubeconfigData`.
    pub kubeconfig: Option<KubeconfigSource>,
    /// `namespace`.
    pub namespace: Option<String>,
    /// `serviceAccountName`; its token is mounted only when this is set.
    pub service_account_name: Option<String>,
    /// `image`.
    pub image: Option<String>,
    /// `imagePullPolicy`.
    pub image_pull_policy: ImagePullPolicy,
    /// `labels` without the reserved ones.
    pub labels: BTreeMap<String, String>,
    /// `nodeSelector`; `Some` (even empty) replaces the inherited one.
    pub node_selector: Option<BTreeMap<String, String>>,
    /// `tolerations`; `Some` (even empty) replaces the inherited ones.
    pub tolerations: Option<Vec<Toleration>>,
    /// `priorityClassName`.
    pub priority_class_name: Option<String>,
    /// `runtimeClassName`.
    pub runtime_class_name: Option<String>,
    /// `queueName`: the Kueue `LocalQueue` that admits the Job.
    pub queue_name: Option<String>,
    /// `podTemplate`: checked as far as that is possible without the pod it will be merged into
    /// ([`crate::config::pod_template`]).
    pub pod_template: Option<Map<String, Value>>,
    /// `resources…` in both shapes: `requests` and `limits` by resource name, defaults included.
    pub resources: Resources,
    /// `workspaceVolumeClaim`.
    pub workspace_volume_claim: Option<String>,
    /// `workspaceSubPath`.
    pub workspace_sub_path: Option<String>,
    /// `workspaceMountPath`.
    pub workspace_mount_path: Option<String>,
    /// `isolation`: what the pod sees of the data volume.
    pub isolation: Isolation,
    /// `fsGroup`; absent means no `fsGroup` at all.
    pub fs_group: Option<i64>,
    /// `runAsUser`.
    pub run_as_user: Option<i64>,
    /// `runAsGroup`.
    pub run_as_group: Option<i64>,
    /// `cacheSizeLimit`, a quantity.
    pub cache_size_limit: String,
    /// `timeoutSec`; `None` (configured 0) means that no timer ends a run.
    pub timeout: Option<Duration>,
    /// `graceSec`.
    pub grace: Duration,
    /// `exitGraceSec`; `None` (configured 0) means that a process may stay after its result.
    pub exit_grace: Option<Duration>,
    /// `silenceTimeoutSec`; `None` (configured 0) means that silence ends no run.
    pub silence_timeout: Option<Duration>,
    /// `ttlSecondsAfterFinished`, at least 60; `None` (no TTL) when unset and `retainJobs` is on.
    pub ttl_seconds_after_finished: Option<i32>,
    /// `retainJobs`.
    pub retain_jobs: bool,
    /// `reattachOrphanedJobs`.
    pub reattach_orphaned_jobs: bool,
    /// `concurrencyScope`.
    pub concurrency_scope: ConcurrencyScope,
    /// `guardWaitSec`: answer at once when 0.
    pub guard_wait: Duration,
    /// `queueTimeoutSec`; `None` (configured 0) means no bound.
    pub queue_timeout: Option<Duration>,
    /// `scheduleTimeoutSec`; `None` (configured 0) means no bound.
    pub schedule_timeout: Option<Duration>,
    /// `startupTimeoutSec`; `None` (configured 0) means no bound.
    pub startup_timeout: Option<Duration>,
    /// `enableRtk`: shorten big tool outputs.
    pub enable_rtk: bool,
    /// `rtkMaxOutputBytes`.
    pub rtk_max_output_bytes: u32,
    /// `billingType`.
    pub billing_type: BillingType,
    /// `secretRef`: used by the environment test only.
    pub secret_ref: String,
    /// `debug`.
    pub debug: bool,
    /// Texts of `[paperclip] Warning: config.<key>: <text>` lines.
    pub warnings: Vec<Warning>,
}

/// Where the target cluster's kubeconfig comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KubeconfigSource {
    /// An absolute path on the host.
    Path(PathBuf),
    /// The content itself; parsed in memory, never written to disk, never logged.
    Inline(InlineKubeconfig),
}

/// `billingType`: how the host books what a run costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BillingType {
    /// By provider and credential.
    #[default]
    Auto,
    /// As configured, in the host's own word.
    Fixed(&'static str),
}

impl BillingType {
    /// The words of the key.
    pub(super) const WORDS: [(&'static str, Self); 7] = [
        ("auto", Self::Auto),
        ("api", Self::Fixed("api")),
        ("metered_api", Self::Fixed("metered_api")),
        ("subscription", Self::Fixed("subscription")),
        ("subscription_overage", Self::Fixed("subscription_overage")),
        ("credits", Self::Fixed("credits")),
        ("fixed", Self::Fixed("fixed")),
    ];

    /// The host's word; `None` when the run decides.
    #[must_use]
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Fixed(word) => Some(word),
        }
    }
}

/// `imagePullPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names are the Kubernetes values")]
pub enum ImagePullPolicy {
    #[default]
    IfNotPresent,
    Always,
    Never,
}

/// What counts as a competing run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ConcurrencyScope {
    /// Any live Job of the agent.
    #[default]
    Agent,
    /// Only a live Job of the same agent and task.
    Task,
}

/// What a pod sees of the data volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// The common home, the server's parts covered.
    #[default]
    Server,
    /// A home of the agent, and the run's directories.
    Agent,
    /// All of it.
    None,
}

/// Container resources: quantity texts by resource name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// `requests`.
    pub requests: BTreeMap<String, String>,
    /// `limits`.
    pub limits: BTreeMap<String, String>,
}

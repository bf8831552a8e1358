//! What JavaScript hands over for one run: the host's context, already reduced to data.
//!
//! Everything is optional except `runId` and `agent.id`; whether a value is usable is judged by
//! [`crate::config`] and [`crate::plan`], never here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

/// One `execute(ctx)` as data. Unknown members are ignored.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunRequest {
    /// The host's run id, a UUID on current hosts. A retry is a new id.
    pub run_id: String,
    /// The agent the run belongs to.
    pub agent: Agent,
    /// `ctx.config`: the adapter configuration, secret references resolved by the host.
    pub config: Map<String, Value>,
    /// `ctx.context`: wake reason, task, workspace and more (`docs/internals/host.md` 4.2).
    pub context: Map<String, Value>,
    /// What `sessionCodec.deserialize` made of the stored session, or only an id for runs without a task.
    pub session: Option<StoredSession>,
    /// Becomes `PAPERCLIP_API_KEY` in the pod.
    pub auth_token: Option<String>,
    /// The prompt, rendered once for a fresh and once for a resumed session.
    pub prompts: Prompts,
    /// `context.paperclipWake` as the host's utility writes it, for `PAPERCLIP_WAKE_PAYLOAD_JSON`.
    pub wake_payload_json: Option<String>,
    /// The host's "skill library" section for the instructions file.
    pub skill_library: Option<String>,
    /// Skills to deliver: desired and available. Their directories are on the host.
    pub skills: Vec<SkillSource>,
    /// Texts about skills that cannot be delivered; each becomes a warning.
    pub skill_warnings: Vec<String>,
    /// `ctx.runtimeMcp.getServers()` and the managed gateways of the context.
    pub mcp_servers: Vec<McpServer>,
    /// `ctx.executionTarget`, as given.
    pub execution_target: Option<Value>,
    /// The Job that the host remembers for this run; only some hosts do. Nothing else may be adopted then.
    pub external_runtime: Option<ExternalRuntime>,
    /// The process that calls.
    pub host: HostProcess,
}

/// The part of the host's agent row that matters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Agent {
    /// The agent's id; becomes a label and part of the Job name.
    pub id: String,
    /// The company's id; becomes a label and a path part.
    pub company_id: String,
    /// Display name, used in an annotation and the default prompt.
    pub name: String,
    /// The *unresolved* configuration: `env` bindings still say whether they are secrets.
    pub adapter_config: Map<String, Value>,
}

/// A session saved by an earlier run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StoredSession {
    /// The CLI's session id.
    pub session_id: String,
    /// Working directory of that session, as seen by the pod.
    pub cwd: Option<String>,
    /// Workspace the session worked in.
    pub workspace_id: Option<String>,
    /// Repository of that workspace.
    pub repo_url: Option<String>,
    /// Branch or commit of that workspace.
    pub repo_ref: Option<String>,
    /// Identity of the skills and instructions bundle.
    pub prompt_bundle_key: Option<String>,
    /// Identity of the MCP servers, without addresses and tokens.
    pub mcp_server_identity: Option<String>,
}

/// Both variants of the prompt. Which one is used is decided once, in [`crate::session`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Prompts {
    /// For a new session.
    pub fresh: Prompt,
    /// For `--resume`.
    pub resumed: Prompt,
}

/// A rendered prompt.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Prompt {
    /// Exactly the bytes the CLI has to read.
    pub text: String,
    /// `promptMetrics` for `onMeta`, as numbers by name.
    pub metrics: Map<String, Value>,
}

/// A skill directory on the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SkillSource {
    /// The host's key of the skill.
    pub key: String,
    /// Directory name below `.claude/skills/`.
    pub runtime_name: String,
    /// Absolute directory on the host.
    pub source: String,
}

/// Identity of a Job, as a host stored it at the launch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExternalRuntime {
    /// `metadata.name` of the Job.
    pub job_name: String,
    /// `metadata.uid` of the Job.
    pub job_uid: String,
}

/// An MCP server the host offers to this run. The token is a secret.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct McpServer {
    /// Name shown to the model.
    pub name: String,
    /// HTTP endpoint, possibly with a loopback origin.
    pub url: String,
    /// Bearer token, valid for about an hour.
    pub token: String,
    /// Stable identity across runs.
    pub connection_id: String,
}

impl std::fmt::Debug for McpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("McpServer").field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
    }
}

/// Facts about the calling process. JavaScript reads them because it owns `process.env`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HostProcess {
    /// Process id.
    pub pid: u32,
    /// Start of the process, in milliseconds since 1970; with the pid it names one process for ever.
    pub started_at_ms: i64,
    /// Identity of the machine, used as supervisor outside a cluster.
    pub machine_id: String,
    /// The environment names that the adapter reads: `HOSTNAME`, `KUBECONFIG`, `KUBERNETES_SERVICE_HOST`,
    /// `KUBERNETES_SERVICE_PORT`, `POD_IP`, `POD_NAME`, `POD_NAMESPACE`, `PORT` and every `PAPERCLIP_*` name that is not
    /// a credential.
    pub env: BTreeMap<String, String>,
    /// Names of all variables of the process, without their values.
    pub env_names: BTreeSet<String>,
    /// Addresses of the process's network interfaces, without those of the machine itself.
    pub addresses: Vec<String>,
    /// Version of the npm package.
    pub adapter_version: String,
    /// Values that agents may inherit, by name: they are hidden in whatever an agent prints, and used for nothing else.
    pub inheritable: Inheritable,
    /// User and group of the process; absent where it has none.
    pub user_id: Option<i64>,
    /// See `user_id`.
    pub group_id: Option<i64>,
}

/// Values of the process's own environment.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Inheritable(pub BTreeMap<String, String>);

impl std::fmt::Debug for Inheritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl HostProcess {
    /// The value of an environment variable, `None` when it is absent or blank.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }
}

//! Every key of the configuration: the one table behind the parser's test and `docs/configuration.md`.

/// One key as the documentation describes it. All texts are Markdown.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The name in `ctx.config`.
    pub name: &'static str,
    /// Which table of the documentation it stands in.
    pub topic: Topic,
    /// Who sets it.
    pub place: Place,
    /// Type, range and accepted shapes.
    pub shape: &'static str,
    /// What applies when the key is unset.
    pub default: &'static str,
    /// What it does, in one line.
    pub effect: &'static str,
}

/// Tables of the documentation, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the titles are in `Topic::title`")]
pub enum Topic {
    Claude,
    Environment,
    Placement,
    Resources,
    Workspace,
    RunControl,
}

impl Topic {
    /// All topics in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Claude, Self::Environment, Self::Placement, Self::Resources, Self::Workspace, Self::RunControl];

    /// Heading of the table.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Environment => "Environment",
            Self::Placement => "Cluster and placement",
            Self::Resources => "Resources",
            Self::Workspace => "Data volume and identity",
            Self::RunControl => "Run control",
        }
    }
}

/// Where a key is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A field of the adapter's form.
    Form,
    /// Accepted in the configuration object; the host may have a field of its own for it.
    Code,
    /// Set by the host for each run.
    Host,
}

impl Place {
    /// The word in the documentation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Code => "code",
            Self::Host => "host",
        }
    }
}

/// One row: keeps the table below readable as a table.
const fn key(
    topic: Topic,
    name: &'static str,
    place: Place,
    shape: &'static str,
    default: &'static str,
    effect: &'static str,
) -> Key {
    Key { name, topic, place, shape, default, effect }
}

use Place::{Code, Form, Host};
use Topic::{Claude, Environment, Placement, Resources, RunControl, Workspace};

/// All keys, in the order of the documentation.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key(Claude, "model", Code, "text without white space, at most 256 characters", "unset", "`--model`; left out, with a warning, when the pod uses Bedrock and this is not a Bedrock id"),
    key(Claude, "effort", Code, "text; a warning unless `low`, `medium`, `high`, `xhigh` or `max`", "unset", "`--effort`"),
    key(Claude, "maxTurnsPerRun", Form, "integer from 0", "`0`", "`--max-turns`; 0 = no limit"),
    key(Claude, "dangerouslySkipPermissions", Code, "boolean", "`true`", "`--dangerously-skip-permissions`; with `false` the CLI denies what it would ask for"),
    key(Claude, "extraArgs", Code, "list of texts, or one text split like a shell splits words (no expansion)", "`[]`", "appended last to the CLI arguments; [limits](#extra-arguments)"),
    key(Claude, "args", Code, "as `extraArgs`", "unset", "used when `extraArgs` is unset"),
    key(Claude, "promptTemplate", Code, "text with `{{path}}` placeholders", "the host's template", "main section of the prompt"),
    key(Claude, "bootstrapPromptTemplate", Code, "text with `{{path}}` placeholders", "unset", "first section of the prompt of a new session"),
    key(Claude, "instructionsFilePath", Code, "absolute path on the host", "unset", "appended to the system prompt; an unreadable file is a warning"),
    key(Claude, "instructionsRootPath", Host, "text", "unset", "`AGENT_HOME` when the bundle is external and the pod can see the directory"),
    key(Claude, "instructionsEntryFile", Host, "text", "unset", "name of the instructions file inside its bundle; kept by the host"),
    key(Claude, "instructionsBundleMode", Host, "`managed` or `external`; other text is a warning", "`managed`", "`external`: `AGENT_HOME` is `instructionsRootPath`"),
    key(Claude, "cwd", Code, "absolute path", "unset", "working directory when the workspace names none, or when its source is `agent_home`"),
    key(Claude, "resumeLastSession", Code, "boolean", "`true`", "`false`: every run starts a new session"),
    key(Claude, "mcpServers", Code, "object name → definition with `command` or `url`, in the CLI's format; or JSON text of it", "unset", "MCP servers of the run; a server of the host wins over one of the same name, with a warning"),
    key(Claude, "strictMcpConfig", Code, "boolean", "`false`", "`--strict-mcp-config` when there are MCP servers"),
    key(Claude, "paperclipRuntimeSkills", Host, "list of skills; an entry without `source` is a warning", "none", "skills mounted into the pod"),
    key(Claude, "paperclipSkillSync", Host, "object", "none", "which of the skills are wanted"),
    key(Environment, "env", Code, "object name → text, number, boolean or `{type: \"plain\", value}`", "`{}`", "environment of the container, delivered in a Secret; [limits](#environment-limits)"),
    key(Placement, "kubeconfig", Form, "absolute path on the host, or the content (starts with `{` or `apiVersion`, or has several lines)", "unset", "cluster of the Jobs; unset: the host's own cluster, else the file named by `KUBECONFIG`"),
    key(Placement, "kubeconfigData", Form, "content of a kubeconfig, stored as a secret; not together with `kubeconfig`", "unset", "as `kubeconfig`; read in memory, never written to disk"),
    key(Placement, "namespace", Form, "DNS label", "the host's own namespace, else the kubeconfig's, else `default`", "where Job and Secrets are created"),
    key(Placement, "serviceAccountName", Form, "DNS subdomain", "unset", "service account of the pod; its token is mounted only when this is set"),
    key(Placement, "image", Form, "image reference without white space", "the host's own image", "image of the container"),
    key(Placement, "imagePullPolicy", Form, "`IfNotPresent`, `Always` or `Never`", "`IfNotPresent`", "when the image is pulled"),
    key(Placement, "labels", Form, "[map](#shapes) of label keys and values; reserved keys are skipped with a warning", "`{}`", "labels of Job and pod"),
    key(Placement, "nodeSelector", Form, "[map](#shapes) of label keys and values", "the host pod's", "replaces the inherited selector, also when empty"),
    key(Placement, "tolerations", Form, "list of tolerations, or JSON or YAML text of it", "the host pod's", "replaces the inherited tolerations, also when empty"),
    key(Placement, "priorityClassName", Form, "DNS subdomain", "unset", "priority class of the pod"),
    key(Placement, "runtimeClassName", Form, "DNS subdomain", "unset", "runtime class of the pod, for example a sandbox"),
    key(Placement, "queueName", Form, "DNS label", "unset", "Kueue `LocalQueue` that admits the Job; needs the permission to patch Jobs"),
    key(Placement, "podTemplate", Form, "object, or JSON or YAML text of it", "unset", "merged over the finished pod; [rules](#podtemplate)"),
    key(Resources, "resources.requests.cpu", Form, "quantity", "`1000m`", "CPU request of the container"),
    key(Resources, "resources.requests.memory", Form, "quantity", "`2Gi`", "memory request of the container"),
    key(Resources, "resources.limits.cpu", Form, "quantity", "`4000m`", "CPU limit of the container"),
    key(Resources, "resources.limits.memory", Form, "quantity", "`8Gi`", "memory limit of the container"),
    key(Resources, "resources", Code, "object `{requests: {…}, limits: {…}}` of quantities, or JSON or YAML text of it", "see above", "the same and further resources such as `nvidia.com/gpu`; a dotted key wins; `null` removes a default"),
    key(Workspace, "workspaceVolumeClaim", Form, "DNS subdomain", "the claim of the host pod, in the same namespace", "claim of the data volume, which is `HOME`; without any claim sessions cannot be resumed"),
    key(Workspace, "workspaceSubPath", Code, "relative path without `..`", "as in the host pod", "part of the data volume that is mounted"),
    key(Workspace, "workspaceMountPath", Code, "absolute path, not `/` nor a directory the container needs", "as in the host pod, else `/paperclip`", "where the data volume is mounted"),
    key(Workspace, "fsGroup", Form, "integer from 0", "unset: no `fsGroup`", "group of the volumes, changed only when the root directory has another (`OnRootMismatch`)"),
    key(Workspace, "runAsUser", Code, "integer from 1", "the host pod's when not 0, else `1000`", "user id of the pod"),
    key(Workspace, "runAsGroup", Code, "integer from 1", "the host pod's when not 0, else `1000`", "group id of the pod"),
    key(Workspace, "cacheSizeLimit", Code, "quantity", "`20Gi`", "size limit of the pod's own volume for temporary files and caches"),
    key(RunControl, "timeoutSec", Code, "seconds, integer from 0 to 31536000", "`0`", "longest run, counted from the pod's start on its node; 0 = no timer ends a run"),
    key(RunControl, "graceSec", Code, "seconds, integer from 0 to 3600", "`60`", "how much later the adapter itself stops an overdue Job"),
    key(RunControl, "ttlSecondsAfterFinished", Form, "seconds, integer from 0; below 60 becomes 60 with a warning", "`300`; none with `retainJobs`", "when Kubernetes deletes a finished Job"),
    key(RunControl, "retainJobs", Form, "boolean", "`false`", "`true`: the Job stays after the run; its Secrets are deleted anyway"),
    key(RunControl, "reattachOrphanedJobs", Form, "boolean", "`true`", "a Job whose host process is gone is followed to its end first; `false`: it blocks the run"),
    key(RunControl, "concurrencyScope", Form, "`agent` or `task`", "`agent`", "what has to wait: any run of the agent, or only one of the same task"),
    key(RunControl, "guardWaitSec", Form, "seconds, integer from 0 to 86400", "`0`", "how long to wait for a competing run; 0 = answer at once"),
    key(RunControl, "scheduleTimeoutSec", Form, "seconds, integer from 0 to 86400", "`300`", "until a node is assigned; 0 = no bound"),
    key(RunControl, "startupTimeoutSec", Form, "seconds, integer from 0 to 86400", "`600`", "from the node until the container runs (image, volumes, init); 0 = no bound"),
    key(RunControl, "enableRtk", Form, "boolean", "`false`", "shortens big outputs of tools before the model reads them"),
    key(RunControl, "rtkMaxOutputBytes", Form, "bytes, integer from 1024 to 10485760", "`50000`", "limit per text"),
    key(RunControl, "secretRef", Code, "DNS subdomain", "`paperclip-secrets`", "Secret that the environment test looks for; runs do not use it"),
    key(RunControl, "debug", Code, "boolean", "`false`", "additional `[paperclip] debug:` lines in the log"),
];

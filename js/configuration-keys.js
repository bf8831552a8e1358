/**
 * The keys of the configuration. Generated from crates/core/src/config/keys; do not edit:
 * `UPDATE_DOCS=1 cargo test -p claude-k8s-core --test it config_docs`.
 */

/** @type {import('@paperclipai/adapter-utils').ConfigFieldSchema[]} */
export const fields = [
  {"key":"maxTurnsPerRun","type":"number","label":"Max Turns Per Run","hint":"Model turns one run may take; 0 means no limit.","default":1000,"group":"core"},
  {"key":"serviceAccountName","type":"text","label":"Service Account","hint":"Identity of the Job pods. Empty: the default account of the namespace, without a mounted token.","group":"kubernetes"},
  {"key":"namespace","type":"text","label":"Namespace","hint":"Where Jobs are created. Empty: the namespace of the Paperclip pod.","group":"kubernetes"},
  {"key":"image","type":"text","label":"Container Image","hint":"Image with the `claude` command. Empty: the image of the Paperclip pod.","group":"kubernetes"},
  {"key":"imagePullPolicy","type":"select","label":"Image Pull Policy","hint":"When the node pulls the image. Empty: IfNotPresent.","options":[{"label":"IfNotPresent","value":"IfNotPresent"},{"label":"Always","value":"Always"},{"label":"Never","value":"Never"}],"group":"kubernetes"},
  {"key":"kubeconfig","type":"text","label":"Kubeconfig Path","hint":"Absolute path of a file on the Paperclip host that only the operator can write, or the content itself. Empty: the account of the Paperclip pod.","group":"kubernetes"},
  {"key":"ttlSecondsAfterFinished","type":"number","label":"TTL Seconds After Finished","hint":"Seconds until the cluster removes a finished Job by itself. at least 60. Empty: 300.","group":"kubernetes"},
  {"key":"retainJobs","type":"toggle","label":"Retain Jobs","hint":"Keep finished Jobs for debugging; without a TTL above they stay until you delete them.","group":"kubernetes"},
  {"key":"reattachOrphanedJobs","type":"toggle","label":"Reattach to Orphaned Jobs","hint":"Follow a Job whose Paperclip process is gone to its end, then run the own prompt. Off: such a Job blocks the run.","default":true,"group":"kubernetes"},
  {"key":"resources.requests.cpu","type":"text","label":"CPU Request","hint":"Kubernetes quantity such as 500m or 2. Empty: 1000m.","group":"resources"},
  {"key":"resources.requests.memory","type":"text","label":"Memory Request","hint":"Kubernetes quantity such as 2Gi. Empty: 2Gi.","group":"resources"},
  {"key":"resources.limits.cpu","type":"text","label":"CPU Limit","hint":"Kubernetes quantity such as 4. Empty: 4000m.","group":"resources"},
  {"key":"resources.limits.memory","type":"text","label":"Memory Limit","hint":"Kubernetes quantity such as 8Gi. A run above it is killed. Empty: 8Gi.","group":"resources"},
  {"key":"nodeSelector","type":"textarea","label":"Node Selector","hint":"One key=value per line. Empty: as the Paperclip pod.","group":"scheduling"},
  {"key":"tolerations","type":"textarea","label":"Tolerations","hint":"JSON or YAML list, for example [{\"key\":\"gpu\",\"operator\":\"Exists\"}]. Empty: as the Paperclip pod.","group":"scheduling"},
  {"key":"labels","type":"textarea","label":"Labels","hint":"One key=value per line, added to Job and pod.","group":"scheduling"},
  {"key":"enableRtk","type":"toggle","label":"Enable Output Filtering","hint":"Shorten big tool outputs before the model reads them. Needs `node` in the image.","default":false,"group":"output"},
  {"key":"rtkMaxOutputBytes","type":"number","label":"Max Tool Output Bytes","hint":"Bytes that are kept of each output text, 1024 to 10485760.","default":50000,"group":"output"},
  {"key":"inheritEnv","type":"textarea","label":"Inherited Variables","hint":"Names of variables of the Paperclip pod, such as NPM_TOKEN or MYCO_*. Empty: what Claude Code and its tools need.","group":"kubernetes"},
  {"key":"inheritVolumes","type":"textarea","label":"Inherited Volumes","hint":"Names of Secret and ConfigMap volumes of the Paperclip pod, such as a bundle of certificates. Empty: none.","group":"kubernetes"},
  {"key":"kubeconfigData","type":"textarea","label":"Kubeconfig (stored as secret)","hint":"Content of a kubeconfig. Paperclip stores it encrypted.","group":"kubernetes","meta":{"secret":true}},
  {"key":"priorityClassName","type":"text","label":"Priority Class","hint":"PriorityClass of the pods.","group":"scheduling"},
  {"key":"runtimeClassName","type":"text","label":"Runtime Class","hint":"RuntimeClass of the pods, for example a sandboxed runtime.","group":"scheduling"},
  {"key":"queueName","type":"text","label":"Kueue Queue","hint":"LocalQueue that admits the Job.","group":"scheduling"},
  {"key":"podTemplate","type":"textarea","label":"Pod Template Overrides","hint":"JSON or YAML with metadata and spec, merged into the pod last.","group":"kubernetes"},
  {"key":"workspaceVolumeClaim","type":"text","label":"Data Volume Claim","hint":"PersistentVolumeClaim used as HOME. Empty: the claim of the Paperclip pod. Sessions need one.","group":"kubernetes"},
  {"key":"isolation","type":"select","label":"Isolation","hint":"What pods see of the data volume: agent = a home of its own and the run's directories; server = the common home without the server's own files; none = everything. The operator of the server may ask for a least level.","options":[{"label":"server","value":"server"},{"label":"agent","value":"agent"},{"label":"none","value":"none"}],"default":"agent","group":"kubernetes"},
  {"key":"fsGroup","type":"number","label":"fsGroup","hint":"Group that owns the volumes. Empty: none is set.","group":"kubernetes"},
  {"key":"concurrencyScope","type":"select","label":"Concurrent Runs","hint":"One Job at a time per agent, or per task of the agent.","options":[{"label":"agent","value":"agent"},{"label":"task","value":"task"}],"default":"agent","group":"kubernetes"},
  {"key":"guardWaitSec","type":"number","label":"Wait For Other Run","hint":"Seconds to wait for a competing run to end; 0 refuses at once.","default":0,"group":"kubernetes"},
  {"key":"scheduleTimeoutSec","type":"number","label":"Schedule Timeout","hint":"Seconds until a node must be assigned; 0 means no bound.","default":300,"group":"scheduling"},
  {"key":"startupTimeoutSec","type":"number","label":"Startup Timeout","hint":"Seconds for image, volumes and init containers; 0 means no bound.","default":600,"group":"scheduling"},
  {"key":"billingType","type":"select","label":"Billing Type","hint":"How the cost of a run is booked. auto: by provider and credential.","options":[{"label":"auto","value":"auto"},{"label":"api","value":"api"},{"label":"metered_api","value":"metered_api"},{"label":"subscription","value":"subscription"},{"label":"subscription_overage","value":"subscription_overage"},{"label":"credits","value":"credits"},{"label":"fixed","value":"fixed"}],"default":"auto","group":"output"},
]

/** A section per topic, a bullet per key. */
export const keysForAgents = `## Claude Code

- \`model\` (text without white space, at most 256 characters): \`--model\`; left out, with a warning, when the pod uses Bedrock and this is not a Bedrock id. Default: unset.
- \`effort\` (text; a warning unless \`low\`, \`medium\`, \`high\`, \`xhigh\` or \`max\`): \`--effort\`. Default: unset.
- \`maxTurnsPerRun\` (integer from 0): \`--max-turns\`; 0 = no limit. Default: \`0\`.
- \`dangerouslySkipPermissions\` (boolean): \`--dangerously-skip-permissions\`; with \`false\` the CLI denies what it would ask for. Default: \`true\`.
- \`extraArgs\` (list of texts, or one text split like a shell splits words (no expansion)): appended last to the CLI arguments. Default: \`[]\`. Options that change the output or the session are refused.
- \`args\` (as \`extraArgs\`): used when \`extraArgs\` is unset. Default: unset.
- \`promptTemplate\` (text with \`{{path}}\` placeholders): main section of the prompt. Default: the host's template.
- \`bootstrapPromptTemplate\` (text with \`{{path}}\` placeholders): first section of the prompt of a new session. Default: unset.
- \`instructionsFilePath\` (absolute path on the host): appended to the system prompt; beneath \`PAPERCLIP_HOME\` or a directory of \`PAPERCLIP_K8S_INSTRUCTIONS_DIRS\`; an unreadable file is a warning. Default: unset. Given on every run.
- \`instructionsRootPath\` (text): \`AGENT_HOME\` when the bundle is external and the pod can see the directory. Default: unset.
- \`instructionsEntryFile\` (text): name of the instructions file inside its bundle; kept by the host. Default: unset.
- \`instructionsBundleMode\` (\`managed\` or \`external\`; other text is a warning): \`external\`: \`AGENT_HOME\` is \`instructionsRootPath\`. Default: \`managed\`.
- \`cwd\` (absolute path): working directory when the workspace names none, or when its source is \`agent_home\`. Default: unset.
- \`resumeLastSession\` (boolean): \`false\`: every run starts a new session. Default: \`true\`.
- \`mcpServers\` (object name → definition with \`command\` or \`url\`, in the CLI's format; or JSON text of it): MCP servers of the run; a server of the host wins over one of the same name, with a warning. Default: unset.
- \`strictMcpConfig\` (boolean): \`--strict-mcp-config\` when there are MCP servers. Default: \`false\`.
- \`paperclipRuntimeSkills\` (list of skills; an entry without \`source\` is a warning): skills mounted into the pod. Default: none. Skills are copied into each run; nothing is installed.
- \`paperclipSkillSync\` (object): which of the skills are wanted. Default: none.

## Environment

- \`env\` (object name → text, number, boolean or \`{type: "plain", value}\`): environment of the container, delivered in a Secret. Default: \`{}\`. Values travel in the Job's Secret, never in the Job.
- \`inheritEnv\` (list of names, or text with spaces, commas or line ends between them; \`MYCO_*\` is every name that begins so, \`*\` everything but the server's own): variables of the server's pod that the agent gets besides those that Claude Code needs. Default: none.
- \`inheritVolumes\` (list of volume names, or text with spaces, commas or line ends between them; \`*\` for all): Secrets, ConfigMaps and projections in the server's pod that are mounted into the agent's, read-only. Default: none.

## Cluster and placement

- \`kubeconfig\` (absolute path of a file on the host that only root and the server's user can write, outside of \`PAPERCLIP_HOME\`, of volumes that pods can mount and of temporary directories; or the content (starts with \`{\` or \`apiVersion\`, or has several lines)): cluster of the Jobs; unset: the host's own cluster, else the file named by \`KUBECONFIG\`. Only a file may name programs (\`exec\`) and other files. Default: unset.
- \`kubeconfigData\` (content of a kubeconfig, stored as a secret; not together with \`kubeconfig\`): as \`kubeconfig\`; read in memory, never written to disk; data only, nothing of it may name a program or a file. Default: unset.
- \`namespace\` (DNS label): where Job and Secrets are created. Default: the host's own namespace, else the kubeconfig's, else \`default\`.
- \`serviceAccountName\` (DNS subdomain): service account of the pod; its token is mounted only when this is set. Default: unset.
- \`image\` (image reference without white space): image of the container. Default: the host's own image.
- \`imagePullPolicy\` (\`IfNotPresent\`, \`Always\` or \`Never\`): when the image is pulled. Default: \`IfNotPresent\`.
- \`labels\` (map of label keys and values; reserved keys are skipped with a warning): labels of Job and pod. Default: \`{}\`. Maps are objects, JSON text, or lines \`key=value\`.
- \`nodeSelector\` (map of label keys and values): replaces the inherited selector, also when empty. Default: the host pod's. \`{}\` selects every node.
- \`tolerations\` (list of tolerations, or JSON or YAML text of it): replaces the inherited tolerations, also when empty. Default: the host pod's. \`[]\` means none.
- \`priorityClassName\` (DNS subdomain): priority class of the pod. Default: unset.
- \`runtimeClassName\` (DNS subdomain): runtime class of the pod, for example a sandbox. Default: unset.
- \`queueName\` (DNS label): Kueue \`LocalQueue\` that admits the Job; needs the permission to patch Jobs. Default: unset.
- \`podTemplate\` (object, or JSON or YAML text of it): merged over the finished pod. Default: unset. Sidecars are allowed; what the run depends on is protected.

## Resources

- \`resources.requests.cpu\` (quantity): CPU request of the container. Default: \`1000m\`.
- \`resources.requests.memory\` (quantity): memory request of the container. Default: \`2Gi\`.
- \`resources.limits.cpu\` (quantity): CPU limit of the container. Default: \`4000m\`.
- \`resources.limits.memory\` (quantity): memory limit of the container. Default: \`8Gi\`. A run above it is killed.
- \`resources\` (object \`{requests: {…}, limits: {…}}\` of quantities, or JSON or YAML text of it): the same and further resources such as \`nvidia.com/gpu\`; a dotted key wins; \`null\` removes a default. Default: see above.

## Data volume and identity

- \`workspaceVolumeClaim\` (DNS subdomain): claim of the data volume, which is \`HOME\`; without any claim sessions cannot be resumed. Default: the claim of the host pod, in the same namespace. Sessions need a persistent data volume; without one every run is fresh.
- \`workspaceSubPath\` (relative path without \`..\`): part of the data volume that is mounted. Default: as in the host pod.
- \`workspaceMountPath\` (absolute path, not \`/\` nor a directory the container needs): where the data volume is mounted. Default: as in the host pod, else \`/paperclip\`.
- \`isolation\` (\`server\`, \`agent\` or \`none\`): what the pod sees of the data volume: \`agent\`: a home of its own and the run's directories; \`server\`: the common home without the server's parts; \`none\`: all of it; see \`docs/security.md\`. Default: \`server\`. The server's variable \`PAPERCLIP_K8S_MIN_ISOLATION\` names the least level that is allowed. New agents get \`agent\` in the form. A login that is stored in the common home is not there: give a token in \`env\`.
- \`fsGroup\` (integer from 0): group of the volumes, changed only when the root directory has another (\`OnRootMismatch\`). Default: unset: no \`fsGroup\`.
- \`runAsUser\` (integer from 1): user id of the pod. Default: the host pod's when not 0, else \`1000\`.
- \`runAsGroup\` (integer from 1): group id of the pod. Default: the host pod's when not 0, else \`1000\`.
- \`cacheSizeLimit\` (quantity): size limit of the pod's own volume for temporary files and caches. Default: \`20Gi\`.

## Run control

- \`timeoutSec\` (seconds, integer from 0 to 31536000): longest run, counted from the pod's start on its node; 0 = no timer ends a run. Default: \`0\`.
- \`graceSec\` (seconds, integer from 0 to 3600): how much later the adapter itself stops an overdue Job. Default: \`60\`.
- \`exitGraceSec\` (seconds, integer from 0 to 86400): how long a process may stay after its final result, counted from a minute after it; then the pod is stopped and the run ends by its result; 0 = it may stay. Default: \`900\`. A hook or an MCP server that does not end keeps a finished process alive.
- \`silenceTimeoutSec\` (seconds, integer from 0 to 31536000): longest time without a byte from the CLI while it runs (\`k8s_silent_run\`); 0 = silence ends no run. Default: \`0\`. A single tool may be silent as long as it works: choose it longer than the longest of them.
- \`ttlSecondsAfterFinished\` (seconds, integer from 0; below 60 becomes 60 with a warning): when Kubernetes deletes a finished Job. Default: \`300\`; none with \`retainJobs\`.
- \`retainJobs\` (boolean): \`true\`: the Job stays after the run; its Secrets are deleted anyway. Default: \`false\`. Kept Jobs get no TTL unless it is set. In 0.1 the TTL still removed them.
- \`reattachOrphanedJobs\` (boolean): a Job whose host process is gone is followed to its end first; \`false\`: it blocks the run. Default: \`true\`. It must be of the same task and session; then this run's own prompt runs. In 0.1 the own prompt was dropped.
- \`concurrencyScope\` (\`agent\` or \`task\`): what has to wait: any run of the agent, or only one of the same task. Default: \`agent\`.
- \`guardWaitSec\` (seconds, integer from 0 to 86400): how long to wait for a competing run; 0 = answer at once. Default: \`0\`.
- \`queueTimeoutSec\` (seconds, integer from 0 to 604800): until the queue admits the Job, ours by \`queueName\` or one that a policy of the cluster put it into; 0 = no bound. Default: \`0\`.
- \`scheduleTimeoutSec\` (seconds, integer from 0 to 86400): until a node is assigned; 0 = no bound. Default: \`300\`.
- \`startupTimeoutSec\` (seconds, integer from 0 to 86400): from the node until the container runs (image, volumes, init); 0 = no bound. Default: \`600\`.
- \`enableRtk\` (boolean): shortens big outputs of tools before the model reads them. Default: \`false\`. A hook does it that exists for this run only. In 0.1 the option had no effect. Needs \`node\` in the image. Failing tools are not covered.
- \`rtkMaxOutputBytes\` (bytes, integer from 1024 to 10485760): limit per text. Default: \`50000\`.
- \`billingType\` (\`auto\`, \`api\`, \`metered_api\`, \`subscription\`, \`subscription_overage\`, \`credits\` or \`fixed\`): how the host books the cost of a run; \`auto\`: by provider, base URL and credential. Default: \`auto\`.
- \`secretRef\` (DNS subdomain): Secret that the environment test looks for; runs do not use it. Default: \`paperclip-secrets\`.
- \`debug\` (boolean): additional \`[paperclip] debug:\` lines in the log. Default: \`false\`.
`

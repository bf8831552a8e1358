/** What operators and agents read about the configuration. Every configuration key has one bullet; a test compares. */

export const agentConfigurationDoc = `# claude_k8s agent configuration

Adapter: claude_k8s

Runs Claude Code as a Kubernetes Job: one run is one Job, its output is shown while it happens, and its end is judged by
what the pod reports. The prompt travels in Secrets that the Job owns and that go with it. A run ends only when the
container ends, on cancel, at a deadline you set, or when the pod cannot start; never because of silence or a lost connection.

Keys that are absent, null or blank have the default named here. A value that cannot be used refuses the run and names
the key. Numbers and booleans may be given as text.

## Core fields

- \`model\` (text, optional): model id, passed as \`--model\`. Default: the CLI's own. On Bedrock only Bedrock ids are passed.
- \`effort\` (text, optional): \`low\`, \`medium\`, \`high\`, \`xhigh\` or \`max\`, passed as \`--effort\`. Default: the CLI's own.
- \`maxTurnsPerRun\` (number, optional): model turns one run may take. Default: 0, no limit.
- \`dangerouslySkipPermissions\` (boolean, optional): default true. With false the CLI denies what it would ask for.
- \`extraArgs\` (array of text, or one text split by shell word rules, optional): further CLI options, appended last. Options
  that change the output or the session are refused.
- \`args\` (as \`extraArgs\`, optional): used only when \`extraArgs\` is unset.
- \`promptTemplate\` (text, optional): main section of the prompt with \`{{agent.id}}\`-style placeholders. Default: the host's template.
- \`bootstrapPromptTemplate\` (text, optional): first section of the prompt, in fresh sessions only.
- \`instructionsFilePath\` (absolute path on the host, optional): instructions for the agent, given as system prompt on every run.
- \`instructionsRootPath\`, \`instructionsEntryFile\`, \`instructionsBundleMode\` (text, set by the host): the managed instructions.
  With mode \`external\` the root becomes \`AGENT_HOME\` when the pod can see it.
- \`cwd\` (absolute path, optional): working directory when the workspace gives none.
- \`resumeLastSession\` (boolean, optional): default true. False starts every run in a fresh session.
- \`mcpServers\` (object or JSON text, optional): MCP servers in the CLI's own format. Servers of the host win on equal names.
- \`strictMcpConfig\` (boolean, optional): default false. True ignores MCP servers from user and project files.
- \`env\` (object, optional): environment of the pod. Values travel in the Job's Secret, never in the Job.

## Kubernetes fields

- \`namespace\` (text, optional): where Jobs are created. Default: the namespace of the Paperclip pod.
- \`image\` (text, optional): image with the \`claude\` command. Default: the image of the Paperclip pod.
- \`imagePullPolicy\` (\`IfNotPresent\`, \`Always\` or \`Never\`, optional): default \`IfNotPresent\`.
- \`serviceAccountName\` (text, optional): identity of the pods; its token is mounted. Default: the namespace's account, no token.
- \`kubeconfig\` (absolute path, or the content, optional): access to another cluster. Default: the account of the Paperclip pod,
  then the file named by \`KUBECONFIG\`.
- \`kubeconfigData\` (text, stored as secret, optional): the content of a kubeconfig. Not together with \`kubeconfig\`.
- \`labels\` (map, optional): labels of Job and pod. Maps are objects, JSON text, or lines \`key=value\`. Reserved prefixes are skipped.
- \`resources.requests.cpu\` (quantity, optional): default \`1000m\`.
- \`resources.requests.memory\` (quantity, optional): default \`2Gi\`.
- \`resources.limits.cpu\` (quantity, optional): default \`4000m\`.
- \`resources.limits.memory\` (quantity, optional): default \`8Gi\`. A run above it is killed.
- \`resources\` (object, JSON or YAML text, optional): the same values nested, and further resource names such as
  \`nvidia.com/gpu\`. A dotted key wins over a nested value; a nested null removes a default.
- \`workspaceVolumeClaim\` (text, optional): data volume, mounted as \`HOME\`. Default: the claim of the Paperclip pod. Sessions
  need a persistent data volume; without one every run is fresh.
- \`workspaceSubPath\` (relative path, optional): part of the data volume. Default: as the Paperclip pod.
- \`workspaceMountPath\` (absolute path, optional): where it is mounted. Default: as the Paperclip pod, else \`/paperclip\`.
- \`fsGroup\` (number, optional): group that owns the volumes. Default: none is set.
- \`runAsUser\`, \`runAsGroup\` (number from 1, optional): default: the ids of the Paperclip pod, else 1000.
- \`cacheSizeLimit\` (quantity, optional): size of the pod's own volume for temporary files and caches. Default: \`20Gi\`.
- \`podTemplate\` (object, JSON or YAML text, optional): \`metadata\` and \`spec\` merged into the pod last; sidecars are allowed, what
  the run depends on is protected.

## Scheduling and start-up fields

- \`nodeSelector\` (map, optional): default: as the Paperclip pod; \`{}\` selects every node.
- \`tolerations\` (array, JSON or YAML text, optional): default: as the Paperclip pod; \`[]\` means none.
- \`priorityClassName\`, \`runtimeClassName\` (text, optional): classes of the pod. Default: none.
- \`queueName\` (text, optional): Kueue LocalQueue that admits the Job. Default: none.
- \`scheduleTimeoutSec\` (number, optional): seconds from the release of the Job until a node is assigned. Default: 300; 0 = no bound.
- \`startupTimeoutSec\` (number, optional): seconds from then until the container runs: image, volumes, init. Default: 600; 0 = no bound.

## Output filtering fields

- \`enableRtk\` (boolean, optional): default false. True shortens long tool outputs before the model reads them, through a hook
  that exists for this run only. In 0.1 the option had no effect. Needs \`node\` in the image. Failing tools are not covered.
- \`rtkMaxOutputBytes\` (number, 1024 to 10485760, optional): bytes kept of each text. Default: 50000.

## Operational fields

- \`timeoutSec\` (number, optional): seconds the pod may run. Default: 0, no limit of any kind.
- \`graceSec\` (number, optional): further seconds before the adapter stops an overdue Job itself. Default: 60.
- \`ttlSecondsAfterFinished\` (number, optional): seconds until the cluster removes a finished Job by itself. Default: 300; at least 60.
- \`retainJobs\` (boolean, optional): default false. True keeps finished Jobs; they also get no TTL unless it is set. In 0.1 the
  TTL still removed them.
- \`reattachOrphanedJobs\` (boolean, optional): default true. A Job whose Paperclip process is gone, of the same task and session,
  is followed to its end; then this run's own prompt runs. In 0.1 the own prompt was dropped. False: such a Job blocks the run.
- \`concurrencyScope\` (\`agent\` or \`task\`, optional): default \`agent\`, one Job of the agent at a time. \`task\`: one per task.
- \`guardWaitSec\` (number, optional): seconds to wait for a competing run to end. Default: 0, refuse at once.
- \`secretRef\` (text, optional): Secret whose presence the environment test reports. Default: \`paperclip-secrets\`.
- \`debug\` (boolean, optional): default false. True adds \`[paperclip] debug:\` lines to the output.
- \`paperclipRuntimeSkills\`, \`paperclipSkillSync\` (set by the host): skills on offer and the wish list. Skills are copied into
  each run; nothing is installed.

## What is inherited

In the same cluster and namespace a Job takes from the Paperclip pod what the configuration leaves open: image and pull
secrets, node selector and tolerations, user and group, DNS settings, the data volume, Secret and ConfigMap volumes, and
the environment without the server's own variables and credentials.

In another namespace of the cluster it takes image, placement, ids, DNS settings and literal variables; Secrets, ConfigMaps,
claims and pull secrets do not exist there, and one warning names what is missing. In another cluster it takes image and
literal variables at most; without a readable Paperclip pod \`image\` is needed.

## Permissions

The account of the Paperclip pod needs in the target namespace: \`create\`, \`get\`, \`list\`, \`watch\`, \`patch\` and \`delete\` on
\`jobs\` (group \`batch\`); \`get\`, \`list\` and \`watch\` on \`pods\`; \`get\` on \`pods/log\`; \`create\` and \`delete\` on \`secrets\`; \`list\` on
\`events\`. For the environment test also \`get\` on \`persistentvolumeclaims\`. The environment test names each missing verb.

Some verbs have a substitute, and each degradation is named once per run:

- without \`watch\`, Jobs and pods are listed every two seconds;
- without \`patch\` on \`jobs\`, a Job is created ready to run, and \`queueName\` is refused;
- without \`delete\` on \`jobs\`, a Job is stopped by suspending it and removed by its TTL;
- without \`create\` on \`secrets\`, the payload is staged on a data volume shared with the host; without such a volume the run is refused;
- without \`get\` on \`pods\`, nothing is inherited and \`image\` is needed;
- without \`list\` on \`events\`, a pod that does not start is explained less well.

## Notes

- The command in the pod must run as a user other than root: the CLI refuses root while permissions are skipped.
- Claude Code logs in with a credential from \`env\`, from the inherited environment, or stored in \`HOME\` on the data volume.
- Stopping the Paperclip server leaves Jobs running; the next run of the task follows them to their end.
- Paths in the configuration are paths on the host; the pod sees them only through the shared data volume.
- Tokens of MCP servers of the host are valid for about an hour and are not renewed during a run.
`

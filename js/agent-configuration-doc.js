/** What operators and agents read about the configuration. The keys are printed from the rows of the parser. */

import { keysForAgents } from './configuration-keys.js'

export const agentConfigurationDoc = `# claude_k8s agent configuration

Adapter: claude_k8s

Runs Claude Code as a Kubernetes Job: one run is one Job, its output is shown while it happens, and its end is judged by
what the pod reports. The prompt travels in Secrets that the Job owns and that go with it. A run ends only when the
container ends, on cancel, at a deadline you set, or when the pod cannot start; never because of silence or a lost connection.

Keys that are absent, null or blank have the default named here. A value that cannot be used refuses the run and names
the key. Numbers and booleans may be given as text.

${keysForAgents}
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

/**
 * The form of the host. A `default` here only prefills a new form; what applies when a key is unset is decided by the
 * native side (CFG-03). Order and keys of the first 18 fields are those of 0.1: saved configurations rely on them.
 */

/** @typedef {import('@paperclipai/adapter-utils').ConfigFieldSchema} Field */

/** @param {string[]} values */
const sameLabels = (...values) => values.map((value) => ({ label: value, value }))

/** @type {Field[]} */
const fields = [
  {
    key: 'maxTurnsPerRun',
    type: 'number',
    label: 'Max Turns Per Run',
    hint: 'Model turns one run may take; 0 means no limit.',
    default: 1000,
    group: 'core',
  },
  {
    key: 'serviceAccountName',
    type: 'text',
    label: 'Service Account',
    hint: 'Identity of the Job pods. Empty: the default account of the namespace, without a mounted token.',
    group: 'kubernetes',
  },
  {
    key: 'namespace',
    type: 'text',
    label: 'Namespace',
    hint: 'Where Jobs are created. Empty: the namespace of the Paperclip pod.',
    group: 'kubernetes',
  },
  {
    key: 'image',
    type: 'text',
    label: 'Container Image',
    hint: 'Image with the `claude` command. Empty: the image of the Paperclip pod.',
    group: 'kubernetes',
  },
  {
    key: 'imagePullPolicy',
    type: 'select',
    label: 'Image Pull Policy',
    hint: 'When the node pulls the image. Empty: IfNotPresent.',
    options: sameLabels('IfNotPresent', 'Always', 'Never'),
    group: 'kubernetes',
  },
  {
    key: 'kubeconfig',
    type: 'text',
    label: 'Kubeconfig Path',
    hint: 'Absolute path on the Paperclip host, or the content itself. Empty: the account of the Paperclip pod.',
    group: 'kubernetes',
  },
  {
    key: 'ttlSecondsAfterFinished',
    type: 'number',
    label: 'TTL Seconds After Finished',
    hint: 'Seconds until the cluster removes a finished Job by itself. Empty: 300; at least 60.',
    group: 'kubernetes',
  },
  {
    key: 'retainJobs',
    type: 'toggle',
    label: 'Retain Jobs',
    hint: 'Keep finished Jobs for debugging; without a TTL above they stay until you delete them.',
    group: 'kubernetes',
  },
  {
    key: 'reattachOrphanedJobs',
    type: 'toggle',
    label: 'Reattach to Orphaned Jobs',
    hint: 'Follow a Job whose Paperclip process is gone to its end, then run the own prompt. Off: such a Job blocks the run.',
    default: true,
    group: 'kubernetes',
  },
  {
    key: 'resources.requests.cpu',
    type: 'text',
    label: 'CPU Request',
    hint: 'Kubernetes quantity such as 500m or 2. Empty: 1000m.',
    group: 'resources',
  },
  {
    key: 'resources.requests.memory',
    type: 'text',
    label: 'Memory Request',
    hint: 'Kubernetes quantity such as 2Gi. Empty: 2Gi.',
    group: 'resources',
  },
  {
    key: 'resources.limits.cpu',
    type: 'text',
    label: 'CPU Limit',
    hint: 'Kubernetes quantity such as 4. Empty: 4000m.',
    group: 'resources',
  },
  {
    key: 'resources.limits.memory',
    type: 'text',
    label: 'Memory Limit',
    hint: 'Kubernetes quantity such as 8Gi. Empty: 8Gi. A run above it is killed.',
    group: 'resources',
  },
  {
    key: 'nodeSelector',
    type: 'textarea',
    label: 'Node Selector',
    hint: 'One key=value per line. Empty: as the Paperclip pod.',
    group: 'scheduling',
  },
  {
    key: 'tolerations',
    type: 'textarea',
    label: 'Tolerations',
    hint: 'JSON or YAML list, for example [{"key":"gpu","operator":"Exists"}]. Empty: as the Paperclip pod.',
    group: 'scheduling',
  },
  {
    key: 'labels',
    type: 'textarea',
    label: 'Labels',
    hint: 'One key=value per line, added to Job and pod.',
    group: 'scheduling',
  },
  {
    key: 'enableRtk',
    type: 'toggle',
    label: 'Enable Output Filtering',
    hint: 'Shorten big tool outputs before the model reads them. Needs `node` in the image.',
    default: false,
    group: 'output',
  },
  {
    key: 'rtkMaxOutputBytes',
    type: 'number',
    label: 'Max Tool Output Bytes',
    hint: 'Bytes that are kept of each output text, 1024 to 10485760.',
    default: 50000,
    group: 'output',
  },
  {
    key: 'queueName',
    type: 'text',
    label: 'Kueue Queue',
    hint: 'LocalQueue that admits the Job.',
    group: 'scheduling',
  },
  {
    key: 'priorityClassName',
    type: 'text',
    label: 'Priority Class',
    hint: 'PriorityClass of the pods.',
    group: 'scheduling',
  },
  {
    key: 'runtimeClassName',
    type: 'text',
    label: 'Runtime Class',
    hint: 'RuntimeClass of the pods, for example a sandboxed runtime.',
    group: 'scheduling',
  },
  {
    key: 'scheduleTimeoutSec',
    type: 'number',
    label: 'Schedule Timeout',
    hint: 'Seconds until a node must be assigned; 0 means no bound.',
    default: 300,
    group: 'scheduling',
  },
  {
    key: 'startupTimeoutSec',
    type: 'number',
    label: 'Startup Timeout',
    hint: 'Seconds for image, volumes and init containers; 0 means no bound.',
    default: 600,
    group: 'scheduling',
  },
  {
    key: 'guardWaitSec',
    type: 'number',
    label: 'Wait For Other Run',
    hint: 'Seconds to wait for a competing run to end; 0 refuses at once.',
    default: 0,
    group: 'kubernetes',
  },
  {
    key: 'fsGroup',
    type: 'number',
    label: 'fsGroup',
    hint: 'Group that owns the volumes. Empty: none is set.',
    group: 'kubernetes',
  },
  {
    key: 'workspaceVolumeClaim',
    type: 'text',
    label: 'Data Volume Claim',
    hint: 'PersistentVolumeClaim used as HOME. Empty: the claim of the Paperclip pod. Sessions need one.',
    group: 'kubernetes',
  },
  {
    key: 'podTemplate',
    type: 'textarea',
    label: 'Pod Template Overrides',
    hint: 'JSON or YAML with metadata and spec, merged into the pod last.',
    group: 'kubernetes',
  },
  {
    key: 'kubeconfigData',
    type: 'textarea',
    label: 'Kubeconfig (stored as secret)',
    hint: 'Content of a kubeconfig. Paperclip stores it encrypted.',
    group: 'kubernetes',
    meta: { secret: true },
  },
  {
    key: 'concurrencyScope',
    type: 'select',
    label: 'Concurrent Runs',
    hint: 'One Job at a time per agent, or per task of the agent.',
    options: sameLabels('agent', 'task'),
    default: 'agent',
    group: 'kubernetes',
  },
]

/** A new object per call: the host may change what it gets. */
export function getConfigSchema() {
  return structuredClone({ fields })
}

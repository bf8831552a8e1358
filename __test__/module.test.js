import { expect, test } from 'vitest'

import { agentConfigurationDoc, createServerAdapter, label, models, type } from '../js/index.js'
import { bedrockModels, listModels } from '../js/models.js'
import { documentedKeys } from './documented-keys.js'

const { fields } = createServerAdapter().getConfigSchema()
const keys = fields.map((field) => field.key)

/** Platform keys and keys the host or an operator writes by hand: documented, but not in the form. */
const notInTheForm = `model effort dangerouslySkipPermissions extraArgs args promptTemplate bootstrapPromptTemplate
  instructionsFilePath instructionsRootPath instructionsEntryFile instructionsBundleMode cwd resumeLastSession mcpServers
  strictMcpConfig env resources workspaceSubPath workspaceMountPath runAsUser runAsGroup cacheSizeLimit timeoutSec graceSec
  exitGraceSec silenceTimeoutSec queueTimeoutSec
  secretRef debug paperclipRuntimeSkills paperclipSkillSync`.split(/\s+/)

test('pkg_07 the capabilities are those the host reads', () => {
  const { execute, testEnvironment, sessionCodec, listSkills, syncSkills, getConfigSchema, listModels: list, ...data } = createServerAdapter()
  for (const member of [execute, testEnvironment, listSkills, syncSkills, getConfigSchema, list]) expect(member).toBeTypeOf('function')
  expect(Object.keys(sessionCodec).sort()).toEqual(['deserialize', 'getDisplayId', 'serialize'])
  expect(data).toEqual({
    type: 'claude_k8s',
    sessionManagement: {
      supportsSessionResume: true,
      nativeContextManagement: 'confirmed',
      defaultSessionCompaction: { enabled: true, maxSessionRuns: 0, maxRawInputTokens: 0, maxSessionAgeHours: 0 },
    },
    models,
    supportsLocalAgentJwt: true,
    supportsInstructionsBundle: true,
    instructionsPathKey: 'instructionsFilePath',
    requiresMaterializedRuntimeSkills: false,
    hasOutOfProcessLiveness: true,
    runtimeToolDelivery: 'native_mcp',
    agentConfigurationDoc,
  })
  expect([type, label]).toEqual(['claude_k8s', 'Claude (Kubernetes)'])
})

test('pkg_07 the form keeps its fields in order, with unique keys that are not the platform’s own', () => {
  expect(fields.map(({ key, type, label }) => `${key} ${type} ${label}`)).toMatchInlineSnapshot(`
    [
      "maxTurnsPerRun number Max Turns Per Run",
      "serviceAccountName text Service Account",
      "namespace text Namespace",
      "image text Container Image",
      "imagePullPolicy select Image Pull Policy",
      "kubeconfig text Kubeconfig Path",
      "ttlSecondsAfterFinished number TTL Seconds After Finished",
      "retainJobs toggle Retain Jobs",
      "reattachOrphanedJobs toggle Reattach to Orphaned Jobs",
      "resources.requests.cpu text CPU Request",
      "resources.requests.memory text Memory Request",
      "resources.limits.cpu text CPU Limit",
      "resources.limits.memory text Memory Limit",
      "nodeSelector textarea Node Selector",
      "tolerations textarea Tolerations",
      "labels textarea Labels",
      "enableRtk toggle Enable Output Filtering",
      "rtkMaxOutputBytes number Max Tool Output Bytes",
      "inheritEnv textarea Inherited Variables",
      "inheritVolumes textarea Inherited Volumes",
      "kubeconfigData textarea Kubeconfig (stored as secret)",
      "priorityClassName text Priority Class",
      "runtimeClassName text Runtime Class",
      "queueName text Kueue Queue",
      "podTemplate textarea Pod Template Overrides",
      "workspaceVolumeClaim text Data Volume Claim",
      "isolation select Isolation",
      "fsGroup number fsGroup",
      "concurrencyScope select Concurrent Runs",
      "guardWaitSec number Wait For Other Run",
      "scheduleTimeoutSec number Schedule Timeout",
      "startupTimeoutSec number Startup Timeout",
      "billingType select Billing Type",
    ]
  `)
  expect(new Set(keys).size).toBe(keys.length)
  const platform = 'model effort instructionsFilePath promptTemplate env extraArgs cwd timeoutSec graceSec dangerouslySkipPermissions'
  expect(platform.split(' ').filter((key) => keys.includes(key))).toEqual([])
})

test('the form prefills what the table says and nothing else', () => {
  expect(Object.fromEntries(fields.flatMap((field) => ('default' in field ? [[field.key, field.default]] : [])))).toEqual({
    maxTurnsPerRun: 1000,
    reattachOrphanedJobs: true,
    enableRtk: false,
    rtkMaxOutputBytes: 50000,
    scheduleTimeoutSec: 300,
    startupTimeoutSec: 600,
    guardWaitSec: 0,
    concurrencyScope: 'agent',
    isolation: 'agent',
    billingType: 'auto',
  })
  expect(Object.fromEntries(fields.flatMap((field) => (field.options ? [[field.key, field.options.map(({ value }) => value)]] : [])))).toEqual({
    imagePullPolicy: ['IfNotPresent', 'Always', 'Never'],
    concurrencyScope: ['agent', 'task'],
    isolation: ['server', 'agent', 'none'],
    billingType: ['auto', 'api', 'metered_api', 'subscription', 'subscription_overage', 'credits', 'fixed'],
  })
  expect(fields.filter((field) => field.meta).map(({ key, meta }) => [key, meta])).toEqual([['kubeconfigData', { secret: true }]])
  expect(fields.every((field) => field.hint)).toBe(true)
})

test('the host may change the form it gets without changing the next one', () => {
  createServerAdapter().getConfigSchema().fields.length = 0
  expect(createServerAdapter().getConfigSchema().fields).toHaveLength(keys.length)
})

test('cfg_04 every key has exactly one bullet in the documentation', () => {
  expect(documentedKeys(agentConfigurationDoc).sort()).toEqual([...keys, ...notInTheForm].sort())
})

test('the documentation has its sections in order', () => {
  expect(agentConfigurationDoc.split('\n').slice(0, 3)).toEqual(['# claude_k8s agent configuration', '', 'Adapter: claude_k8s'])
  expect([...agentConfigurationDoc.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual([
    'Claude Code',
    'Environment',
    'Cluster and placement',
    'Resources',
    'Data volume and identity',
    'Run control',
    'What is inherited',
    'Permissions',
    'Notes',
  ])
})

test('cfg_12 direct and Bedrock model ids never mix', () => {
  expect(models.filter(({ id }) => id.includes('anthropic.') || !id.startsWith('claude-'))).toEqual([])
  expect(bedrockModels.filter(({ id, label }) => id.startsWith('claude-') || !id.includes('anthropic.') || !label.startsWith('Bedrock '))).toEqual([])
  expect(new Set([...models, ...bedrockModels].map(({ id }) => id)).size).toBe(models.length + bedrockModels.length)
  expect(models[0]).toEqual({ id: 'claude-opus-5', label: 'Claude Opus 5' })
})

test.each([
  [{}, false],
  [{ CLAUDE_CODE_USE_BEDROCK: '0' }, false],
  [{ CLAUDE_CODE_USE_BEDROCK: '1' }, true],
  [{ CLAUDE_CODE_USE_BEDROCK: 'true' }, true],
  [{ ANTHROPIC_BEDROCK_BASE_URL: ' ' }, false],
  [{ ANTHROPIC_BEDROCK_BASE_URL: 'https://example.org' }, true],
])('the host environment %o selects Bedrock: %s', async (environment, bedrock) => {
  expect(await listModels(environment)).toBe(bedrock ? bedrockModels : models)
})

/** What each key of the configuration does to the objects on the cluster, and what of it reaches the container. */

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, neverStarted } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'
import { reportingCli, reportOf } from './support/reporting-cli.js'
import { storedObjects } from './support/stored.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster({ claim: true })
const reporting = await reportingCli(cluster)
afterAll(() => cluster.stop())
afterEach(async () => {
  vi.unstubAllEnvs()
  await cluster.removeJobs()
})

/** @param {Record<string, unknown>} config */
const stored = (config) => storedObjects(cluster, { config })

/** The context's own small values would win over nested ones. */
const noDotted = Object.fromEntries(['requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'].map((name) => [`resources.${name}`, undefined]))
const gpu = [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }, { key: 'spot', operator: 'Equal', value: 'yes', effect: 'NoExecute', tolerationSeconds: 60 }]

test.each([
  ['labels as an object', { labels: { team: 'builds', tier: 2 } }],
  ['labels as JSON', { labels: '{"team": "builds", "tier": "2"}' }],
  ['labels as lines', { labels: '# who\nteam = builds\n\ntier=2\n' }],
])('cfg_01 %s are on Job and pod', async (_, config) => {
  const { job } = await stored(config)
  expect(job.metadata.labels).toMatchObject({ team: 'builds', tier: '2' })
  expect(job.spec.template.metadata.labels).toMatchObject({ team: 'builds', tier: '2' })
})

test('cfg_09 labels of the run itself cannot be replaced, and all that were skipped are named in one line', async () => {
  const { job, ctx } = await stored({ labels: { 'paperclip.io/run-id': 'other', 'job-name': 'other', 'kueue.x-k8s.io/queue-name': 'other', team: 'builds' } })
  expect(job.metadata.labels).toMatchObject({ 'paperclip.io/run-id': ctx.runId, team: 'builds' })
  expect(JSON.stringify(job.metadata.labels)).not.toContain('other')
  const named = transcript(ctx).status.filter((line) => line.includes('config.labels'))
  expect(named).toHaveLength(1)
  for (const key of ['paperclip.io/run-id', 'job-name', 'kueue.x-k8s.io/queue-name']) expect(named[0]).toContain(key)
})

const oneCpu = { requests: { cpu: '1m', memory: '4Mi' }, limits: { cpu: '2', memory: '512Mi' } }

test.each([
  ['nodeSelector as an object', { nodeSelector: { disk: 'ssd', zone: 'a' } }, { nodeSelector: { disk: 'ssd', zone: 'a' } }],
  ['nodeSelector as JSON', { nodeSelector: '{"disk":"ssd"}' }, { nodeSelector: { disk: 'ssd' } }],
  ['nodeSelector as lines', { nodeSelector: '# fast ones\ndisk=ssd\nzone = a' }, { nodeSelector: { disk: 'ssd', zone: 'a' } }],
  ['tolerations as a list', { tolerations: gpu }, { tolerations: gpu }],
  ['tolerations as JSON', { tolerations: JSON.stringify(gpu) }, { tolerations: gpu }],
  ['tolerations as YAML', { tolerations: '- key: gpu\n  operator: Exists\n  effect: NoSchedule\n' }, { tolerations: gpu.slice(0, 1) }],
  ['priorityClassName', { priorityClassName: 'agents' }, { priorityClassName: 'agents' }],
  ['runtimeClassName', { runtimeClassName: 'gvisor' }, { runtimeClassName: 'gvisor' }],
  ['serviceAccountName', { serviceAccountName: 'builder' }, { serviceAccountName: 'builder', automountServiceAccountToken: true }],
  ['no serviceAccountName', {}, { automountServiceAccountToken: false }],
  ['fsGroup', { fsGroup: '2000' }, { securityContext: { fsGroup: 2000, fsGroupChangePolicy: 'OnRootMismatch' } }],
  ['runAsUser and runAsGroup', { runAsUser: 1234, runAsGroup: '2345' }, { securityContext: { runAsNonRoot: true, runAsUser: 1234, runAsGroup: 2345 } }],
  ['timeoutSec', { timeoutSec: 600 }, { activeDeadlineSeconds: 600 }],
  ['schedulerName in podTemplate', { podTemplate: { spec: { schedulerName: 'other' } } }, { schedulerName: 'other' }],
  ['podTemplate over the keys', { nodeSelector: { disk: 'ssd' }, podTemplate: 'spec:\n  nodeSelector:\n    disk: hdd\n' }, { nodeSelector: { disk: 'hdd' } }],
])('cfg_01 %s: in the stored pod', async (_, config, expected) => {
  expect((await stored(config)).pod).toMatchObject(expected)
})

test.each([
  ['imagePullPolicy Always', { imagePullPolicy: 'Always' }, { imagePullPolicy: 'Always' }],
  ['imagePullPolicy Never', { imagePullPolicy: 'Never' }, { imagePullPolicy: 'Never' }],
  ['no imagePullPolicy', { imagePullPolicy: '' }, { imagePullPolicy: 'IfNotPresent' }],
  ['image', { image: 'registry.example/claude:9' }, { image: 'registry.example/claude:9' }],
  ['image in podTemplate', { podTemplate: { spec: { containers: [{ name: 'claude', image: 'other:1' }] } } }, { image: 'other:1' }],
  ['dotted resources', { 'resources.limits.cpu': '3', 'resources.requests.memory': '64Mi' }, { resources: { requests: { cpu: '1m', memory: '64Mi' }, limits: { cpu: '3', memory: '512Mi' } } }],
  ['nested resources', { ...noDotted, resources: oneCpu }, { resources: oneCpu }],
  ['nested resources as YAML', { ...noDotted, resources: 'requests: {cpu: 1m, memory: 4Mi}\nlimits: {cpu: 2, memory: 512Mi}\n' }, { resources: oneCpu }],
  ['dotted over nested', { ...noDotted, 'resources.limits.cpu': '5', resources: oneCpu }, { resources: { limits: { cpu: '5', memory: '512Mi' } } }],
  ['further resources', { resources: { limits: { 'ephemeral-storage': '1Gi' } } }, { resources: { limits: { 'ephemeral-storage': '1Gi' } } }],
  ['no resources', noDotted, { resources: { requests: { memory: '2Gi' }, limits: { memory: '8Gi' } } }],
])('cfg_01 %s: in the stored container', async (_, config, expected) => {
  expect((await stored(config)).claude).toMatchObject(expected)
})

test('cfg_01 `null` removes the default of a resource', async () => {
  const { claude } = await stored({ ...noDotted, resources: { limits: { cpu: null, memory: null } } })
  expect(claude.resources.limits ?? {}).toEqual({})
  expect(Object.keys(claude.resources.requests).sort()).toEqual(['cpu', 'memory'])
})

test('cfg_03 an empty configuration leaves placement and identity to the cluster', async () => {
  const { pod } = await stored({})
  for (const member of ['nodeSelector', 'tolerations', 'priorityClassName', 'runtimeClassName', 'activeDeadlineSeconds', 'imagePullSecrets', 'serviceAccountName']) {
    expect(pod[member], member).toBeUndefined()
  }
  expect(pod.securityContext, 'pod_09: nothing is chowned').toEqual({
    runAsNonRoot: true,
    runAsUser: 1000,
    runAsGroup: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
  })
})

test('podTemplate is merged: by name, by path, and over everything that is not protected', async () => {
  const { job, pod, claude, ctx } = await stored({
    podTemplate: {
      metadata: { labels: { from: 'template' }, annotations: { note: 'kept' } },
      spec: {
        hostNetwork: true,
        imagePullSecrets: [{ name: 'registry' }],
        volumes: [{ name: 'extra', emptyDir: {} }],
        containers: [
          { name: 'claude', env: [{ name: 'FROM_TEMPLATE', value: 'yes' }], volumeMounts: [{ name: 'extra', mountPath: '/extra' }] },
          { name: 'sidecar', image: 'sidecar:1' },
        ],
      },
    },
  })
  const { metadata } = job.spec.template
  expect(metadata.labels).toMatchObject({ from: 'template', 'paperclip.io/run-id': ctx.runId })
  expect(metadata.annotations).toMatchObject({ note: 'kept', 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' })
  expect(pod).toMatchObject({ hostNetwork: true, imagePullSecrets: [{ name: 'registry' }] })
  expect(pod.containers.map((/** @type {any} */ { name }) => name)).toEqual(['claude', 'sidecar'])
  expect(pod.volumes.map((/** @type {any} */ { name }) => name).sort()).toEqual(['data', 'extra', 'paperclip-run', 'paperclip-scratch'])
  expect(claude.env).toContainEqual({ name: 'FROM_TEMPLATE', value: 'yes' })
  expect(claude.volumeMounts.map((/** @type {any} */ { mountPath }) => mountPath)).toEqual(
    expect.arrayContaining(['/paperclip', '/opt/paperclip/run', '/opt/paperclip/scratch', '/extra']),
  )
  expect(transcript(ctx).status.join('\n')).toMatch(/Warning: .*hostNetwork/)
})

// `hostnameOverride` came with Kubernetes 1.34; the API types of the core are those of 1.33.
test('podTemplate members that this version does not know are named, and the cluster decides', async () => {
  const { pod, ctx } = await stored({ podTemplate: { spec: { hostnameOverride: 'agent' } } })
  const status = transcript(ctx).status.join('\n')
  // An API server that does not know it either leaves it out and says so.
  if (pod.hostnameOverride === undefined) expect(status).toMatch(/Warning: .*unknown field "spec\.template\.spec\.hostnameOverride"/)
  else expect(pod.hostnameOverride).toBe('agent')
  expect(status).toMatch(/Warning: .*podTemplate\.spec\.hostnameOverride/)
})

/** @param {object} member */
const ofClaude = (member) => ({ spec: { containers: [{ name: 'claude', ...member }] } })

test.each([
  ['its name', { metadata: { name: 'x' } }, 'metadata.name'],
  ['its run', { metadata: { labels: { 'paperclip.io/run-id': 'x' } } }, 'paperclip.io/run-id'],
  ['the restart policy', { spec: { restartPolicy: 'Always' } }, 'restartPolicy'],
  ['the deadline', { spec: { activeDeadlineSeconds: 5 } }, 'activeDeadlineSeconds'],
  ['the arguments', ofClaude({ args: ['x'] }), 'args'],
  ['stdin', ofClaude({ stdin: true }), 'stdin'],
  ['stderr', ofClaude({ terminationMessagePath: '/x' }), 'terminationMessagePath'],
  ['the token', ofClaude({ env: [{ name: 'PAPERCLIP_API_KEY', value: 'x' }] }), 'PAPERCLIP_API_KEY'],
  ['the payload', { spec: { volumes: [{ name: 'paperclip-run', emptyDir: {} }] } }, 'paperclip-run'],
  ['what is no part of a pod', { specs: {} }, 'specs'],
])('cfg_09 podTemplate cannot change %s', async (_, podTemplate, path) => {
  const result = await execute(cluster.context({ config: { podTemplate } }))
  expectFailure(result, 'configuration_incomplete')
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toContain(path)
  expect(await cluster.leftovers()).toEqual([])
})

test.each([
  ['no timeout', {}, undefined],
  ['a timeout', { timeoutSec: 600 }, 600 + 60 + 300 + 600 + 60],
  ['timeout and grace', { timeoutSec: '600', graceSec: 5 }, 600 + 5 + 300 + 600 + 60],
  ['bounds of its own', { timeoutSec: 600, graceSec: 0, scheduleTimeoutSec: 10, startupTimeoutSec: 20 }, 600 + 10 + 20 + 60],
  ['bounds that are off', { timeoutSec: 600, graceSec: 0, scheduleTimeoutSec: 0, startupTimeoutSec: 0 }, 600 + 3600 + 3600 + 60],
])('end_04 with %s the deadline of the Job is later than all that may happen before', async (_, config, seconds) => {
  const { job, pod } = await stored(config)
  expect(job.spec.activeDeadlineSeconds).toBe(seconds)
  expect(pod.activeDeadlineSeconds).toBe('timeoutSec' in config ? 600 : undefined)
})

test.each([
  ['default', {}, 300],
  ['ttlSecondsAfterFinished', { ttlSecondsAfterFinished: '3600' }, 3600],
  ['one that is too short', { ttlSecondsAfterFinished: 5 }, 60],
  ['retainJobs', { retainJobs: 'true' }, undefined],
  ['both', { retainJobs: true, ttlSecondsAfterFinished: 900 }, 900],
])('the stored TTL: %s', async (_, config, seconds) => {
  const { job, ctx } = await stored(config)
  expect(job.spec.ttlSecondsAfterFinished).toBe(seconds)
  const warnings = transcript(ctx).status.filter((line) => line.includes('config.ttlSecondsAfterFinished'))
  expect(warnings).toHaveLength(seconds === 60 ? 1 : 0)
})

test('the data volume: claim, part of it and where it is mounted', async () => {
  const { pod, claude } = await stored({ workspaceVolumeClaim: cluster.claimName, workspaceSubPath: 'team/a', workspaceMountPath: '/work', cacheSizeLimit: '1Gi' })
  expect(pod.volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: cluster.claimName } })
  expect(pod.volumes).toContainEqual({ name: 'paperclip-scratch', emptyDir: { sizeLimit: '1Gi' } })
  expect(claude.volumeMounts).toContainEqual({ name: 'data', mountPath: '/work', subPath: 'team/a' })
  expect(claude.env).toContainEqual({ name: 'HOME', value: '/work' })
  expect(claude.workingDir).toBe('/work')
})

test('without a claim the data volume is the pod’s own', async () => {
  const { pod, claude } = await stored({})
  expect(pod.volumes).toContainEqual({ name: 'data', emptyDir: {} })
  expect(pod.volumes).toContainEqual({ name: 'paperclip-scratch', emptyDir: { sizeLimit: '20Gi' } })
  expect(claude.volumeMounts).toContainEqual({ name: 'data', mountPath: '/paperclip' })
})

const always = ['--print', '--output-format', 'stream-json', '--verbose']

test.each([
  ['nothing', {}, [...always, '--dangerously-skip-permissions', '--settings', '/opt/paperclip/run/settings.json']],
  [
    'model, effort, turns and further ones',
    { model: 'claude-opus-4-5', effort: 'high', maxTurnsPerRun: '7', extraArgs: ['--max-budget-usd', '5'] },
    [...always, '--dangerously-skip-permissions', '--model', 'claude-opus-4-5', '--effort', 'high', '--max-turns', '7', '--settings', '/opt/paperclip/run/settings.json', '--max-budget-usd', '5'],
  ],
  [
    'no permissions, arguments as text',
    { dangerouslySkipPermissions: 'false', maxTurnsPerRun: 0, extraArgs: `--disallowedTools 'WebFetch WebSearch'` },
    [...always, '--settings', '/opt/paperclip/run/settings.json', '--disallowedTools', 'WebFetch WebSearch'],
  ],
  ['`args` in place of `extraArgs`', { dangerouslySkipPermissions: false, args: ['--debug'] }, [...always, '--settings', '/opt/paperclip/run/settings.json', '--debug']],
  ['`extraArgs` over `args`', { dangerouslySkipPermissions: false, args: ['--debug'], extraArgs: ['--bare'] }, [...always, '--settings', '/opt/paperclip/run/settings.json', '--bare']],
])('the arguments of the CLI: %s', async (_, config, expected) => {
  expect((await stored(config)).claude.args).toEqual(expected)
})

/**
 * A whole run of the CLI that reports what reached it.
 * @param {import('./support/cluster.js').ContextOptions} options
 */
async function reported({ config, env, ...rest }) {
  const ctx = cluster.context({ ...rest, config: { ...reporting.config, ...config }, env: { ...reporting.env, ...env } })
  const result = await execute(ctx)
  expect(result.errorMessage).toBeNull()
  return { report: reportOf(ctx), ctx, result }
}

const awkward = '$(HOME) $$(HOME) $HOME `id` "double" \'single\' \\n %s\nsecond line ü 🎉'

test('prm_13 values and arguments arrive in the container as they were written', async () => {
  const { report } = await reported({
    config: { extraArgs: ['--append-system-prompt', awkward, '--name', ''] },
    env: { AWKWARD: awkward, EMPTY: '', COUNT: /** @type {any} */ (3), FLAG: /** @type {any} */ (true), WRAPPED: /** @type {any} */ ({ type: 'plain', value: 'y' }) },
  })
  expect(report.env).toMatchObject({ AWKWARD: awkward, EMPTY: '', COUNT: '3', FLAG: 'true', WRAPPED: 'y' })
  expect(report.arguments.slice(-4)).toEqual(['--append-system-prompt', awkward, '--name', ''])
})

test('a variable whose name no shell can hold is warned about, because most shells drop it', async () => {
  const { report, ctx } = await reported({ env: { 'with.dot': 'x', 'with-dash': 'y', GOOD: 'z' } })
  expect(report.env).toMatchObject({ GOOD: 'z' })
  const warned = transcript(ctx).stderr.split('\n').filter((line) => line.includes('Warning'))
  for (const name of ['with.dot', 'with-dash']) {
    expect(report.env).not.toHaveProperty([name])
    expect(warned.filter((line) => line.includes(`\`${name}\` reaches Claude Code only where \`sh\` is bash`))).toHaveLength(1)
  }
})

test('cfg_06 a later layer wins: defaults, then the run, then the configuration, then what is forced', async () => {
  const { report, ctx } = await reported({
    env: { NODE_ENV: 'test', PAPERCLIP_API_URL: 'http://198.51.100.1:4000', PAPERCLIP_RUN_ID: 'other', PAPERCLIP_API_KEY: 'other', HOME: '/other', PAPERCLIP_SOMETHING: 'mine' },
    context: { issueId: 'issue-1', wakeReason: 'comment', commentId: 'comment-1', issueIds: ['issue-1', 'issue-2'] },
  })
  expect(report.env).toMatchObject({
    CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: '1',
    NODE_ENV: 'test',
    PAPERCLIP_AGENT_ID: ctx.agent.id,
    PAPERCLIP_COMPANY_ID: ctx.agent.companyId,
    PAPERCLIP_RUN_ID: ctx.runId,
    PAPERCLIP_API_KEY: ctx.authToken,
    PAPERCLIP_API_URL: 'http://198.51.100.1:4000',
    PAPERCLIP_TASK_ID: 'issue-1',
    PAPERCLIP_WAKE_REASON: 'comment',
    PAPERCLIP_WAKE_COMMENT_ID: 'comment-1',
    PAPERCLIP_LINKED_ISSUE_IDS: 'issue-1,issue-2',
    PAPERCLIP_SOMETHING: 'mine',
  })
  expect(report.env.HOME).not.toBe('/other')
  expect(report.cwd).toBe(report.env.HOME)
  const warned = transcript(ctx).status.filter((line) => line.includes('Warning')).join('\n')
  for (const name of ['PAPERCLIP_RUN_ID', 'PAPERCLIP_API_KEY', 'HOME']) expect(warned).toContain(name)
})

test('prm_06 what is only meant for the host or its server never reaches the container', async () => {
  const server = ['DATABASE_URL', 'BETTER_AUTH_SECRET', 'PAPERCLIP_AGENT_JWT_SECRET', 'PAPERCLIP_SECRETS_MASTER_KEY']
  for (const name of server) vi.stubEnv(name, `planted-${name}`)
  const host = ['PATH', 'ZDOTDIR', 'BASH_ENV', 'GH_CONFIG_DIR', 'SSH_AUTH_SOCK', 'GIT_ASKPASS', 'PAPERCLIP_GITHUB_HOST_HOME', 'PAPERCLIP_SCRATCH_DIR', 'PAPERCLIP_RUNNER_NETWORK_ACCESS']
  const { report } = await reported({ env: { ...Object.fromEntries(host.map((name) => [name, `/planted/${name}`])), GIT_CONFIG_GLOBAL: '/dev/null' } })
  const planted = Object.entries(report.env).filter(([, value]) => value.includes('planted'))
  expect(planted).toEqual([])
  expect(report.env.GIT_CONFIG_GLOBAL).toBe('/dev/null')
})

test('prm_12 temporary files and caches are on the pod’s own volume', async () => {
  const { claude } = await storedObjects(cluster, { env: { XDG_CACHE_HOME: '/not/mounted', TMPDIR: '/opt/paperclip/scratch/mine' } })
  /** @type {[string, string][]} */
  const literals = claude.env.filter((/** @type {any} */ { value }) => value !== undefined).map((/** @type {any} */ { name, value }) => [name, value])
  const env = Object.fromEntries(literals)
  for (const name of ['TMP', 'TEMP', 'PAPERCLIP_SCRATCH_DIR', 'XDG_CACHE_HOME', 'npm_config_cache', 'PIP_CACHE_DIR', 'GOCACHE']) {
    expect(env[name], name).toMatch(/^\/opt\/paperclip\/scratch(\/|$)/)
  }
})

test('enableRtk is a hook in the settings of this run, with its limit', async () => {
  const { report } = await reported({ config: { enableRtk: 'true', rtkMaxOutputBytes: 2048 } })
  const { hooks } = JSON.parse(report.files['--settings'] ?? '')
  expect(hooks.PostToolUse[0].hooks[0].command).toMatch(/rtk\.cjs 2048\b/)
})

test('queueName: the Job stays suspended under its label until the queue admits it', async () => {
  const ctx = cluster.context({ config: { queueName: 'agents' } })
  const since = Date.now()
  const running = execute(ctx)
  const jobOf = async () => (await cluster.jobs())[0]
  const job = await until('the Job has its queue', async () => {
    const found = await jobOf()
    return found?.metadata.labels['kueue.x-k8s.io/queue-name'] && found
  })
  expect(job.metadata.labels['kueue.x-k8s.io/queue-name']).toBe('agents')
  expect(job.spec.suspend).toBe(true)
  await until('the launch is over', () => transcript(ctx).events.find(({ payload }) => payload.event === 'k8s.job.created'))
  expect((await jobOf()).spec.suspend).toBe(true)
  expect(await cluster.pods()).toEqual([])
  const patches = (await cluster.requests(since)).filter(({ verb, resource }) => verb === 'patch' && resource === 'jobs')
  expect(patches, 'the label').toHaveLength(1)

  await cluster.api.patch(`/apis/batch/v1/namespaces/${cluster.namespace}/jobs/${job.metadata.name}`, { spec: { suspend: false } })
  expect((await running).errorMessage).toBeNull()
})

// What only a real cluster does: admission of pods, tokens of accounts, users.
if (cluster.is('real')) {
  const namespace = `/api/v1/namespaces/${cluster.namespace}`

  test.each([
    ['priorityClassName', { priorityClassName: 'no-such-class' }, /no PriorityClass with name no-such-class was found/],
    ['runtimeClassName', { runtimeClassName: 'no-such-class' }, /RuntimeClass "no-such-class" not found/],
    ['serviceAccountName', { serviceAccountName: 'no-such-account' }, /serviceaccount "no-such-account" not found/],
  ])('pod_05 a %s that does not exist is named', async (_, config, message) => {
    const result = await execute(cluster.context({ config: { ...config, scheduleTimeoutSec: 5 } }))
    expectFailure(result, 'k8s_pod_schedule_failed')
    expect(result).toMatchObject(neverStarted)
    expect(result.errorMessage).toMatch(message)
  })

  test.each([
    ['is mounted with', { serviceAccountName: 'default' }, 1],
    ['is not mounted without', {}, 0],
  ])('the token of an account %s serviceAccountName', async (_, config, count) => {
    expect((await execute(cluster.context({ config: { ...config, retainJobs: true } }))).errorMessage).toBeNull()
    const [pod] = await cluster.pods()
    expect(pod.spec.volumes.filter((/** @type {any} */ { name }) => name.startsWith('kube-api-access'))).toHaveLength(count)
  })

  test('pod_08 a namespace that enforces the restricted level runs the Job as built, and names what a template breaks', async () => {
    const level = (/** @type {string | null} */ value) =>
      cluster.api.patch(namespace, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': value } } })
    await level('restricted')
    try {
      expect((await execute(cluster.context({ config: { workspaceVolumeClaim: cluster.claimName } }))).errorMessage).toBeNull()
      const config = { scheduleTimeoutSec: 5, podTemplate: { spec: { hostNetwork: true } } }
      const result = await execute(cluster.context({ config }))
      expectFailure(result, 'k8s_pod_schedule_failed')
      expect(result.errorMessage).toMatch(/violates PodSecurity "restricted:latest": .*hostNetwork/)
    } finally {
      await level(null)
    }
  })

  test('runAsUser, fsGroup and workspaceMountPath: the run is that user and starts in the claim', async () => {
    const { report } = await reported({ config: { workspaceVolumeClaim: cluster.claimName, workspaceMountPath: '/work', runAsUser: 1234, fsGroup: 2000 } })
    expect(report).toMatchObject({ uid: 1234, cwd: '/work' })
  })
}

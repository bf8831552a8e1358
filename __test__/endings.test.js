/**
 * Each way in which a run can end has a code of its own and a message that carries the cause. What is here needs a pod
 * that meets its end; ends that a request shows are in `bad-input`, those of the CLI and of deadlines in `settle`,
 * quotas in `environment`, cancels in `cancel`.
 */

import { randomBytes } from 'node:crypto'

import { afterAll, expect, test as serialTest, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, neverStarted } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'
import { scriptedCli } from './support/scripted-cli.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
const [isReal, isSimulated] = [cluster.is('real'), cluster.is('simulator')]
afterAll(async () => {
  await cluster.isClean()
  await cluster.stop()
})
/** Most of their time the tests wait for a kubelet. */
const test = serialTest.concurrent

const core = `/api/v1/namespaces/${cluster.namespace}`
const long = { FAKE_HOLD_MS: '120000' }
/** An init event and an answer of the model, as a shell script writes them. */
const begins = `echo '{"type":"system","subtype":"init","session_id":"11111111-2222-4333-8444-555555555555","model":"m"}'
echo '{"type":"assistant","session_id":"s","message":{"id":"1","model":"m","content":[{"type":"text","text":"I begin."}]}}'
`

/**
 * A run, and what happens to its pod once it prints.
 * @param {import('./support/cluster.js').ContextOptions} options
 * @param {(pod: any, ctx: import('./support/host.js').HostContext) => Promise<unknown>} happening
 */
async function runWhile(options, happening) {
  const ctx = cluster.context(options)
  const running = execute(ctx)
  await until('the first line', () => transcript(ctx).output)
  await happening(await cluster.podOf(ctx), ctx)
  return { ctx, result: await running }
}

/** Lets the simulator do something to a pod. @param {any} pod @param {string} what @param {object} [body] */
const simulate = ({ metadata }, what, body = {}) => cluster.api.create(`/_sim/pods/${metadata.namespace}/${metadata.name}/${what}`, body)

test('res_06 a container above its memory limit was out of memory, and the message names the key to raise', async () => {
  const greedy = isReal ? await scriptedCli(cluster, 'greedy', `${begins}exec tail /dev/zero\n`) : {}
  const limits = isReal ? { 'resources.limits.memory': '24Mi' } : {}
  const { ctx, result } = await runWhile({ config: { ...greedy, ...limits }, env: long }, async (pod) => {
    if (isSimulated) await simulate(pod, 'oom')
  })
  expectFailure(result, 'claude_truncated')
  expect(result).toMatchObject({ exitCode: 137, signal: 'SIGKILL', timedOut: false, resultJson: { k8s: { reason: 'OOMKilled' } } })
  expect(result.errorMessage).toMatch(/memory/i)
  expect(result.errorMessage).toContain('resources.limits.memory')
  expect(transcript(ctx).output).toContain('"init"')
})

test('an eviction by the API is told by node and reason', async () => {
  const { result } = await runWhile({ env: long }, async (pod) => {
    if (isSimulated) return simulate(pod, 'delete', { disruption: 'EvictionByEvictionAPI' })
    const { name, namespace } = pod.metadata
    await cluster.api.create(`${core}/pods/${name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } })
  })
  expectFailure(result, 'k8s_pod_evicted')
  expect(result).toMatchObject({ errorFamily: 'transient_upstream', timedOut: false })
  expect(result.errorMessage).toContain('EvictionByEvictionAPI')
  expect(result.errorMessage).toContain(result.resultJson.k8s.node)
})

test('FLD-18: a pod that fills its scratch volume is evicted for good, and the message names volume and key', async () => {
  // A node measures its volumes once a minute, and later when it is busy.
  const filling = `${begins}dd if=/dev/zero of="$TMPDIR/fill" bs=1M count=8 2>/dev/null\nexec sleep 420\n`
  const greedy = isReal ? await scriptedCli(cluster, 'filling', filling) : {}
  const { result } = await runWhile({ config: { ...greedy, cacheSizeLimit: '1Mi' }, env: long }, async (pod) => {
    if (isSimulated) await simulate(pod, 'evict', { message: 'Usage of EmptyDir volume "paperclip-scratch" exceeds the limit "1Mi". ', disruption: false })
  })
  expectFailure(result, 'k8s_pod_evicted')
  expect(result.errorMessage).toMatch(/went over its own limit: .*EmptyDir volume "[a-z-]+" exceeds.*raise `cacheSizeLimit`/)
  expect(result.errorFamily).toBeUndefined()
}, 480_000)

test('a pod that has to make room for a more important one is told so', async () => {
  const names = ['victim', 'winner'].map((role) => `claude-k8s-test-${role}-${randomBytes(3).toString('hex')}`)
  const classes = '/apis/scheduling.k8s.io/v1/priorityclasses'
  // Both below zero: no other pod of the cluster can be the victim.
  if (isReal) for (const [index, name] of names.entries()) await cluster.api.create(classes, { metadata: { name }, value: index - 100 })
  const needs = { 'resources.requests.cpu': '1100m', ...(isReal && { priorityClassName: names[0] }) }
  const winner = `${core}/pods/winner`
  try {
    const { result } = await runWhile({ config: needs, env: long }, async (pod) => {
      if (isSimulated) return simulate(pod, 'delete', { disruption: 'PreemptionByScheduler' })
      const container = { name: 'c', image: cluster.image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '1'], resources: { requests: { cpu: '1100m' } } }
      await cluster.api.create(`${core}/pods`, {
        metadata: { name: 'winner' },
        spec: { priorityClassName: names[1], restartPolicy: 'Never', terminationGracePeriodSeconds: 0, containers: [container] },
      })
    })
    expectFailure(result, 'k8s_pod_evicted')
    expect(result.errorMessage).toContain('PreemptionByScheduler')
  } finally {
    if (isReal) for (const path of [winner, ...names.map((name) => `${classes}/${name}`)]) await cluster.api.remove(path)
  }
})

test('a pod that somebody deletes is told to be deleted', async () => {
  const { ctx, result } = await runWhile({ env: long }, async (pod) => {
    if (isSimulated) return simulate(pod, 'delete')
    await cluster.api.remove(`${core}/pods/${pod.metadata.name}`)
  })
  expectFailure(result, 'k8s_job_deleted_externally')
  expect(result.errorMessage).toMatch(/was deleted before Claude finished/)
  expect(transcript(ctx).output).toContain('"init"')
})

test('end_14 a running Job that a queue suspends and admits again never runs its prompt twice', async () => {
  const { ctx, result } = await runWhile({ env: long }, async (pod) => {
    const job = `/apis/batch/v1/namespaces/${cluster.namespace}/jobs/${pod.metadata.ownerReferences[0].name}`
    await cluster.api.patch(job, { spec: { suspend: true } })
    // Admitted again at once, unless the run has removed it already.
    await cluster.api.patch(job, { spec: { suspend: false } }).catch(() => {})
  })
  expectFailure(result, 'k8s_pod_evicted')
  expect(result.errorMessage).toMatch(/suspended|replaced|second pod/i)
  const inits = transcript(ctx).output.match(/"subtype":"init"/g) ?? []
  expect(inits).toHaveLength(1)
  await until('no pod of the run is left', async () => {
    const pods = await cluster.pods()
    return pods.every(({ metadata }) => metadata.labels?.['paperclip.io/run-id'] !== ctx.runId)
  })
})

test('pod_03 a container that exits with 7 at once is judged by its code and its output, not as a failed start', async () => {
  const ctx = cluster.context({ env: { FAKE_STOP_AFTER: '1', FAKE_EXIT: '7', FAKE_STDERR: 'no space left on device' } })
  const result = await execute(ctx)
  expectFailure(result, 'claude_no_result')
  expect(result.exitCode).toBe(7)
  expect(result.errorMessage).toContain('no space left on device')
  expect(transcript(ctx).output).toContain('"subtype":"init"')
})

// The simulator's images are directories of this machine, whose own programs are in reach as well.
if (isReal) {
  test('an image without the CLI says what could not be started', async () => {
    const ctx = cluster.context({ config: { image: 'localhost/busybox:test', runAsUser: 1000 } })
    const result = await execute(ctx)
    expectFailure(result, 'claude_start_failed')
    expect(result.exitCode).toBe(127)
    expect(result.errorMessage).toMatch(/claude.*not found/)
  })
}

/** A container that needs a Secret which does not exist. */
const missing = {
  mount: {
    volumes: [{ name: 'extra', secret: { secretName: 'no-such-secret' } }],
    containers: [{ name: 'claude', volumeMounts: [{ name: 'extra', mountPath: '/extra' }] }],
  },
  variable: {
    containers: [{ name: 'claude', env: [{ name: 'EXTRA', valueFrom: { secretKeyRef: { name: 'no-such-secret', key: 'k' } } }] }],
  },
}

test('pod_05 a Secret that is missing as a volume is named in the message of the bound', async () => {
  const config = { podTemplate: { spec: missing.mount }, startupTimeoutSec: 12 }
  const result = await execute(cluster.context({ config }))
  expectFailure(result, 'k8s_pod_schedule_failed')
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toMatch(/^Pod did not start within 12s \(startupTimeoutSec\): .*FailedMount.*no-such-secret/)
})

test('pod_04 a Secret that is missing as a variable gets 30 s, and then the message names it', async () => {
  const startedAt = Date.now()
  const result = await execute(cluster.context({ config: { podTemplate: { spec: missing.variable } } }))
  expectFailure(result, 'k8s_pod_schedule_failed')
  expect(result).toMatchObject(neverStarted)
  expect(result.errorMessage).toMatch(/^Pod cannot start: CreateContainerConfigError: .*no-such-secret/)
  expect(Date.now() - startedAt).toBeGreaterThan(29_000)
})

test('pod_02 a pod that finds its node after a while runs, and why it waited was said once', async () => {
  const key = `claude-k8s-test/${cluster.namespace}`
  const { config, release } = isReal ? { config: { nodeSelector: { [key]: 'yes' } }, release: async () => {} } : await cluster.withoutNode()
  const ctx = cluster.context({ config })
  const running = execute(ctx)
  await until('the wait is said', () => transcript(ctx).status.some((line) => line.includes('waiting for a node')))
  const node = isReal ? `/api/v1/nodes/${(await cluster.api.list('/api/v1/nodes'))[0].metadata.name}` : ''
  if (isReal) await cluster.api.patch(node, { metadata: { labels: { [key]: 'yes' } } })
  await release()
  try {
    expect(await running).toMatchObject({ errorMessage: null, exitCode: 0 })
  } finally {
    if (isReal) await cluster.api.patch(node, { metadata: { labels: { [key]: null } } })
  }
  const said = transcript(ctx).status.filter((line) => line.includes('nodes are available'))
  expect(said).toHaveLength(1)
})

serialTest('pod_05 a pod that the namespace’s security level refuses is explained by its level', async () => {
  const config = { podTemplate: { spec: { hostNetwork: true } }, scheduleTimeoutSec: 6 }
  const reason = 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
  const label = (/** @type {string | null} */ level) =>
    cluster.api.patch(`/api/v1/namespaces/${cluster.namespace}`, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': level } } })
  if (isReal) await label('baseline')
  else await cluster.api.create('/_sim/admission', { resource: 'pods', message: reason })
  try {
    const result = await execute(cluster.context({ config }))
    expectFailure(result, 'k8s_pod_schedule_failed')
    expect(result).toMatchObject(neverStarted)
    expect(result.errorMessage).toContain('no pod was created; events: FailedCreate: ')
    expect(result.errorMessage).toContain('violates PodSecurity')
  } finally {
    if (isReal) await label(null)
    else await cluster.api.remove('/_sim/admission')
  }
})

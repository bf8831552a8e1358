/**
 * What clusters do to a run in the field: processes that stay, silence, queues, admission, nodes that lose a container. The
 * same tests on the simulator and on a real cluster.
 */

import { afterAll, expect, test as serialTest, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, neverStarted } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
const isReal = cluster.is('real')
afterAll(async () => {
  await cluster.isClean()
  await cluster.stop()
})
/** Most of their time the tests wait. */
const test = serialTest.concurrent

const core = `/api/v1/namespaces/${cluster.namespace}`
const long = { FAKE_HOLD_MS: '120000' }

/** @param {string} text @param {import('./support/host.js').HostContext} ctx */
const said = (text, ctx) => until(`"${text}" is said`, () => transcript(ctx).status.some((line) => line.includes(text)))

/**
 * A run, and what is written into the status of its pod once it prints. A kubelet corrects it later: what was seen stays seen.
 * @param {(container: any) => object} change of the container's status
 * @param {object} [status] beside it
 */
async function whileRunning(change, status = {}) {
  const ctx = cluster.context({ env: long })
  const running = execute(ctx)
  await until('the first line', () => transcript(ctx).output)
  const { metadata, status: seen } = await until('the container is posted as running', async () => {
    const pod = await cluster.podOf(ctx)
    return pod.status.containerStatuses?.[0].state.running && pod
  })
  const containerStatuses = [{ ...seen.containerStatuses[0], ...change(seen.containerStatuses[0]) }]
  await cluster.api.patch(`${core}/pods/${metadata.name}/status`, { status: { ...status, containerStatuses } })
  return { ctx, result: await running }
}

test('FLD-12: a process that stays after its result is mentioned after a minute and stopped; the run succeeds', async () => {
  const ctx = cluster.context({ config: { exitGraceSec: 3 }, env: { FAKE_TAIL_MS: '600000' } })
  const startedAt = Date.now()
  const result = await execute(ctx)
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0, summary: 'Done: the command printed hi.' })
  expect(result.resultJson.k8s.stopped).toBe('after_result')
  expect(Date.now() - startedAt).toBeGreaterThan(62_000)
  const lines = transcript(ctx).status.filter((line) => line.includes('The result is in; waiting for Claude Code to exit (6'))
  expect(lines).toHaveLength(1)
})

test('FLD-13: a silent run ends by its bound, and the message says what was heard last', async () => {
  const ctx = cluster.context({ config: { silenceTimeoutSec: 20 }, env: { ...long, FAKE_HOLD_MS: '600000' } })
  const result = await execute(ctx)
  expectFailure(result, 'k8s_silent_run')
  expect(result.errorMessage).toMatch(/silent for 20s \(silenceTimeoutSec\): the last thing heard was .*, no tool was open/)
  expect(result.resultJson.k8s.stopped).toBe('silent')
})

test('FLD-14: the log hears once of a silence, the host’s status line again and again', async () => {
  const ctx = cluster.context({ env: { FAKE_HOLD_MS: '60000' } })
  expect(await execute(ctx)).toMatchObject({ errorMessage: null })
  // Once the agent was heard, what it does is said in place of a keepalive (HOS-01).
  const silent = transcript(ctx).progress.filter(({ lastEventAt }, index, all) => lastEventAt && lastEventAt === all[index - 1]?.lastEventAt)
  expect(silent.length).toBeGreaterThanOrEqual(3)
  expect(transcript(ctx).status.filter((line) => line.includes('keepalive'))).toHaveLength(1)
})

test('FLD-15: a Job that waits in a queue says so within 15 s, names what its queue says, and is bounded', async () => {
  const ctx = cluster.context({ config: { queueName: 'no-such-queue', queueTimeoutSec: 25 } })
  const running = execute(ctx)
  const job = await until('the Job is in its queue', async () => {
    const [found] = (await cluster.jobs()).filter(({ metadata }) => metadata.labels?.['kueue.x-k8s.io/queue-name'] === 'no-such-queue')
    return found
  })
  // As Kueue tells it: about the workload that it made of the Job.
  const now = new Date().toISOString()
  await cluster.api.create(`${core}/events`, {
    metadata: { name: `workload-${job.metadata.uid}` },
    involvedObject: { kind: 'Workload', apiVersion: 'kueue.x-k8s.io/v1beta1', namespace: cluster.namespace, name: `job-${job.metadata.name}-1a2b3` },
    type: 'Warning',
    reason: 'Inadmissible',
    message: "LocalQueue no-such-queue doesn't exist",
    firstTimestamp: now.replace(/\.\d+/, ''),
    lastTimestamp: now.replace(/\.\d+/, ''),
    count: 1,
  })
  await said('in queue `no-such-queue`: it has not admitted Job', ctx)
  expect(Date.now() - Date.parse(job.metadata.creationTimestamp), 'told before the line of each minute').toBeLessThan(50_000)
  await said("LocalQueue no-such-queue doesn't exist", ctx)
  const result = await running
  expectFailure(result, 'k8s_pod_schedule_failed')
  expect(result).toMatchObject({ ...neverStarted, errorFamily: 'transient_upstream' })
  expect(result.errorMessage).toMatch(/not admitted within 25s \(queueTimeoutSec\): queue `no-such-queue` has not admitted it/)
})

test('FLD-17: a container whose end the node made up is a loss of the platform and may be tried again', async () => {
  const { result } = await whileRunning(({ containerID, state }) => {
    const { startedAt } = state.running
    return { ready: false, started: false, state: { terminated: { exitCode: 255, reason: 'Unknown', startedAt, finishedAt: startedAt, containerID } } }
  })
  expectFailure(result, 'k8s_pod_evicted')
  expect(result).toMatchObject({ errorFamily: 'transient_upstream', exitCode: null })
  expect(result.errorMessage).toContain(`Node \`${result.resultJson.k8s.node}\` lost the container`)
  expect(result.errorMessage).toContain('reason=Unknown')
})

test('FLD-19: a second instance of the container is stopped like a second pod', async () => {
  const { ctx, result } = await whileRunning(() => ({ restartCount: 1 }))
  expectFailure(result, 'k8s_pod_evicted')
  expect(result.errorMessage).toMatch(/does not run twice: container `claude` was started again/)
  await until('no pod of the run is left', async () => (await cluster.pods()).every(({ metadata }) => metadata.labels?.['paperclip.io/run-id'] !== ctx.runId))
})

test('FLD-32: a member of podTemplate that the server does not know is told in log and result', async () => {
  const ctx = cluster.context({ config: { podTemplate: { spec: { notOfThisServer: { cpu: '2' } } } } })
  const result = await execute(ctx)
  expect(result).toMatchObject({ errorMessage: null })
  const told = ['the API server warns: unknown field "spec.template.spec.notOfThisServer"', 'did not store `spec.notOfThisServer` of `podTemplate`']
  for (const text of told) {
    expect(result.resultJson.k8s.warnings.filter((/** @type {string} */ warning) => warning.includes(text))).toHaveLength(1)
    expect(transcript(ctx).status.filter((line) => line.includes(text))).toHaveLength(1)
  }
})

serialTest('FLD-16: a pod that admission refuses three times alike ends the run, quoting it once', async () => {
  const reason = 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
  const label = (/** @type {string | null} */ level) =>
    cluster.api.patch(`/api/v1/namespaces/${cluster.namespace}`, { metadata: { labels: { 'pod-security.kubernetes.io/enforce': level } } })
  if (isReal) await label('baseline')
  else await cluster.api.create('/_sim/admission', { resource: 'pods', message: reason })
  const startedAt = Date.now()
  try {
    const result = await execute(cluster.context({ config: { podTemplate: { spec: { hostNetwork: true } } } }))
    expectFailure(result, 'k8s_pod_schedule_failed')
    expect(result).toMatchObject(neverStarted)
    expect(result.errorFamily).toBeUndefined()
    expect(result.errorMessage).toMatch(/refused to create it \d+ times: .*violates PodSecurity/)
    expect(result.errorMessage.match(/violates PodSecurity/g)).toHaveLength(1)
    expect(Date.now() - startedAt).toBeLessThan(60_000)
  } finally {
    if (isReal) await label(null)
    else await cluster.api.remove('/_sim/admission')
  }
})

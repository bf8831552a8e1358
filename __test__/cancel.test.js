/** Cancelling in every phase of a run. */

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster({ claim: true })
afterAll(() => cluster.stop())
afterEach(() => cluster.isClean())

const acknowledged = { executionCancellation: { state: 'acknowledged', acknowledgedAt: expect.any(String) } }
const neverStarted = { kind: 'bootstrap', providerWorkStarted: false }

/**
 * Starts a run and cancels it when the condition holds.
 * @param {import('./support/cluster.js').ContextOptions} options
 * @param {(ctx: import('./support/host.js').HostContext) => unknown} condition
 */
async function cancelledWhen(options, condition) {
  const stop = new AbortController()
  const ctx = cluster.context({ signal: stop.signal, ...options })
  const running = execute(ctx)
  await until('the moment to cancel', () => condition(ctx))
  stop.abort()
  return { ctx, stop, result: await running }
}

/** @param {import('./support/host.js').HostContext} ctx */
const hasOutput = (ctx) => transcript(ctx).output

test('can_01 a run that was cancelled before it began creates nothing', async () => {
  const ctx = cluster.context({ signal: AbortSignal.abort() })
  const result = await execute(ctx)
  expect(result).toMatchObject({
    errorCode: 'cancelled',
    errorMessage: 'Run cancelled',
    exitCode: null,
    executionRecovery: neverStarted,
    resultJson: acknowledged,
  })
  expect(transcript(ctx).count('onDispatch')).toBe(0)
  expect(transcript(ctx).events).toEqual([])
})

test('can_01 a cancel that comes while the host registers it creates nothing', async () => {
  const stop = new AbortController()
  const ctx = cluster.context({ signal: stop.signal, callbacks: { onCancellationReady: async () => stop.abort() } })
  expect(await execute(ctx)).toMatchObject({ errorCode: 'cancelled', executionRecovery: neverStarted })
  expect(transcript(ctx).events).toEqual([])
})

test('can_02 a pod that no node takes is cancelled while it waits', async () => {
  const { config, release } = await cluster.withoutNode()
  const { result } = await cancelledWhen({ config }, async (ctx) =>
    (await cluster.podOf(ctx)).status.conditions?.some((/** @type {any} */ { reason }) => reason === 'Unschedulable'),
  ).finally(release)
  expect(result).toMatchObject({ errorCode: 'cancelled', exitCode: null, executionRecovery: neverStarted, resultJson: acknowledged })
})

test('can_02 a pod whose image cannot be pulled is cancelled while it waits', async () => {
  const { result } = await cancelledWhen({ config: { image: 'localhost/no-such-image:test' } }, async (ctx) =>
    /ErrImagePull|ImagePullBackOff/.test((await cluster.podOf(ctx)).status.containerStatuses?.[0]?.state.waiting?.reason),
  )
  expect(result).toMatchObject({ errorCode: 'cancelled', exitCode: null, executionRecovery: neverStarted, resultJson: acknowledged })
})

test('can_06 a running CLI is stopped, and its output, session and cost are kept', async () => {
  const options = { config: { workspaceVolumeClaim: cluster.claimName }, env: { FAKE_HOLD_MS: '60000' } }
  const { ctx, result } = await cancelledWhen(options, (ctx) => transcript(ctx).output.includes('"tool_result"'))
  expect(result).toMatchObject({
    errorCode: 'cancelled',
    errorMessage: 'Run cancelled',
    timedOut: false,
    exitCode: 143,
    sessionId: JSON.parse(hasOutput(ctx).split('\n')[0] ?? '').session_id,
    executionRecovery: { kind: 'interrupted', providerStopped: true, sessionPreserved: true, actionOutcomes: 'settled' },
    resultJson: { executionCancellation: { state: 'acknowledged', forced: false } },
  })
})

test('can_07 a tool call in flight gives no evidence that work has settled', async () => {
  const options = { config: { workspaceVolumeClaim: cluster.claimName }, env: { FAKE_STOP_AFTER: '3', FAKE_TAIL_MS: '60000' } }
  const { result } = await cancelledWhen(options, (ctx) => transcript(ctx).output.includes('"tool_use"'))
  expect(result).toMatchObject({ errorCode: 'cancelled', resultJson: acknowledged })
  expect(result.executionRecovery).toBeUndefined()
})

test('can_03 a CLI that ignores SIGTERM is killed, and the answer says so', async () => {
  const { result } = await cancelledWhen({ env: { FAKE_HOLD_MS: '90000', FAKE_TERM: 'ignore' } }, hasOutput)
  expect(result).toMatchObject({
    errorCode: 'cancelled',
    exitCode: 137,
    resultJson: { executionCancellation: { state: 'acknowledged', forced: true } },
  })
})

test('can_02 cancelling twice, and after the end, is harmless', async () => {
  const stop = new AbortController()
  const ctx = cluster.context({ signal: stop.signal, env: { FAKE_HOLD_MS: '60000' } })
  const running = execute(ctx)
  await until('the pod has printed a line', () => hasOutput(ctx))
  stop.abort()
  stop.signal.dispatchEvent(new Event('abort'))
  expect(await running).toMatchObject({ errorCode: 'cancelled' })
  stop.signal.dispatchEvent(new Event('abort'))

  const late = new AbortController()
  const finished = await execute(cluster.context({ signal: late.signal }))
  late.abort()
  expect(finished).toMatchObject({ errorMessage: null, exitCode: 0 })
})

test('can_04 a lost controller lease is no order to stop: the Job is left alone', async () => {
  const stop = new AbortController()
  const ctx = cluster.context({ signal: stop.signal, env: { FAKE_HOLD_MS: '60000' } })
  const running = execute(ctx)
  await until('the pod has printed a line', () => hasOutput(ctx))
  stop.abort(new Error('Legacy controller lease lost'))
  const result = await running
  expect(result).toMatchObject({ errorCode: 'k8s_controller_lease_lost', exitCode: null, timedOut: false })
  expect(result.resultJson.executionCancellation).toBeUndefined()
  const pod = await cluster.podOf(ctx)
  expect(pod.status.phase).toBe('Running')
  expect(pod.metadata.deletionTimestamp).toBeUndefined()
  await cluster.removeJobs()
})

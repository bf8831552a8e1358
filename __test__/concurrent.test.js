/** Many runs at once: nothing gets mixed up, nothing is asked twice. */

import { randomUUID } from 'node:crypto'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, expectSuccess } from './support/expect-run.js'
import { hasOutput, transcript } from './support/host.js'
import { execute } from './support/package.js'
import { countByMeaning } from './support/requests.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())
afterEach(() => cluster.removeJobs())

const runs = 20
/** 98 lines in about 20 s. */
const chatty = { FAKE_REPEAT: '24', FAKE_DELAY_MS: '200' }

/** A log ends with its container, and a busy node tells the container's end seconds later: a run may look once more. */
const lateLooks = cluster.is('real') ? 1 : 0

/** What one run may ask for; everything else is shared by all runs of a namespace. */
const perRun = new Map([
  ['create jobs', 1],
  ['create secrets', 1],
  ['patch jobs', 2], // release; mark as delivered
  ['list jobs', 2], // guard and re-check
  ['list pods', 1], // guard
  ['get jobs', 1],
  ['get pods', 1],
  ['get pods/log', 3 + lateLooks], // one follow, the final reads
  ['list events', 3], // of a start that takes its time
  ['delete secrets', 1],
  ['delete jobs', 1],
])
/** What all runs together may ask for. */
const shared = new Map([
  ['watch jobs', 2],
  ['watch pods', 2],
  ['list jobs', 2],
  ['list pods', 2],
  ['create selfsubjectaccessreviews', 20],
])

test('env_04 env_06 log_01 twenty runs at once: every line once and in order, within the request budget, no 403', async () => {
  const contexts = Array.from({ length: runs }, () => cluster.context({ config: { retainJobs: true }, env: chatty }))
  const running = contexts.map((ctx) => execute(ctx))
  const allPrint = until('every run prints', () => contexts.every((ctx) => transcript(ctx).output), 120_000)
  const steadyFrom = await allPrint.then(() => Date.now())
  await Promise.race(running)
  // The tail reads and the clean-up of a run belong to its end.
  const steadyTo = Date.now() - 3_000
  const results = await Promise.all(running)
  const requests = await cluster.requests()

  for (const [index, ctx] of contexts.entries()) {
    await expectSuccess(cluster, ctx, results[index])
    expect(transcript(ctx).output.trimEnd().split('\n')).toHaveLength(98)
    expect(results[index].resultJson.k8s.reconnects).toBeLessThanOrEqual(lateLooks)
  }
  expect(requests.filter(({ status }) => status === 403)).toEqual([])
  const counts = countByMeaning(requests)
  const over = Object.entries(counts).filter(([meaning, count]) => count > runs * (perRun.get(meaning) ?? 0) + (shared.get(meaning) ?? 0))
  expect(over, `all requests: ${JSON.stringify(counts)}`).toEqual([])

  const steady = requests.filter(({ at }) => at > steadyFrom && at < steadyTo)
  const runMinutes = (runs * (steadyTo - steadyFrom)) / 60_000
  expect(steady.length, `while all run: ${JSON.stringify(countByMeaning(steady))}`).toBeLessThanOrEqual(Math.ceil(runMinutes))
  await until('retained Jobs keep no payload', async () => (await cluster.secrets()).length === 0)
})

test('end_09 twenty runs leave nothing behind', async () => {
  const results = await Promise.all(Array.from({ length: runs }, () => execute(cluster.context())))
  expect(results.map(({ errorMessage }) => errorMessage)).toEqual(results.map(() => null))
  await cluster.isClean()
})

test('grd_03 of two simultaneous runs of one agent one runs, and the other names it', async () => {
  const agent = { id: randomUUID() }
  const contexts = [1, 2].map(() => cluster.context({ agent, context: { taskId: 'task' }, env: { FAKE_HOLD_MS: '3000' } }))
  const results = await Promise.all(contexts.map((ctx) => execute(ctx)))
  const [ran, refused] = results.sort((one) => (one.errorMessage === null ? -1 : 1))
  expect(ran).toMatchObject({ errorMessage: null, exitCode: 0 })
  expectFailure(refused, 'k8s_concurrent_run_blocked')
  expect(refused).toMatchObject({
    errorFamily: 'transient_upstream',
    executionRecovery: { kind: 'bootstrap', providerWorkStarted: false },
  })
  expect(refused.errorMessage).toMatch(/^Another run of this agent is active: Job /)
  expect(contexts.flatMap((ctx) => transcript(ctx).events).filter(({ payload }) => payload.event === 'k8s.pod.started')).toHaveLength(1)
})

test('grd_09 a run that may wait starts when its competitor has ended', async () => {
  const agent = { id: randomUUID() }
  const first = cluster.context({ agent, env: { FAKE_HOLD_MS: '5000' } })
  const firstRun = execute(first)
  await until('the first run prints', () => transcript(first).output)
  const second = cluster.context({ agent, config: { guardWaitSec: 60 } })
  const results = await Promise.all([firstRun, execute(second)])
  expect(results).toMatchObject([{ errorMessage: null }, { errorMessage: null }])
  const started = transcript(second).chunks.find(({ chunk }) => hasOutput(chunk))
  expect(started?.at, 'the first line of the second run').toBeGreaterThan(transcript(first).chunks.at(-1)?.at ?? Infinity)
})

test('two tasks of one agent run side by side with `concurrencyScope: task`', async () => {
  const agent = { id: randomUUID() }
  const contexts = ['a', 'b'].map((task) =>
    cluster.context({ agent, config: { concurrencyScope: 'task' }, context: { taskId: `task-${task}` }, env: { FAKE_HOLD_MS: '4000' } }),
  )
  const results = await Promise.all(contexts.map((ctx) => execute(ctx)))
  expect(results).toMatchObject([{ errorMessage: null }, { errorMessage: null }])
})

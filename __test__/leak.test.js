/**
 * Memory and requests of a host process with very many runs, on the simulator. `npm test` looks at a few,
 * `npm run test:leak` at 2,000 after one another and 1,000 at once.
 */

import { afterAll, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { startHostProcess } from './support/host-process.js'
import { countByMeaning } from './support/requests.js'
import { startSimulator } from './support/simulator.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 240_000 })
const cluster = await startCluster({ ring: await startSimulator() })
afterAll(() => cluster.stop())

const mib = 2 ** 20
const total = Number(process.env.K8S_TEST_RUNS ?? 80)
const atOnce = Number(process.env.K8S_TEST_AT_ONCE ?? 40)
const width = 40

/** What the second half of all runs may add. Unit: bytes. */
const growthCeiling = 16 * mib
/** What a process with all runs at once may take. Unit: bytes. */
const ceiling = 512 * mib
/** Requests of one run from its guard to its clean-up. */
const perRun = 16
/** Watches, permissions, and what is listed again when they break. */
const shared = 60

/** A container that the simulator plays without a process of its own. @param {object[]} [hold] steps before the result */
function playing(hold = []) {
  const session = '11111111-2222-4333-8444-555555555555'
  const steps = [
    { print: JSON.stringify({ type: 'system', subtype: 'init', session_id: session, model: 'm' }) },
    { lines: { count: 20, text: JSON.stringify({ type: 'assistant', session_id: session, message: { id: '{n}', model: 'm', content: [{ type: 'text', text: 'x'.repeat(500) }] } }) } },
    ...hold,
    { print: JSON.stringify({ type: 'result', subtype: 'success', is_error: false, result: 'done', session_id: session, usage: { input_tokens: 1, output_tokens: 1 } }) },
    { exit: { code: 0 } },
  ]
  return { K8S_SIM_SCRIPT: JSON.stringify({ steps }) }
}

/** @param {import('./support/host-process.js').HostProcess} host @param {number} count */
async function runsAfterOneAnother(host, count) {
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next++ < count) expect(await host.execute(cluster.context({ env: playing() })).result).toMatchObject({ errorMessage: null })
    }),
  )
}

test(`log_13 ${total} runs after one another leave the memory of their process where it was`, async () => {
  const host = await startHostProcess()
  await runsAfterOneAnother(host, total / 2)
  const half = await host.memory()
  await runsAfterOneAnother(host, total / 2)
  const end = await host.memory()
  await host.stop()
  console.log(`${total} runs: ${Math.round(half.rss / mib)} MiB after half of them, ${Math.round(end.rss / mib)} MiB at the end`)
  expect(end.rss - half.rss, `from ${half.rss} to ${end.rss} bytes`).toBeLessThanOrEqual(growthCeiling)
})

test(`env_04 ${atOnce} runs at once stay within 512 MiB and their requests`, async () => {
  const host = await startHostProcess()
  const from = Date.now()
  const env = playing([{ gate: 'all print' }])
  /** @type {ReturnType<typeof host.execute>[]} */
  const runs = []
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (runs.length < atOnce) {
        const run = host.execute(cluster.context({ env }))
        runs.push(run)
        const ended = run.result.then(({ errorMessage }) => Promise.reject(new Error(errorMessage)))
        await Promise.race([ended, until('the run prints', run.output, 300_000)])
        ended.catch(() => {}) // it has printed: how it ends is looked at below
      }
    }),
  )
  const { rss } = await host.memory()
  await cluster.api.create(`/_sim/gates/${encodeURIComponent('all print')}`, {})
  const results = await Promise.all(runs.map((run) => run.result))
  const { most } = await host.memory()
  await host.stop()
  expect(results.filter(({ errorMessage }) => errorMessage !== null)).toEqual([])

  const counts = countByMeaning(await cluster.requests(from))
  const requests = Object.values(counts).reduce((sum, count) => sum + count, 0)
  console.log(`${atOnce} runs at once: ${Math.round(rss / mib)} MiB while all print, at most ${Math.round(most / mib)} MiB, ${requests} requests`)
  expect(most).toBeLessThanOrEqual(ceiling)
  expect(requests, JSON.stringify(counts)).toBeLessThanOrEqual(atOnce * perRun + shared)
  expect((counts['watch jobs'] ?? 0) + (counts['watch pods'] ?? 0), 'one pair of watches serves all').toBeLessThanOrEqual(6)
})

/**
 * Connections break; a run does not notice. Each run has a fault proxy of its own, so the tests run side by side: most of
 * their time is the CLI's.
 */

import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, expect, test as serialTest, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectSuccess } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())
const test = serialTest.concurrent

/** The connection that follows the log, as opposed to the reads at the end. */
const follow = { resource: 'pods/log', path: /[?&]follow=true/ }

/**
 * A run through a proxy of its own, up to its complete success.
 * @param {Record<string, string>} env
 * @param {(proxy: import('./support/proxy.js').Proxy) => void} prepare
 * @param {(proxy: import('./support/proxy.js').Proxy, ctx: import('./support/host.js').HostContext) => Promise<void>} [disturb] while it runs
 * @param {number} [seed] of what the proxy draws
 */
async function disturbedRun(env, prepare, disturb, seed = 20_26) {
  const proxy = await cluster.proxy(seed)
  prepare(proxy)
  const ctx = cluster.context({ through: proxy, config: { retainJobs: true }, env })
  const running = execute(ctx)
  await disturb?.(proxy, ctx)
  const result = await running
  const written = await expectSuccess(cluster, ctx, result)
  await cluster.removeJob(result.resultJson.k8s.job)
  return { proxy, ctx, result, written }
}

test('log_03 an undisturbed run uses one connection for its log', async () => {
  const { proxy, result } = await disturbedRun({ FAKE_DELAY_MS: '1000' }, () => {})
  expect(proxy.matching({ ...follow, verb: 'get' })).toHaveLength(1)
  expect(result.resultJson.k8s.reconnects).toBe(0)
})

test('far_107 no grace fires when the stream drops in mid-output and reconnects', async () => {
  // The old grace was 30 s from the first disconnect: the CLI goes on for longer than that.
  const env = { FAKE_REPEAT: '3', FAKE_DELAY_MS: '300', FAKE_HOLD_MS: '36000' }
  const { ctx, result } = await disturbedRun(env, (proxy) => {
    proxy.rule({ ...follow, times: 1, breakOff: 'reset', afterBytes: 5000 })
  })
  expect(result.resultJson.k8s.reconnects).toBeGreaterThanOrEqual(1)
  expect(transcript(ctx).stderr).not.toMatch(/truncated|timed out/i)
})

test('log_03 a stream that ends cleanly every 3 s goes on as often as it takes', async () => {
  const { proxy, result } = await disturbedRun({ FAKE_REPEAT: '26', FAKE_DELAY_MS: '250' }, (proxy) => {
    proxy.rule({ ...follow, breakOff: 'end', afterMs: 3000 })
  })
  expect(proxy.matching(follow).length).toBeGreaterThanOrEqual(4)
  expect(result.resultJson.k8s.reconnects).toBeGreaterThanOrEqual(3)
})

test('log_01 fifty cuts at random bytes lose nothing and double nothing', async () => {
  // 4 KB a second: a replay of the seam is shorter than most connections, so half of the cuts fall into new lines.
  const env = { FAKE_BYTES: '400', FAKE_LINES: '400', FAKE_DELAY_MS: '100' }
  const cutAgainAndAgain = (/** @type {import('./support/proxy.js').Proxy} */ proxy) => {
    proxy.rule({ ...follow, chance: 0.3, breakOff: 'end', afterBytes: [1, 18_000] })
    proxy.rule({ ...follow, breakOff: 'reset', afterBytes: [1, 18_000] })
  }
  // How many cuts a run takes depends on the pauses before its reconnects: several runs have enough of them.
  const runs = await Promise.all(
    [1, 2, 3, 4, 5].map((seed) => disturbedRun(env, cutAgainAndAgain, undefined, seed)),
  )
  const cuts = runs.flatMap(({ proxy }) => proxy.requests.filter(({ brokenOff }) => brokenOff))
  expect(cuts.length).toBeGreaterThanOrEqual(50)
  expect(new Set(cuts.map(({ brokenOff }) => brokenOff))).toEqual(new Set(['end', 'reset']))
  for (const { written } of runs) expect(written.match(/toolu_fill\d+/g)).toHaveLength(400)
})

test('log_01 a burst of 10 000 lines that is cut in the middle arrives once and in order', async () => {
  const { written } = await disturbedRun({ FAKE_BYTES: '400', FAKE_LINES: '10000' }, (proxy) => {
    proxy.rule({ ...follow, times: 3, breakOff: 'reset', afterBytes: [100_000, 3_000_000] })
  })
  expect(written.match(/toolu_fill\d+/g)).toHaveLength(10_000)
})

test('log_04 a stream that stalls without closing is replaced while the CLI is silent', async () => {
  const env = { FAKE_START_MS: '2000', FAKE_DELAY_MS: '200', FAKE_HOLD_MS: '80000' }
  await disturbedRun(
    env,
    (proxy) => {
      proxy.rule({ ...follow, times: 1, breakOff: 'stall', afterBytes: 3500 })
    },
    async (_, ctx) => {
      // The last line before the hold arrives although the first connection never says another word.
      await until('the lines behind the stall', () => transcript(ctx).output.includes('"Done: the command printed hi."'), 90_000)
      expect(transcript(ctx).output).not.toContain('"type":"result"')
    },
  )
})

test('log_11 a stream that stalls for ever does not hide the end', async () => {
  await disturbedRun({ FAKE_DELAY_MS: '300' }, (proxy) => {
    proxy.rule({ ...follow, breakOff: 'stall', afterBytes: 1000 })
  })
})

test('log_11 a final read that ends early is repeated', async () => {
  await disturbedRun({ FAKE_DELAY_MS: '100' }, (proxy) => {
    proxy.rule({ ...follow, breakOff: 'stall', afterBytes: 1000 })
    proxy.rule({ resource: 'pods/log', times: 1, breakOff: 'end', afterBytes: 200 })
  })
})

test('log_07 characters and lines that arrive byte by byte come out whole', async () => {
  await disturbedRun({ FAKE_SAMPLE: 'text' }, (proxy) => {
    proxy.rule({ ...follow, drip: { bytes: 7, everyMs: 1 } })
  })
})

test('end_02 one 500 on a status read ends nothing', async () => {
  const { proxy } = await disturbedRun(
    { FAKE_REPEAT: '4', FAKE_DELAY_MS: '300' },
    () => {},
    async (proxy, ctx) => {
      await until('the first line', () => transcript(ctx).output)
      proxy.rule({ verb: /^(get|list)$/, resource: /^(jobs|pods)$/, times: 1, status: 500 })
      for (const watch of proxy.matching({ verb: 'watch' })) watch.breakOff('reset')
    },
  )
  expect(proxy.matching({ verb: 'delete', resource: 'jobs' })).toEqual([])
})

test.each([[500], [429], [503]])('end_02 ten seconds of %i to everything, log included, end nothing', async (status) => {
  const { proxy } = await disturbedRun(
    { FAKE_REPEAT: '12', FAKE_DELAY_MS: '300' },
    () => {},
    async (proxy, ctx) => {
      await until('the first line', () => transcript(ctx).output)
      const outage = proxy.rule({ status, ...(status === 429 && { retryAfterSec: 1 }) })
      for (const open of proxy.requests) open.breakOff('reset')
      await pause(10_000)
      outage.remove()
    },
  )
  expect(proxy.matching({ verb: 'delete', resource: 'jobs' })).toEqual([])
})

test('end_02 an API server that refuses connections for eight seconds ends nothing', async () => {
  await disturbedRun(
    { FAKE_REPEAT: '10', FAKE_DELAY_MS: '300' },
    () => {},
    async (proxy, ctx) => {
      await until('the first line', () => transcript(ctx).output)
      await proxy.refuse()
      await pause(8000)
      await proxy.accept()
    },
  )
})

test('a watch that expires with 410 is listed anew', async () => {
  const { proxy } = await disturbedRun(
    { FAKE_REPEAT: '4', FAKE_DELAY_MS: '300' },
    () => {},
    async (proxy, ctx) => {
      await until('the first line', () => transcript(ctx).output)
      for (const watch of proxy.matching({ verb: 'watch' })) watch.breakOff('gone')
    },
  )
  const watches = proxy.matching({ verb: 'watch', resource: 'pods' })
  expect(watches.length).toBeGreaterThanOrEqual(2)
})

test('a watch that answers 410 from the start does not hide the end', async () => {
  await disturbedRun({ FAKE_DELAY_MS: '500' }, (proxy) => {
    proxy.rule({ verb: 'watch', times: 4, status: 410 })
  })
})

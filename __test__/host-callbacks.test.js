/** Whatever the host's callbacks do, the run goes on and the process lives. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { afterAll, afterEach, expect, onTestFinished, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectSuccess } from './support/expect-run.js'
import { hasOutput, transcript } from './support/host.js'
import { execute, serverEntry } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())
afterEach(() => cluster.removeJobs())

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

const names = ['onCancellationReady', 'onMeta', 'onEvent', 'onDispatch', 'onRuntimeProgress']

test.each([
  ['throws', () => { throw new Error('the host throws') }],
  ['rejects', () => Promise.reject(new Error('the host rejects'))],
  ['throws something that is no Error', () => { throw 'a text' }],
  ['rejects with nothing', () => Promise.reject()],
  ['returns nothing', () => undefined],
  ['returns a number', () => 7],
])('hst_02 a host whose every callback %s gets a complete run', async (_, misbehave) => {
  const callbacks = Object.fromEntries(names.map((name) => [name, misbehave]))
  const ctx = cluster.context({ config: { retainJobs: true }, callbacks, onLog: misbehave })
  await expectSuccess(cluster, ctx, await execute(ctx))
})

test('hst_08 a host without the optional callbacks gets a complete run', async () => {
  const absent = Object.fromEntries([...names, 'onSpawn', 'signal', 'authToken'].map((name) => [name, undefined]))
  const ctx = cluster.context({ config: { retainJobs: true }, ...absent })
  await expectSuccess(cluster, ctx, await execute(ctx))
})

test('hst_03 calls of onLog are awaited one by one, and all have settled before execute resolves', async () => {
  let open = 0
  let most = 0
  const ctx = cluster.context({
    config: { retainJobs: true },
    env: { FAKE_REPEAT: '10', FAKE_DELAY_MS: '20' },
    onLog: async () => {
      most = Math.max(most, ++open)
      await pause(200)
      open--
    },
  })
  const result = await execute(ctx)
  expect(open).toBe(0)
  expect(most).toBe(1)
  const calls = transcript(ctx).chunks.length
  await expectSuccess(cluster, ctx, result)
  expect(transcript(ctx).chunks, 'no call comes after the end').toHaveLength(calls)
})

test('log_14 a slow onLog does not delay a cancel', async () => {
  const stop = new AbortController()
  let abortedAt = 0
  const ctx = cluster.context({
    signal: stop.signal,
    env: { FAKE_REPEAT: '500', FAKE_DELAY_MS: '10' },
    onLog: async (stream, chunk) => {
      await pause(300)
      if (stream !== 'stdout' || !hasOutput(chunk) || abortedAt) return
      abortedAt = Date.now()
      stop.abort()
    },
  })
  const result = await execute(ctx)
  expect(result.errorCode).toBe('cancelled')
  const deleted = (await cluster.requests(abortedAt)).find(({ verb, resource }) => verb === 'delete' && resource === 'jobs')
  expect((deleted?.at ?? Infinity) - abortedAt, 'milliseconds until the Job is deleted').toBeLessThan(1500)
  await cluster.isClean()
})

test.each([
  ['', () => {}],
  [', though Node collects its garbage,', collectGarbage],
])('hst_05 an onLog that never settles%s cannot hold back the end of the run', async (_, whileItWaits) => {
  const collecting = setInterval(whileItWaits, 500)
  onTestFinished(() => clearInterval(collecting))
  let calls = 0
  const ctx = cluster.context({
    env: { FAKE_DELAY_MS: '50' },
    onLog: () => {
      calls++
      return new Promise(() => {})
    },
  })
  const result = await execute(ctx)
  expect(calls, 'one call in flight, never a second').toBe(1)
  expect(result).toMatchObject({ exitCode: 0, timedOut: false })
  expect(result.resultJson.k8s.warnings.join('\n'), 'the report').toMatch(/onLog. did not take/)
  await cluster.isClean()
})

test('hst_05 an onLog that never settles cannot hold back a cancel', async () => {
  const stop = new AbortController()
  const ctx = cluster.context({ signal: stop.signal, env: { FAKE_HOLD_MS: '60000' }, onLog: () => new Promise(() => {}) })
  const running = execute(ctx)
  await until('the first chunk is delivered', () => transcript(ctx).chunks.length)
  stop.abort()
  expect(await running).toMatchObject({ errorCode: 'cancelled' })
  await cluster.isClean()
})

test('hst_07 a process with one run ends by itself, with the listeners and the environment it had', async () => {
  const script = fileURLToPath(new URL('fixtures/one-run.js', import.meta.url))
  const ctx = cluster.context()
  const child = spawn(process.execPath, [script, serverEntry, JSON.stringify(ctx)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = text(child.stdout)
  const complaints = text(child.stderr)
  const [code] = await once(child, 'close')
  expect({ code, complaints: await complaints }).toEqual({ code: 0, complaints: '' })
  const { errorMessage, before, after } = JSON.parse(await output)
  expect(errorMessage).toBeNull()
  expect(after).toEqual(before)
})

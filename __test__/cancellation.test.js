import { createServer } from 'node:http'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { hostUrls } from '../js/host/run-status.js'
import { execute } from '../js/run/execute.js'
import { context, scriptNative } from './run.js'

const leaseLost = 'Legacy controller lease lost'
const pollInterval = 15_000

/** @type {{ status?: number, body?: unknown, requests: string[] }} */
let host = { requests: [] }
const server = createServer((request, response) => {
  host.requests.push(`${request.method} ${request.url} ${request.headers.authorization}`)
  response.writeHead(host.status ?? 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(host.body ?? { status: 'running' }))
})

beforeEach(async () => {
  host = { requests: [] }
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  vi.stubEnv('PAPERCLIP_RUNTIME_API_URL', `http://127.0.0.1:${address.port}/`)
  vi.stubEnv('PAPERCLIP_API_URL', undefined)
  vi.stubEnv('PAPERCLIP_LISTEN_PORT', undefined)
})
afterEach(async () => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

/**
 * A native run that goes on until it is cancelled or the test ends it.
 */
function openRun() {
  /** @type {(json: string) => void} */
  let end = () => {}
  const ended = new Promise((resolve) => (end = resolve))
  /** @type {() => void} */
  let waiting = () => {}
  const started = new Promise((resolve) => (waiting = () => resolve(undefined)))
  const script = scriptNative({
    wait: async () => {
      waiting()
      await ended
      return '{"exitCode":0}'
    },
    onCancel: () => end(''),
  })
  const cancelled = () => script.seen[0]?.cancelled
  return { end: () => end(''), started, cancelled, script }
}

test('can_01 the host is told before anything is created, and an abort after that stops the run', async () => {
  const run = openRun()
  const abort = new AbortController()
  const onCancellationReady = vi.fn(async () => expect(run.script.seen).toEqual([]))
  const result = execute(context({ signal: abort.signal, onCancellationReady }))
  await run.started
  expect(onCancellationReady).toHaveBeenCalledTimes(1)
  expect(run.cancelled()).toEqual([])
  abort.abort('cancelled by operator')
  expect(await result).toEqual({ exitCode: 0 })
  expect(run.cancelled()).toEqual(['operator'])
  expect(host.requests).toEqual([])
})

test.each(['stopped', new Error('stopped'), undefined])('can_01 an abort that happened before the run is seen before it starts: %o', async (reason) => {
  /** @type {string[][]} */
  const atStart = []
  scriptNative({
    wait: async ({ cancelled }) => {
      atStart.push([...cancelled])
      return '{}'
    },
  })
  await execute(context({ signal: AbortSignal.abort(reason) }))
  expect(atStart).toEqual([['operator']])
})

test.each([
  ['running', { status: 'running' }, 200, 'leaseLost'],
  ['cancelled', { status: 'cancelled' }, 200, 'operator'],
  ['cancelling', { status: 'cancelling' }, 200, 'operator'],
  ['running with a requested cancel', { status: 'running', resultJson: { executionCancellation: { state: 'requested' } } }, 200, 'operator'],
  ['failed', { status: 'failed' }, 200, 'operator'],
  ['nothing usable', 'text', 200, 'leaseLost'],
  ['an error', {}, 500, 'leaseLost'],
  ['a refused token', {}, 403, 'leaseLost'],
])('can_04 a lost lease asks the host once; it says %s', async (_, body, status, kind) => {
  Object.assign(host, { body, status })
  for (const early of [true, false]) {
    host.requests = []
    const run = openRun()
    const abort = new AbortController()
    if (early) abort.abort(new Error(leaseLost))
    const result = execute(context({ signal: abort.signal, authToken: 'token-1' }))
    await run.started
    if (!early) abort.abort(leaseLost)
    await result
    expect(run.cancelled()).toEqual([kind])
    expect(host.requests).toEqual(['GET /api/heartbeat-runs/run-1 Bearer token-1'])
  }
})

test('can_04 a lost lease without a token, or with a host that is gone, leaves the Job alone', async () => {
  const first = openRun()
  await execute(context({ signal: AbortSignal.abort(leaseLost) }))
  expect(first.cancelled()).toEqual(['leaseLost'])
  vi.stubEnv('PAPERCLIP_RUNTIME_API_URL', 'http://127.0.0.1:1')
  const second = openRun()
  await execute(context({ signal: AbortSignal.abort(leaseLost), authToken: 't' }))
  expect(second.cancelled()).toEqual(['leaseLost'])
  expect(host.requests).toEqual([])
})

test('can_05 a host without signals is asked every 15 seconds until it says cancelled', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const run = openRun()
  const ctx = context({ authToken: 't', signal: undefined })
  const result = execute(ctx)
  await run.started
  for (const [status, answered] of /** @type {const} */ ([[200, 1], [500, 2], [401, 3], [403, 4]])) {
    host.status = status
    await vi.advanceTimersByTimeAsync(pollInterval)
    await vi.waitFor(() => expect(host.requests).toHaveLength(answered), { interval: 1 })
    await answerArrived()
  }
  expect(run.cancelled()).toEqual([])
  Object.assign(host, { status: 200, body: { status: 'cancelled' } })
  await vi.advanceTimersByTimeAsync(pollInterval)
  await result
  expect(run.cancelled()).toEqual(['operator'])
  expect(ctx.lines).toEqual(['stderr: [paperclip] cancel polling: the host refuses the run token; a cancel may not be noticed\n'])
})

/** Real time is the only clock of a socket. */
async function answerArrived() {
  const { setImmediate } = await import('node:timers/promises')
  for (let turn = 0; turn < 50; turn += 1) await setImmediate()
}

test.each([
  ['throws', () => { throw new Error('x') }],
  ['rejects', () => Promise.reject(new Error('x'))],
])('can_01 when registering %s, the host is asked as well and the signal still counts', async (_, onCancellationReady) => {
  const run = openRun()
  const abort = new AbortController()
  const ctx = context({ signal: abort.signal, onCancellationReady })
  const result = execute(ctx)
  await run.started
  abort.abort('stop')
  await result
  expect(run.cancelled()).toEqual(['operator'])
  expect(ctx.lines).toEqual(['stderr: [paperclip] cancel polling disabled: no run token\n'])
})

test('hst_05 a registration that never settles is bounded', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const run = openRun()
  const result = execute(context({ authToken: 't', signal: new AbortController().signal, onCancellationReady: () => new Promise(() => {}) }))
  await vi.advanceTimersByTimeAsync(29_999)
  expect(run.script.seen).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  await run.started
  run.end()
  await result
})

test('without a signal, a token or an address nobody can ask, which is said once', async () => {
  vi.stubEnv('PAPERCLIP_RUNTIME_API_URL', undefined)
  scriptNative()
  const ctx = context({ authToken: 't', signal: undefined })
  await execute(ctx)
  expect(ctx.lines).toEqual(['stderr: [paperclip] cancel polling disabled: the host URL is unknown\n'])
})

test('hst_02 a cancel that fails natively is said, and nothing is left unhandled', async () => {
  const run = openRun()
  run.script.onCancel = () => {
    throw new Error('panic')
  }
  const abort = new AbortController()
  const ctx = context({ signal: abort.signal })
  const result = execute(ctx)
  await run.started
  abort.abort('stop')
  await vi.waitFor(() => expect(ctx.lines).toEqual(['stderr: [paperclip] the run could not be cancelled: panic\n']))
  run.end()
  await result
})

test('can_02 a signal that aborts after the end reaches nobody, and no listener stays', async () => {
  const { seen } = scriptNative()
  const abort = new AbortController()
  const listeners = vi.spyOn(abort.signal, 'removeEventListener')
  await execute(context({ signal: abort.signal }))
  expect(listeners).toHaveBeenCalled()
  abort.abort('late')
  expect(seen[0].cancelled).toEqual([])
})

test.each([
  [{}, []],
  [{ PAPERCLIP_API_URL: 'https://p.example/ ' }, ['https://p.example']],
  [{ PAPERCLIP_API_URL: 'ftp://p', PAPERCLIP_RUNTIME_API_URL: 'not a url' }, []],
  [{ PAPERCLIP_LISTEN_PORT: '3100', PAPERCLIP_LISTEN_HOST: '0.0.0.0' }, ['http://127.0.0.1:3100']],
  [{ PAPERCLIP_LISTEN_PORT: '3100', PAPERCLIP_LISTEN_HOST: '::1' }, ['http://[::1]:3100']],
  [
    { PAPERCLIP_RUNTIME_API_URL: 'http://127.0.0.1:3100', PAPERCLIP_API_URL: 'https://p.example', PAPERCLIP_LISTEN_PORT: '3100' },
    ['http://127.0.0.1:3100', 'https://p.example'],
  ],
])('the server reaches itself, given %o, at %o', (environment, urls) => {
  expect(hostUrls(environment)).toEqual(urls)
})

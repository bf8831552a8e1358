import { expect, test, vi } from 'vitest'

import { execute } from '../js/run/execute.js'
import { context, scriptNative } from './run.js'

const event = { eventType: 'k8s.job.created', stream: 'system', level: 'info', message: 'm', payload: { job: 'j' } }
const meta = { command: 'kubectl job/j', cwd: '/w', commandArgs: ['--print'], commandNotes: [], env: { A: 'b' }, prompt: 'p', promptMetrics: { promptChars: 1 } }
const launched = { jobName: 'j', jobUid: 'u', namespace: 'n', runId: 'run-1' }

/**
 * Runs with a native side that sends these notices, and returns what became of each call.
 * @param {any} ctx
 * @param {unknown[]} notices
 */
async function send(ctx, ...notices) {
  /** @type {PromiseSettledResult<void>[]} */
  let outcomes = []
  scriptNative({
    wait: async ({ callbacks }) => {
      outcomes = await Promise.allSettled(notices.map((notice) => callbacks.onNotice(JSON.stringify(notice))))
      return '{}'
    },
  })
  await execute(ctx)
  return outcomes.map(({ status }) => status)
}

test('each notice reaches the host’s callback in its form', async () => {
  const ctx = context({
    context: { taskId: 't', paperclipRuntimeTools: { bearerToken: 'x' }, paperclipManagedMcp: {} },
    onMeta: vi.fn(),
    onEvent: vi.fn(),
    onRuntimeProgress: vi.fn(),
    onDispatch: vi.fn(),
    onSpawn: vi.fn(),
    onExternalRuntimeLaunched: vi.fn(),
  })
  const progress = { phase: 'adapter_startup', message: 'waiting for a node' }
  await send(ctx, { kind: 'meta', meta }, { kind: 'event', event }, { kind: 'progress', ...progress }, { kind: 'dispatch' }, { kind: 'launched', ...launched })
  expect(ctx.onMeta.mock.calls).toEqual([[{ adapterType: 'claude_k8s', ...meta, context: { taskId: 't' } }]])
  expect(ctx.onEvent.mock.calls).toEqual([[event]])
  expect(ctx.onRuntimeProgress.mock.calls).toEqual([[progress]])
  expect(ctx.onDispatch).toHaveBeenCalledTimes(1)
  expect(ctx.onExternalRuntimeLaunched.mock.calls).toEqual([[launched]])
  expect(ctx.onSpawn).not.toHaveBeenCalled() // a pid would make the host judge a process that does not exist
})

const all = [{ kind: 'meta', meta }, { kind: 'event', event }, { kind: 'progress', phase: 'finalize', message: 'm' }, { kind: 'dispatch' }, { kind: 'novelty' }]

test.each([
  ['are absent', undefined],
  [
    'throw',
    () => {
      throw new Error('x')
    },
  ],
  ['reject', () => Promise.reject(new Error('x'))],
  ['reject with nothing', () => Promise.reject()],
  ['return nothing', () => {}],
])('hst_02 host callbacks that %s do not disturb the run', async (_, callback) => {
  const ctx = context({ onMeta: callback, onEvent: callback, onRuntimeProgress: callback, onDispatch: callback })
  expect(await send(ctx, ...all)).toEqual(all.map(() => 'fulfilled'))
})

test('hst_08 only a refused launch is an answer', async () => {
  const refuse = () => Promise.reject(new Error('not stored'))
  expect(await send(context({ onExternalRuntimeLaunched: refuse }), { kind: 'launched', ...launched })).toEqual(['rejected'])
  expect(await send(context(), { kind: 'launched', ...launched })).toEqual(['fulfilled'])
})

test('hst_03 log calls reach the host one at a time and in order', async () => {
  let running = 0
  /** @type {string[]} */
  const order = []
  const ctx = context({
    onLog: async (/** @type {string} */ stream, /** @type {string} */ chunk) => {
      running += 1
      expect(running).toBe(1)
      await Promise.resolve()
      order.push(`${stream} ${chunk}`)
      running -= 1
    },
  })
  scriptNative({
    wait: async ({ callbacks }) => {
      await Promise.all([callbacks.onLog('stdout', '1'), callbacks.onLog('stderr', '2'), callbacks.onLog('stdout', '3')])
      return '{}'
    },
  })
  await execute(ctx)
  expect(order).toEqual(['stdout 1', 'stderr 2', 'stdout 3'])
})

test.each([
  [
    'throws',
    () => {
      throw new Error('disk full')
    },
  ],
  ['rejects', () => Promise.reject(new Error('disk full'))],
])('hst_02 an `onLog` that %s is reported to the native side, and the next call still happens', async (_, onLog) => {
  /** @type {string[]} */
  const outcomes = []
  scriptNative({
    wait: async ({ callbacks }) => {
      for (const chunk of ['1', '2']) await callbacks.onLog('stdout', chunk).catch((/** @type {Error} */ error) => outcomes.push(error.message))
      return '{}'
    },
  })
  await execute(context({ onLog }))
  expect(outcomes).toEqual(['disk full', 'disk full'])
})

/**
 * From the host's wish to stop to `run.cancel`.
 *
 * ```text
 * signal: any reason ─────────────────▶ cancel('operator')
 * signal: controller lease lost ─▶ ask the host once ─┬─▶ cancelled or closed there: cancel('operator') (HOS-06)
 *                                                     └─▶ otherwise:                 cancel('leaseLost'), the Job lives on
 * no signal, or not registered ──▶ ask every 15 s (5 s where the host has no signal) ──▶ cancelled there: cancel('operator')
 * ```
 */

import { messageOf } from '../json.js'
import { fetchRunStatus, hostUrls } from '../host/run-status.js'
import { hostHas } from '../host/version.js'

/** @typedef {import('../types.d.ts').ExecutionContext} ExecutionContext */

const pollIntervalMs = 15_000
/** Where polling is the only way. */
const soonPollIntervalMs = 5_000
const registrationTimeoutMs = 30_000
const lastLinesTimeoutMs = 1_000

/**
 * Tells the host that this run stops by signal. Awaited before anything is created (CAN-01).
 * @param {ExecutionContext} ctx
 * @returns {Promise<boolean>} false: the host will not wait for us, only polling is left
 */
export async function registerForCancellation(ctx) {
  if (typeof ctx.onCancellationReady !== 'function') return true
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const overdue = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), registrationTimeoutMs)
  })
  try {
    await Promise.race([(async () => ctx.onCancellationReady?.())(), overdue])
    return true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

/**
 * @param {{ ctx: ExecutionContext, run: import('../types.d.ts').NativeRun, log: import('../host/log.js').Log, registered: boolean }} parts
 * @returns {Promise<{ askNow: () => Promise<boolean>, stop: () => Promise<void> }>} `askNow`: was it cancelled? then it is being
 *   stopped. `stop`: stops watching; resolves when nothing of it is left
 */
export async function watchCancellation({ ctx, run, log, registered }) {
  const ended = new AbortController()
  const { signal } = ctx
  const urls = hostUrls()
  const pending = new Set()

  /** @param {import('../types.d.ts').CancelKind} kind */
  const cancel = (kind) => {
    try {
      run.cancel(kind)
    } catch (error) {
      say(`the run could not be cancelled: ${messageOf(error)}`) // nobody awaits a listener: it must not throw
    }
  }
  const onAbort = async () => {
    if (!isLeaseLost(signal?.reason)) return cancel('operator')
    cancel(['cancel', 'over'].includes(await status()) ? 'operator' : 'leaseLost')
  }
  const status = async () =>
    ctx.authToken
      ? fetchRunStatus({ urls, runId: ctx.runId, authToken: ctx.authToken, signal: ended.signal })
      : 'unknown'
  /** @param {string} text */
  const say = (text) => {
    const call = log('stderr', `[paperclip] ${text}\n`).catch(() => {})
    pending.add(call)
    call.then(() => pending.delete(call))
  }

  // An abort that happened before we listen sends no event. Decided before the run may create anything.
  if (signal?.aborted) await onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })

  if (!signal || !registered) {
    if (urls.length > 0 && ctx.authToken) void poll({ status, say, ended: ended.signal, cancel: () => cancel('operator') })
    else say(`cancel polling disabled: ${urls.length > 0 ? 'no run token' : 'the host URL is unknown'}`)
  }

  return {
    async askNow() {
      const cancelled = (await status()) === 'cancel'
      if (cancelled) cancel('operator')
      return cancelled
    },
    async stop() {
      ended.abort()
      signal?.removeEventListener('abort', onAbort)
      await Promise.race([Promise.all(pending), unreferencedDelay(lastLinesTimeoutMs)])
    },
  }
}

/**
 * @param {{ status: () => Promise<import('../host/run-status.js').RunStatus>, say: (text: string) => void, ended: AbortSignal, cancel: () => void }} parts
 */
async function poll({ status, say, ended, cancel }) {
  let deniedBefore = false
  while (!ended.aborted) {
    await unreferencedDelay(hostHas('cancelSignal') ? pollIntervalMs : soonPollIntervalMs, ended)
    if (ended.aborted) return
    const answer = await status()
    if (answer === 'cancel') return cancel()
    if (answer === 'denied' && !deniedBefore) {
      deniedBefore = true
      say('cancel polling: the host refuses the run token; a cancel may not be noticed')
    }
  }
}

/**
 * The host aborts with this text when it no longer owns the run: not an order to stop (docs/internals/host.md 8).
 * @param {unknown} reason
 */
function isLeaseLost(reason) {
  return /controller lease lost/i.test(messageOf(reason))
}

/**
 * Never keeps the process alive (HST-07).
 * @param {number} milliseconds
 * @param {AbortSignal} [ended]
 * @returns {Promise<void>}
 */
function unreferencedDelay(milliseconds, ended) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds).unref()
    ended?.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      ended?.removeEventListener('abort', done)
      resolve()
    }
  })
}

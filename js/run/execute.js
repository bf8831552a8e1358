/**
 * One `execute(ctx)`: adapts the host's call to the native module and its answer back. Always resolves (HST-01).
 *
 * ```text
 * load native ─▶ onCancellationReady ─▶ request ─▶ startRun ─▶ watch cancellation ─▶ wait ─▶ result
 * ```
 */

import { nativeCallbacks } from '../host/notices.js'
import { orderedLog } from '../host/log.js'
import { messageOf } from '../json.js'
import { loadNative } from '../native/load.js'
import { registerForCancellation, watchCancellation } from './cancellation.js'
import { internalError, refusal } from './refusal.js'
import { untilCancelledRunsEnded, whileActive } from './neighbours.js'
import { buildRequest } from './request.js'
import { withSessionTotals } from './session-usage.js'

/** @typedef {import('@paperclipai/adapter-utils').AdapterExecutionResult} Result */

/**
 * @param {import('@paperclipai/adapter-utils').AdapterExecutionContext} ctx
 * @returns {Promise<Result>}
 */
export async function execute(ctx) {
  let native
  try {
    native = loadNative()
  } catch (error) {
    const aborted = ctx?.signal?.aborted === true
    return refusal('adapter_engine_unavailable', messageOf(error), { reason: 'k8s_native_module_unavailable', aborted })
  }
  try {
    return await followRun(native, ctx)
  } catch (error) {
    return internalError(`The run ended with an internal error: ${messageOf(error)}`)
  }
}

/**
 * @param {import('../types.d.ts').NativeModule} native
 * @param {import('../types.d.ts').ExecutionContext} ctx
 * @returns {Promise<Result>}
 */
async function followRun(native, ctx) {
  const registered = await registerForCancellation(ctx)
  const log = orderedLog(ctx)
  /** @param {string} text */
  const warn = (text) => void log('stderr', `[paperclip] Warning: ${text}\n`).catch(() => {})
  await untilCancelledRunsEnded(ctx.agent.id)
  let run
  try {
    run = native.startRun(JSON.stringify(await buildRequest(ctx, warn)), nativeCallbacks(ctx, log))
  } catch (error) {
    const aborted = ctx.signal?.aborted === true
    return refusal('internal_error', `The run could not be prepared: ${messageOf(error)}`, { reason: 'internal_error', aborted })
  }
  const { askNow, stop } = await watchCancellation({ ctx, run, log, registered })
  try {
    const result = JSON.parse(await whileActive({ agentId: ctx.agent.id, askNow }, run.wait()))
    // Its clean-up may go on behind the result. Whoever has nothing else to do ends when that is over.
    void run.isOver()
    return withSessionTotals(result, ctx)
  } finally {
    await stop()
  }
}

/**
 * The callbacks the native side gets. Each is an `async` arrow: the native side needs a promise whatever the host's
 * function returns, and a synchronous throw would end the process (docs/internals/napi.md 2).
 */

import { type } from '../identity.js'

/** @typedef {import('../types.d.ts').ExecutionContext} ExecutionContext */
/** @typedef {import('../types.d.ts').Notice} Notice */

/**
 * `onLog` failures go back to the native side, which counts and reports them. Of the notices only a refused launch is
 * an answer; every other failure is the host's own and must not reach the run (HST-02).
 * @param {ExecutionContext} ctx
 * @param {import('./log.js').Log} log
 * @returns {import('../types.d.ts').NativeCallbacks}
 */
export function nativeCallbacks(ctx, log) {
  return {
    onLog: async (stream, chunk) => {
      await log(stream === 'stderr' ? 'stderr' : 'stdout', chunk)
    },
    onNotice: async (json) => {
      /** @type {Notice} */
      const notice = JSON.parse(json)
      if (notice.kind === 'launched') return acknowledgeLaunch(ctx, notice)
      try {
        await deliver(ctx, notice)
      } catch {
        // The host's own failure; see above.
      }
    },
  }
}

/**
 * Fork-only: a host that stores the Job's identity may refuse the launch, which is then undone (HST-08).
 * @param {ExecutionContext} ctx
 * @param {Extract<Notice, { kind: 'launched' }>} notice
 */
async function acknowledgeLaunch(ctx, { jobName, jobUid, namespace, runId }) {
  await ctx.onExternalRuntimeLaunched?.({ jobName, jobUid, namespace, runId })
}

/**
 * @param {ExecutionContext} ctx
 * @param {Exclude<Notice, { kind: 'launched' }>} notice
 */
async function deliver(ctx, notice) {
  switch (notice.kind) {
    case 'meta':
      return ctx.onMeta?.({ adapterType: type, ...notice.meta, context: publicContext(ctx.context) })
    case 'event':
      return ctx.onEvent?.(notice.event)
    case 'progress':
      return ctx.onRuntimeProgress?.(progressOf(notice))
    case 'dispatch':
      return ctx.onDispatch?.()
  }
}

/**
 * @param {Extract<Notice, { kind: 'progress' }>} notice
 * @returns {import('@paperclipai/adapter-utils').RuntimeStatusUpdate}
 */
function progressOf({ kind: _, ...update }) {
  return update
}

/**
 * The context without the two members that hold bearer tokens.
 * @param {import('../types.d.ts').JsonObject} context
 */
export function publicContext(context) {
  const { paperclipRuntimeTools, paperclipManagedMcp, ...rest } = context ?? {}
  return rest
}

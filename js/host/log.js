/** The run's `onLog`: one call at a time, in order, whoever writes (HST-03). */

/** @typedef {(stream: 'stdout' | 'stderr', chunk: string) => Promise<void>} Log */

/**
 * @param {import('../types.d.ts').ExecutionContext} ctx
 * @returns {Log} settles as the host's call does
 */
export function orderedLog(ctx) {
  /** @type {Promise<unknown>} */
  let previous = Promise.resolve()
  return (stream, chunk) => {
    const call = previous.then(async () => {
      await ctx.onLog(stream, chunk)
    })
    previous = call.catch(() => {})
    return call
  }
}

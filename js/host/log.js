/**
 * The run's `onLog`: one call at a time, in order, whoever writes (HST-03), and one in a turn of the event loop at most.
 *
 * The native side hands over the next chunk as soon as a call has settled, and Node takes calls from other threads in a
 * row while there are any: without a turn between them a burst would keep everything else in the host waiting (HST-06).
 */

import { setImmediate as turnOfTheLoop } from 'node:timers/promises'

/** @typedef {(stream: 'stdout' | 'stderr', chunk: string) => Promise<void>} Log */

/**
 * @param {import('../types.d.ts').ExecutionContext} ctx
 * @returns {Log} settles as the host's call does, a turn of the loop later
 */
export function orderedLog(ctx) {
  /** @type {Promise<unknown>} */
  let previous = Promise.resolve()
  // A promise that nobody holds is collected with all that waits for it: the call would count as failed.
  /** @type {Set<unknown>} */
  const pending = new Set()
  return (stream, chunk) => {
    const call = previous.then(async () => {
      /** @type {unknown} */
      let answer
      try {
        answer = ctx.onLog(stream, chunk)
        pending.add(answer)
        await answer
      } finally {
        pending.delete(answer)
        await turnOfTheLoop()
      }
    })
    previous = call.catch(() => {})
    return call
  }
}

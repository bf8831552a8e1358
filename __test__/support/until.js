/** Waiting for a fact instead of sleeping. */

import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks again and again until the answer is truthy.
 * @template T
 * @param {string} what said when the bound is over: "the pod is gone"
 * @param {() => T | Promise<T>} ask
 * @param {number} [boundMs]
 * @param {number} [stepMs] between two questions
 * @returns {Promise<Exclude<T, false | null | undefined | 0 | ''>>}
 */
export async function until(what, ask, boundMs = 120_000, stepMs = 50) {
  const end = Date.now() + boundMs
  for (;;) {
    const answer = await ask()
    if (answer) return /** @type {any} */ (answer)
    if (Date.now() > end) throw new Error(`Not within ${boundMs / 1000} s: ${what}.`)
    await pause(stepMs)
  }
}

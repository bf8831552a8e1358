/**
 * The runs of this process, for hosts that tell no run that it was cancelled (HOS-05). Such a host starts the
 * continuation of a cancelled run at once; it would meet a Job that does not know yet that it has to go.
 */

import { hostHas } from '../host/version.js'
import { sharedState } from '../native/shared.js'

/** @typedef {{ agentId: string, askNow: () => Promise<boolean>, ended: Promise<unknown> }} ActiveRun */

/** As long as a pod may take to end. */
const longestMs = 60_000

/**
 * Asks the host at once about each run of the agent in this process, and waits for the end of those that were cancelled.
 * @param {string} agentId
 */
export async function untilCancelledRunsEnded(agentId) {
  if (hostHas('cancelSignal')) return
  const others = [...(sharedState().activeRuns ?? [])].filter((run) => run.agentId === agentId)
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const tooLong = new Promise((resolve) => (timer = setTimeout(resolve, longestMs)))
  const ends = others.map(async (run) => ((await run.askNow()) ? run.ended.catch(() => {}) : undefined))
  await Promise.race([Promise.all(ends), tooLong])
  clearTimeout(timer)
}

/**
 * @template Result
 * @param {Omit<ActiveRun, 'ended'>} run
 * @param {Promise<Result>} ended
 * @returns {Promise<Result>}
 */
export async function whileActive(run, ended) {
  const runs = (sharedState().activeRuns ??= new Set())
  const active = { ...run, ended }
  runs.add(active)
  try {
    return await ended
  } finally {
    runs.delete(active)
  }
}

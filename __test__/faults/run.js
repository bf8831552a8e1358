/** One run of the package under one fault, and what is counted of it. */

import { execute } from '../support/package.js'
import { openLedger } from './ledger.js'
import { environmentOf } from './talker.js'

/** @typedef {import('../support/proxy.js').Proxy} Proxy */

/**
 * @typedef {object} FaultRun what one run brought
 * @property {string} fault
 * @property {number} seed
 * @property {number} hits requests to which something was done, and outages
 * @property {number} lines printed by the container
 * @property {number} lost without a report
 * @property {number} gap lost, and reported as a gap
 * @property {number} doubled lines that came again, too late or damaged
 * @property {string[]} wrong what is wrong with the verdict, or with what was asked of the cluster
 * @property {import('./ledger.js').Count} count in detail
 * @property {number} settleMs from the end of the container, or of the outage if that is later, to the result
 */

/**
 * @param {import('../support/cluster.js').Cluster} cluster
 * @param {Record<string, unknown>} config of the talker
 * @param {import('./catalogue.js').Fault} fault
 * @param {number} seed
 * @returns {Promise<FaultRun>}
 */
export async function runUnder(cluster, config, fault, seed) {
  const ledger = openLedger(fault.talk)
  const proxy = await cluster.proxy(seed)
  fault.prepare?.(proxy)
  /** @type {() => void} */
  let begin = () => {}
  const begun = new Promise((resolve) => (begin = () => resolve(undefined)))
  /** @type {string[]} */
  const warnings = []
  const ctx = cluster.context({
    through: proxy,
    // A Job that is kept on purpose: whoever deletes it is wrong.
    config: { retainJobs: true, ...config },
    env: environmentOf(fault.talk),
    onLog: async (stream, chunk) => {
      if (stream === 'stdout') ledger.add(chunk)
      else warnings.push(chunk)
      if (chunk.includes('[paperclip] Log gap: ')) ledger.gap()
      if (ledger.seen > 0) begin()
      await fault.host?.()
    },
  })
  const ended = new AbortController()
  const outages = begun.then(() => disturb(fault, proxy, ended.signal))
  // Awaited below; a disturbance that fails before fails the run, not the process.
  outages.catch(() => {})
  const result = await execute(ctx)
  const settledAt = Date.now()
  ended.abort()
  begin()
  const { blows, until } = await outages
  const isTailDoubted = warnings.some((text) => text.includes('Log tail unconfirmed'))
  const count = ledger.close(isTailDoubted)
  const { k8s = {} } = result.resultJson ?? {}
  const isReported = k8s.logGaps > 0 || isTailDoubted
  const record = {
    fault: fault.name,
    seed,
    hits: blows + proxy.requests.filter(({ fault, brokenOff }) => brokenOff ?? (fault && !fault.breakOff)).length,
    lines: count.printed,
    lost: count.lost - count.reported,
    gap: count.reported,
    doubled: count.doubled + count.disordered + count.damaged,
    wrong: [...verdict(result, fault.mayLose === true && !count.hasResult), ...deletions(proxy), ...(isReported && !fault.mayLose ? [`a loss was reported: ${warnings.join(' ')}`] : [])],
    settleMs: Math.max(0, settledAt - Math.max(Date.parse(k8s.finishedAt) || settledAt, until <= settledAt ? until : 0)),
    count,
  }
  if (k8s.job) await cluster.removeJob(k8s.job)
  await proxy.stop()
  return record
}

/**
 * @param {import('./catalogue.js').Fault} fault
 * @param {Proxy} proxy
 * @param {AbortSignal} ended
 * @returns {Promise<{ blows: number, until: number }>}
 */
async function disturb(fault, proxy, ended) {
  const blows = (await fault.disturb?.(proxy, ended)) ?? 0
  return { blows, until: blows > 0 ? Date.now() : 0 }
}

/**
 * @param {any} result of a container that said it was done and exited with 0
 * @param {boolean} isLost the node discarded its result, and nobody can know it
 * @returns {string[]} what is wrong
 */
export function verdict({ errorCode, errorMessage, exitCode, timedOut, summary }, isLost) {
  const isSuccess = errorCode === undefined && errorMessage === null && summary === 'done'
  const saysSo = /no result event was seen, but (lines|the end) of its log/.test(errorMessage)
  const isRight = (isLost ? saysSo : isSuccess) && exitCode === 0 && !timedOut
  return isRight ? [] : [`verdict: ${errorCode} ${JSON.stringify(errorMessage)}, exit code ${exitCode}, summary ${JSON.stringify(summary)}`]
}

/** @param {Proxy} proxy */
const deletions = (proxy) =>
  proxy.matching({ verb: 'delete', resource: /^(jobs|pods)$/ }).map(({ path }) => `a deletion was asked for: ${path}`)

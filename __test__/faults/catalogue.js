/** What goes wrong between a host and its cluster. Each entry is a run that has to end as if nothing had happened. */

import { setTimeout as pause } from 'node:timers/promises'

import { endLine } from './talker.js'

/** @typedef {import('../support/proxy.js').Proxy} Proxy */
/** @typedef {import('./talker.js').Talk} Talk */

/**
 * More than two log files of a node with the usual settings: 10 MiB each, looked at every 10 s. A rotation between the
 * last line and the end of the container leaves an empty file, and nobody can say that nothing else was in the old one.
 */
const twoFiles = { talk: { lines: 30_000, units: 1000, batch: 300, pauseMs: 300 }, mayLose: true }

/**
 * @typedef {object} Fault
 * @property {string} name
 * @property {Talk} talk
 * @property {number} runs in one round, each with a seed of its own
 * @property {(proxy: Proxy) => void} [prepare] before the run
 * @property {(proxy: Proxy, ended: AbortSignal) => Promise<number>} [disturb] from the first line on; says how often it struck
 * @property {() => Promise<unknown>} [host] what the host does with a chunk
 * @property {boolean} [mayLose] the node discards output here: a reported gap is no defect, a lost line without one is
 * @property {boolean} [rotates] needs a node that rotates small logs often, or
 * @property {{ talk: Talk, mayLose: boolean }} [onRealNode] instead, where the node's settings are what they are
 */

/** The connection that follows the log, as opposed to the reads at the end. */
const follow = { resource: 'pods/log', path: /[?&]follow=true/ }
const log = { resource: 'pods/log' }

/**
 * The log is gone for every client once the first follow has shown so much of it, and the end of the container is posted late.
 * @param {Proxy} proxy
 * @param {string} afterText
 * @param {[number, number]} afterBytes
 */
function removedBehind(proxy, afterText, afterBytes) {
  proxy.rule({ ...follow, times: 1, breakOff: 'end', afterText, afterBytes })
  proxy.rule({ ...log, text: 'unable to retrieve container logs for containerd://0123456789abcdef' })
  proxy.rule({ verb: 'watch', resource: 'pods', drip: { bytes: 1 << 20, everyMs: 2000 } })
}

/** So that the first seconds of a run are over before something happens: it has begun. */
const short = { lines: 120, batch: 5, pauseMs: 500 }
const minute = { lines: 600, batch: 5, pauseMs: 500 }

/**
 * Everything is answered like this for a while.
 * @param {import('../support/proxy.js').Match & import('../support/proxy.js').Fault} rule
 * @param {number} seconds
 * @returns {Fault['disturb']}
 */
const answering = (rule, seconds) => async (proxy) => {
  const { remove } = proxy.rule(rule)
  for (const open of proxy.requests) open.breakOff('reset')
  await pause(seconds * 1000)
  remove()
  return 1
}

/**
 * Does something again and again until the run has ended.
 * @param {number} everyMs
 * @param {(proxy: Proxy) => Promise<void> | void} strike
 * @returns {Fault['disturb']}
 */
const every = (everyMs, strike) => async (proxy, ended) => {
  let blows = 0
  while (!ended.aborted) {
    await pause(everyMs)
    if (ended.aborted) break
    blows++
    await strike(proxy)
  }
  return blows
}

/** @param {number} seconds */
const refusing = (seconds) => async (/** @type {Proxy} */ proxy) => {
  await proxy.refuse()
  await pause(seconds * 1000)
  await proxy.accept()
  return 1
}

/** @type {Fault[]} */
export const catalogue = [
  {
    name: 'random cuts',
    talk: { lines: 450, batch: 5, pauseMs: 500 },
    runs: 14,
    prepare(proxy) {
      // A replay of the seam is some 3 KB: most cuts fall into it, the others into new lines.
      proxy.rule({ ...follow, chance: 0.05, breakOff: 'end', afterBytes: [1, 4500], midLine: true })
      proxy.rule({ ...follow, breakOff: 'reset', afterBytes: [1, 4500] })
    },
  },
  {
    name: 'clean ends at random bytes',
    talk: minute,
    runs: 2,
    prepare: (proxy) => void proxy.rule({ ...follow, breakOff: 'end', afterBytes: [1, 9000] }),
  },
  {
    name: 'lines truncated by a clean end',
    talk: short,
    runs: 2,
    prepare(proxy) {
      proxy.rule({ ...follow, times: 6, breakOff: 'end', afterBytes: [2000, 5000], midLine: true })
      proxy.rule({ ...log, times: 2, breakOff: 'end', afterBytes: [100, 400], midLine: true })
    },
  },
  { name: 'stream that ends every 3 s', talk: minute, runs: 2, prepare: (proxy) => void proxy.rule({ ...follow, breakOff: 'end', afterMs: 3000 }) },
  { name: 'half-open stall', talk: { ...minute, lines: 700 }, runs: 2, prepare: (proxy) => void proxy.rule({ ...follow, times: 1, breakOff: 'stall', afterBytes: [1000, 8000] }) },
  { name: 'no answer to the first follow', talk: minute, runs: 1, prepare: (proxy) => void proxy.rule({ ...follow, times: 1, hang: true }) },
  {
    name: 'burst within a second',
    talk: { lines: 5000, units: 200, batch: 5000 },
    runs: 4,
    prepare: (proxy) => void proxy.rule({ ...follow, times: 4, breakOff: 'reset', afterBytes: [1, 1_500_000] }),
  },
  {
    name: 'identical lines',
    talk: { ...short, kind: 'same' },
    runs: 3,
    prepare: (proxy) => void proxy.rule({ ...follow, breakOff: 'reset', afterBytes: [1, 6000] }),
  },
  {
    name: 'lines of 1 MiB',
    talk: { lines: 8, units: 1 << 20, batch: 1, pauseMs: 1500 }, // less than a node keeps in one file
    runs: 2,
    prepare(proxy) {
      proxy.rule({ ...follow, times: 10, breakOff: 'reset', afterBytes: [1, 6_000_000], midLine: true })
      proxy.rule({ ...log, times: 1, breakOff: 'reset', afterBytes: [1, 1_000_000], midLine: true })
    },
  },
  {
    name: 'cuts inside characters',
    talk: { ...short, unit: '\u{1F980}', units: 30 },
    runs: 3,
    prepare: (proxy) => void proxy.rule({ ...follow, breakOff: 'reset', afterBytes: [1, 12_000] }),
  },
  { name: 'slow drip', talk: { ...short, unit: '\u{1F980}', units: 30 }, runs: 2, prepare: (proxy) => void proxy.rule({ ...log, drip: { bytes: 211, everyMs: 20 } }) },
  { name: 'slow host', talk: { ...short, units: 400 }, runs: 1, host: () => pause(200) },
  { name: 'answers late by 3 s', talk: short, runs: 1, prepare: (proxy) => void proxy.rule({ delayMs: 3000 }) },
  { name: 'API outage of 60 s', talk: minute, runs: 2, disturb: refusing(60) },
  { name: 'outage over the end', talk: short, runs: 1, disturb: refusing(25) },
  { name: 'short outages', talk: short, runs: 1, disturb: every(4000, async (proxy) => void (await refusing(1)(proxy))) },
  { name: '500 to everything, 20 s', talk: minute, runs: 1, disturb: answering({ status: 500 }, 20) },
  { name: '503 to everything, 20 s', talk: minute, runs: 1, disturb: answering({ status: 503 }, 20) },
  { name: '429 to everything, 20 s', talk: minute, runs: 1, disturb: answering({ status: 429, retryAfterSec: 1 }, 20) },
  { name: '500 to every third request', talk: short, runs: 1, prepare: (proxy) => void proxy.rule({ verb: /^(get|list|watch)$/, resource: /^(jobs|pods)/, chance: 0.33, status: 500 }) },
  { name: '401 to everything, 10 s', talk: short, runs: 1, disturb: answering({ status: 401 }, 10) },
  { name: '403 to the log, 20 s', talk: minute, runs: 1, disturb: answering({ ...log, status: 403 }, 20) },
  { name: '403 to watches, 20 s', talk: minute, runs: 1, disturb: answering({ verb: 'watch', status: 403 }, 20) },
  {
    name: '410 inside the watches',
    talk: minute,
    runs: 1,
    disturb: every(2000, (proxy) => proxy.matching({ verb: 'watch' }).forEach((watch) => watch.breakOff('gone'))),
  },
  { name: '410 to the start of watches', talk: short, runs: 1, prepare: (proxy) => void proxy.rule({ verb: 'watch', chance: 0.5, status: 410 }) },
  {
    name: 'watches that drop',
    talk: minute,
    runs: 1,
    disturb: every(1500, (proxy) => proxy.matching({ verb: 'watch' }).forEach((watch, index) => watch.breakOff(index % 2 ? 'end' : 'reset'))),
  },
  { name: 'watches that stall', talk: minute, runs: 1, disturb: every(20_000, (proxy) => proxy.matching({ verb: 'watch' }).forEach((watch) => watch.breakOff('stall'))) },
  { name: 'rotation under load', talk: { lines: 6000, units: 150, batch: 100, pauseMs: 300 }, runs: 2, rotates: true, onRealNode: twoFiles },
  {
    name: 'rotation and cuts',
    talk: { lines: 6000, units: 150, batch: 100, pauseMs: 300 },
    runs: 2,
    rotates: true,
    onRealNode: twoFiles,
    mayLose: true,
    prepare: (proxy) => void proxy.rule({ ...follow, times: 20, breakOff: 'reset', afterBytes: [1, 400_000] }),
  },
  {
    name: 'log removed before the state is posted',
    talk: short,
    runs: 2,
    mayLose: true,
    prepare: (proxy) => removedBehind(proxy, endLine, [-25, 8]),
  },
  {
    name: 'log removed with its last lines',
    talk: short,
    runs: 2,
    mayLose: true,
    prepare: (proxy) => removedBehind(proxy, '"n":118,', [1, 400]),
  },
  {
    name: 'rotation between the last line and the end line',
    talk: { lines: 1500, units: 150, batch: 1500, lingerSec: 4 },
    runs: 2,
    rotates: true,
    onRealNode: { talk: { lines: 12_000, units: 1000, batch: 500, pauseMs: 100, lingerSec: 13 }, mayLose: true },
  },
  {
    name: 'stream cut inside the end line',
    talk: short,
    runs: 3,
    prepare(proxy) {
      proxy.rule({ ...follow, times: 2, breakOff: 'end', afterText: endLine, afterBytes: [-20, 10] })
      proxy.rule({ ...log, times: 2, breakOff: 'reset', afterText: endLine, afterBytes: [-20, 10] })
    },
  },
]

/**
 * The call table against the package: each call of a run × each kind of answer that is none, once.
 *
 * `matrix.json` is written by the tests of the table (crates/cluster/tests/it/whole_run/matrix): which request a call
 * is, in which run it is made, and how the run ends by the table. Nothing here knows the right end of a cell.
 */

import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

import { execute } from '../support/package.js'
import { withoutVerb } from '../support/manifests.js'
import { until } from '../support/until.js'
import { environmentOf } from './talker.js'

/** @typedef {import('../support/proxy/rules.js').Match & import('../support/proxy/rules.js').Fault} Rule */

/**
 * @typedef {object} Row
 * @property {string} call
 * @property {string} verb
 * @property {string} resource
 * @property {number} skip requests like it that come before
 * @property {'usual' | 'retained' | 'cancelled' | 'suspended' | 'lost'} run
 * @property {Record<string, string>} ends by kind: `success`, or a code without `k8s_`
 */

/** @typedef {{ row: Row, kind: string }} Cell */

/** @type {Row[]} */
const rows = JSON.parse(readFileSync(new URL('./matrix.json', import.meta.url), 'utf8'))

/** What each kind is. @type {[string, (verb: string, resource: string) => Rule][]} */
const answers = [
  ['500', () => ({ status: 500 })],
  ['502', () => ({ status: 502, page: true })],
  ['503', () => ({ status: 503 })],
  ['504 done', () => ({ status: 504, reason: 'Timeout', done: true })],
  ['429', () => ({ status: 429 })],
  ['429 in 3 s', () => ({ status: 429, retryAfterSec: 3 })],
  ['401', () => ({ status: 401 })],
  ['403', (verb, resource) => ({ status: 403, message: `User "u" cannot ${verb} resource "${resource}"` })],
  ['404', () => ({ status: 404 })],
  ['404 page', () => ({ status: 404, page: true })],
  ['409', (verb) => ({ status: 409, reason: verb === 'create' ? 'AlreadyExists' : 'Conflict' })],
  ['410', () => ({ status: 410 })],
  ['200 page', () => ({ status: 200, page: true })],
  ['reset', () => ({ reset: true })],
  ['reset done', () => ({ reset: true, done: true })],
  ['no answer', () => ({ hang: true })],
  ['slow 11 s', () => ({ delayMs: 11_000 })],
]
const kinds = new Map(answers)

/** Calls of the stop and of the clean-up of a container that works: they need one that does not end by itself. */
const isEndless = (/** @type {Row} */ { run }) => run === 'cancelled' || run === 'suspended'

/**
 * Every cell, the long ones first; of `sample` parts only one: every call and every kind, in another pairing.
 * @param {number} [sample]
 */
export function cells(sample = 1) {
  const all = rows.flatMap((row, line) => [...kinds.keys()].map((kind, column) => ({ row, kind, isIn: (line + column) % sample === 0 })))
  const isLong = (/** @type {{ kind: string }} */ { kind }) => (kind === 'no answer' || kind === 'slow 11 s' ? 1 : 0)
  return all.filter(({ isIn }) => isIn).toSorted((one, other) => isLong(other) - isLong(one))
}

/**
 * Accounts that lack a permission, made once.
 * @param {import('../support/cluster.js').Cluster} cluster
 */
export async function prepareMatrix(cluster) {
  return { suspended: await cluster.accountAs('without-delete-jobs', (rules) => withoutVerb(rules, 'jobs', 'delete')) }
}

/**
 * One cell. Returns what it came to and what is wrong with that.
 * @param {import('../support/cluster.js').Cluster} cluster
 * @param {Awaited<ReturnType<typeof prepareMatrix>>} accounts
 * @param {Record<string, unknown>} config of the talker
 * @param {Cell} cell
 */
export async function runCell(cluster, accounts, config, { row, kind }) {
  const { verb, resource, skip, run } = row
  const proxy = await cluster.proxy(1, run === 'suspended' ? accounts.suspended : undefined)
  if (run === 'lost') proxy.rule({ verb: 'create', resource: 'jobs', times: 1, ...kinds.get('504 done')?.('create', 'jobs') })
  proxy.rule({ verb, resource, skip, times: 1, ...kinds.get(kind)?.(verb, resource) })
  const cancel = new AbortController()
  /** @type {string[]} */
  const heard = []
  // A watch may be opened late, and then the run has to last until it is.
  const pauseMs = isEndless(row) ? 300_000 : verb === 'watch' ? 3000 : 0
  const talk = { lines: 2, batch: 1, pauseMs }
  const ctx = cluster.context({
    through: proxy,
    config: { ...config, retainJobs: run === 'retained' },
    env: environmentOf(talk),
    ...(isEndless(row) ? { signal: cancel.signal } : {}),
    onLog: async (_stream, chunk) => {
      heard.push(chunk)
      if (isEndless(row) && chunk.includes('"n":1,')) cancel.abort()
    },
  })
  const result = await Promise.race([execute(ctx), pause(180_000, undefined, { ref: false })])
  /** @type {string[]} */
  const wrong = []
  const text = heard.join('')
  const expected = row.ends[kind]
  const end = result ? (result.errorCode ?? 'success').replace(/^k8s_/, '') : 'hangs'
  const count = proxy.matching({ verb, resource }).length
  if (count <= skip) wrong.push('the call was not made')
  if (end !== expected) wrong.push(`not ${expected} but ${end}: ${result?.errorMessage}`)
  if (end === 'success') {
    if (result.exitCode !== 0 || result.summary !== 'done') wrong.push(`exit code ${result.exitCode}, summary ${result.summary}`)
    if (!text.includes('"n":1,') || !text.includes('"n":2,') || text.split('"n":2,').length > 2) wrong.push('lines are missing, or doubled')
  }
  const left = await leftOf(cluster, ctx.runId)
  await proxy.stop()
  const keeps = run === 'retained' || run === 'suspended'
  // A server that says that the Job is gone, or may not be deleted, keeps it until its TTL; what failed otherwise is told:
  // by the next run of the agent, if the answer came too late.
  const isKept = keeps || (verb === 'delete' && ['403', '404', '409', 'no answer', 'slow 11 s'].includes(kind)) || /clean-up: |is left|if Job/.test(text)
  if (left.length > 0 && !isKept) wrong.push(`left behind: ${left.join(', ')}`)
  for (const job of left) await cluster.removeJob(job)
  return { end, wrong }
}

/**
 * Jobs of the run that are still there when everything has had its time.
 * @param {import('../support/cluster.js').Cluster} cluster
 * @param {string} runId
 */
async function leftOf(cluster, runId) {
  /** @type {string[]} */
  let left = []
  const look = async () => {
    const jobs = await cluster.jobs()
    left = jobs.filter(({ metadata }) => metadata.annotations?.['paperclip.io/run-id'] === runId).map(({ metadata }) => metadata.name)
    return left.length === 0
  }
  await until('its Job is gone', look, 5000).catch(() => {})
  return left
}

/**
 * @param {(Cell & { end: string })[]} done
 * @returns {string} a Markdown table, calls × kinds
 */
export function matrixOf(done) {
  const names = [...kinds.keys()]
  const lines = rows.map((row) => {
    const ends = names.map((name) => done.find((cell) => cell.row === row && cell.kind === name)?.end ?? '')
    return `| ${[row.call, ...ends].join(' | ')} |`
  })
  return [`| ${['once', ...names].join(' | ')} |`, `|---|${names.map(() => '---|').join('')}`, ...lines].join('\n')
}

/** Which requests meet which fault: the first rule that matches decides, chance and ranges are drawn from one seed. */

import { seeded } from '../random.js'

/** @typedef {import('../requests.js').SeenRequest} SeenRequest */

/**
 * How an open answer ends: `end` closes it cleanly, `reset` kills the connection, `stall` keeps it open and silent for
 * ever, `gone` sends a watch the error 410 and ends it.
 * @typedef {'end' | 'reset' | 'stall' | 'gone'} BreakOff
 */

/**
 * Which requests. Members that are absent match everything.
 * @typedef {object} Match
 * @property {string | RegExp} [verb]
 * @property {string | RegExp} [resource]
 * @property {RegExp} [path] with query
 * @property {number} [skip] so many requests like it pass first
 * @property {number} [times] the rule applies that often
 * @property {number} [chance] probability for each request, from the proxy's seed
 */

/**
 * What happens to them.
 * @typedef {object} Fault
 * @property {number} [delayMs] before anything else
 * @property {boolean} [hang] takes the request and never answers
 * @property {boolean} [reset] the connection breaks before an answer
 * @property {boolean} [done] the server carries the request out, and only its answer is another
 * @property {number} [status] answered without asking the server
 * @property {string} [reason] of that answer
 * @property {string} [message] of that answer
 * @property {boolean} [page] that answer is a proxy's page
 * @property {string} [text] answered with it, in place of a log, without asking the server
 * @property {number} [retryAfterSec] header `Retry-After` of that answer
 * @property {BreakOff} [breakOff] immediately, or after:
 * @property {number | [number, number]} [afterBytes] of the body; a pair is a range to draw from
 * @property {string} [afterText] these bytes are counted from the end of this text on
 * @property {boolean} [midLine] a cut that would fall between two lines falls into the second one
 * @property {number | [number, number]} [afterMs] since the answer's headers; a pair is a range to draw from
 * @property {{ bytes: number, everyMs: number }} [drip] passes the body on in small pieces
 * @property {(object: any) => any} [rewrite] of each object read; `null` hides it
 */

/** @typedef {Match & Fault & { hits: number, passed: number }} Rule */

/** @param {string | RegExp | undefined} wanted @param {string} value */
const fits = (wanted, value) =>
  wanted === undefined || (typeof wanted === 'string' ? wanted === value : wanted.test(value))

/**
 * @param {Pick<Match, 'verb' | 'resource' | 'path'>} match
 * @param {SeenRequest & { path: string }} request
 */
export const matches = ({ verb, resource, path }, request) =>
  fits(verb, request.verb) && fits(resource, request.resource) && fits(path, request.path)

/** @param {number} seed */
export function startRules(seed) {
  const random = seeded(seed)
  /** @type {Rule[]} */
  const rules = []

  /** @param {number | [number, number] | undefined} wanted */
  const drawn = (wanted) =>
    Array.isArray(wanted) ? Math.floor(wanted[0] + random() * (wanted[1] - wanted[0])) : wanted

  return {
    /**
     * Adds a rule; earlier rules win.
     * @param {Match & Fault} rule
     */
    add(rule) {
      const added = { ...rule, hits: 0, passed: 0 }
      rules.push(added)
      return {
        get hits() {
          return added.hits
        },
        remove() {
          const index = rules.indexOf(added)
          if (index >= 0) rules.splice(index, 1)
        },
      }
    },
    /**
     * The fault that this request meets, with its ranges drawn: equal requests in equal order meet equal faults.
     * @param {SeenRequest & { path: string }} request
     * @returns {(Fault & { afterBytes?: number, afterMs?: number }) | undefined}
     */
    faultFor(request) {
      const rule = rules.find((rule) => {
        const { times = Infinity, chance = 1, skip = 0, hits } = rule
        return hits < times && matches(rule, request) && rule.passed++ >= skip && random() < chance
      })
      if (!rule) return undefined
      rule.hits++
      return { ...rule, afterBytes: drawn(rule.afterBytes), afterMs: drawn(rule.afterMs) }
    },
  }
}

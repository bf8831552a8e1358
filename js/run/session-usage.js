/**
 * Usage for hosts that take it for the total of a session: they subtract what the run before has reported, so every run
 * but the first would count nothing (HOS-05). The session carries the total. This process remembers it as well: the run
 * that host 2026.707 starts by itself after one that left its task open gets the id of the session and nothing else of it.
 */

import { asObject, asText } from '../json.js'
import { hostHas } from '../host/version.js'

/** @typedef {import('@paperclipai/adapter-utils').AdapterExecutionResult} Result */

/** Totals of the sessions that were reported last, the newest at the end. @type {Map<string, number[]>} */
const remembered = new Map()
const rememberedMax = 1000

const members = /** @type {const} */ (['inputTokens', 'cachedInputTokens', 'outputTokens'])

/**
 * @param {Result} result
 * @param {import('../types.d.ts').ExecutionContext} ctx
 * @returns {Result}
 */
export function withSessionTotals(result, ctx) {
  const { usage, sessionParams } = result
  if (hostHas('usagePerRun') || !usage || !sessionParams) return result
  const before = asObject(ctx.runtime?.sessionParams)
  const session = asText(sessionParams['sessionId']) ?? ''
  const same = before['sessionId'] === session
  const totals = remembered.get(session) ?? (same ? parse(asText(before['usageTotals'])) : [0, 0, 0])
  const sum = members.map((member, index) => (usage[member] ?? 0) + (totals[index] ?? 0))
  remember(session, sum)
  const [inputTokens = 0, cachedInputTokens = 0, outputTokens = 0] = sum
  const { usageBasis: _, ...rest } = result
  const usageTotals = sum.join('/')
  return { ...rest, usage: { inputTokens, cachedInputTokens, outputTokens }, sessionParams: { ...sessionParams, usageTotals } }
}

/** @param {string} session @param {number[]} totals */
function remember(session, totals) {
  remembered.delete(session)
  remembered.set(session, totals)
  for (const oldest of remembered.keys()) {
    if (remembered.size <= rememberedMax) return
    remembered.delete(oldest)
  }
}

/** @param {string | null} text */
function parse(text) {
  const numbers = (text ?? '').split('/').map(Number)
  return numbers.length === members.length && numbers.every((number) => Number.isSafeInteger(number) && number >= 0) ? numbers : [0, 0, 0]
}

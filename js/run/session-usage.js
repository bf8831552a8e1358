/**
 * Usage for hosts that take it for the total of a session: they subtract what the run before has reported, so every run
 * but the first would count nothing (HOS-05). The session carries the total.
 */

import { asObject, asText } from '../json.js'
import { hostHas } from '../host/version.js'

/** @typedef {import('@paperclipai/adapter-utils').AdapterExecutionResult} Result */

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
  const same = before['sessionId'] === sessionParams['sessionId']
  const totals = same ? parse(asText(before['usageTotals'])) : [0, 0, 0]
  const [inputTokens = 0, cachedInputTokens = 0, outputTokens = 0] = members.map((member, index) => (usage[member] ?? 0) + (totals[index] ?? 0))
  const { usageBasis: _, ...rest } = result
  const usageTotals = [inputTokens, cachedInputTokens, outputTokens].join('/')
  return { ...rest, usage: { inputTokens, cachedInputTokens, outputTokens }, sessionParams: { ...sessionParams, usageTotals } }
}

/** @param {string | null} text */
function parse(text) {
  const numbers = (text ?? '').split('/').map(Number)
  return numbers.length === members.length && numbers.every((number) => Number.isSafeInteger(number) && number >= 0) ? numbers : [0, 0, 0]
}

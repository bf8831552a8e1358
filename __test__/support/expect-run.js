/** Assertions that several suites share. */

import { expect } from 'vitest'

import { transcript, withoutStatus } from './host.js'

/** Printed by the script of a pod before anything else, and shown to nobody. */
const firstLine = '[paperclip] Container started\n'

/** Printed by the script behind everything else: a line feed, the end of stderr, the end line. */
const scriptEnd = /(?<=\n)\n?(\[paperclip\] Claude Code wrote \d+ bytes to stderr[^]*\n)?\[paperclip\] Container ended \(exit \d+\)\n$/

/** What every failure before the launch has in common. */
export const neverStarted = {
  exitCode: null,
  timedOut: false,
  executionRecovery: { kind: 'bootstrap', providerWorkStarted: false },
}

/**
 * LOG-01: what the host got is what the container wrote. The run must have retained its Job. Returns the container's log between its first line and its end.
 * @param {import('./cluster.js').Cluster} cluster
 * @param {any} ctx
 * @param {any} result
 */
export async function expectSuccess(cluster, ctx, result) {
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0, signal: null, timedOut: false })
  expect(result.errorCode).toBeUndefined()
  expect(result.resultJson.k8s.logGaps).toBe(0)
  const whole = await cluster.log(result.resultJson.k8s.pod)
  expect(whole.startsWith(firstLine)).toBe(true)
  expect(whole).toMatch(scriptEnd)
  const log = whole.replace(scriptEnd, '')
  // Compared by line: a difference of megabytes in one string cannot be read.
  expect(transcript(ctx).output.split('\n')).toEqual(withoutStatus(log).split('\n'))
  return log.slice(firstLine.length)
}

/**
 * A failure has a code, a message for people and no protocol text (RES-05).
 * @param {any} result
 * @param {string} code
 */
export function expectFailure(result, code) {
  expect(result.errorCode, result.errorMessage).toBe(code)
  expect(result.errorMessage).toBeTypeOf('string')
  expect(result.errorMessage.length).toBeGreaterThan(0)
  expect(result.errorMessage.length).toBeLessThanOrEqual(2000)
  expect(result.errorMessage).not.toMatch(/\[object |"type":|"session_id":/)
}

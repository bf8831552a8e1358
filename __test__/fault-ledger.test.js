/** The judge of the fault runs must see each kind of fault that it is there for. */

import { spawnSync } from 'node:child_process'

import { expect, test } from 'vitest'

import { openLedger } from './faults/ledger.js'
import { verdict } from './faults/run.js'
import { environmentOf, lineOf } from './faults/talker.js'
import { fromRoot } from './paths.js'

const first = '{"type":"system","subtype":"init","session_id":"s"}'
const last = ['{"type":"assistant"}', '{"type":"result"}']
const fine = { printed: 7, lost: 0, reported: 0, doubled: 0, disordered: 0, damaged: 0, hasResult: true }

/**
 * @param {import('./faults/talker.js').Talk} talk
 * @param {string[]} lines `gap`: a gap is reported there
 * @param {boolean} [isTailDoubted]
 */
function count(talk, lines, isTailDoubted = false) {
  const ledger = openLedger(talk)
  const size = lines.some((line) => line.length > 10_000) ? 60 << 10 : 7
  for (const line of lines) {
    const text = `${line}\n`
    if (line === 'gap') ledger.gap()
    else for (let from = 0; from < text.length; from += size) ledger.add(text.slice(from, from + size))
  }
  return ledger.close(isTailDoubted)
}

const line = lineOf({ lines: 4 })
const [one, two, three, four] = [line(1), line(2), line(3), line(4)]

test.each([
  ['all lines once', [one, two, three, four], {}],
  ['a line of the adapter between them', [one, two, '[paperclip] keepalive', three, four], {}],
  ['a lost line', [one, three, four], { lost: 1 }],
  ['a doubled line', [one, two, two, three, four], { doubled: 1 }],
  ['a replay', [one, two, three, two, three, four], { doubled: 2, disordered: 1 }],
  ['two lines in the wrong order', [one, three, two, four], { disordered: 1 }],
  ['a line with another text', [one, two.replace('xx', 'xy'), three, four], { lost: 1, damaged: 1 }],
  ['half a line', [one, two.slice(0, 30), three, four], { lost: 1, damaged: 1 }],
  ['a foreign line', [one, two, three, four, 'failed to watch directory'], { damaged: 1 }],
])('numbered lines: %s', (_, lines, difference) => {
  expect(count({ lines: 4 }, [first, ...lines, ...last])).toEqual({ ...fine, ...difference })
})

test.each([
  ['where it was reported', ['gap', four], { lost: 2, reported: 2 }],
  ['in front of the reported place', [three, 'gap'], { lost: 2, reported: 1 }],
  ['elsewhere', [four, 'gap'], { lost: 2 }],
])('a loss %s', (_, lines, difference) => {
  expect(count({ lines: 4 }, [first, one, ...lines, ...last])).toEqual({ ...fine, ...difference })
})

test('a loss at the end is reported by a run that doubts its tail', () => {
  expect(count({ lines: 4 }, [first, one, two], true)).toEqual({ ...fine, lost: 4, reported: 4, hasResult: false })
  expect(count({ lines: 4 }, [first, one, three], true)).toEqual({ ...fine, lost: 4, reported: 3, hasResult: false })
})

test('the beginning of a missing line is no damage in front of a reported gap, and only there', () => {
  const torn = two.slice(0, 30)
  expect(count({ lines: 4 }, [first, one, torn, 'gap', three, four, ...last])).toEqual({ ...fine, lost: 1, reported: 1 })
  expect(count({ lines: 4 }, [first, one, torn, '[paperclip] Log gap: lines may be missing', 'gap', three, four, ...last])).toEqual({ ...fine, lost: 1, reported: 1 })
  expect(count({ lines: 4 }, [first, one, torn, three, 'gap', four, ...last])).toEqual({ ...fine, lost: 1, damaged: 1 })
  expect(count({ lines: 4 }, [first, one, four.slice(0, 45), 'gap', three, four, ...last])).toMatchObject({ damaged: 1 })
})

test('the beginning of the last words is no damage where the tail is doubted', () => {
  const torn = [first, one, two, three, four, '{"type":"assis', '[paperclip] Log tail unconfirmed']
  expect(count({ lines: 4 }, torn, true)).toEqual({ ...fine, lost: 2, reported: 2, hasResult: false })
})

test('the beginning of a missing line is no damage where the tail is doubted, and only there', () => {
  const torn = [first, one, two, three.slice(0, 30)]
  expect(count({ lines: 4 }, torn, true)).toEqual({ ...fine, lost: 4, reported: 4, hasResult: false })
  expect(count({ lines: 4 }, torn)).toEqual({ ...fine, lost: 4, damaged: 1, hasResult: false })
  expect(count({ lines: 4 }, [...torn.slice(0, -1), four.slice(0, 45)], true)).toMatchObject({ damaged: 1 })
})

test('a missing result, and one that comes twice, are seen', () => {
  expect(count({ lines: 4 }, [first, one, two, three, four])).toEqual({ ...fine, lost: 2, hasResult: false })
  expect(count({ lines: 4 }, [first, one, two, three, four, ...last, '{"type":"result"}'])).toEqual({ ...fine, doubled: 1 })
})

test('lines that cannot be told apart are counted', () => {
  const talk = { lines: 4, kind: /** @type {const} */ ('same') }
  const same = lineOf(talk)(1)
  const counted = [3, 4, 6].map((times) => count(talk, [first, ...Array(times).fill(same), ...last]))
  expect(counted).toEqual([{ ...fine, lost: 1 }, fine, { ...fine, doubled: 2 }])
})

test.each([
  [{ lines: 10, batch: 3, pauseMs: 1 }],
  [{ lines: 3, unit: '\u{1F980}', units: 5000 }],
  [{ lines: 5, kind: /** @type {const} */ ('same') }],
  [{ lines: 1, units: 1 << 20 }],
])('what the stand-in prints is what the ledger expects: %o', (talk) => {
  const env = { PATH: process.env.PATH, ...environmentOf(talk) }
  const printed = spawnSync(fromRoot('__test__/fixtures/talker/claude'), { env, input: 'prompt', encoding: 'utf8', maxBuffer: 8 << 20 })
  expect(printed.stderr).toBe('')
  expect(count(talk, printed.stdout.trimEnd().split('\n'))).toEqual({ ...fine, printed: talk.lines + 3 })
})

const success = { errorMessage: null, exitCode: 0, timedOut: false, summary: 'done' }
const said = (/** @type {string} */ text) => ({ ...success, errorCode: 'claude_no_result', errorMessage: `Claude exited with code 0: ${text}`, summary: undefined })
const never = said('no result event and nothing on stderr')
const lost = said('no result event was seen, but lines of its log are missing')

test.each([
  ['a success', success, false, 0],
  ['no result', never, false, 1],
  ['a result called lost that arrived', lost, false, 1],
  ['a lost result that is said to be lost', lost, true, 0],
  ['a lost result that is said to be absent', never, true, 1],
  ['a success without a result', success, true, 1],
  ['a timeout', { ...lost, timedOut: true }, true, 1],
])('the verdict: %s', (_, result, isLost, faults) => {
  expect(verdict(result, isLost)).toHaveLength(faults)
})

/**
 * Counts what arrived against what was printed, line by line as it comes: nothing is kept, however long the log is.
 *
 * Numbered lines are counted exactly. Of lines that cannot be told apart only number and size can be checked.
 */

import { isStatus } from '../support/host.js'
import { complete, endLine, lineOf } from './talker.js'

/**
 * @typedef {object} Count
 * @property {number} printed
 * @property {number} lost
 * @property {number} reported of them, where a gap was reported between the lines before and behind
 * @property {number} doubled
 * @property {number} disordered lines behind a later one
 * @property {number} damaged lines that the container never printed
 * @property {boolean} hasResult the result line arrived
 */

/** How the lines behind the numbered ones begin. */
const endings = /** @type {const} */ (['{"type":"assistant"', '{"type":"result"'])

/** @param {import('./talker.js').Talk} talk */
export function openLedger(talk) {
  const { lines: printed, kind } = complete(talk)
  const expected = lineOf(talk)
  const times = new Uint16Array(printed + 1)
  /** The newest line before each reported gap. @type {Set<number>} */
  const gaps = new Set()
  /** Pieces of a line whose end has not come. @type {string[]} */
  let open = []
  let [newest, disordered, damaged, same] = [0, 0, 0, 0]
  const ends = { init: 0, assistant: 0, result: 0 }
  /** The newest line of the container, if it is none that it printed. */
  let odd = ''

  /** @param {string} line */
  function talked(line) {
    if (kind === 'same') {
      if (line === expected(0)) same++
      else damaged++
      return
    }
    const number = Number(/"n":(\d+)/.exec(line)?.[1])
    if (!(number >= 1 && number <= printed) || line !== expected(number)) damaged++
    else {
      if (number < newest) disordered++
      newest = Math.max(newest, number)
      times[number] = (times[number] ?? 0) + 1
    }
  }

  /** @param {string} line */
  function take(line) {
    if (line === '') return
    const before = damaged
    count(line)
    // Lines of the adapter stand between a torn line and the report of what is missing.
    if (!isStatus(line)) odd = damaged > before ? line : ''
  }

  /** What could be read of a line is told as well: the beginning of one that is reported as missing. */
  function forgiveTornLine() {
    if (odd === '') return
    const whole = [expected(newest + 1), endLine, ...endings]
    if (whole.some((text) => text.startsWith(odd))) damaged--
    odd = ''
  }

  /** @param {string} line */
  function count(line) {
    if (line.startsWith(`{"type":"system","subtype":"${kind}"`)) talked(line)
    else if (line.includes('"subtype":"init"')) ends.init++
    else if (line.startsWith(endings[0])) ends.assistant++
    else if (line.startsWith(endings[1])) ends.result++
    else if (!isStatus(line)) damaged++
  }

  return {
    /** @param {string} chunk of stdout as the host gets it; a long line comes in pieces */
    add(chunk) {
      const pieces = chunk.split('\n')
      const rest = pieces.pop() ?? ''
      for (const piece of pieces) take(open.splice(0).join('') + piece)
      if (rest !== '') open.push(rest)
    },
    /** A gap is reported at this place. */
    gap() {
      gaps.add(newest)
      forgiveTornLine()
    },
    /** Lines of the container so far. */
    get seen() {
      return same + newest
    },
    /**
     * @param {boolean} isTailDoubted the run said that the last lines may be missing
     * @returns {Count}
     */
    close(isTailDoubted) {
      take(open.splice(0).join(''))
      if (isTailDoubted) {
        gaps.add(newest)
        forgiveTornLine()
      }
      let [lost, doubled, reported] = [0, 0, 0]
      /** @param {number} count @param {number} before the line in front of it */
      function missing(count, before) {
        lost += count
        if (gaps.has(before)) reported += count
      }
      if (kind === 'same') {
        // Where one of them is missing cannot be said.
        missing(Math.max(0, printed - same), newest)
        doubled = Math.max(0, same - printed)
      }
      let before = 0
      for (let number = 1; kind === 'numbered' && number <= printed; number++) {
        if (times[number] === 0) missing(1, before)
        else {
          doubled += (times[number] ?? 0) - 1
          before = number
        }
      }
      for (const [end, count] of Object.entries(ends)) {
        if (count === 0) missing(1, end === 'init' ? 0 : newest)
        else doubled += count - 1
      }
      return { printed: printed + Object.keys(ends).length, lost, reported, doubled, disordered, damaged, hasResult: ends.result > 0 }
    },
  }
}

/** Rows for a terminal. */

import pc from 'picocolors'

import { inLine } from '../terminal.js'

/** Of Kubernetes. */
const longestName = 253
/** Of a name that somebody gave an agent: what is longer would push the other columns out of sight. */
export const longestAgentName = 40

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: any) => string | number | null | undefined} value
 * @property {(text: string, row: any) => string} [color]
 * @property {number} [longest] characters of a value that is no name of Kubernetes
 */

/**
 * Columns are as wide as their widest value. No name of Kubernetes is cut, so that it can be copied.
 * @param {Column[]} columns
 * @param {unknown[]} rows
 * @returns {string} without a line feed at the end
 */
export function table(columns, rows) {
  const cells = rows.map((row) => columns.map(({ value, longest }) => cell(value(row), longest)))
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...cells.map((texts) => texts[index]?.length ?? 0)))
  const line = (/** @type {string[]} */ texts, /** @type {(text: string, index: number) => string} */ paint) =>
    texts.map((text, index) => paint(text, index) + ' '.repeat(index === columns.length - 1 ? 0 : (widths[index] ?? 0) - text.length)).join('   ')
  const title = line(columns.map(({ title }) => title), (text) => pc.dim(text))
  const lines = cells.map((texts, row) => line(texts, (text, index) => columns[index]?.color?.(text, rows[row]) ?? text))
  return [title, ...lines].join('\n')
}

/**
 * @param {string | number | null | undefined} value
 * @param {number} [longest]
 */
function cell(value, longest = longestName) {
  return inLine(String(value ?? ''), longest) || '-'
}

/**
 * As `kubectl` shows an age: two units at most.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds))
  const units = /** @type {const} */ ([['d', 86_400], ['h', 3_600], ['m', 60], ['s', 1]])
  const first = units.findIndex(([, size]) => whole >= size)
  if (first < 0) return '0s'
  return units
    .slice(first, first + 2)
    .map(([unit, size], index) => [Math.floor((index === 0 ? whole : whole % (units[first]?.[1] ?? 1)) / size), unit])
    .filter(([count], index) => index === 0 || count !== 0)
    .flat()
    .join('')
}

/**
 * An age that the server's clock gave, and the time that has passed since then.
 * @param {number | null | undefined} seconds
 * @param {number} [passedSeconds]
 */
export function age(seconds, passedSeconds = 0) {
  return seconds === null || seconds === undefined ? null : duration(seconds + passedSeconds)
}

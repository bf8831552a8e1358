/** Rows for a terminal. */

import pc from 'picocolors'

import { visible } from '../terminal.js'

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: any) => string | number | null | undefined} value
 * @property {(text: string, row: any) => string} [color]
 */

/**
 * Columns are as wide as their widest value; nothing is cut, so that a name can be copied.
 * @param {Column[]} columns
 * @param {unknown[]} rows
 * @returns {string} without a line feed at the end
 */
export function table(columns, rows) {
  const cells = rows.map((row) => columns.map(({ value }) => oneLine(value(row))))
  const widths = columns.map(({ title }, index) => Math.max(title.length, ...cells.map((cell) => cell[index]?.length ?? 0)))
  const line = (/** @type {string[]} */ texts, /** @type {(text: string, index: number) => string} */ paint) =>
    texts.map((text, index) => paint(text, index) + ' '.repeat(index === columns.length - 1 ? 0 : (widths[index] ?? 0) - text.length)).join('   ')
  const title = line(columns.map(({ title }) => title), (text) => pc.dim(text))
  const lines = cells.map((texts, row) => line(texts, (text, index) => columns[index]?.color?.(text, rows[row]) ?? text))
  return [title, ...lines].join('\n')
}

/** @param {string | number | null | undefined} value */
function oneLine(value) {
  if (value === null || value === undefined || value === '') return '-'
  return visible(String(value).replace(/[\n\t]/g, ' '))
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
 * @param {string | null | undefined} time ISO 8601
 * @param {number} [now]
 */
export function since(time, now = Date.now()) {
  return time ? duration((now - Date.parse(time)) / 1000) : null
}

/** The table of the fault runs. */

/** @typedef {import('./run.js').FaultRun} FaultRun */

/**
 * @typedef {object} Row sums of all runs under one fault
 * @property {string} fault
 * @property {number} runs
 * @property {number} hits
 * @property {number} lines
 * @property {number} lost
 * @property {number} gap
 * @property {number} doubled
 * @property {number} wrong
 * @property {number} settleMs the longest
 */

/** @param {FaultRun[]} records @returns {Row[]} in order of their first run, with a last row for all */
export function rowsOf(records) {
  /** @type {Map<string, Row>} */
  const rows = new Map()
  /** @param {string} fault @param {FaultRun} record */
  const add = (fault, { hits, lines, lost, gap, doubled, wrong, settleMs }) => {
    const row = rows.get(fault) ?? { fault, runs: 0, hits: 0, lines: 0, lost: 0, gap: 0, doubled: 0, wrong: 0, settleMs: 0 }
    row.runs++
    row.hits += hits
    row.lines += lines
    row.lost += lost
    row.gap += gap
    row.doubled += doubled
    row.wrong += wrong.length > 0 ? 1 : 0
    row.settleMs = Math.max(row.settleMs, settleMs)
    rows.set(fault, row)
  }
  for (const record of records) add(record.fault, record)
  for (const record of records) add('all', record)
  return [...rows.values()]
}

/** @param {FaultRun} record */
export const isBad = ({ lost, doubled, wrong }) => lost > 0 || doubled > 0 || wrong.length > 0

const head = ['fault', 'runs', 'faults', 'lines', 'lost', 'reported gap', 'doubled', 'wrong verdicts', 'longest settle']

/** @param {FaultRun[]} records @returns {string} a Markdown table */
export function tableOf(records) {
  const cells = rowsOf(records).map(({ fault, runs, hits, lines, lost, gap, doubled, wrong, settleMs }) =>
    [fault, runs, hits, lines, lost, gap, doubled, wrong, `${(settleMs / 1000).toFixed(1)} s`].map(String),
  )
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...cells]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

/** `ps`: one line per Job of the adapter. */

import pc from 'picocolors'

import { jsonText } from '../terminal.js'
import { operate } from './operation.js'
import { age, longestAgentName, table } from './table.js'

/** @typedef {import('../types.d.ts').RunRow} RunRow */

/** Times pass although nothing happens. */
const repaintMs = 1000
/** With the name of a queue, which is a label. */
const longestState = 80
/** Home of the cursor, everything below is erased, and a line ends at the margin; afterwards lines go on below it again. */
const repaint = ['\u001b[H\u001b[J\u001b[?7l', '\u001b[?7h']

/** @type {Record<RunRow['state'], (text: string) => string>} */
const colors = {
  preparing: pc.dim,
  queued: pc.yellow,
  scheduling: pc.yellow,
  starting: pc.yellow,
  running: pc.green,
  orphaned: pc.red,
  stopping: pc.yellow,
  ended: pc.dim,
  retained: pc.dim,
}

/** @param {import('./operation.js').ClusterOptions & { agent?: string, watch?: boolean }} options */
export async function ps(options) {
  const { agent, watch, json, allNamespaces } = options
  if (!watch) {
    /** @type {RunRow[]} */
    const rows = await operate(options, { name: 'list', agent, heard: true })
    console.log(json ? jsonText(rows, 2) : rowsAsText(rows, allNamespaces === true))
    return
  }
  /** @type {RunRow[]} */
  let rows = []
  let cameAt = performance.now()
  const text = () => rowsAsText(rows, allNamespaces === true, (performance.now() - cameAt) / 1000)
  const paint = () => process.stdout.write(repaint.join(`${onScreen(text(), process.stdout.rows)}\n`))
  // Without a terminal each change is a table, or a line of JSON.
  const painting = process.stdout.isTTY && !json ? setInterval(paint, repaintMs) : undefined
  try {
    await operate(options, { name: 'watch', agent }, {
      onRows: (newest) => {
        rows = newest
        cameAt = performance.now()
        if (json) console.log(jsonText(rows))
        else if (painting) paint()
        else console.log(`${rowsAsText(rows, allNamespaces === true)}\n`)
      },
    })
  } finally {
    clearInterval(painting)
  }
}

/**
 * What is too long would scroll, and with each repaint the newest runs would be out of sight.
 * @param {string} text
 * @param {number | undefined} height lines of the terminal, the one of the cursor included
 */
export function onScreen(text, height = 24) {
  const lines = text.split('\n')
  if (lines.length < height) return text
  const shown = Math.max(height - 2, 1)
  return [...lines.slice(0, shown), `… and ${lines.length - shown} more; \`ps\` lists all`].join('\n')
}

/**
 * @param {RunRow[]} rows
 * @param {boolean} allNamespaces
 * @param {number} [passedSeconds] since the rows came
 */
export function rowsAsText(rows, allNamespaces, passedSeconds = 0) {
  if (rows.length === 0) return 'No Job of the adapter is here; `-A` looks in all namespaces'
  const heard = rows.some(({ lastOutputAt }) => lastOutputAt)
  return table(
    [
      ...(allNamespaces ? [{ title: 'NAMESPACE', value: (/** @type {RunRow} */ row) => row.namespace }] : []),
      { title: 'AGENT', value: (row) => row.agentName ?? row.agent, longest: longestAgentName },
      { title: 'TASK', value: ({ task }) => short(task) },
      { title: 'RUN', value: ({ run }) => short(run) },
      { title: 'STATE', value: stateOf, longest: longestState, color: (text, { state }) => colors[/** @type {RunRow['state']} */ (state)]?.(text) ?? text },
      { title: 'AGE', value: ({ ageSeconds }) => age(ageSeconds, passedSeconds) },
      ...(heard
        ? [
            { title: 'SILENT', value: (/** @type {RunRow} */ { silentSeconds }) => age(silentSeconds, passedSeconds) },
            { title: 'TOKENS', value: (/** @type {RunRow} */ { tokens }) => tokens },
          ]
        : []),
      { title: 'POD', value: ({ pod, job }) => pod ?? `${job} (no pod)` },
      { title: 'NODE', value: ({ node }) => node },
    ],
    rows,
  )
}

/** @param {RunRow} row */
function stateOf({ state, queue, exitCode }) {
  if (state === 'queued' && queue) return `queued in ${queue}`
  return exitCode === null || exitCode === undefined || exitCode === 0 ? state : `${state} (exit ${exitCode})`
}

/**
 * Ids are UUIDs: the beginning is enough to name one.
 * @param {string | null} id
 */
function short(id) {
  return id?.slice(0, 8)
}

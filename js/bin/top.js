/** `top`: CPU and memory of the pods. */

import { jsonText } from '../terminal.js'
import { operate } from './operation.js'
import { age, longestAgentName, table } from './table.js'

/** @typedef {import('../types.d.ts').UsageRow} UsageRow */

/** @param {import('./operation.js').ClusterOptions} options */
export async function top(options) {
  /** @type {UsageRow[]} */
  const rows = await operate(options, { name: 'usage' })
  if (options.json) return console.log(jsonText(rows, 2))
  if (rows.length === 0) return console.log('No run is under way here; `-A` looks in all namespaces')
  const measured = rows.some(({ used }) => used)
  const pair = (/** @type {'cpu' | 'memory'} */ kind) => (/** @type {UsageRow} */ { requests, limits }) => `${requests[kind] ?? '-'} / ${limits[kind] ?? '-'}`
  console.log(
    table(
      [
        { title: 'AGENT', value: ({ agentName, agent }) => agentName ?? agent, longest: longestAgentName },
        { title: 'STATE', value: ({ state }) => state },
        { title: 'AGE', value: ({ ageSeconds }) => age(ageSeconds) },
        ...(measured
          ? [
              { title: 'CPU', value: (/** @type {UsageRow} */ { used }) => inMilliCpu(used?.cpu) },
              { title: 'MEMORY', value: (/** @type {UsageRow} */ { used }) => inMebibytes(used?.memory) },
            ]
          : []),
        { title: 'CPU REQUEST / LIMIT', value: pair('cpu') },
        { title: 'MEMORY REQUEST / LIMIT', value: pair('memory') },
        { title: 'POD', value: ({ pod, job }) => pod ?? job },
      ],
      rows,
    ),
  )
  if (!measured) console.error('The cluster measures nothing (no metrics.k8s.io): requests and limits only')
}

/** Metrics come in nanocores. @param {string | null | undefined} cpu */
export function inMilliCpu(cpu) {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([num]?)$/.exec(cpu ?? '') ?? []
  if (number === undefined) return cpu
  const divisor = { n: 1e6, u: 1e3, m: 1, '': 1e-3 }[unit] ?? 1
  return `${Math.round(Number(number) / divisor)}m`
}

/** Metrics come in kibibytes. @param {string | null | undefined} memory */
export function inMebibytes(memory) {
  const [, number, unit] = /^(\d+)(Ki|Mi|Gi)?$/.exec(memory ?? '') ?? []
  if (number === undefined) return memory
  const factor = { Ki: 1 / 1024, Mi: 1, Gi: 1024 }[unit ?? ''] ?? 1 / 1024 ** 2
  return `${Math.round(Number(number) * factor)}Mi`
}

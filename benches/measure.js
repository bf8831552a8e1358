/**
 * The host process of one measurement: imports the package, starts runs, prints what a host would feel as JSON.
 * `scripts/bench.js` starts it anew for each row, so that no row inherits the memory of another.
 */

import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

import { hostContext } from '../__test__/support/host.js'

/**
 * @typedef {object} Order
 * @property {string} entry path of the package's entry `./server`
 * @property {Record<string, unknown>} config
 * @property {Record<string, string>} env
 * @property {number} runs
 * @property {number} width so many at once
 * @property {boolean} countLines costs the host time and memory of its own
 */

const statusPrefix = '[paperclip] '

/** @type {Order} */
const order = JSON.parse(process.argv[2] ?? '{}')

const loadFrom = performance.now()
const { execute } = await import(order.entry)
const loadMs = performance.now() - loadFrom

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const rssBefore = process.memoryUsage().rss
let rssMost = rssBefore
const sampler = setInterval(() => (rssMost = Math.max(rssMost, process.memoryUsage().rss)), 50)
const cpuBefore = process.cpuUsage()

/** @type {object[]} */
const done = []
let next = 0
await Promise.all(
  Array.from({ length: Math.min(order.width, order.runs) }, async () => {
    while (next++ < order.runs) done.push(await one())
  }),
)

const cpu = process.cpuUsage(cpuBefore)
clearInterval(sampler)
delay.disable()
console.log(
  JSON.stringify({
    loadMs,
    runs: done,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    rssGrowthMiB: (rssMost - rssBefore) / 2 ** 20,
    loopMaxMs: delay.max / 1e6,
    loopP99Ms: delay.percentile(99) / 1e6,
  }),
)

/** One run: counts what passes, keeps none of it. */
async function one() {
  let bytes = 0
  let firstLineAt = 0
  const counted = order.countLines ? lineCounter() : undefined
  const ctx = hostContext({ config: order.config, env: order.env })
  ctx.onLog = async (stream, chunk) => {
    if (stream !== 'stdout') return
    bytes += chunk.length
    if (!chunk.startsWith(statusPrefix)) firstLineAt ||= Date.now()
    counted?.add(chunk)
  }
  const startedAt = Date.now()
  const { errorMessage } = await execute(ctx)
  return { runId: ctx.runId, startedAt, firstLineAt, settledAt: Date.now(), bytes, errorMessage, ...counted?.result() }
}

/** Counts lines of the CLI and events that came twice. */
function lineCounter() {
  let lines = 0
  /** @type {Map<string, number>} */
  const events = new Map()
  return {
    /** @param {string} chunk whole lines */
    add(chunk) {
      for (const line of chunk.split('\n')) {
        if (line === '' || line.startsWith(statusPrefix)) continue
        lines++
        const uuid = /"uuid":"[^"]*"/.exec(line)?.[0]
        if (uuid) events.set(uuid, (events.get(uuid) ?? 0) + 1)
      }
    },
    result: () => ({ lines, doubles: [...events.values()].filter((count) => count > 1).length }),
  }
}

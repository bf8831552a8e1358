/**
 * The host process of one measurement: imports the package, starts runs, prints what a host would feel as JSON.
 * `scripts/bench.js` starts it anew for each row, so that no row inherits the memory of another.
 */

import { execFile } from 'node:child_process'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { promisify } from 'node:util'

import { hostContext } from '../__test__/support/host.js'

/**
 * @typedef {object} Order
 * @property {string} entry path of the package's entry `./server`
 * @property {Record<string, unknown>} config
 * @property {Record<string, string>} env
 * @property {number} runs
 * @property {number} width so many at once
 * @property {boolean} countLines costs the host time and memory of its own
 * @property {boolean} warm a short run comes first: the module is loaded and the functions are compiled
 * @property {boolean} watchLoop costs a wake-up every millisecond, so nothing is said about CPU then
 */

const statusPrefix = '[paperclip] '

/** @type {Order} */
const order = JSON.parse(process.argv[2] ?? '{}')

const loadFrom = performance.now()
const { execute } = await import(order.entry)
const loadMs = performance.now() - loadFrom

if (order.warm) await one({ FAKE_LINES: '5', FAKE_BYTES: '200' })

const loop = order.watchLoop ? watchLoop() : undefined
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
const loopDelay = await loop?.stop()
console.log(
  JSON.stringify({
    loadMs,
    runs: done,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    rssGrowthMiB: (rssMost - rssBefore) / 2 ** 20,
    loopDelay,
  }),
)

/**
 * One run: counts what passes, keeps none of it.
 * @param {Record<string, string>} env
 */
async function one(env = order.env) {
  let bytes = 0
  let firstLineAt = 0
  const counted = order.countLines ? lineCounter() : undefined
  const ctx = hostContext({ config: order.config, env })
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

/**
 * The delay of this process's event loop and, over the same time, of a process that does nothing: on a busy machine
 * that one is late as well.
 */
function watchLoop() {
  const script = `
    const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    process.stdin.on('end', () => console.log(JSON.stringify([delay.percentile(99) / 1e6, delay.max / 1e6]))).resume()`
  const idle = promisify(execFile)(process.execPath, ['-e', script])
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  return {
    async stop() {
      delay.disable()
      idle.child.stdin?.end()
      const { stdout } = await idle
      return { here: [delay.percentile(99) / 1e6, delay.max / 1e6], idle: JSON.parse(stdout) }
    },
  }
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

/**
 * Loaded into the server with `--require`: measures how late its event loop is. On SIGUSR2 what was measured since the
 * last one goes to `LOOP_DELAY_FILE`, one JSON object per line, in milliseconds.
 *
 * CommonJS, because `--require` wants it.
 */

'use strict'

const { appendFileSync } = require('node:fs')
const { monitorEventLoopDelay } = require('node:perf_hooks')

const file = process.env['LOOP_DELAY_FILE']
const resolutionMs = 5

if (file && process.argv[1]?.includes('@paperclipai/server')) {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  let cpu = process.cpuUsage()
  process.on('SIGUSR2', () => {
    /** The timer's own period is part of each value. @param {number} nanoseconds */
    const late = (nanoseconds) => Math.max(0, Math.round(nanoseconds / 1e4 - resolutionMs * 100) / 100)
    const used = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    const line = {
      samples: delay.count,
      p50: late(delay.percentile(50)),
      p99: late(delay.percentile(99)),
      max: late(delay.max),
      cpuMs: Math.round((used.user + used.system) / 1000),
      rssMiB: Math.round(process.memoryUsage.rss() / 1_048_576),
    }
    delay.reset()
    appendFileSync(file, `${JSON.stringify(line)}\n`)
  })
}

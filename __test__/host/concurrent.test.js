/** Twenty runs at once through the server, and what they cost it. */

import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { until } from '../support/until.js'
import { needed } from './support/environment.js'
import { startLab } from './support/lab.js'

const runs = 20

/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => lab.stop())

/**
 * How late the server's event loop was since the last call.
 * @returns {Promise<Record<string, number>>}
 */
async function loopDelay() {
  const { pid, loopDelayFile } = inject('host')
  const known = readFileSync(loopDelayFile, 'utf8').length
  process.kill(pid, 'SIGUSR2')
  const text = await until('the server has written its figures', () => readFileSync(loopDelayFile, 'utf8').slice(known))
  return JSON.parse(text)
}

test(`${runs} runs at once all succeed, and the server stays responsive`, { timeout: 600_000 }, async () => {
  // Small pods with the stand-in CLI, which writes a line every 0.2 s: what is measured is the server, not the model.
  const agents = await Promise.all(
    Array.from({ length: runs }, () =>
      lab.agent({
        config: { image: needed('K8S_TEST_IMAGE'), workspaceVolumeClaim: undefined, 'resources.limits.memory': '64Mi' },
        env: { FAKE_SAMPLE: 'text+tool', FAKE_REPEAT: '12', FAKE_DELAY_MS: '200' },
      }),
    ),
  )
  await loopDelay()
  await pause(10_000) // the window of the comparison; nothing is waited for
  const idle = await loopDelay()

  const startedAt = Date.now()
  const woken = await Promise.all(agents.map((agent) => lab.wake(agent)))
  const ended = await Promise.all(woken.map(({ id }) => lab.paperclip.ended(id, 240_000)))
  const busy = await loopDelay()
  const seconds = (Date.now() - startedAt) / 1000

  const outcomes = ended.map(({ status, errorCode, error }) => [status, errorCode, error].filter(Boolean).join(' '))
  expect(outcomes).toEqual(Array(runs).fill('succeeded'))
  expect(ended.map(({ resultJson }) => resultJson.k8s.logGaps)).toEqual(Array(runs).fill(0))
  const atOnce = mostAtOnce(ended)
  console.log(table({ idle, [`${runs} runs`]: busy }, `${runs} runs in ${seconds.toFixed(0)} s, up to ${atOnce} at once`))
})

/** @param {import('./support/paperclip.js').Row[]} rows */
function mostAtOnce(rows) {
  const spans = rows.map(({ startedAt, finishedAt }) => [Date.parse(startedAt), Date.parse(finishedAt)])
  return Math.max(...spans.map(([at = 0]) => spans.filter(([from = 0, to = 0]) => from <= at && at < to).length))
}

/** @param {Record<string, Record<string, number>>} figures @param {string} title */
function table(figures, title) {
  const columns = ['p50', 'p99', 'max', 'cpuMs', 'rssMiB']
  const rows = Object.entries(figures).map(([name, values]) => [name, ...columns.map((column) => String(values[column]))])
  const lines = [['event loop late, ms', ...columns], ...rows].map((cells) => cells.map((cell, index) => (index === 0 ? cell.padEnd(20) : cell.padStart(8))).join(''))
  return [title, ...lines].join('\n')
}

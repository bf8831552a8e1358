/**
 * An agent that is silent: the server's own detector of silent runs looks at `lastOutputAt`, so nothing of ours may move it.
 * `HOST_TEST_SILENCE_SEC` is how long the silence lasts [100].
 */

import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { until } from '../support/until.js'
import { needed } from './support/environment.js'
import { startLab } from './support/lab.js'

const seconds = Number(process.env['HOST_TEST_SILENCE_SEC'] ?? 100)
/** The log hears of a silence once, when it is that old, and the server writes the column at most once in so long. */
const settledSec = 45

/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => lab.stop())

test('HOS-02: while a pod is silent, the time of the last output in the server’s database does not move', { timeout: (seconds + 240) * 1000 }, async () => {
  const agent = await lab.agent({ config: { image: needed('K8S_TEST_IMAGE') }, env: { FAKE_SAMPLE: 'text+tool', FAKE_HOLD_MS: `${seconds * 1000}` } })
  const { id } = await lab.wake(agent)
  await until('the agent was heard', async () => (await lab.paperclip.lines(id).catch(() => [])).some((line) => line.includes('"assistant"')), 120_000, 500)
  const from = Date.now()
  /** @type {string[]} */
  const seen = []
  while (Date.now() - from < (seconds - 10) * 1000) {
    const { lastOutputAt } = await lab.paperclip.run(id)
    if (Date.now() - from > settledSec * 1000) seen.push(lastOutputAt)
    await pause(5_000)
  }
  const [first = ''] = seen
  console.info(`${((Date.now() - from) / 1000).toFixed(0)} s of silence: asked ${seen.length} times after ${settledSec} s, last output ${(Date.parse(first) - from) / 1000} s after the agent was heard first`)
  expect(seen.length).toBeGreaterThan(5)
  expect(new Set(seen)).toEqual(new Set([first]))
  expect(await lab.paperclip.ended(id)).toMatchObject({ status: 'succeeded' })
  const chunks = (await lab.paperclip.log(id)).map(({ chunk }) => chunk)
  const silence = chunks.slice(chunks.findIndex((chunk) => chunk.includes('"assistant"')), chunks.findIndex((chunk) => chunk.includes('"type":"result"')))
  expect(silence.filter((chunk) => chunk.includes('keepalive')).length).toBeLessThanOrEqual(1)
})

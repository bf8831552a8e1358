/** What a run takes of its host's memory, whatever its container prints. On the simulator; `K8S_TEST_LINE_MIB` makes the lines longer. */

import { afterAll, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { ceiling, measuredHost, mib, row } from './support/memory.js'
import { startSimulator } from './support/simulator.js'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 240_000 })
const cluster = await startCluster({ ring: await startSimulator() })
afterAll(() => cluster.stop())
// A burst that outruns a node's rotation is another test's: here every byte has to arrive.
await cluster.api.text('PUT', '/_sim/logs', { maxSize: 2 ** 32 })

const longMib = Number(process.env.K8S_TEST_LINE_MIB ?? 200)

const init = '{"type":"system","subtype":"init","session_id":"11111111-2222-4333-8444-555555555555","model":"m"}'
const result = '{"type":"result","subtype":"success","is_error":false,"result":"done","session_id":"11111111-2222-4333-8444-555555555555","usage":{"input_tokens":1,"output_tokens":1}'
const ending = [{ print: `${result}}` }, { exit: { code: 0 } }]
/** @param {string} text @param {number} size */
const repeat = (text, size) => ({ repeat: { count: Math.round((size * mib) / (16 << 10)), text: text.repeat((16 << 10) / text.length) } })

/**
 * Runs one after the other in a process of their own: first an ordinary one, then this.
 * @param {object[]} steps of its container, between `init` and the end
 * @param {{ config?: Record<string, unknown>, processEnv?: Record<string, string> }} [options]
 */
async function memoryOf(steps, { config, processEnv } = {}) {
  const host = measuredHost(processEnv)
  /** @param {object[]} all @param {Record<string, unknown>} [more] */
  const run = (all, more) => {
    const env = { K8S_SIM_SCRIPT: JSON.stringify({ steps: [{ print: init }, ...all], lastLine: '[paperclip] Container ended (exit {code})' }) }
    const { signal, ...sent } = cluster.context({ env, config: more })
    return host.run(sent)
  }
  const before = await run(ending)
  const after = await run(steps, config)
  host.stop()
  return { ...after, growth: after.most - before.most }
}

test(`TRU-23: a line of ${longMib} MiB is passed on in pieces, is told once and takes no more than its share`, async () => {
  const { result: ended, count, growth } = await memoryOf([repeat('x', longMib), { write: '\n' }, repeat('y', 40), { write: '\n' }, ...ending])
  row(`a line of ${longMib} MiB`, growth)
  expect(ended).toMatchObject({ errorMessage: null, summary: 'done' })
  expect(count.bytes).toBeGreaterThanOrEqual((longMib + 40) * mib)
  expect(count.newlines, 'no line is torn').toBeLessThan(30)
  expect(count.told.join('').match(/longer than 32 MiB/g)).toHaveLength(1)
  expect(growth, `${growth} bytes`).toBeLessThanOrEqual(ceiling)
})

test('TRU-23: a million short lines take no more than their share', async () => {
  const { result: ended, count, growth } = await memoryOf([{ lines: { count: 1_000_000, text: 'x' } }, ...ending])
  row('a million short lines', growth)
  expect(ended).toMatchObject({ errorMessage: null, summary: 'done' })
  expect(count.newlines).toBeGreaterThanOrEqual(1_000_000)
  expect(growth, `${growth} bytes`).toBeLessThanOrEqual(ceiling)
})

test.each([
  ['an array of numbers', [{ write: `${result},"list":[` }, repeat('1,', 12), { write: '1]}\n' }]],
  ['a list of errors', [{ write: `${result},"errors":[` }, repeat('"a",', 12), { write: '"a"]}\n' }]],
  ['one text with escapes', [{ write: `${result},"text":"\\n` }, repeat('z', 12), { write: '"}\n' }]],
])('TRU-23: a result of 12 MiB that is %s takes no more than its share', async (kind, steps) => {
  const { result: ended, growth } = await memoryOf([...steps, { exit: { code: 0 } }])
  row(`a result of 12 MiB that is ${kind}`, growth)
  expect(ended.exitCode).toBe(0)
  expect(growth, `${growth} bytes`).toBeLessThanOrEqual(ceiling)
})

test('TRU-04: `/dev/zero` as instructions takes nothing, also where the operator has named its directory', async () => {
  const processEnv = { PAPERCLIP_K8S_INSTRUCTIONS_DIRS: '/dev' }
  const { result: ended, count, growth } = await memoryOf(ending, { config: { instructionsFilePath: '/dev/zero' }, processEnv })
  row('`/dev/zero` as instructions', growth)
  expect(ended).toMatchObject({ errorMessage: null, summary: 'done' })
  expect(count.told.join('')).toContain('it is a device, and only regular files are read')
  expect(growth, `${growth} bytes`).toBeLessThanOrEqual(ceiling / 4)
})

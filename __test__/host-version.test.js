/** Older hosts get what they understand. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { getConfigSchema } from '../js/config-schema.js'
import { features, hostHas, hostVersion, lacking, parse, setHostVersion } from '../js/host/version.js'
import { execute } from '../js/run/execute.js'
import { sessionCodec } from '../js/session-codec.js'
import { fromRoot } from './paths.js'
import { context, scriptNative } from './run.js'

afterEach(() => {
  setHostVersion(undefined)
  vi.unstubAllEnvs()
})

test('HOS-05: the version is that of the helper package beside the running server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'host-version-'))
  const helper = join(folder, 'node_modules/@paperclipai/adapter-utils')
  mkdirSync(helper, { recursive: true })
  writeFileSync(join(helper, 'package.json'), '{ "version": "2026.824.1" }')
  writeFileSync(join(folder, 'server.js'), '')
  expect(hostVersion(join(folder, 'server.js'))).toEqual([2026, 824, 1])
  rmSync(folder, { recursive: true })
})

test.each([
  ['2026.916.1', []],
  ['2026.824.1', ['cancelSignal']],
  ['2026.707.0', ['cancelSignal', 'usagePerRun']],
  ['2026.529.0', ['cancelSignal', 'usagePerRun', 'secretFields']],
  ['2027.101.0', []],
  ['dev', []],
])('HOS-05: a host %s lacks %j', (text, expected) => {
  setHostVersion(parse(text))
  const names = /** @type {const} */ (['cancelSignal', 'usagePerRun', 'secretFields'])
  expect(names.filter((name) => !hostHas(name))).toEqual(expected)
  expect(lacking()).toHaveLength(expected.length)
})

test('HOS-05: the form leaves out what a host would store in clear text', () => {
  const keys = () => getConfigSchema().fields.map(({ key }) => key)
  expect(keys()).toContain('kubeconfigData')
  setHostVersion([2026, 618, 0])
  expect(keys()).not.toContain('kubeconfigData')
  expect(keys()).toContain('kubeconfig')
})

const text = (/** @type {string} */ path) => readFileSync(fromRoot(path), 'utf8')

test('HOS-07: the package names the servers it works with, and since when their pages show no transcript', () => {
  const manifest = JSON.parse(text('package.json'))
  expect(manifest.peerDependencies).toEqual({ '@paperclipai/adapter-utils': '>=2026.416.0' })
  expect(manifest.peerDependenciesMeta['@paperclipai/adapter-utils']).toEqual({ optional: true })
  for (const page of ['README.md', 'docs/hosts.md', 'docs/troubleshooting.md']) expect(text(page), page).toContain('since 2026.427.0')
  for (const page of ['README.md', 'docs/hosts.md']) expect(text(page), page).toContain('2026.416.0 or newer')
})

test('HOS-07: the table of servers says of each version what it lacks', () => {
  const rows = [...text('docs/hosts.md').matchAll(/^\| (2026[.\d]+) \| [^|]+ \| ([^|]+) \|$/gm)].map(([, version = '', lacks = '']) => ({ version, lacks }))
  expect(rows.map(({ version }) => version)).toEqual(['2026.916.1', '2026.824.1', '2026.707.0', '2026.529.0'])
  let named = ''
  for (const { version, lacks } of rows) {
    named += lacks
    setHostVersion(parse(version))
    for (const feature of Object.values(features)) expect(named.includes(feature.lacks), `${version}: ${feature.lacks}`).toBe(lacking().includes(feature.lacks))
  }
})

const usage = { inputTokens: 10, cachedInputTokens: 2, outputTokens: 3 }
/** @param {string} sessionId */
const resultOf = (sessionId) => JSON.stringify({ exitCode: 0, usage, usageBasis: 'per_run', sessionParams: { sessionId } })

test('HOS-05: a host that takes usage for the total of a session gets the total, which the session carries', async () => {
  setHostVersion([2026, 707, 0])
  const params = { sessionId: 'carried' }
  scriptNative({ wait: async () => resultOf('carried') })
  const stored = sessionCodec.deserialize({ ...params, usageTotals: '10/2/3' })
  const next = await execute(context({ runtime: { sessionParams: stored } }))
  expect(next).toMatchObject({ usage: { inputTokens: 20, cachedInputTokens: 4, outputTokens: 6 }, sessionParams: { ...params, usageTotals: '20/4/6' } })
  expect(next.usageBasis).toBeUndefined()
  setHostVersion([2026, 916, 1])
  expect(await execute(context({ runtime: { sessionParams: stored } }))).toMatchObject({ usage, usageBasis: 'per_run', sessionParams: params })
})

test('HOS-05: a session of which the host gives back the id alone goes on from its total', async () => {
  setHostVersion([2026, 707, 0])
  scriptNative({ wait: async () => resultOf('by its id') })
  expect((await execute(context())).usage).toEqual(usage)
  const second = await execute(context({ runtime: { sessionParams: { sessionId: 'by its id' } } }))
  expect(second.usage).toEqual({ inputTokens: 20, cachedInputTokens: 4, outputTokens: 6 })
  scriptNative({ wait: async () => resultOf('another') })
  expect((await execute(context({ runtime: { sessionParams: { sessionId: 'by its id', usageTotals: '99/99/99' } } }))).usage).toEqual(usage)
})

/** @type {Record<string, string>} */
let statuses = {}
const server = createServer((request, response) => {
  const [, id = ''] = /heartbeat-runs\/([^/?]+)/.exec(request.url ?? '') ?? []
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status: statuses[id] ?? 'running' }))
})
beforeEach(async () => {
  statuses = {}
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  vi.stubEnv('PAPERCLIP_RUNTIME_API_URL', `http://127.0.0.1:${port}`)
})
afterEach(() => new Promise((resolve) => server.close(resolve)))

test.each([
  ['waits for the end of one that was cancelled', 'cancelled', 'first ended, second began'],
  ['does not wait for one that goes on', 'running', 'second began, first ended'],
])('HOS-05: where nobody tells a cancel, the next run of the agent asks at once and %s', async (_, status, expected) => {
  setHostVersion([2026, 707, 0])
  /** @type {string[]} */
  const order = []
  /** @type {() => void} */
  let end = () => {}
  const ended = new Promise((resolve) => (end = () => resolve(undefined)))
  const script = scriptNative({
    onCancel: () => end(),
    wait: async ({ request }) => {
      if (request.runId === 'first') await ended
      order.push(request.runId === 'first' ? 'first ended' : 'second began')
      return '{}'
    },
  })
  const first = execute(context({ runId: 'first', authToken: 't', signal: undefined, onCancellationReady: undefined }))
  await vi.waitFor(() => expect(script.seen).toHaveLength(1), 20_000)
  statuses['first'] = status
  await execute(context({ runId: 'second', authToken: 't', signal: undefined, onCancellationReady: undefined }))
  end()
  await first
  expect(order.join(', ')).toBe(expected)
})

test.each([
  ['failed', 'operator'],
  ['succeeded', 'operator'],
  ['running', 'leaseLost'],
])('HOS-06: a run whose lease is lost and whose row is %s is stopped by %s', async (status, kind) => {
  statuses['folded'] = status
  /** @type {() => void} */
  let end = () => {}
  const ended = new Promise((resolve) => (end = () => resolve(undefined)))
  const script = scriptNative({ onCancel: () => end(), wait: async () => (await ended, '{}') })
  const abort = new AbortController()
  const run = execute(context({ runId: 'folded', authToken: 't', signal: abort.signal }))
  await new Promise((resolve) => setTimeout(resolve, 50))
  abort.abort(new Error('Legacy controller lease lost'))
  await run
  expect(script.seen[0]?.cancelled).toEqual([kind])
})

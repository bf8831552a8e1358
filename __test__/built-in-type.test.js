/** The adapter in the place of the built-in one: installed as a server installs a directory, beside the package itself. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { afterAll, expect, test, vi } from 'vitest'

import { fromRoot } from './paths.js'
import { startCluster } from './support/cluster.js'
import { transcript } from './support/host.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())

/**
 * What a server does with a package or a directory (docs/internals/host.md 2): one module, one type, one record.
 * @param {string} directory
 */
async function register(directory) {
  const { exports, main } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const module = await import(pathToFileURL(join(directory, exports?.['.']?.default ?? main)).href)
  return module.createServerAdapter()
}

const [ours, inPlace] = await Promise.all([register(fromRoot('.')), register(fromRoot('as/claude_local'))])

/** What the built-in form stores: its own keys, no image and no namespace. */
const builtInConfig = { model: 'claude-sonnet-4-6', effort: '', command: 'claude', chrome: false, dangerouslySkipPermissions: true, maxTurnsPerRun: 300, extraArgs: [], timeoutSec: 0, graceSec: 15 }

test('HOS-08: the type is the built-in one only when the directory for it is installed, and all else is the same adapter', () => {
  expect([ours.type, inPlace.type]).toEqual(['claude_k8s', 'claude_local'])
  expect(Object.keys(inPlace)).toEqual(Object.keys(ours))
  // Code and state are shared: each agent has one guard, and the process one connection.
  expect(inPlace.execute).toBe(ours.execute)
})

test('HOS-08: an agent with the configuration of the built-in form is tested, runs in the cluster, and its log is what the built-in parser reads', async () => {
  const ctx = cluster.context({ config: builtInConfig })
  ctx.agent.adapterType = 'claude_local'
  const report = await inPlace.testEnvironment({ adapterType: 'claude_local', companyId: ctx.agent.companyId, config: ctx.config })
  expect(report.adapterType).toBe('claude_local')
  expect(report.checks.filter((/** @type {{ level: string }} */ { level }) => level === 'error')).toEqual([])

  const running = inPlace.execute(ctx)
  const pod = await cluster.podOf(ctx)
  expect(pod.metadata.labels['paperclip.io/run-id']).toBe(ctx.runId)
  const result = await running
  expect(result.errorMessage).toBeNull()
  const lines = transcript(ctx).chunks.map(({ chunk }) => chunk).join('').split('\n')
  const types = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).type)
  expect(types).toEqual(expect.arrayContaining(['system', 'assistant', 'result']))
  await until('nothing is left', async () => (await cluster.leftovers()).length === 0)
})

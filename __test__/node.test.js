/** The short way through the package in the Node that runs this: `.ci/run` passes it on each major version that servers use. */

import { readFileSync } from 'node:fs'

import { afterAll, expect, test, vi } from 'vitest'

import { fromRoot } from './paths.js'
import { startCluster } from './support/cluster.js'
import { expectSuccess } from './support/expect-run.js'
import { execute, testEnvironment } from './support/package.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(async () => {
  await cluster.removeJobs()
  await cluster.stop()
})

test('PLT-03: this Node loads the native module: the environment test answers, and a run succeeds', async () => {
  const ctx = cluster.context({ config: { retainJobs: true } })
  const { checks } = await testEnvironment({ adapterType: 'claude_k8s', companyId: 'company', config: ctx.config })
  expect(checks.map((/** @type {{ code: string }} */ { code }) => code)).toContain('k8s_api_reachable')
  await expectSuccess(cluster, ctx, await execute(ctx))
})

test('PLT-03: the versions that are promised are those that are tried', () => {
  const { engines } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8'))
  expect(engines.node).toBe('>=20')
  expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(20)
  expect(readFileSync(fromRoot('.ci/run'), 'utf8')).toContain('for major in 20 22 24; do')
  for (const workflow of ['ci.yml', 'release.yml']) expect(readFileSync(fromRoot(`.github/workflows/${workflow}`), 'utf8')).toContain('node: [20, 22, 24]')
  expect(readFileSync(fromRoot('README.md'), 'utf8')).toContain('Node 20 or newer')
})

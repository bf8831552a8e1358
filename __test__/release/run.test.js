/** A run through the installed package, in the Node that it was installed with. The simulator is a program of this machine. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test, vi } from 'vitest'

import { startCluster } from '../support/cluster.js'
import { expectSuccess } from '../support/expect-run.js'
import { startSimulator } from '../support/simulator.js'
import { commandLine, name, nodeAside } from './where.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster({ ring: await startSimulator() })
const folder = mkdtempSync(join(tmpdir(), 'release-run-'))
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await cluster.removeJobs()
  await cluster.stop()
})

test('PLT-01: `doctor` of the installed package answers', async () => {
  const config = join(folder, 'agent.json')
  writeFileSync(config, JSON.stringify(cluster.context().config))
  const { status, checks } = JSON.parse(await nodeAside(commandLine, 'doctor', '--config', config, '--json'))
  const codes = checks.map((/** @type {{ code: string }} */ { code }) => code)
  expect(['pass', 'warn'], JSON.stringify(checks, null, 2)).toContain(status)
  expect(codes).toEqual(expect.arrayContaining(['k8s_api_reachable', 'k8s_rbac_job_create', 'k8s_job_dry_run_ok']))
})

test('PLT-01: `execute` of the installed package runs a Job, and the host gets what the container wrote', async () => {
  const ctx = cluster.context({ config: { retainJobs: true } })
  const { result, chunks } = JSON.parse(await nodeAside('--input-type=module', '--eval', programOf(ctx)))
  for (const { stream, chunk } of chunks) await ctx.onLog(stream, chunk)
  await expectSuccess(cluster, ctx, result)
  expect(result).toMatchObject({ summary: 'Done: the command printed hi.', provider: 'anthropic', resultJson: { k8s: { exitCode: 0, attempts: 1 } } })
})

test('PLT-01: a run of the installed package can be cancelled', async () => {
  const ctx = cluster.context({ env: { FAKE_DELAY_MS: '60000' } })
  const { result } = JSON.parse(await nodeAside('--input-type=module', '--eval', programOf(ctx, { cancel: true })))
  expect(result).toMatchObject({ errorCode: 'cancelled' })
})

/**
 * A host with nothing but `execute`; it prints what the adapter gave it.
 * @param {object} ctx
 * @param {object} [options]
 * @param {boolean} [options.cancel] as soon as Claude Code has written a line
 */
const programOf = (ctx, { cancel = false } = {}) => `
  import { execute } from '${name}/server'
  const chunks = []
  const controller = new AbortController()
  const result = await execute({
    ...${JSON.stringify(ctx)},
    signal: controller.signal,
    async onLog(stream, chunk) {
      chunks.push({ stream, chunk })
      if (${cancel} && /^\\{/m.test(chunk)) controller.abort()
    },
  })
  console.log(JSON.stringify({ result, chunks }))`

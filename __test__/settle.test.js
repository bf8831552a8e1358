/** What ends a run, how soon, and with which verdict. */

import { execFile } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure, expectSuccess } from './support/expect-run.js'
import { hasOutput, transcript } from './support/host.js'
import { execute, serverEntry } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())
afterEach(() => cluster.removeJobs())

/** Half of the old grace: whoever waits for a timer is later than this. */
const promptMs = 15_000

/** @param {import('./support/host.js').HostContext} ctx */
const lastLineAt = (ctx) => transcript(ctx).chunks.findLast(({ chunk }) => hasOutput(chunk))?.at ?? 0

/** A Job as it looks while its pod runs, whatever happened since. @param {any} job */
const neverFinished = (job) => ({ ...job, status: { active: 1, startTime: job.status?.startTime } })

test('far_23 container gone but the Job condition never comes settles promptly', async () => {
  const proxy = await cluster.proxy()
  proxy.rule({ resource: 'jobs', verb: /^(get|list|watch)$/, rewrite: neverFinished })
  const ctx = cluster.context({ through: proxy, config: { retainJobs: true }, env: { FAKE_DELAY_MS: '200' } })
  const result = await execute(ctx)
  expect(Date.now() - lastLineAt(ctx), 'milliseconds from the last line to the result').toBeLessThan(promptMs)
  await expectSuccess(cluster, ctx, result)
})

test('far_23 a failed container settles promptly with its exit code although no Job condition comes', async () => {
  const proxy = await cluster.proxy()
  proxy.rule({ resource: 'jobs', verb: /^(get|list|watch)$/, rewrite: neverFinished })
  const ctx = cluster.context({ through: proxy, env: { FAKE_STOP_AFTER: '3', FAKE_EXIT: '3' } })
  const result = await execute(ctx)
  expect(Date.now() - lastLineAt(ctx), 'milliseconds from the last line to the result').toBeLessThan(promptMs)
  expectFailure(result, 'claude_truncated')
  expect(result.exitCode).toBe(3)
})

test('end_11 a pod that ended without a container state is judged by what it said', async () => {
  const proxy = await cluster.proxy()
  proxy.rule({
    resource: 'pods',
    verb: /^(get|list|watch)$/,
    rewrite: (pod) =>
      /Succeeded|Failed/.test(pod.status?.phase) ? { ...pod, status: { ...pod.status, containerStatuses: [] } } : pod,
  })
  const ctx = cluster.context({ through: proxy })
  const result = await execute(ctx)
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0, timedOut: false, summary: 'Done: the command printed hi.' })
})

test('log_10 a container that ends before its log is opened yields its complete output', async () => {
  const proxy = await cluster.proxy()
  proxy.rule({ resource: 'pods/log', times: 1, delayMs: 3000 })
  const ctx = cluster.context({ through: proxy, config: { retainJobs: true } })
  await expectSuccess(cluster, ctx, await execute(ctx))
})

test('log_10 a first line that comes late is worth the wait', async () => {
  const ctx = cluster.context({ config: { retainJobs: true }, env: { FAKE_START_MS: '20000' } })
  await expectSuccess(cluster, ctx, await execute(ctx))
  expect(transcript(ctx).status.join('\n'), 'live_01').toMatch(/keepalive — job .* running \(1[5-9]s since last output\)/)
})

test.each([
  ['a bad flag', { FAKE_SAMPLE: 'err-badflag' }, 'claude_start_failed', 1, /unknown option/],
  ['a refused key', { FAKE_SAMPLE: 'err-401' }, 'claude_auth_required', 1, /./],
  ['a kill in mid-work', { FAKE_STOP_AFTER: '3', FAKE_EXIT: '137' }, 'claude_truncated', 137, /exit code 137/],
  ['a last line cut short', { FAKE_CUT_BYTES: '200', FAKE_EXIT: '1' }, 'claude_truncated', 1, /exit code 1/],
  ['no output at all', { FAKE_STOP_AFTER: '0', FAKE_EXIT: '5', FAKE_STDERR: 'the disk is full' }, 'claude_start_failed', 5, /the disk is full/],
  ['the init event only', { FAKE_STOP_AFTER: '1', FAKE_EXIT: '5' }, 'claude_no_result', 5, /exited with code 5/],
])('res_06 the verdict on %s names code and cause', async (_, env, code, exitCode, message) => {
  const result = await execute(cluster.context({ env }))
  expectFailure(result, code)
  expect(result.exitCode).toBe(exitCode)
  expect(result.timedOut).toBe(false)
  expect(result.errorMessage).toMatch(message)
  expect(result.summary).toBeUndefined()
})

test('res_02 a good result followed by a bad exit code is a success', async () => {
  const result = await execute(cluster.context({ env: { FAKE_EXIT: '7' } }))
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0, signal: null, resultJson: { k8s: { exitCode: 7 } } })
})

test('log_07 a last line without a newline is delivered and counted', async () => {
  const ctx = cluster.context({ config: { retainJobs: true }, env: { FAKE_NO_NEWLINE: '1' } })
  const result = await execute(ctx)
  const written = await expectSuccess(cluster, ctx, result)
  // The script ends that line before it says the end.
  expect(written.endsWith('}\n')).toBe(true)
})

test('end_08 a Job that is deleted right after the result line is a success', async () => {
  const ctx = cluster.context({ env: { FAKE_TAIL_MS: '60000' } })
  const running = execute(ctx)
  await until('the result line', () => transcript(ctx).output.includes('"type":"result"'))
  for (const { metadata } of await cluster.jobs()) await cluster.removeJob(metadata.name)
  expect(await running).toMatchObject({ errorMessage: null, exitCode: 0, timedOut: false })
})

test('end_07 a Job that is deleted before the result is reported as deleted, with forensics', async () => {
  const ctx = cluster.context({ env: { FAKE_HOLD_MS: '60000' } })
  const running = execute(ctx)
  await until('the first line', () => transcript(ctx).output)
  for (const { metadata } of await cluster.jobs()) await cluster.removeJob(metadata.name)
  const result = await running
  expectFailure(result, 'k8s_job_deleted_externally')
  expect(result.timedOut).toBe(false)
  expect(result.errorMessage).toMatch(/was deleted before Claude finished \[detected_via=/)
})

test('end_05 an overrun is a timeout, and the pod is gone', async () => {
  const ctx = cluster.context({ config: { timeoutSec: 5 }, env: { FAKE_HOLD_MS: '90000' } })
  const result = await execute(ctx)
  expect(result).toMatchObject({ errorCode: 'timeout', timedOut: true, errorMessage: 'Timed out after 5s' })
  expect(transcript(ctx).output).toContain('"subtype":"init"')
  await cluster.isClean()
})

test('end_04 a success within the deadline is a success', async () => {
  const result = await execute(cluster.context({ config: { timeoutSec: 60, graceSec: 0 }, env: { FAKE_HOLD_MS: '2000' } }))
  expect(result).toMatchObject({ errorMessage: null, timedOut: false, exitCode: 0 })
})

test('end_15 a result does not wait for a slow answer to the clean-up, and a process that ends then waits for it', async () => {
  const proxy = await cluster.proxy()
  proxy.rule({ resource: 'jobs', verb: 'delete', times: 1, delayMs: 3000 })
  const program = `
    import { execute } from ${JSON.stringify(pathToFileURL(serverEntry).href)}
    const ctx = ${JSON.stringify(cluster.context({ through: proxy }))}
    const { errorMessage } = await execute({ ...ctx, signal: undefined, onLog: async () => {} })
    console.log(JSON.stringify({ errorMessage, at: Date.now() }))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  const { errorMessage, at } = JSON.parse(stdout)
  expect(errorMessage).toBeNull()
  expect(Date.now() - at, 'milliseconds from the result to the end of the process').toBeGreaterThan(2000)
  const left = (await cluster.jobs()).filter(({ metadata }) => !metadata.deletionTimestamp)
  expect(left, 'the Job is removed before the process ends').toEqual([])
})

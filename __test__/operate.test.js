/** The commands of an operator beside the runs of a server, as processes, with the Role of `deploy/` and nothing more. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { fromRoot } from './paths.js'
import { startCluster } from './support/cluster.js'
import { hasOutput, isStatus, transcript } from './support/host.js'
import { copiesOf } from './support/many-jobs.js'
import { execute } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const folder = mkdtempSync(join(tmpdir(), 'operate-'))
const cluster = await startCluster()
afterAll(() => rmSync(folder, { recursive: true }))
afterAll(() => cluster.stop())
afterEach(() => cluster.removeJobs())

/** @param {string[]} args */
function start(...args) {
  const { PATH = '' } = process.env
  const native = process.env['PAPERCLIP_CLAUDE_K8S_NATIVE']
  const env = { PATH, NO_COLOR: '1', ...(native && { PAPERCLIP_CLAUDE_K8S_NATIVE: native }) }
  const place = ['--kubeconfig', cluster.kubeconfig, '-n', cluster.namespace]
  const child = spawn(process.execPath, [fromRoot('dist/bin.js'), ...args, ...place], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text))
  return { child, output, ended: once(child, 'close').then(([exitCode]) => ({ exitCode, ...output })) }
}

/** @param {string[]} args */
const command = (...args) => start(...args).ended

/** A run that works until it is told. @param {import('./support/cluster.js').ContextOptions} [options] */
async function workingRun(options = {}) {
  const ctx = cluster.context({ ...options, env: { FAKE_HOLD_MS: '60000', ...options.env } })
  const settled = execute(ctx)
  await until('the run works', () => transcript(ctx).chunks.some(({ chunk }) => hasOutput(chunk)))
  return { ctx, settled }
}

test('ps shows a run that works, and logs, stop and gc go with its names', async () => {
  const { ctx, settled } = await workingRun()
  const { exitCode, stdout, stderr } = await command('ps', '--json')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const [row, ...others] = JSON.parse(stdout)
  expect(others).toEqual([])
  expect(row).toMatchObject({ namespace: cluster.namespace, run: ctx.runId, agent: ctx.agent.id, state: 'running' })
  expect(Math.abs(Date.now() - Date.parse(row.lastOutputAt)), 'time since the last output').toBeLessThan(60_000)

  const shown = await command('ps')
  expect(shown.stdout).toMatch(/^AGENT +TASK +RUN +STATE +AGE +SILENT +TOKENS +POD +NODE\n/)
  expect(shown.stdout).toMatch(new RegExp(`${ctx.runId.slice(0, 8)} +running +\\d+s`))

  const log = await command('logs', ctx.runId.slice(0, 12), '--raw')
  expect(log.exitCode).toBe(0)
  const seen = transcript(ctx).chunks.filter(({ stream }) => stream === 'stdout').map(({ chunk }) => chunk).join('')
  const output = (/** @type {string} */ text) => text.split('\n').filter((line) => line.startsWith('{'))
  expect(output(log.stdout).slice(0, output(seen).length)).toEqual(output(seen))

  const refused = await command('stop', row.job)
  expect(refused).toEqual({ exitCode: 2, stdout: expect.stringContaining(row.pod), stderr: 'error: nobody can be asked here: add `--yes`\n' })
  const stopped = await command('stop', row.pod, '--yes')
  expect(stopped.stdout, stopped.stderr).toMatch(new RegExp(`Job ${row.job} has ended`))
  expect(stopped.exitCode).toBe(0)
  expect((await settled).errorCode).toBe('k8s_job_deleted_externally')
})

test('logs -f beside a server that follows the same Job: both have every line once', async () => {
  const ctx = cluster.context({ config: { retainJobs: true }, env: { FAKE_LINES: '200', FAKE_DELAY_MS: '20' } })
  const settled = execute(ctx)
  const pod = await cluster.podOf(ctx)
  const [followed, result] = await Promise.all([command('logs', '-f', '--raw', pod.metadata.name), settled])
  expect(result.errorMessage).toBeNull()
  expect(followed.exitCode, followed.stderr).toBe(0)
  const lines = (/** @type {string} */ text) => text.split('\n').filter((line) => line !== '' && !isStatus(line))
  const written = lines(await cluster.log(pod.metadata.name))
  expect(lines(followed.stdout)).toEqual(written)
  const heard = transcript(ctx).chunks.filter(({ stream }) => stream === 'stdout').map(({ chunk }) => chunk).join('')
  expect(lines(heard)).toEqual(written)
})

test('a retained run is shown as a page that runs nothing, and gc removes it when it is old', async () => {
  const ctx = cluster.context({ config: { retainJobs: true } })
  const { resultJson } = await execute(ctx)
  const { job } = resultJson.k8s
  const page = join(folder, 'run.html')
  const written = await command('logs', job, '--html', page)
  expect(written, written.stderr).toMatchObject({ exitCode: 0, stdout: `Wrote ${page}\n` })
  const html = readFileSync(page, 'utf8')
  expect(html).toContain('Done: the command printed hi.')
  expect(html).not.toMatch(/<script|src=|href=/)

  await until('the Job is retained', async () => JSON.parse((await command('ps', '--json')).stdout)[0]?.state === 'retained')
  expect((await command('gc', '--dry-run')).stdout).toBe('Nothing is left over\n')
  const dry = await command('gc', '--older-than', '0s', '--dry-run')
  expect(dry.stdout, dry.stderr).toMatch(new RegExp(`Job +${job} .* kept, and its result was taken`))
  expect(await cluster.jobs()).toHaveLength(1)
  const removed = await command('gc', '--older-than', '0s', '--yes')
  expect(removed.stdout).toContain('Deleted 1 of 1')
  await cluster.isClean()
})

test('ps --watch tells each change from one watch of Jobs and one of pods', async () => {
  const since = Date.now()
  const watching = start('ps', '--watch', '--json')
  try {
    const { ctx, settled } = await workingRun()
    const states = () => watching.output.stdout.split('\n').filter(Boolean).flatMap((line) => JSON.parse(line)).map(({ state }) => state)
    await until('the run is shown at work', () => states().includes('running'))
    await command('stop', ctx.runId, '--yes')
    await settled
    await until('nothing is shown', () => watching.output.stdout.endsWith('[]\n'))
  } finally {
    watching.child.kill('SIGINT')
  }
  expect((await watching.ended).exitCode).toBe(0)
  const lists = (await cluster.requests(since)).filter(({ verb, resource }) => verb === 'list' && resource === 'pods')
  expect(lists.length, 'lists of pods: two commands, a guard, and the begin of the watches').toBeLessThanOrEqual(8)
})

test('ps --watch over 200 Jobs asks no more than over one: one watch of Jobs and one of pods, whatever changes', async () => {
  const ctx = cluster.context({ config: { retainJobs: true } })
  await execute(ctx)
  const copies = await copiesOf(cluster, (await cluster.jobs())[0], 200)
  const since = Date.now()
  const watching = start('ps', '--watch', '--json')
  try {
    const tables = () => watching.output.stdout.split('\n').slice(0, -1)
    const newest = () => JSON.parse(tables().at(-1) ?? '[]')
    await until('all are shown', () => newest().length === 201)
    for (const [index, path] of copies.entries()) {
      await cluster.api.patch(path, { metadata: { annotations: { 'paperclip.io/agent-name': `agent ${index}` } } })
    }
    const renamed = () => newest().filter((/** @type {{ agentName: string }} */ { agentName }) => /^agent \d+$/.test(agentName))
    await until('each change is shown', () => renamed().length === 200)
    expect(tables().length, 'changes that come together are one table').toBeLessThan(200)
  } finally {
    watching.child.kill('SIGINT')
  }
  expect((await watching.ended).exitCode).toBe(0)
  const asked = (/** @type {string} */ verb, /** @type {string} */ resource) =>
    cluster.requests(since).then((all) => all.filter((one) => one.verb === verb && one.resource === resource).length)
  for (const resource of ['jobs', 'pods']) {
    expect(await asked('list', resource), `lists of ${resource}`).toBeLessThanOrEqual(1)
    // A watch lasts a minute.
    expect(await asked('watch', resource), `watches of ${resource}`).toBeLessThanOrEqual(2)
  }
})

test('top names what runs and what it asked for', async () => {
  const { ctx, settled } = await workingRun()
  const [row] = JSON.parse((await command('top', '--json')).stdout)
  expect(row).toMatchObject({ run: ctx.runId, state: 'running', requests: { cpu: '1m', memory: '4Mi' }, limits: { cpu: '2', memory: '512Mi' } })
  const { stdout } = await command('top')
  expect(stdout).toContain('1m / 2')
  await command('stop', ctx.runId, '--yes')
  await settled
})

test('a name that nobody has, or several begin with, is one line with the next step', async () => {
  expect(await command('logs', 'nobody')).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `error: No Job, run or pod of the adapter in namespace \`${cluster.namespace}\` begins with \`nobody\`; \`ps\` lists them, \`-n\` names another namespace\n`,
  })
})

/** Host processes that die, come back, and start at the same instant: the Jobs live, each is followed by one of them. */

import { randomUUID } from 'node:crypto'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectFailure } from './support/expect-run.js'
import { transcript } from './support/host.js'
import { startHostProcess } from './support/host-process.js'
import { execute } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 600_000, hookTimeout: 240_000 })
const cluster = await startCluster({ claim: true })
/** @type {import('./support/host-process.js').HostProcess[]} */
const hosts = []
afterAll(async () => {
  for (const host of hosts) await host.stop()
  await cluster.stop()
})
afterEach(() => cluster.removeJobs())

/** So many pairs start at the same instant. */
const pairs = Number(process.env.K8S_TEST_PAIRS ?? (cluster.is('real') ? 10 : 100))
/** So many of them at once. */
const width = 10

async function newHost() {
  const host = await startHostProcess()
  hosts.push(host)
  return host
}

/** Runs of one task of one agent, in its data volume, each with a prompt of its own. */
function newTask() {
  const agent = { id: randomUUID(), companyId: randomUUID() }
  let step = 0
  return (/** @type {import('./support/cluster.js').ContextOptions} */ { config, ...options } = {}) => {
    const prompt = { promptTemplate: `Step ${++step}.` }
    return cluster.context({ ...options, agent, config: { workspaceVolumeClaim: cluster.claimName, ...prompt, ...config }, context: { taskId: 'task' } })
  }
}

/** @param {string} output */
const inits = (output) => output.match(/"subtype":"init"/g)?.length ?? 0

/**
 * A run whose host process is gone as soon as it has printed.
 * @param {ReturnType<typeof newTask>} task
 * @param {Record<string, string>} env
 * @param {NodeJS.Signals} signal
 */
async function orphaned(task, env, signal = 'SIGKILL') {
  const host = await newHost()
  const ctx = task({ env })
  const run = host.execute(ctx)
  await until('the orphan prints', run.output)
  expect(await host.kill(signal)).toBe(signal)
  const [job] = await cluster.jobs()
  return { ctx, job, run }
}

test('grd_05 grd_12 the Job of a process that was killed lives; the next run delivers all of it and then runs its own prompt', async () => {
  const task = newTask()
  const { ctx: lost, job, run } = await orphaned(task, { FAKE_DELAY_MS: '400', FAKE_HOLD_MS: '4000' })
  expect(job.metadata.deletionTimestamp).toBeUndefined()
  expect((await cluster.podOf(lost)).status.phase).toBe('Running')

  const ctx = task({ env: { FAKE_SAMPLE: 'text' } })
  const result = await execute(ctx)
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0 })
  expect(result.resultJson.k8s).toMatchObject({ adopted: false, adoptedRun: { runId: lost.runId, job: job.metadata.name, outcome: 'success' } })
  expect(result.resultJson.k8s.job).not.toBe(job.metadata.name)
  const { output, status } = transcript(ctx)
  expect(inits(output), 'both transcripts').toBe(2)
  expect(output.startsWith(run.output()), 'from the first line').toBe(true)
  expect(output.match(/"type":"result"/g)).toHaveLength(2)
  expect(status.filter((line) => line.includes(`Reattached to Job ${job.metadata.name} of run ${lost.runId}`))).toHaveLength(1)
  await cluster.isClean()
})

test('grd_06 a Job that finished while nobody watched gives its result once', async () => {
  const task = newTask()
  // Longer than a busy machine needs to end the process that follows it.
  const { job } = await orphaned(task, { FAKE_HOLD_MS: '10000' })
  await until('the Job has finished', async () => {
    const [found] = await cluster.jobs()
    return found?.status.conditions?.some((/** @type {any} */ { type, status }) => type === 'Complete' && status === 'True')
  })
  const second = task()
  const third = task()
  const delivered = await execute(second)
  expect(delivered).toMatchObject({ errorMessage: null, resultJson: { k8s: { adoptedRun: { job: job.metadata.name, outcome: 'success' } } } })
  expect(inits(transcript(second).output)).toBe(2)
  const later = await execute(third)
  expect(later).toMatchObject({ errorMessage: null })
  expect(later.resultJson.k8s.adoptedRun).toBeFalsy()
  expect(inits(transcript(third).output)).toBe(1)
  await cluster.isClean()
})

test('grd_12 hst_07 a host that is asked to end leaves its Jobs alone', async () => {
  const { ctx, job } = await orphaned(newTask(), { FAKE_HOLD_MS: '60000' }, 'SIGTERM')
  const pod = await cluster.podOf(ctx)
  expect(pod.status.phase).toBe('Running')
  expect(pod.metadata.deletionTimestamp).toBeUndefined()
  expect(job.metadata.annotations['paperclip.io/delivered']).toBeUndefined()
})

test('grd_05 of two processes that find the same orphan at once one adopts it', async () => {
  const [one, two] = [await newHost(), await newHost()]
  for (let round = 0; round < 2; round++) {
    const task = newTask()
    // Long enough that both see it alive, also the first time, when they have to connect.
    await orphaned(task, { FAKE_HOLD_MS: '12000' })
    const runs = [one.execute(task()), two.execute(task())]
    const results = await Promise.all(runs.map((run) => run.result))
    const said = runs.map((run) => run.said())
    expect(said.filter((text) => text.includes('Reattached to Job')), `round ${round}`).toHaveLength(1)
    const [ran, refused] = results.sort((first) => (first.errorMessage === null ? -1 : 1))
    expect(ran).toMatchObject({ errorMessage: null, resultJson: { k8s: { adoptedRun: { outcome: 'success' } } } })
    expectFailure(refused, 'k8s_concurrent_run_blocked')
    await cluster.isClean()
  }
})

test(`grd_03 of two processes that start a run of an agent at the same instant exactly one runs: ${pairs} pairs`, async () => {
  const [one, two] = [await newHost(), await newHost()]
  for (let done = 0; done < pairs; done += width) {
    const rounds = Array.from({ length: Math.min(width, pairs - done) }, async () => {
      const task = newTask()
      const env = { FAKE_SAMPLE: 'text', FAKE_HOLD_MS: '1500' }
      const runs = [one.execute(task({ env })), two.execute(task({ env }))]
      const results = await Promise.all(runs.map((run) => run.result))
      const [ran, refused] = results.sort((first) => (first.errorMessage === null ? -1 : 1))
      const told = JSON.stringify(results.map(({ errorCode, errorMessage }) => ({ errorCode, errorMessage })))
      expect(ran, told).toMatchObject({ errorMessage: null, exitCode: 0 })
      expectFailure(refused, 'k8s_concurrent_run_blocked')
      const started = runs.reduce((sum, run) => sum + run.count('k8s.pod.started'), 0)
      expect(started, 'containers that ran').toBe(1)
    })
    await Promise.all(rounds)
  }
  await cluster.isClean()
})

test.each([
  ['the Job', 'create', 'jobs', 1, {}],
  ['the Secret', 'create', 'secrets', 1, {}],
  ['the second Secret of a long prompt', 'create', 'secrets', 2, { promptTemplate: 'x'.repeat(1.1 * 2 ** 20) }],
  ['the release', 'patch', 'jobs', 1, {}],
])('prm_05 a process that is killed after it has made %s leaves nothing that outlives the Job', async (_, verb, resource, count, config) => {
  const proxy = await cluster.proxy()
  const step = { verb, resource }
  // Done, but the answer never comes.
  proxy.rule({ ...step, breakOff: 'stall' })
  const host = await newHost()
  host.execute(cluster.context({ through: proxy, config, env: { FAKE_HOLD_MS: '60000' } }))
  await until('the step was done', () => proxy.matching(step).filter(({ status }) => status === 201 || status === 200).length >= count)
  await host.kill('SIGKILL')
  const [job] = await cluster.jobs()
  expect(job.spec.suspend).toBe(verb !== 'patch')
  expect((await cluster.secrets()).length).toBeGreaterThanOrEqual(resource === 'secrets' ? count : 0)
  await cluster.removeJob(job.metadata.name)
  await cluster.isClean()
})

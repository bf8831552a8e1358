/** The normal path of a run. */

import { createHash, randomUUID } from 'node:crypto'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { startCluster } from './support/cluster.js'
import { expectSuccess } from './support/expect-run.js'
import { hasOutput, transcript } from './support/host.js'
import { execute } from './support/package.js'
import { reportingCli } from './support/reporting-cli.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())
afterEach(() => cluster.removeJobs())

test('log_01 lines arrive while the pod runs: whole, in order and byte for byte', async () => {
  const ctx = cluster.context({ config: { retainJobs: true }, env: { FAKE_DELAY_MS: '1000' } })
  const result = await execute(ctx)
  const written = await expectSuccess(cluster, ctx, result)
  expect(result.resultJson.k8s.logBytes).toBe(Buffer.byteLength(written))
  const chunks = transcript(ctx).chunks.filter(({ stream, chunk }) => stream === 'stdout' && hasOutput(chunk))
  expect(chunks.every(({ chunk }) => chunk.endsWith('\n'))).toBe(true)
  const [first, last] = [chunks[0], chunks.at(-1)]
  expect((last?.at ?? 0) - (first?.at ?? 0), 'time between the first and the last chunk').toBeGreaterThan(1000)

  // A retained Job says that its result was returned, and keeps no payload.
  const job = await until('the Job says so', async () => (await cluster.jobs()).find(({ metadata }) => metadata.annotations['paperclip.io/delivered'] === 'true'))
  expect(job.spec.ttlSecondsAfterFinished).toBeUndefined()
  await until('the payload is gone', async () => (await cluster.secrets()).length === 0)
})

test('the result carries exit, summary, usage, cost and where it ran', async () => {
  const ctx = cluster.context()
  const result = await execute(ctx)
  expect(result).toMatchObject({
    exitCode: 0,
    signal: null,
    timedOut: false,
    errorMessage: null,
    summary: 'Done: the command printed hi.',
    usage: { inputTokens: 240, cachedInputTokens: 100, outputTokens: 53 },
    usageBasis: 'per_run',
    provider: 'anthropic',
    // Without a persistent data volume there is nothing that a later run could resume.
    sessionId: null,
    sessionParams: null,
    resultJson: {
      type: 'result',
      k8s: { namespace: cluster.namespace, exitCode: 0, attempts: 1, adopted: false, reconnects: 0, logGaps: 0 },
    },
  })
  expect(result.costUsd).toBeCloseTo(0.001575, 9)
  expect(result.errorCode).toBeUndefined()
  const { job, uid, pod, node } = result.resultJson.k8s
  expect(job).toMatch(/^ac-[a-z0-9-]{1,40}$/)
  expect(uid).toMatch(/^[0-9a-f-]{36}$/)
  expect(pod.startsWith(`${job}-`)).toBe(true)
  expect(node).toBeTruthy()
  await cluster.isClean()
})

test('prm_04 the stored Job names its run, owns its Secrets and holds neither prompt nor secret values', async () => {
  const prompt = `planted-prompt-${randomUUID()}`
  const value = `planted-value-${randomUUID()}`
  const ctx = cluster.context({
    config: { promptTemplate: prompt, labels: { team: 'builds' } },
    env: { FAKE_HOLD_MS: '3000', SERVICE_PASSWORD: value },
    context: { taskId: 'task-1', issueId: 'task-1' },
  })
  const running = execute(ctx)
  await until('the pod has printed a line', () => transcript(ctx).output)
  const [job] = await cluster.jobs()
  const secrets = await cluster.secrets()
  const [pod] = await cluster.pods()

  expect(job.metadata.labels).toMatchObject({
    'app.kubernetes.io/managed-by': 'paperclip',
    'app.kubernetes.io/component': 'agent-job',
    'paperclip.io/adapter-type': 'claude_k8s',
    'paperclip.io/agent-id': ctx.agent.id,
    'paperclip.io/company-id': ctx.agent.companyId,
    'paperclip.io/run-id': ctx.runId,
    'paperclip.io/task-id': 'task-1',
    'paperclip.io/attempt': '1',
    'paperclip.io/layout': '3',
    team: 'builds',
  })
  expect(pod.metadata.labels).toMatchObject({ 'paperclip.io/run-id': ctx.runId, team: 'builds' })
  expect(job.spec).toMatchObject({
    suspend: false,
    backoffLimit: 0,
    completions: 1,
    parallelism: 1,
    podReplacementPolicy: 'Failed',
    ttlSecondsAfterFinished: 300,
  })
  const podSpec = job.spec.template.spec
  expect(podSpec).toMatchObject({
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  })
  expect(podSpec.initContainers ?? []).toEqual([])
  expect(podSpec.containers).toHaveLength(1)
  const [container] = podSpec.containers
  expect(container).toMatchObject({ name: 'claude', image: cluster.image })
  expect(container.args.slice(0, 4)).toEqual(['--print', '--output-format', 'stream-json', '--verbose'])
  expect(container.args).not.toContain('-')

  expect(secrets.map(({ metadata }) => metadata.name)).toEqual([`${job.metadata.name}-run`])
  for (const secret of secrets) {
    expect(secret.immutable).toBe(true)
    expect(secret.metadata.labels['paperclip.io/run-id']).toBe(ctx.runId)
    expect(secret.metadata.ownerReferences).toMatchObject([{ kind: 'Job', name: job.metadata.name, uid: job.metadata.uid }])
  }
  const stored = secrets.flatMap(({ data }) => Object.values(data)).map((base64) => Buffer.from(base64, 'base64').toString())
  const jobText = JSON.stringify(job)
  for (const planted of [prompt, value, ctx.authToken]) {
    expect(jobText).not.toContain(planted)
    expect(stored.some((text) => text.includes(planted)), 'the Secrets hold it').toBe(true)
  }
  expect((await running).errorMessage).toBeNull()
  await cluster.isClean()
})

const reporting = reportingCli(cluster)
const awkward = 'Say \\c \\n %s %d $HOME $(HOME) $$ `id` \'single\' "double" \\\\ {json: [1]} ärger 🎉 \t<tab> end\\'

test.each([
  ['awkward characters', awkward],
  ['one byte', 'x'],
  ['more than the kernel takes in one argument', `begin ${'0123456789abcdef'.repeat(8200)} end`],
  ['more than one Secret', `begin ${'ä'.repeat(600_000)} end`],
  ['a slash in front', '/clear the table'],
])('prm_01 prm_02 the CLI reads exactly the rendered prompt: %s', async (_, promptTemplate) => {
  const { config, env } = await reporting
  const ctx = cluster.context({ config: { ...config, promptTemplate }, env })
  const result = await execute(ctx)
  expect(result.errorMessage).toBeNull()
  const { meta, output } = transcript(ctx)
  const { prompt } = meta[0]
  const report = JSON.parse(output.slice(0, output.indexOf('\n')))
  expect(prompt).toContain(promptTemplate)
  expect(prompt.startsWith('/')).toBe(false)
  expect(report).toMatchObject({
    subtype: 'fake_report',
    prompt_bytes: Buffer.byteLength(prompt),
    prompt_sha256: createHash('sha256').update(prompt).digest('hex'),
  })
})

test('hst_08 each callback comes at its moment: ready before any write, dispatch once and before the release', async () => {
  /** @type {Record<string, unknown>} */
  const seen = {}
  const ctx = cluster.context({
    callbacks: {
      onCancellationReady: async () => {
        seen.jobsWhenReady = (await cluster.jobs()).length
      },
      onDispatch: async () => {
        seen.suspendedAtDispatch = (await cluster.jobs())[0]?.spec.suspend
      },
    },
  })
  const result = await execute(ctx)
  expect(result.errorMessage).toBeNull()
  expect(seen).toEqual({ jobsWhenReady: 0, suspendedAtDispatch: true })
  const { calls, count, meta, events } = transcript(ctx)
  expect(calls[0]).toBe('onCancellationReady')
  expect(count('onDispatch')).toBe(1)
  expect(count('onSpawn'), 'live_02: a pid would make the host judge a process that is not the run').toBe(0)
  expect(meta).toHaveLength(1)
  expect(meta[0]).toMatchObject({
    adapterType: 'claude_k8s',
    command: `kubectl job/${result.resultJson.k8s.job}`,
    prompt: 'Say hello.',
    commandNotes: expect.arrayContaining([`Image: ${cluster.image}`, `Namespace: ${cluster.namespace}`]),
  })
  expect(JSON.stringify(meta)).not.toContain(ctx.authToken)
  expect(events.map(({ payload }) => payload.event)).toEqual(['k8s.job.created', 'k8s.pod.started', 'k8s.job.finished'])
})

test('hst_04 a line of 200 KB arrives in pieces of at most 60 KiB that join again', async () => {
  const ctx = cluster.context({ config: { retainJobs: true }, env: { FAKE_BYTES: '200000', FAKE_LINES: '2' } })
  await expectSuccess(cluster, ctx, await execute(ctx))
  const sizes = transcript(ctx).chunks.map(({ chunk }) => Buffer.byteLength(chunk))
  expect(Math.max(...sizes)).toBeLessThanOrEqual(60 * 1024)
})

test('prm_07 a secret value in a line of 180 KB is removed, also where the line is cut into pieces', async () => {
  // So long that the border between the third and the fourth piece lies inside of it, near the end of the line.
  const value = `secret-${'0123456789abcdef'.repeat(125)}`
  const env = { FAKE_BYTES: String(3 * 60 * 1024 + 1000), FAKE_LINES: '2', FAKE_SESSION: value }
  const agent = { adapterConfig: { env: { FAKE_SESSION: { type: 'secret_ref', secretId: 'secret-1' } } } }
  const ctx = cluster.context({ agent, env })
  const result = await execute(ctx)
  expect(result.errorMessage).toBeNull()
  const { chunks, meta, events, stdout } = transcript(ctx)
  const long = stdout.split('\n').filter((line) => line.length > 100_000)
  expect(long).toHaveLength(2)
  for (const line of long) expect(line).toContain('"session_id":"***REDACTED***"')
  const heard = JSON.stringify([chunks, meta, events, result])
  expect(heard.includes('0123456789abcdef0123456789abcdef'), 'a part of the value left the adapter').toBe(false)
  expect(Math.max(...chunks.map(({ chunk }) => Buffer.byteLength(chunk)))).toBeLessThanOrEqual(60 * 1024)
})

test('log_08 what the CLI says on stderr is reported once, at the end, and secrets in it are not', async () => {
  const authToken = `token-${randomUUID()}`
  const ctx = cluster.context({ authToken, env: { FAKE_STDERR: `careful with ${authToken}` } })
  const result = await execute(ctx)
  expect(result.errorMessage).toBeNull()
  const { chunks, stdout, stderr } = transcript(ctx)
  expect(stderr.match(/careful with/g)).toHaveLength(1)
  expect(stderr).toContain('careful with ***REDACTED***')
  expect(stdout).not.toContain('careful')
  expect(chunks.at(-1)?.chunk).toContain('careful')
})

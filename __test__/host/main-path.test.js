/**
 * The main path on whatever version of the server runs: install, form, environment test, run, log, usage, resume, cancel,
 * failure. `npm run test:host -- --host VERSION` runs this file alone; what differs between versions is in the table.
 */

import { readFileSync } from 'node:fs'

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { adapterVersion } from '../../js/identity.js'
import { hostHas, lacking, parse, setHostVersion } from '../../js/host/version.js'
import { until } from '../support/until.js'
import { needed } from './support/environment.js'
import { startLab } from './support/lab.js'
import { finishTask } from './support/pod-commands.js'

/** The version that the tool starts by itself, or the one that was asked for. */
const version = process.env['HOST_TEST_VERSION'] ?? /^VERSION=(\S+)/m.exec(readFileSync(`${needed('HOST_TEST_TOOL')}/up`, 'utf8'))?.[1] ?? ''

/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  setHostVersion(parse(version))
  lab = await startLab()
})
afterAll(() => lab.stop())

/** @param {string[]} lines @returns {any[]} */
const eventsIn = (lines) => lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))

/** @param {string} runId */
const nothingLeft = (runId) =>
  until('Job and pod are gone', async () => {
    const { jobs, pods } = await lab.objectsOf(runId)
    return jobs.length === 0 && pods.length === 0
  })

test('HOS-09: the adapter is installed, and the form has its fields', async () => {
  const adapters = await lab.paperclip.get('/adapters')
  expect(adapters.find((/** @type {any} */ { type }) => type === 'claude_k8s')).toMatchObject({ version: adapterVersion, loaded: true })
  const { fields } = await lab.paperclip.get('/adapters/claude_k8s/config-schema')
  const keys = fields.map((/** @type {{ key: string }} */ { key }) => key)
  expect(keys).toEqual(expect.arrayContaining(['namespace', 'image', 'kubeconfig', 'concurrencyScope']))
  expect(keys.includes('kubeconfigData')).toBe(hostHas('secretFields'))
})

test('HOS-09: the environment test answers, and names what this version lacks', async () => {
  const env = { ANTHROPIC_API_KEY: 'no-key-is-needed', PAPERCLIP_API_URL: inject('host').podsUrl }
  const path = `/companies/${lab.company.id}/adapters/claude_k8s/test-environment`
  const report = await lab.paperclip.call('POST', path, { adapterConfig: { ...lab.cliConfig, env } })
  expect(report).toMatchObject({ adapterType: 'claude_k8s', status: 'warn' })
  /** @type {{ code: string, level: string, message: string }[]} */
  const checks = report.checks
  expect(checks.filter(({ level }) => level === 'error')).toEqual([])
  expect(checks.filter(({ code }) => code.startsWith('k8s_rbac_')).length).toBeGreaterThan(10)
  expect(checks.filter(({ code }) => code.startsWith('host_version_')).map(({ message }) => message)).toEqual(lacking().map((lacks) => `Paperclip ${version} ${lacks}`))
})

test('HOS-09: a run, its log and its usage; the next run of the task continues the session and counts by itself', async () => {
  const agent = await lab.agent({ scenarios: ['text', finishTask] })
  const { task, run } = await lab.assign(agent)
  const first = await lab.paperclip.ended(run['id'])
  expect(first).toMatchObject({ status: 'succeeded', exitCode: 0, errorCode: null, resultJson: { summary: 'Hello from the fake API.' } })
  expect(first['usageJson']).toMatchObject({ inputTokens: 120, cachedInputTokens: 50, outputTokens: 26, model: 'claude-sonnet-4-6' })
  const lines = await lab.paperclip.lines(first['id'])
  expect(eventsIn(lines).map(({ type }) => type)).toEqual(expect.arrayContaining(['system', 'assistant', 'result']))
  expect(lines.filter((line) => line.includes('"type":"result"'))).toHaveLength(1)

  const session = first['sessionIdAfter']
  expect(session).toMatch(/^[0-9a-f-]{36}$/)
  // The task is not done yet: the server starts one more run by itself.
  const second = await lab.paperclip.ended((await lab.nextRun(agent, 1))['id'])
  expect(second).toMatchObject({ status: 'succeeded', sessionIdBefore: session, sessionIdAfter: session })
  const [init, result] = eventsIn(await lab.paperclip.lines(second['id'])).filter(({ type, subtype }) => subtype === 'init' || type === 'result')
  expect(init).toMatchObject({ session_id: session })
  // What the CLI itself counted in this run alone.
  const { input_tokens: input, cache_creation_input_tokens: written = 0, cache_read_input_tokens: cached, output_tokens: output } = result.usage
  expect(second['usageJson']).toMatchObject({ inputTokens: input + written, cachedInputTokens: cached, outputTokens: output })
  expect(await lab.paperclip.task(task['id'])).toMatchObject({ status: 'done' })
})

test('HOS-09: a cancelled run leaves nothing in the cluster, and the task goes on in its session', async () => {
  const agent = await lab.agent()
  const answer = lab.models.hold(agent.name, 0)
  const { task, run } = await lab.assign(agent)
  await until('the model is asked', () => lab.models.questions(agent.name).length > 0)
  expect(await lab.paperclip.cancel(run['id'])).toMatchObject({ status: 200 })
  const cancelled = await lab.paperclip.ended(run['id'])
  expect(cancelled).toMatchObject({ status: 'cancelled', errorCode: 'cancelled' })
  // Without a signal the server books the cancel at once and drops what the run returns.
  if (hostHas('cancelSignal')) expect(cancelled).toMatchObject({ resultJson: { executionCancellation: { state: 'acknowledged' } } })
  await nothingLeft(run['id'])
  answer()
  const runs = await lab.paperclip.runsOf(agent)
  const next = runs[1] ?? (await lab.wake(agent, task))
  expect(await lab.paperclip.ended(next['id'])).toMatchObject({ status: 'succeeded', errorCode: null })
})

test('HOS-09: a run that cannot start fails with its code and its cause', async () => {
  const agent = await lab.agent({ config: { image: 'localhost/no-such-image:1', imagePullPolicy: 'Never' } })
  const failed = await lab.paperclip.ended((await lab.wake(agent))['id'])
  expect(failed).toMatchObject({ status: 'failed', errorCode: 'k8s_pod_schedule_failed' })
  expect(failed['error']).toContain('ErrImageNeverPull')
  await nothingLeft(failed['id'])
})

test('HOS-09: a refused credential fails the run with its own code', async () => {
  const agent = await lab.agent({ scenarios: ['error401'] })
  expect(await lab.paperclip.ended((await lab.wake(agent))['id'])).toMatchObject({ status: 'failed', errorCode: 'claude_auth_required' })
})

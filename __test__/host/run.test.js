/** Runs that go well, as the server and its page show them. */

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { startLab } from './support/lab.js'
import { finishTask } from './support/pod-commands.js'
import { findWorkerSource, parseInWorker } from './support/ui-worker.js'
import { until } from '../support/until.js'

/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => lab.stop())

/** @param {string[]} lines @returns {any[]} */
const eventsIn = (lines) => lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))

/** @param {import('./support/model-api.js').Question | undefined} question @returns {string} all that the model was told */
const told = (question) => JSON.stringify({ system: question?.body.system, messages: question?.body.messages })

test('a manual wake runs to its answer, with usage and cost on the run and in the ledger', async () => {
  const agent = await lab.agent()
  const run = await lab.paperclip.ended((await lab.wake(agent)).id)
  expect(run).toMatchObject({
    status: 'succeeded',
    exitCode: 0,
    error: null,
    errorCode: null,
    resultJson: { summary: 'Hello from the fake API.', k8s: { attempts: 1, logGaps: 0 } },
    usageJson: {
      inputTokens: 120,
      cachedInputTokens: 50,
      outputTokens: 26,
      usageSource: 'per_run',
      model: 'claude-sonnet-4-6',
      provider: 'anthropic',
      biller: 'anthropic',
      billingType: 'metered_api',
      costStatus: 'reported',
    },
  })
  expect(run['usageJson'].costUsd).toBeCloseTo(0.00078, 9)
  // The ledger is written after the row.
  const entry = await until('the run is in the ledger', async () => {
    const ledger = await lab.paperclip.get(`/companies/${lab.company.id}/costs/by-agent-model`)
    return ledger.find((/** @type {any} */ { agentId }) => agentId === agent.id)
  })
  expect(entry).toMatchObject({ model: 'claude-sonnet-4-6', inputTokens: 120, cachedInputTokens: 50, outputTokens: 26 })
})

test('the log of a run can be read while it works', async () => {
  const agent = await lab.agent({ scenarios: ['text+tool'] })
  const answer = lab.models.hold(agent.name, 1)
  const { id } = await lab.wake(agent)
  const shown = await until('the result of the tool is in the log', async () => {
    const lines = await lab.paperclip.lines(id).catch(() => [])
    return lines.some((line) => line.includes('"tool_result"')) && lines
  })
  expect(await lab.paperclip.run(id)).toMatchObject({ status: 'running' })
  expect(eventsIn(shown).some(({ type }) => type === 'result')).toBe(false)
  answer()
  expect(await lab.paperclip.ended(id)).toMatchObject({ status: 'succeeded', resultJson: { summary: 'Done: the command printed hi.' } })
  expect((await lab.paperclip.lines(id)).slice(0, shown.length)).toEqual(shown)
})

test('pkg_01 the page\'s own worker shows tool calls, results and the answer', async () => {
  const agent = await lab.agent({ scenarios: ['text+tool'] })
  const { id } = await lab.paperclip.ended((await lab.wake(agent)).id).then((run) => /** @type {{ id: string }} */ (run))
  const { url } = inject('host')
  const parser = await (await fetch(`${url}/api/adapters/claude_k8s/ui-parser.js`)).text()
  const entries = parseInWorker(await findWorkerSource(url), parser, await lab.paperclip.lines(id))
  expect(entries).toContainEqual(expect.objectContaining({ kind: 'init', model: 'claude-sonnet-4-6' }))
  const kinds = entries.map(({ kind }) => kind).filter((kind) => ['assistant', 'tool_call', 'tool_result', 'result'].includes(kind))
  expect(kinds).toEqual(['assistant', 'tool_call', 'tool_result', 'assistant', 'result'])
  expect(entries.find(({ kind }) => kind === 'tool_call')).toMatchObject({ name: 'Bash', input: { command: 'echo hi' } })
  expect(entries.find(({ kind }) => kind === 'tool_result')).toMatchObject({ content: 'hi', isError: false })
  expect(entries.find(({ kind }) => kind === 'result')).toMatchObject({ text: 'Done: the command printed hi.', outputTokens: 53, isError: false })
})

test('the next run of a task continues its session, and the agent finishes the task with its own token', async () => {
  const agent = await lab.agent({ scenarios: ['text', finishTask] })
  const { task, run } = await lab.assign(agent)
  const first = await lab.paperclip.ended(run['id'])
  expect(first).toMatchObject({ status: 'succeeded', resultJson: { summary: 'Hello from the fake API.' } })
  const session = first['sessionIdAfter']
  expect(session).toMatch(/^[0-9a-f-]{36}$/)

  // The task is not done yet: the server starts one more run by itself.
  const second = await lab.paperclip.ended((await lab.nextRun(agent, 1))['id'])
  expect(second).toMatchObject({ status: 'succeeded', sessionIdBefore: session, sessionIdAfter: session, resultJson: { summary: 'Done: the command printed hi.' } })
  // It does so when the run has ended, or when its sweep over open tasks comes across the task in that very moment.
  expect(['finish_successful_run_handoff', 'issue_continuation_needed']).toContain(/** @type {any} */ (second['contextSnapshot']).wakeReason)
  expect(await lab.paperclip.task(task['id'])).toMatchObject({ status: 'done' })
  await until('the answer is a comment on the task', async () => {
    const comments = await lab.paperclip.get(`/issues/${task['id']}/comments`)
    return comments.some((/** @type {any} */ { body }) => body === 'Hello from the fake API.')
  })

  const [init] = eventsIn(await lab.paperclip.lines(second['id']))
  expect(init).toMatchObject({ subtype: 'init', session_id: session })
  const questions = lab.models.questions(agent.name)
  expect(questions.map(({ session }) => session)).toEqual([session, session, session])
  // The model hears the whole conversation, its own answer of the first run too.
  expect(told(questions[1])).toContain('Hello from the fake API.')
})

test('the task, the instructions and the skills of the agent reach the model', async () => {
  const agent = await lab.agent()
  const instructions = 'Answer in the style of a lighthouse keeper.'
  await lab.paperclip.call('PUT', `/agents/${agent.id}/instructions-bundle/file`, { path: 'AGENTS.md', content: instructions })
  const skill = await lab.paperclip.call('POST', `/companies/${lab.company.id}/skills`, {
    name: 'Lamp care',
    slug: 'lamp-care',
    description: 'How lamps are cleaned.',
    markdown: '---\nname: lamp-care\ndescription: How lamps are cleaned.\n---\n\nUse a soft cloth.\n',
  })
  await lab.paperclip.call('POST', `/agents/${agent.id}/skills/sync`, { mode: 'add', desiredSkills: [skill.key] })
  const { run } = await lab.assign(agent, 'Clean the lamp of the tower')
  await lab.paperclip.ended(run['id'])

  const asked = told(lab.models.questions(agent.name)[0])
  expect(asked).toContain('Clean the lamp of the tower')
  expect(asked).toContain(instructions)
  const [init] = eventsIn(await lab.paperclip.lines(run['id']))
  expect(init.skills).toEqual(expect.arrayContaining(['paperclip', expect.stringMatching(/^lamp-care/)]))
  expect(asked).toContain('How lamps are cleaned.')
})

test('the server offers the form, the transcript parser, the documentation and the skills of the adapter', async () => {
  const { paperclip } = lab
  const agent = await lab.agent()
  const schema = await paperclip.get('/adapters/claude_k8s/config-schema')
  expect(schema.fields.map((/** @type {{ key: string }} */ { key }) => key)).toEqual(expect.arrayContaining(['namespace', 'image', 'kubeconfigData', 'concurrencyScope']))
  expect(await paperclip.get('/adapters/claude_k8s')).toMatchObject({
    loaded: true,
    capabilities: { supportsInstructionsBundle: true, supportsSkills: true, supportsLocalAgentJwt: true },
  })
  expect(await paperclip.get(`/agents/${agent.id}/skills`)).toMatchObject({ adapterType: 'claude_k8s', supported: true, mode: 'ephemeral', warnings: [] })
  const documentation = await fetch(`${inject('host').url}/llms/agent-configuration/claude_k8s.txt`)
  expect(await documentation.text()).toContain('workspaceVolumeClaim')
})

test('the environment test of the server finds the Role of `deploy/` sufficient, and names a wrong value', async () => {
  const path = `/companies/${lab.company.id}/adapters/claude_k8s/test-environment`
  const env = { ANTHROPIC_API_KEY: 'no-key-is-needed', PAPERCLIP_API_URL: inject('host').podsUrl }
  const passed = await lab.paperclip.call('POST', path, { adapterConfig: { ...lab.cliConfig, env } })
  // Warnings remain: this server has no pod of its own, and there is no Secret with credentials.
  expect(passed).toMatchObject({ adapterType: 'claude_k8s', status: 'warn' })
  const permissions = passed.checks.filter((/** @type {any} */ { code }) => code.startsWith('k8s_rbac_'))
  expect(permissions.length).toBeGreaterThan(10)
  expect(permissions.filter((/** @type {any} */ { level }) => level !== 'info')).toEqual([])
  const failed = await lab.paperclip.call('POST', path, { adapterConfig: { ...lab.cliConfig, env, workspaceVolumeClaim: 'no-such-claim' } })
  expect(failed.status).toBe('fail')
  expect(JSON.stringify(failed.checks)).toContain('no-such-claim')
})

test('prm_07 a kubeconfig from the form is a secret to the server, and nothing of it is stored in clear text', async () => {
  const { readFileSync } = await import('node:fs')
  const { searchDatabase } = await import('./support/database.js')
  // An account of its own: the other agents of the suite have the token of theirs in clear, by `kubeconfig`.
  const kubeconfigData = readFileSync(await lab.cluster.kubeconfigAs('from-the-form', (rules) => rules), 'utf8')
  const agent = await lab.agent({ config: { kubeconfig: undefined, kubeconfigData } })
  const run = await lab.paperclip.ended((await lab.wake(agent)).id)
  expect(run).toMatchObject({ status: 'succeeded' })
  const { found } = await searchDatabase(inject('host').database, [JSON.parse(kubeconfigData).users[0].user.token])
  expect(found).toEqual([])
})

/** Runs that fail: what the server books, when it tries again, and that what may pass leaves no task blocked. */

import { afterAll, beforeAll, expect, test } from 'vitest'

import { until } from '../support/until.js'
import { startLab } from './support/lab.js'

/** @typedef {import('./support/paperclip.js').Row} Row */

/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => lab.stop())

const bootstrap = { kind: 'bootstrap', providerWorkStarted: false }
const continues = 'continue_conversation_v1'

/**
 * The task after the server has decided about its failed run.
 * @param {Row} task
 * @param {string} status
 */
const taskBecomes = (task, status) =>
  until(`the task is ${status}`, async () => (await lab.paperclip.task(task['id']))['status'] === status)

/** When the server tries again by itself. @param {Row} agent @returns {Promise<Row>} the retry, waiting for its time */
const retryOf = (agent) => lab.nextRun(agent, 1)

// The waits are the server's own (30 s before a retry): the tests overlap them.
test.concurrent('an overload before anything was done is tried again with the session, and the task stays open', async () => {
  const agent = await lab.agent({ scenarios: ['error529', 'text'] })
  const { task, run } = await lab.assign(agent)
  const failed = await lab.paperclip.ended(run['id'])
  expect(failed).toMatchObject({
    status: 'failed',
    errorCode: 'claude_transient_upstream',
    resultJson: { errorFamily: 'transient_upstream', executionRecovery: bootstrap, conversationContinuation: continues },
  })
  const retry = await retryOf(agent)
  expect(retry).toMatchObject({ retryOfRunId: failed['id'], scheduledRetryAttempt: 1 })
  expect(await lab.paperclip.ended(retry['id'])).toMatchObject({ status: 'succeeded', sessionIdBefore: failed['sessionIdAfter'], sessionIdAfter: failed['sessionIdAfter'] })
  expect((await lab.paperclip.task(task['id']))['status']).not.toBe('blocked')
})

test.concurrent('res_13 an overload after work continues where the session stands, and the work is not done twice', async () => {
  const agent = await lab.agent({ scenarios: ['text+tool', 'error529', 'text'] })
  const { task, run } = await lab.assign(agent)
  const failed = await lab.paperclip.ended(run['id'])
  expect(failed).toMatchObject({ status: 'failed', errorCode: 'claude_transient_upstream', resultJson: { conversationContinuation: continues } })
  expect(failed['resultJson']).not.toHaveProperty('executionRecovery')
  await taskBecomes(task, 'in_progress')
  const retry = await lab.paperclip.ended((await retryOf(agent))['id'])
  expect(retry).toMatchObject({ status: 'succeeded', sessionIdBefore: failed['sessionIdAfter'], sessionIdAfter: failed['sessionIdAfter'] })
  // The model hears what was done before.
  expect(JSON.stringify(lab.models.questions(agent.name).at(2)?.body.messages)).toContain('tool_result')
})

test.concurrent('a usage limit is tried again at the time when it resets', async () => {
  const agent = await lab.agent({
    scenarios: ['quota429~in=45'],
    // Only a subscription's credential has such limits.
    env: { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'no-token-is-needed' },
  })
  const { task, run } = await lab.assign(agent)
  const failed = await lab.paperclip.ended(run['id'])
  expect(failed).toMatchObject({
    status: 'failed',
    errorCode: 'provider_quota',
    resultJson: { errorFamily: 'provider_quota', conversationContinuation: continues },
  })
  const resetsAt = Date.parse(failed['resultJson'].retryNotBefore)
  expect(resetsAt).toBeGreaterThan(Date.parse(failed['startedAt']))
  const retry = await retryOf(agent)
  expect(Date.parse(retry['scheduledRetryAt'])).toBeGreaterThanOrEqual(resetsAt)
  await taskBecomes(task, 'in_progress')
})

test.concurrent('a refused credential leaves the task open, so that a wake works once it is renewed', async () => {
  const agent = await lab.agent({ scenarios: ['error401'] })
  const { task, run } = await lab.assign(agent)
  expect(await lab.paperclip.ended(run['id'])).toMatchObject({
    status: 'failed',
    errorCode: 'claude_auth_required',
    resultJson: { executionRecovery: bootstrap, conversationContinuation: continues },
  })
  await retryOf(agent)
  expect(await lab.paperclip.task(task['id'])).toMatchObject({ status: 'in_progress' })
})

test.concurrent('a pod that cannot start is reported with its cause, and the server tries once more', async () => {
  const agent = await lab.agent({ config: { image: 'localhost/no-such-image:1', imagePullPolicy: 'Never' } })
  const { run } = await lab.assign(agent)
  const failed = await lab.paperclip.ended(run['id'])
  expect(failed).toMatchObject({ status: 'failed', errorCode: 'k8s_pod_schedule_failed', exitCode: null, resultJson: { executionRecovery: bootstrap } })
  expect(failed['error']).toContain('ErrImageNeverPull')
  expect(await lab.paperclip.ended((await lab.nextRun(agent, 1))['id'])).toMatchObject({ errorCode: 'k8s_pod_schedule_failed', retryOfRunId: failed['id'] })
})

test.concurrent('a second task of a busy agent is refused, tried again, and not blocked', async () => {
  const agent = await lab.agent({ scenarios: ['text'] })
  const answer = lab.models.hold(agent.name, 0)
  const first = await lab.assign(agent, 'The first of two tasks')
  await until('the first run is at work', () => lab.models.questions(agent.name).length > 0)
  const task = await lab.task(agent, 'The second of two tasks')
  const second = await lab.paperclip.ended((await lab.nextRun(agent, 1))['id'])
  expect(second).toMatchObject({
    status: 'failed',
    errorCode: 'k8s_concurrent_run_blocked',
    resultJson: { executionRecovery: bootstrap, conversationContinuation: continues },
  })
  expect(await lab.nextRun(agent, 2)).toMatchObject({ retryOfRunId: second['id'], scheduledRetryAttempt: 1 })
  expect(await lab.paperclip.task(task['id'])).toMatchObject({ status: 'in_progress' })
  answer()
  await lab.paperclip.ended(first.run['id'])
})

test.concurrent('a wrong configuration is named before anything exists', async () => {
  const agent = await lab.agent({ config: { imagePullPolicy: 'Sometimes', fsGroup: 'all' } })
  const run = await lab.paperclip.ended((await lab.wake(agent)).id)
  expect(run).toMatchObject({ status: 'failed', errorCode: 'configuration_incomplete', resultJson: { executionRecovery: bootstrap } })
  expect(run['error']).toContain('imagePullPolicy')
  expect(run['error']).toContain('fsGroup')
})

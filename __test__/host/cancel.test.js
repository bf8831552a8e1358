/** Cancels by an operator: what the server answers, what becomes of the pod and of the task. */

import { afterAll, beforeAll, expect, test } from 'vitest'

import { startLab } from './support/lab.js'
import { until } from '../support/until.js'

/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => lab.stop())

/** @param {string} runId */
async function expectNothingLeft(runId) {
  await until('Job and pod are gone', async () => {
    const { jobs, pods } = await lab.objectsOf(runId)
    return jobs.length === 0 && pods.length === 0
  })
}

test('a cancelled run settles acknowledged, its pod is gone, and the next wake continues the session of the task', async () => {
  const agent = await lab.agent()
  lab.models.hold(agent.name, 0)
  const { task, run } = await lab.assign(agent)
  await until('the model is asked', () => lab.models.questions(agent.name).length > 0)

  expect(await lab.paperclip.cancel(run['id'])).toMatchObject({ status: 200 })
  const cancelled = await lab.paperclip.ended(run['id'])
  expect(cancelled).toMatchObject({
    status: 'cancelled',
    errorCode: 'cancelled',
    resultJson: {
      executionCancellation: { state: 'acknowledged' },
      executionRecovery: { kind: 'interrupted', providerStopped: true, sessionPreserved: true, actionOutcomes: 'settled' },
    },
  })
  await expectNothingLeft(run['id'])
  expect(await lab.paperclip.task(task['id'])).toMatchObject({ status: 'in_progress' })

  const next = await lab.paperclip.ended((await lab.wake(agent, task))['id'])
  expect(next).toMatchObject({ status: 'succeeded', sessionIdBefore: cancelled['sessionIdAfter'], sessionIdAfter: cancelled['sessionIdAfter'] })
})

test('can_07 a run that is cancelled while a tool works does not claim that nothing is open', async () => {
  const agent = await lab.agent({ scenarios: ['sleep~s=600'] })
  const run = await lab.wake(agent)
  await until('the tool is at work', async () => (await lab.paperclip.lines(run['id']).catch(() => [])).some((line) => line.includes('"tool_use"')))
  expect(await lab.paperclip.cancel(run['id'])).toMatchObject({ status: 200 })
  const cancelled = await lab.paperclip.ended(run['id'])
  expect(cancelled).toMatchObject({ status: 'cancelled', resultJson: { executionCancellation: { state: 'acknowledged' } } })
  expect(cancelled['resultJson']).not.toHaveProperty('executionRecovery')
  await expectNothingLeft(run['id'])
})

test.each([
  ['waits for a node', { nodeSelector: { 'no-such': 'node' } }],
  ['waits for its image', { image: 'registry.invalid/no-such-image:1' }],
])('a run that %s is cancelled as one that never started, and the task goes on', async (_, config) => {
  const agent = await lab.agent({ config })
  const { task, run } = await lab.assign(agent)
  await until('the pod exists', async () => (await lab.objectsOf(run['id'])).pods.length > 0)
  expect(await lab.paperclip.cancel(run['id'])).toMatchObject({ status: 200 })
  expect(await lab.paperclip.ended(run['id'])).toMatchObject({
    status: 'cancelled',
    resultJson: { executionCancellation: { state: 'acknowledged' }, executionRecovery: { kind: 'bootstrap', providerWorkStarted: false } },
  })
  await expectNothingLeft(run['id'])
  expect(await lab.paperclip.task(task['id'])).toMatchObject({ status: 'in_progress' })
  const next = await lab.wake(agent, task)
  await until('the next run is at work', async () => (await lab.objectsOf(next['id'])).pods.length > 0)
  await lab.paperclip.cancel(next['id'])
  await expectNothingLeft(next['id'])
})

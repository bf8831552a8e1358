/** The server stops in the middle of a run: the Job lives, and the next run of the task takes it over. */

import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { until } from '../support/until.js'
import { startHost } from './support/host-tool.js'
import { startLab } from './support/lab.js'
import { createPaperclip } from './support/paperclip.js'
import { finishTask } from './support/pod-commands.js'

/** A server of our own: the others need theirs. @type {import('./support/host-tool.js').Host} */
let host
/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  host = await startHost()
  await createPaperclip(() => host.url).call('POST', '/adapters/install', { packageName: inject('packageDirectory'), isLocalPath: true })
  lab = await startLab(host)
})
afterAll(async () => {
  await lab.stop()
  await host.remove()
})

/** So long a run belongs to a server that died: started earlier, the next one waits for it for five minutes. */
const leaseMs = 61_000

/**
 * A person decides that the interrupted run may be followed by another: the server blocks the task until then.
 * @param {import('./support/paperclip.js').Row} task
 * @param {string} runId
 */
async function reconcile(task, runId) {
  // After a graceful stop the list of the task's actions is empty; the event of the run names the action in any case.
  const actionId = await until('the server asks for a decision', async () => {
    const events = await lab.paperclip.events(runId)
    return events.map(({ payload }) => payload?.recoveryActionId).find(Boolean)
  })
  await lab.paperclip.call('POST', `/issues/${task['id']}/recovery-actions/resolve`, {
    actionId,
    outcome: 'restored',
    sourceIssueStatus: 'todo',
    executionReconciliation: {
      runId,
      providerStopped: true,
      actionOutcome: 'not_performed',
      outcomeEvidence: 'The Job of the run was looked at in the cluster.',
    },
  })
}

test.for([
  { signal: 'SIGTERM', stop: () => host.stop(), status: 'interrupted' },
  { signal: 'SIGKILL', stop: () => host.kill().then(() => pause(leaseMs)), status: 'failed' },
])('grd_05 after $signal to the server the Job lives, and the next run of the task takes it over', { timeout: 600_000 }, async ({ stop, status }) => {
  const agent = await lab.agent({ scenarios: ['text+tool', 'text+tool', finishTask] })
  const answer = lab.models.hold(agent.name, 1)
  const { task, run } = await lab.assign(agent)
  await until('the run is in the middle of its work', () => lab.models.questions(agent.name).length === 2)
  const [job] = (await lab.objectsOf(run['id'])).jobs

  await stop()
  expect((await lab.objectsOf(run['id'])).jobs.map(({ metadata }) => metadata.uid)).toEqual([job.metadata.uid])
  await host.start()
  const lost = await lab.paperclip.ended(run['id'])
  expect(lost).toMatchObject({ status })
  await reconcile(task, lost['id'])

  const next = await lab.nextRun(agent, 1)
  await until('the next run shows what the first one writes', async () => {
    const lines = await lab.paperclip.lines(next['id']).catch(() => [])
    return lines.some((line) => line.includes('"tool_result"'))
  })
  answer()
  const ended = await lab.paperclip.ended(next['id'])
  expect(ended).toMatchObject({ status: 'succeeded', resultJson: { k8s: { adoptedRun: { runId: lost['id'], outcome: 'success' } } } })
  const lines = await lab.paperclip.lines(next['id'])
  expect(lines.filter((line) => line.startsWith(`[paperclip] Reattached to Job ${job.metadata.name}`))).toHaveLength(1)
  const results = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)).filter(({ type }) => type === 'result')
  expect(results).toHaveLength(2)
  // Two questions of the first Job, two of the second: no prompt was answered twice, and the second goes on in the session of the first.
  const questions = lab.models.questions(agent.name)
  expect(questions).toHaveLength(4)
  expect(new Set(questions.map(({ session }) => session)).size).toBe(1)
  expect(await lab.paperclip.task(task['id'])).toMatchObject({ status: 'done' })
  for (const { id } of [lost, ended]) await until('its Job is gone', async () => (await lab.objectsOf(id)).jobs.length === 0)
})

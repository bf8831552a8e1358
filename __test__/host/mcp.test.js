/** The server's own tools in the pod, and where the run's tokens are not. */

import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { until } from '../support/until.js'
import { searchDatabase } from './support/database.js'
import { startLab } from './support/lab.js'

/** @type {import('./support/lab.js').Lab} */
let lab
beforeAll(async () => {
  lab = await startLab()
})
afterAll(() => lab.stop())

/** What looks like a credential of the run in one of its Secrets. @param {any} secret @returns {string[]} */
function tokensIn({ data = {} }) {
  const texts = Object.values(data).map((value) => Buffer.from(/** @type {string} */ (value), 'base64').toString())
  return texts.flatMap((text) => text.match(/[\w-]{8,}\.[\w-]{16,}\.[\w-]{16,}|pcgw_[\w-]+/g) ?? [])
}

test('prm_07 the server\'s tools work from the pod, and the run\'s tokens are in its Secret alone', async () => {
  const tool = 'mcp__Paperclip_connections__connections_search'
  const agent = await lab.agent({ scenarios: [`mcp~name=${tool}`] })
  const answer = lab.models.hold(agent.name, 0)
  const { run } = await lab.assign(agent)
  await until('the model is asked', () => lab.models.questions(agent.name).length > 0)

  // While the run works everything of it exists.
  const { jobs, pods } = await lab.objectsOf(run['id'])
  const secrets = (await lab.cluster.secrets()).filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === jobs[0].metadata.uid)
  const tokens = [...new Set(secrets.flatMap(tokensIn))]
  expect(tokens.length).toBeGreaterThanOrEqual(2)
  answer()
  expect(await lab.paperclip.ended(run['id'])).toMatchObject({ status: 'succeeded', resultJson: { summary: 'MCP tool done.' } })

  const lines = await lab.paperclip.lines(run['id'])
  const events = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  const [init] = events
  expect(init.mcp_servers.map((/** @type {{ name: string, status: string }} */ { name, status }) => `${name}: ${status}`).sort()).toEqual([
    'Paperclip connections: connected',
    'Paperclip projects: connected',
  ])
  expect(init.tools).toContain(tool)
  const [result] = events.flatMap(({ message }) => (Array.isArray(message?.content) ? message.content : [])).filter(({ type }) => type === 'tool_result')
  expect(result.is_error ?? false, JSON.stringify(result)).toBe(false)

  const { found, tables } = await searchDatabase(inject('host').database, tokens)
  expect(tables).toBeGreaterThan(50)
  const stored = { jobs, pods, log: await lab.paperclip.log(run['id']), events: await lab.paperclip.events(run['id']), row: await lab.paperclip.run(run['id']) }
  for (const [place, value] of Object.entries(stored)) {
    const text = JSON.stringify(value)
    expect(tokens.filter((token) => text.includes(token)), place).toEqual([])
  }
  expect(found).toEqual([])
})

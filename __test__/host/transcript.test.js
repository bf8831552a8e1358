/**
 * The server's own page in a browser: a reader sees what the agent did. `HOST_TEST_BROWSER` names a Chromium
 * [/usr/bin/chromium]. With `UPDATE_SCREENSHOT=1` the picture of the README is taken again.
 */

import { join } from 'node:path'

import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

import { fromRoot } from '../paths.js'
import { until } from '../support/until.js'
import { startLab } from './support/lab.js'

const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** @type {import('./support/lab.js').Lab} */
let lab
/** @type {import('playwright-core').Browser} */
let browser
/** @type {string} the page of a run that called one tool */
let address
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env['HOST_TEST_BROWSER'] ?? '/usr/bin/chromium', args: quiet })
  lab = await startLab()
  const agent = await lab.agent({ scenarios: ['text+tool'] })
  const run = await lab.paperclip.ended((await lab.wake(agent))['id'])
  expect(run).toMatchObject({ status: 'succeeded' })
  address = `${inject('host').url}/${lab.company.issuePrefix}/agents/${agent.id}/runs/${run['id']}`
})
afterAll(async () => {
  await browser.close()
  await lab.stop()
})

/**
 * The box below the heading "Transcript", as soon as it has the text. A page whose parser did not start within its five
 * seconds stays without one, so it is opened again, as a reader would.
 * @param {import('playwright-core').Page} page
 * @param {string} text
 */
const transcript = (page, text) =>
  until(`the transcript shows ${text}`, async () => {
    await page.goto(address)
    const box = page.getByText(/^Transcript \(\d+\)$/).locator('xpath=../following-sibling::*[1]')
    const shown = await box.getByText(text).first().waitFor({ timeout: 20_000 }).then(() => true, () => false)
    return shown && box
  }, 150_000)

/**
 * What the agent did, as a box shows it: without the adapter's own lines, which stand between two of the agent's when a
 * machine is slow ("keepalive").
 * @param {import('playwright-core').Locator} box
 */
const shownOfAgent = async (box) => (await box.innerText()).replace(/^stdout\n(\[paperclip\] .*\n)+/gim, '')

/**
 * The page of host 2026.916.1 starts its worker for transcript parsers by assigning to two globals that browsers made
 * read-only, so it never starts one, whichever adapter it is for. Here the browser gets that script without the defect.
 * @param {import('playwright-core').Page} page
 */
const withWorkingWorker = (page) =>
  page.route('**/assets/*.js', async (route) => {
    const response = await route.fetch()
    const assignment = /^self\.(caches|indexedDB) = _undefined;$/gm
    const body = (await response.text()).replace(assignment, (_, name) => `Object.defineProperty(self, '${name}', { value: _undefined });`)
    await route.fulfill({ response, body })
  })

test('the page of a run shows its tool call with the result, and the final answer', async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
  await withWorkingWorker(page)
  const box = await transcript(page, 'Executed command')
  await box.getByText('Executed command').click()
  await box.getByText('echo hi', { exact: true }).waitFor()
  const text = await shownOfAgent(box)
  expect(text).toMatch(/model claude-sonnet-4-6 [^]*I will run a command\.\s+executed command\s+echo hi\s+hi\s+Done: the command printed hi\./i)
  expect(text).not.toContain('"type":')
  if (process.env['UPDATE_SCREENSHOT']) {
    // Folded: the server names a directory of its own.
    await box.getByText('stdout', { exact: true }).first().locator('xpath=../button').click()
    await box.screenshot({ path: fromRoot('docs/transcript.png') })
  }
})

test('a page without a parser shows the same in the lines of the log', async () => {
  const page = await browser.newPage()
  await page.route('**/api/adapters/*/ui-parser.js', (route) => route.fulfill({ status: 404 }))
  const text = await (await transcript(page, 'Done: the command printed hi.')).innerText()
  for (const part of ['"name":"Bash","input":{"command":"echo hi"', '"content":"hi"', '"result":"Done: the command printed hi."']) expect(text).toContain(part)
})

test('HOS-02: the page of a task names under "Working" the tool that the agent uses, and then how long it takes', async () => {
  const agent = await lab.agent({ scenarios: ['text+tool~cmd=sleep 110; git diff --stat v1.4 v1.5', 'text'] })
  await lab.paperclip.call('PATCH', `/agents/${agent.id}`, { name: 'Release writer' })
  const { task, run } = await lab.assign(agent, 'Move the release notes into the handbook')
  const page = await browser.newPage({ viewport: { width: 1280, height: 757 } })
  const line = page.getByText('Bash: sleep 110; git diff --stat v1.4 v1.5')
  // A page that missed the line is opened again, as a reader would.
  await until('the page names the tool', async () => {
    await page.goto(`${inject('host').url}/${lab.company.issuePrefix}/issues/${task['identifier']}`)
    return line.first().waitFor({ timeout: 40_000 }).then(() => true, () => false)
  }, 150_000).catch(async (error) => {
    error.message += `\n${await lab.paperclip.story(run['id'])}`
    throw error
  })
  await page.getByText('Working', { exact: true }).waitFor()
  if (process.env['UPDATE_SCREENSHOT']) await page.screenshot({ path: fromRoot('docs/task-page.png'), clip: { x: 0, y: 0, width: 846, height: 330 } })
  await line.filter({ hasText: /\(\d+ s\)/ }).first().waitFor({ timeout: 60_000 })
  await lab.paperclip.cancel(run['id'])
})

test('HOS-08: under the built-in type the page shows the transcript without help, and the adapter is the same', async () => {
  const adapters = async () => /** @type {any[]} */ (await lab.paperclip.get('/adapters')).filter(({ type }) => type === 'claude_local')
  const packageName = join(inject('packageDirectory'), 'as/claude_local')
  await lab.paperclip.call('POST', '/adapters/install', { packageName, isLocalPath: true })
  try {
    expect(await adapters()).toMatchObject([{ overriddenBuiltin: true }])
    const agent = await lab.agent({ adapterType: 'claude_local', scenarios: ['text+tool'] })
    const tested = await lab.paperclip.call('POST', `/companies/${lab.company.id}/adapters/claude_local/test-environment`, { adapterConfig: lab.cliConfig })
    expect(tested.checks.map((/** @type {Record<string, string>} */ { code }) => code)).toContain('k8s_api_reachable')
    const run = await lab.paperclip.ended((await lab.wake(agent))['id'])
    expect(run).toMatchObject({ status: 'succeeded' })
    const page = await browser.newPage()
    await page.goto(`${inject('host').url}/${lab.company.issuePrefix}/agents/${agent.id}/runs/${run['id']}`)
    const box = page.getByText(/^Transcript \(\d+\)$/).locator('xpath=../following-sibling::*[1]')
    await box.getByText('Executed command').click({ timeout: 60_000 })
    expect(await shownOfAgent(box)).toMatch(/I will run a command\.\s+executed command\s+echo hi\s+hi\s+Done: the command printed hi\./i)
    await page.goto(`${inject('host').url}/${lab.company.issuePrefix}/agents/${agent.id}/configuration`)
    await page.getByText('Model', { exact: true }).first().waitFor({ timeout: 60_000 })
  } finally {
    await lab.paperclip.call('DELETE', '/adapters/claude_local')
  }
  expect(await adapters()).not.toMatchObject([{ overriddenBuiltin: true }])
})

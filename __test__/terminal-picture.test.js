/**
 * The picture of the README: what `ps` and `logs -f` print on a terminal. With `UPDATE_DOCS=1` it is drawn again. Real
 * output of the commands on the simulator; only what differs from one time to the next is replaced: ages and random names.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

import { afterAll, expect, test, vi } from 'vitest'

import { fromRoot } from './paths.js'
import { startCluster } from './support/cluster.js'
import { hasOutput, transcript } from './support/host.js'
import { execute } from './support/package.js'
import { startSimulator } from './support/simulator.js'
import { terminalSvg } from './support/terminal-svg.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const picture = fromRoot('docs/terminal.svg')
const columns = 118
const cluster = await startCluster({ ring: await startSimulator() })
afterAll(() => cluster.stop())

/** Ids as a server makes them, the same each time. @param {number} number */
const id = (number) => `${(number * 0x1f2e3d4b).toString(16).padStart(8, '0').slice(0, 8)}-5a71-4c0e-9d3b-6f00c0de${String(number).padStart(4, '0')}`

const session = '7ebd5623-e145-4529-8688-e92d26e3f433'
/** @param {unknown[]} content @param {'assistant' | 'user'} [type] */
const message = (content, type = 'assistant') => ({ print: JSON.stringify({ type, message: { role: type, content }, session_id: session }) })
const init = { print: JSON.stringify({ type: 'system', subtype: 'init', session_id: session, model: 'claude-sonnet-4-6' }) }
const result = 'The login test passes again.'
const ending = {
  print: JSON.stringify({
    type: 'result', subtype: 'success', is_error: false, result, session_id: session, total_cost_usd: 0.00393,
    usage: { input_tokens: 600, output_tokens: 132, cache_read_input_tokens: 250 },
  }),
}
const working = [
  init,
  message([{ type: 'text', text: 'I look at the failing test first.' }]),
  message([{ type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'npm test -- --run login' } }]),
  { gate: 'the tool' },
  message([{ type: 'tool_result', tool_use_id: 't1', is_error: true, content: 'expected 200, got 401' }], 'user'),
  message([{ type: 'text', text: 'The token expires one second early. I fix the comparison.' }]),
  ending,
  { exit: { code: 0 } },
]

/** @param {number} number the same each time @param {string} name @param {(object | string)[]} steps @param {Record<string, unknown>} [config] */
function start(number, name, steps, config) {
  const ctx = cluster.context({
    runId: id(number),
    agent: { id: name.toLowerCase(), companyId: id(40), name },
    context: { taskId: id(number + 60), issueId: id(number + 60) },
    config,
    env: { K8S_SIM_SCRIPT: JSON.stringify({ steps, lastLine: '[paperclip] Container ended (exit {code})' }) },
  })
  return { ctx, settled: execute(ctx), heard: () => until(`${name} is heard`, () => transcript(ctx).chunks.some(({ chunk }) => hasOutput(chunk))) }
}

/**
 * @param {string[]} args
 * @param {(line: string) => unknown} [heard]
 * @returns {Promise<string[]>} its lines, with colours
 */
async function command(args, heard) {
  const native = process.env['PAPERCLIP_CLAUDE_K8S_NATIVE']
  const env = { PATH: process.env['PATH'] ?? '', FORCE_COLOR: '1', ...(native && { PAPERCLIP_CLAUDE_K8S_NATIVE: native }) }
  const child = spawn(process.execPath, [fromRoot('dist/bin.js'), ...args, '--kubeconfig', cluster.kubeconfig, '-n', cluster.namespace], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  /** @type {string[]} */
  const lines = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    for (const line of parts) heard?.(line)
  })
  const [code] = await once(child, 'close')
  expect(code, args.join(' ')).toBe(0)
  return lines
}

const plain = (/** @type {string} */ text) => text.replaceAll(/\u001b\[[\d;]*m/g, '')

/**
 * The same table with other cells.
 * @param {string[]} lines
 * @param {(title: string, cell: string, row: number) => string} change of a cell without its colour
 */
function retold(lines, change) {
  const cells = lines.map((line) => line.split(/ {3,}/))
  const titles = (cells[0] ?? []).map(plain)
  const changed = cells.map((row, number) =>
    row.map((cell, index) => (number === 0 ? cell : cell.replace(plain(cell), () => change(titles[index] ?? '', plain(cell), number - 1)))),
  )
  const widths = titles.map((_, index) => Math.max(...changed.map((row) => plain(row[index] ?? '').length)))
  return changed.map((row) => row.map((cell, index) => cell + ' '.repeat(index === row.length - 1 ? 0 : (widths[index] ?? 0) - plain(cell).length)).join('   '))
}

/** Rows come by the second of their creation. */
const nextSecond = () => pause(1100)

/** What a cluster that has been at work for a while would say. @type {Record<string, string[]>} */
const times = { AGE: ['42s', '3m10s', '12m', '2h5m'], SILENT: ['6s', '-', '48s', '1h51m'] }

test('the picture of the README is what ps and logs -f print', async () => {
  const mary = start(4, 'Mary', [init, ending, { exit: { code: 0 } }], { retainJobs: true })
  await mary.settled
  await nextSecond()
  const grace = start(3, 'Grace', [init, message([{ type: 'text', text: 'The index is rebuilt.' }]), 'never'])
  await grace.heard()
  await nextSecond()
  const lin = start(2, 'Lin', [], { queueName: 'gpu' })
  await until('the Job waits', async () => (await cluster.jobs()).some(({ metadata }) => metadata.labels?.['kueue.x-k8s.io/queue-name'] === 'gpu'))
  await nextSecond()
  const ada = start(1, 'Ada', working)
  await ada.heard()
  const { metadata } = await cluster.podOf(ada.ctx)

  const listed = await command(['ps'])
  const open = () => cluster.api.create(`/_sim/gates/${encodeURIComponent('the tool')}`, {})
  const followed = await command(['logs', '-f', metadata.name], (line) => line.includes('tool_call') && open())
  for (const { ctx } of [grace, lin]) await command(['stop', ctx.runId, '--yes'])
  await Promise.all([ada.settled, grace.settled, lin.settled])
  await cluster.removeJobs()

  const suffix = (/** @type {string} */ name) => name.replace(/^(ac-[a-z]+-\w+).*$/, '$1…')
  const table = retold(listed, (title, cell, row) => (title === 'POD' ? suffix(cell) : (times[title]?.[row] ?? cell)))
  const prompt = (/** @type {string} */ typed, /** @type {number} */ at) => ({ text: `\u001b[32m$\u001b[39m npx paperclip-adapter-claude-k8s ${typed}`, at })
  const said = followed.map((text) => text.replaceAll(metadata.name, suffix(metadata.name)))
  const lines = [
    prompt('ps', 0),
    ...table.map((text) => ({ text, at: 0.6 })),
    { text: '', at: 0.6 },
    prompt('logs -f ac-ada', 2),
    ...said.map((text, index) => ({ text, at: 3 + index * 0.5 })),
  ]
  const drawn = terminalSvg(lines, columns)
  if (process.env['UPDATE_DOCS']) writeFileSync(picture, drawn)
  expect(lines.map(({ text }) => plain(text)).join('\n')).toContain(result)
  expect(Math.max(...lines.map(({ text }) => plain(text).length))).toBeLessThanOrEqual(columns)
  expect(existsSync(picture) && readFileSync(picture, 'utf8'), 'run this test with UPDATE_DOCS=1').toBe(drawn)
})

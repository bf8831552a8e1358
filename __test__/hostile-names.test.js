/**
 * What tenants and agents write, in the terminal of an operator: names of runs, agents and tasks, ends of runs, lines of
 * logs. The attacks go through the real commands; on a cluster whoever may patch a Job can make each of them.
 */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, expect, test, vi } from 'vitest'

import { fromRoot } from './paths.js'
import { startCluster } from './support/cluster.js'
import { hasOutput, transcript } from './support/host.js'
import { execute } from './support/package.js'
import { until } from './support/until.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const folder = mkdtempSync(join(tmpdir(), 'hostile-names-'))
const cluster = await startCluster()
afterAll(() => rmSync(folder, { recursive: true }))
afterAll(() => cluster.stop())
afterEach(() => cluster.removeJobs())

const place = ['--kubeconfig', cluster.kubeconfig, '-n', cluster.namespace]
const { PATH = '', PAPERCLIP_CLAUDE_K8S_NATIVE } = process.env
const env = { PATH, NO_COLOR: '1', ...(PAPERCLIP_CLAUDE_K8S_NATIVE && { PAPERCLIP_CLAUDE_K8S_NATIVE }) }
const bin = fromRoot('dist/bin.js')

/** @param {string} program @param {string[]} args */
async function output(program, ...args) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text))
  const [exitCode] = await once(child, 'close')
  return { exitCode, ...output }
}

/** @param {string[]} args */
const command = (...args) => output(process.execPath, bin, ...args, ...place)

/** The same when stdout says that it is a terminal. @param {string[]} args */
const onTerminal = (...args) => output(process.execPath, '--import', 'data:text/javascript,process.stdout.isTTY=true', bin, ...args, ...place)

/** What a terminal obeys, line feed and tab apart. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u206f]/
const sequences = '\u001b[2J\u001b[1;1H\u001b]0;title\u0007\u001b]52;c;ZXZpbA==\u0007\u001b]8;;http://198.51.100.2\u001b\\link\u009b31m\rover\u202eesrever\u2066\u0000\u0008\u007f'
const forged = `x${' '.repeat(200)}0badc0de   running   1s\nFORGED     task       0badc0de   running   1s\u0085FORGED\u2028FORGED`

/** A run at work whose Job was changed. @param {Record<string, string>} annotations @param {Record<string, string>} [fake] */
async function hostileRun(annotations, fake) {
  const ctx = cluster.context({ env: { FAKE_HOLD_MS: '60000', ...fake } })
  const settled = execute(ctx)
  await until('the run works', () => transcript(ctx).chunks.some(({ chunk }) => hasOutput(chunk)))
  const [{ metadata }] = await cluster.jobs()
  await cluster.api.patch(`/apis/batch/v1/namespaces/${cluster.namespace}/jobs/${metadata.name}`, { metadata: { annotations } })
  return { job: metadata.name, ctx, settled }
}

const annotationsOf = (/** @type {string} */ text) =>
  Object.fromEntries(['agent-name', 'task-id', 'run-id', 'queue-name'].map((key) => [`paperclip.io/${key}`, text]))

test.each([
  ['sequences', sequences],
  ['forged rows', forged],
  ['as much as the cluster takes', 'A'.repeat(60_000)],
])('TRU-24: ps, top and stop show %s in a Job as one row of bounded width', async (_name, text) => {
  const { job, settled } = await hostileRun(annotationsOf(text))
  for (const shown of [(await command('ps')).stdout, (await command('top')).stdout, (await command('stop', job)).stdout, (await onTerminal('ps')).stdout]) {
    expect(shown).not.toMatch(obeyed)
    const lines = shown.trimEnd().split('\n')
    expect(lines.length, shown.slice(0, 2_000)).toBe(2)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(400)
    expect(lines[1], 'each column at its place').toMatch(/^\S.* {3}\S/)
    expect(lines[1]).not.toMatch(/ {20}0badc0de/)
  }
  for (const name of ['ps', 'top']) {
    const { stdout } = await command(name, '--json')
    expect(stdout).not.toMatch(obeyed)
    // What is kept of a text is bounded elsewhere.
    expect(JSON.parse(stdout)[0].agentName.slice(0, 500), 'a program reads what is there').toBe(text.slice(0, 500))
  }
  const ended = await command('stop', job, '--yes')
  expect(ended.stdout + ended.stderr).not.toMatch(obeyed)
  await settled
})

test('TRU-24: a name that a shell would run is never offered for completion', async () => {
  const proof = join(folder, 'ran')
  const { job, settled } = await hostileRun({ 'paperclip.io/run-id': `r$(touch ${proof})` })
  const { stdout } = await command('names')
  expect(stdout).toBe(`${job}\n`)
  // As the completion script does it.
  spawnSync('bash', ['-c', 'compgen -W "$WORDS" -- r'], { env: { ...env, WORDS: stdout } })
  expect(existsSync(proof), 'a command of the Job ran in the shell').toBe(false)
  await command('stop', job, '--yes')
  await settled
})

test('TRU-24: errors that list names of Jobs stay one line', async () => {
  const { job, settled } = await hostileRun({ 'paperclip.io/run-id': forged })
  for (const word of ['nobody\u001b[2J\nFORGED', 'nobody'.repeat(5_000)]) {
    const { stderr } = await command('logs', word)
    expect(stderr).not.toMatch(obeyed)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(stderr.length).toBeLessThan(5_000)
  }
  await command('stop', job, '--yes')
  await settled
})

test('TRU-24: logs show what an agent printed, on stdout and stderr, in text and as a page, without obeying it', async () => {
  const { job, settled } = await hostileRun({}, { FAKE_SESSION: sequences.replaceAll('\u0000', ''), FAKE_STDERR: `${sequences.replaceAll('\u0000', '')}</pre><script>alert(1)</script>` })
  const page = join(folder, 'page.html')
  const [text, written] = [await command('logs', job), await command('logs', job, '--html', page)]
  expect(written.exitCode, written.stderr).toBe(0)
  const html = readFileSync(page, 'utf8')
  const [seen, seenRaw] = [await onTerminal('logs', job), await onTerminal('logs', job, '--raw')]
  const all = [text, seen, seenRaw].flatMap(({ stdout, stderr }) => [stdout, stderr])
  for (const shown of [...all, html]) expect(shown).not.toMatch(obeyed)
  expect(text.stdout + text.stderr).toContain('␛[2J')
  expect(html).not.toMatch(/<script/)
  // For another program the lines are what the CLI printed.
  const raw = await command('logs', job, '--raw')
  expect(raw.stdout).toContain('\u202e')
  await command('stop', job, '--yes')
  await settled
})

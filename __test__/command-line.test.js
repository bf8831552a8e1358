/** The operators' command line, as a process: `dist/bin.js` with a scripted native module. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'

import { fromRoot } from './paths.js'

const folder = mkdtempSync(join(tmpdir(), 'command-line-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** @param {string} name @param {string} text */
function file(name, text) {
  writeFileSync(join(folder, name), text)
  return name
}
const config = file('agent.yaml', 'image: example.org/claude:1\nenv:\n  A: one\n')
const promptFile = file('prompt.txt', 'Do it. {{agent.id}}\n')
const runArgs = ['run', '--config', config, '--prompt-file', promptFile]

/**
 * @param {string[]} args
 * @param {Record<string, unknown>} [script] of `fixtures/native-of-command.cjs`
 */
function start(args, script = {}) {
  const env = {
    ...process.env,
    NO_COLOR: '1',
    FORCE_COLOR: undefined,
    PAPERCLIP_CLAUDE_K8S_NATIVE: fromRoot('__test__/fixtures/native-of-command.cjs'),
    NATIVE_SCRIPT: JSON.stringify(script),
  }
  const child = spawn(process.execPath, [fromRoot('dist/bin.js'), ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text))
  return { child, output, ended: once(child, 'close').then(([exitCode]) => ({ exitCode, ...output })) }
}

/** @param {Parameters<typeof start>} parameters */
const command = (...parameters) => start(...parameters).ended

const success = { exitCode: 0, errorMessage: null, usage: { inputTokens: 3, cachedInputTokens: 1, outputTokens: 2 }, costUsd: 0.5, resultJson: { k8s: { job: 'ac-1', namespace: 'builds', pod: 'ac-1-x', node: 'n1' } } }

const usage = 'see `paperclip-adapter-claude-k8s'
test.each([
  [['bogus'], `error: unknown command 'bogus' (Did you mean logs?); ${usage} --help\``],
  [['stop'], `error: missing required argument 'name'; ${usage} stop --help\``],
  [['gc', '--older-than', 'soon'], `error: option '--older-than <duration>' argument 'soon' is invalid. Use a duration such as 90s, 30m, 12h or 7d; ${usage} gc --help\``],
  [['ps', '--kubeconfig', 'nowhere'], 'error: `--kubeconfig nowhere` does not exist; name an existing file'],
  [['doctor', '--jsn'], `error: unknown option '--jsn' (Did you mean --json?); ${usage} doctor --help\``],
  [['doctor', 'extra'], `error: too many arguments for 'doctor'. Expected 0 arguments but got 1; ${usage} doctor --help\``],
  [['render'], `error: required option '--config <file>' not specified; ${usage} render --help\``],
  [['run', '--config', config], `error: required option '--prompt-file <file>' not specified; ${usage} run --help\``],
  [[...runArgs, '--timeout', '1h'], `error: option '--timeout <seconds>' argument '1h' is invalid. Use a whole number of seconds, such as 600; ${usage} run --help\``],
  [['doctor', '--config', 'nowhere'], "error: `--config` cannot be read: ENOENT: no such file or directory, open 'nowhere'; name an existing file"],
  [['doctor', '--config', file('list.yaml', '- a\n')], 'error: `list.yaml` is not an object: write one `key: value` per line, see docs/configuration.md'],
  [['doctor', '--config', file('torn.json', '{"a": ')], expect.stringMatching(/^error: `torn.json` is neither YAML nor JSON: .+; correct it there$/)],
  [['run', '--config', config, '--prompt-file', file('empty.txt', ' \n')], 'error: `empty.txt` is empty: write what the agent shall do into it'],
  [['rbac', '--namespace', 'Builds'], 'error: `--namespace Builds` is no Kubernetes name: use lower-case letters, digits and `-`'],
])('wrong usage is one line with the next step: %j', async (args, line) => {
  const { exitCode, stdout, stderr } = await command(args)
  expect({ exitCode, stdout, stderr: stderr.trimEnd() }).toEqual({ exitCode: 2, stdout: '', stderr: line })
})

test.each(['', 'doctor', 'render', 'run', 'ps', 'logs', 'stop', 'top', 'gc', 'rbac', 'completion'])('help of "%s" names every option', async (name) => {
  const { exitCode, stdout, stderr } = await command([...(name ? [name] : []), '--help'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: paperclip-adapter-claude-k8s/)
  expect(stdout).toContain('show this help')
})

test.each(['bash', 'zsh', 'fish'])('the completion of %s names every command and option', async (shell) => {
  const { stdout } = await command(['completion', shell])
  for (const word of ['doctor', 'render', 'run', 'ps', 'logs', 'stop', 'top', 'gc', 'rbac', 'completion', 'server-namespace', 'older-than', 'html']) {
    expect(stdout).toContain(word)
  }
  if (shell === 'bash') expect(spawnSync('bash', ['-n'], { input: stdout }).status).toBe(0)
})

const deployFiles = ['serviceaccount', 'role', 'rolebinding'].map((name) => readFileSync(fromRoot(`deploy/${name}.yaml`), 'utf8'))

test('rbac prints the files of deploy, byte for byte', async () => {
  expect(await command(['rbac'])).toEqual({ exitCode: 0, stdout: deployFiles.join('---\n'), stderr: '' })
})

test('rbac changes nothing but the names it is given', async () => {
  const { stdout } = await command(['rbac', '--namespace', 'builds', '--service-account', 'host'])
  const [account, role, binding] = deployFiles.map((text) => parse(text))
  account.metadata = { name: 'host', namespace: 'builds' }
  role.metadata.namespace = 'builds'
  binding.metadata.namespace = 'builds'
  binding.subjects[0].name = 'host'
  expect(parseAllDocuments(stdout).map((document) => document.toJS())).toEqual([account, role, binding])
  expect(stdout).toContain('- watch # changes as they happen')
})

/** @param {string} status */
const report = (status) => ({
  status,
  testedAt: '2026-01-01T00:00:00.000Z',
  checks: [
    { code: 'k8s_api_reachable', level: 'info', message: 'It answers', detail: 'server: v1' },
    { code: 'k8s_pvc_not_detected', level: 'warn', message: 'No claim', hint: 'Set one' },
  ],
})

test.each([
  ['pass', 0],
  ['warn', 0],
  ['fail', 1],
])('doctor: a report with status %s ends with %d', async (status, exitCode) => {
  expect(await command(['doctor'], { report: report(status) })).toEqual({
    exitCode,
    stderr: '',
    stdout: `✔ It answers k8s_api_reachable\n    server: v1\n▲ No claim k8s_pvc_not_detected\n    → Set one\n\n${status}  errors: 0, warnings: 1, checks: 2\n`,
  })
  const { stdout } = await command(['doctor', '--json'], { report: report(status) })
  expect(JSON.parse(stdout)).toMatchObject(report(status))
})

const rendered = {
  namespace: 'builds',
  job: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'ac-1' } },
  secrets: [{ manifest: { apiVersion: 'v1', kind: 'Secret', data: { 'env.A': '***', prompt: '***' } }, sizes: { 'env.A': 3, prompt: 18 } }],
  warnings: ['no claim'],
  degraded: ['polling'],
}

test('render prints the objects as YAML, sizes as comments, and warnings beside it', async () => {
  const { exitCode, stdout, stderr } = await command(['render', '--config', config], { rendered })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'warning: no claim\nwarning: Degraded: polling\n' })
  expect(stdout).toMatchInlineSnapshot(`
    "# What a run would create in namespace builds. Run id, uid and prompt are examples.
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: ac-1
    ---
    apiVersion: v1
    kind: Secret
    data:
      env.A: "***" # 3 bytes
      prompt: "***" # 18 bytes
    "
  `)
  const asJson = await command(['render', '--config', config, '--json'], { rendered })
  expect(JSON.parse(asJson.stdout)).toEqual(rendered)
})

test('render says why a run would be refused', async () => {
  const refused = { code: 'k8s_api_unreachable', message: 'No answer', next: 'check the network' }
  const { exitCode, stdout, stderr } = await command(['render', '--config', config], { rendered: { refused } })
  expect({ exitCode, stdout, stderr }).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'error: k8s_api_unreachable: No answer. Next: check the network\n',
  })
})

test('run hands over the file as prompt, and the same file is the same agent', async () => {
  const requests = await Promise.all(
    [runArgs, [...runArgs, '--timeout', '60'], [...runArgs, '--agent', 'ada']].map(async (args) => {
      const { stdout } = await command([...args, '--json'], { echoRequest: true })
      return JSON.parse(stdout).resultJson
    }),
  )
  const [first, second, third] = requests
  expect(first).toMatchObject({ prompts: { fresh: { text: 'Do it. {{agent.id}}' } }, config: { image: 'example.org/claude:1', env: { A: 'one' } } })
  expect(first.agent.id).toMatch(/^cli-[0-9a-f]{12}$/)
  expect(second).toMatchObject({ agent: { id: first.agent.id }, config: { timeoutSec: 60 } })
  expect(third.agent.id).toBe('ada')
  expect(new Set(requests.map(({ runId }) => runId)).size).toBe(3)
})

test('run shows the transcript line by line and sums up', async () => {
  const event = '{"type":"system","subtype":"init","model":"m"}\n'
  const chunks = [
    ['stdout', '[paperclip] Job ac-1\n'],
    ['stdout', event.slice(0, 20)],
    ['stderr', 'from stderr\n'],
    ['stdout', `${event.slice(20)}last line`],
  ]
  const { exitCode, stdout, stderr } = await command(runArgs, { chunks, result: success })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'from stderr\n' })
  expect(stdout.replace(/\d+\.\d s/, '1.0 s')).toMatchInlineSnapshot(`
    "[paperclip] Job ac-1
    Claude initialized (model: m)
    last line

    ✔ success, exit code 0
      duration 1.0 s
      tokens   3 in, 1 cached, 2 out
      cost     $0.500000
      job      builds/ac-1, pod ac-1-x on n1
    "
  `)
})

test('run with --json prints the result and nothing else', async () => {
  const { stdout, stderr } = await command([...runArgs, '--json'], { chunks: [['stdout', '[paperclip] Job ac-1\n{}\n']], result: success })
  expect(JSON.parse(stdout)).toEqual(success)
  expect(stderr).toBe('[paperclip] Job ac-1\n')
})

test.each([
  ['success', success, 0],
  ['an exit code', { exitCode: 7, errorCode: 'claude_failed', errorMessage: 'x' }, 7],
  ['the highest exit code', { exitCode: 125, errorCode: 'claude_failed', errorMessage: 'x' }, 125],
  ['a code of the shell', { exitCode: 137, errorCode: 'claude_truncated', errorMessage: 'x' }, 1],
  ['an error after exit code 0', { exitCode: 0, errorCode: 'claude_no_result', errorMessage: 'x' }, 1],
  ['a run that never started', { exitCode: null, errorCode: 'timeout', errorMessage: 'x' }, 1],
])('run ends with the code of the run: %s', async (_, result, expected) => {
  expect((await command(runArgs, { result })).exitCode).toBe(expected)
})

test('a failed run names its code and the next step', async () => {
  const { stdout } = await command(runArgs, { result: { exitCode: null, errorCode: 'timeout', errorMessage: 'Timed out after 60 s' } })
  expect(stdout).toContain('✖ timeout: Timed out after 60 s\n')
  expect(stdout).toContain('  next     raise `timeoutSec`\n')
})

test('TRU-24: a message of the cluster can begin no line that would pass for one of the command', async () => {
  const attack = 'image pull: x\n✔ success, exit code 0\n\u001b[1A✔ It answers\r✔ done\u009b2J'
  const { stdout } = await command(runArgs, { result: { exitCode: null, errorCode: 'k8s_image_pull_failed', errorMessage: attack, resultJson: { k8s: { job: attack, namespace: 'n' } } } })
  const checks = [{ code: 'k8s_api_reachable', level: 'error', message: attack, detail: attack, hint: attack }]
  const { stdout: seen } = await command(['doctor'], { report: { ...report('fail'), checks } })
  const { stderr } = await command(['render', '--config', config], { rendered: { ...rendered, warnings: [attack] } })
  for (const text of [stdout, seen, stderr]) {
    expect(text).not.toMatch(/^\s{0,3}✔/m)
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  }
  expect(stdout).toMatch(/^✖ k8s_image_pull_failed: image pull: x$/m)
  expect(stderr.split('\n')).toHaveLength(3)
})

test('Ctrl-C cancels the run and waits for its verdict', async () => {
  const result = { exitCode: null, errorCode: 'cancelled', errorMessage: 'Run cancelled' }
  const { child, ended } = start(runArgs, { chunks: [['stdout', '[paperclip] running\n']], untilCancelled: true, result })
  await once(child.stdout, 'data')
  child.kill('SIGINT')
  const { exitCode, stdout } = await ended
  expect(exitCode).toBe(130)
  expect(stdout).toMatch(/running\nCancelling the run; .*\n\[paperclip\] asked to stop: operator\n\n✖ cancelled: Run cancelled\n/)
})

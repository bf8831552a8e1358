/**
 * `npm run demo`: one run of the adapter, from `execute(ctx)` to its result, with the transcript as it arrives.
 *
 * Without options the cluster is the simulator and the CLI replays a recording: nothing is needed but Node and Rust.
 * With `--context` it is yours: one Job and its Secrets in one namespace, removed at the end.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

import { giveUp, prepare, root } from './prepare.js'

const help = `usage: npm run demo -- [options]
  --context NAME      a cluster of your kubeconfig instead of the simulator
  --kubeconfig FILE   [$KUBECONFIG, else ~/.kube/config]
  --namespace NAME    where the Job goes [the context's]
  --image IMAGE       an image with \`claude\`; needed with --context
  --prompt TEXT       what the agent is asked
  --help
environment: ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL and CLAUDE_CODE_OAUTH_TOKEN are passed to the pod (with --context)`

const { values: options } = parseArgs({
  options: {
    context: { type: 'string' },
    kubeconfig: { type: 'string' },
    namespace: { type: 'string' },
    image: { type: 'string' },
    prompt: { type: 'string', default: 'Let an agent look around and tell me what it found.' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
const onOwnCluster = options.context !== undefined || options.kubeconfig !== undefined
if (onOwnCluster && !options.image) giveUp('Name an image that contains `claude` with `--image`; your cluster cannot know the demo\'s.')

prepare({ build: 'build:debug', simulator: !onOwnCluster })

const { execute } = await import(`file://${join(root, 'dist/server.js')}`)
const { printClaudeStreamEvent } = await import(`file://${join(root, 'dist/cli.js')}`)
const { hostContext } = await import('../__test__/support/host.js')

/** What is left to show and to stop when the run has settled. @type {(() => Promise<void>) | undefined} */
let finish
const stop = new AbortController()
process.once('SIGINT', () => stop.abort(new Error('interrupted')))

const { config, env } = onOwnCluster ? await ownCluster() : await simulatedCluster()
let rest = ''
const ctx = hostContext({
  config: { ...config, promptTemplate: options.prompt },
  env,
  signal: stop.signal,
  callbacks: { onEvent: ({ message }) => say(message) },
  onLog: (_, chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) printClaudeStreamEvent(line, false)
  },
})

say('execute(ctx)')
const startedAt = Date.now()
const result = await execute(ctx)
say(`settled after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`)
printResult(result)
await finish?.()
process.exitCode = result.errorMessage === null ? 0 : 1

/** @param {string} line */
function say(line) {
  console.log(`▸ ${line}`)
}

/** The simulator, a namespace in it, and the CLI's recording of a run with a subagent. */
async function simulatedCluster() {
  const { startCluster } = await import('../__test__/support/cluster.js')
  const { startSimulator } = await import('../__test__/support/simulator.js')
  const cluster = await startCluster({ ring: await startSimulator() })
  finish = async () => {
    await cluster.isClean()
    console.log('\n  left in the cluster: no Job, no Secret, no pod')
    await cluster.stop()
  }
  say(`simulated cluster at ${cluster.account.server}, namespace ${cluster.namespace}`)
  const { config } = cluster.context()
  return { config, env: { FAKE_SAMPLE: 'agent-nobg', FAKE_DELAY_MS: '300', PAPERCLIP_API_URL: 'http://198.51.100.1:3100' } }
}

/** The cluster of a kubeconfig. As the host's own, with the chosen context: it may have plugins and name files. */
async function ownCluster() {
  const { parse } = await import('yaml')
  const path = resolve(options.kubeconfig ?? process.env.KUBECONFIG ?? join(homedir(), '.kube/config'))
  const kubeconfig = parse(readFileSync(path, 'utf8'))
  const context = options.context ?? kubeconfig['current-context']
  if (!kubeconfig.contexts?.some((/** @type {{ name: string }} */ { name }) => name === context)) {
    giveUp(`The kubeconfig \`${path}\` has no context \`${context}\`.`)
  }
  // Relative paths are relative to the file, and its text has no place.
  const text = JSON.stringify({ ...kubeconfig, 'current-context': context }, (key, value) =>
    ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'].includes(key) ? resolve(dirname(path), value) : value,
  )
  const folder = mkdtempSync(join(tmpdir(), 'demo-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  process.env.KUBECONFIG = join(folder, 'kubeconfig')
  writeFileSync(process.env.KUBECONFIG, text, { mode: 0o600 })
  say(`context ${context}`)
  const passed = ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'CLAUDE_CODE_OAUTH_TOKEN'].filter((name) => process.env[name])
  return {
    config: { image: options.image, ...(options.namespace && { namespace: options.namespace }) },
    env: Object.fromEntries(passed.map((name) => [name, process.env[name] ?? ''])),
  }
}

/** @param {any} outcome */
function printResult({ exitCode, errorCode, errorMessage, summary, usage, costUsd, resultJson }) {
  const { job, pod, node, reconnects, logBytes } = resultJson?.k8s ?? {}
  const rows = {
    outcome: errorMessage === null ? `success, exit code ${exitCode}` : `${errorCode}: ${errorMessage}`,
    summary,
    tokens: usage && `${usage.inputTokens} in, ${usage.cachedInputTokens ?? 0} cached, ${usage.outputTokens} out`,
    cost: costUsd === undefined ? undefined : `$${costUsd.toFixed(6)}`,
    job,
    pod: pod && `${pod} on ${node}`,
    log: logBytes === undefined ? undefined : `${logBytes} bytes, ${reconnects} reconnects`,
  }
  console.log()
  for (const [name, value] of Object.entries(rows)) if (value) console.log(`  ${name.padEnd(8)} ${value}`)
}

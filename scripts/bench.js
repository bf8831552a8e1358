/**
 * `npm run bench`: measures what a host feels, through the package API, and prints a table. It judges nothing by time:
 * figures depend on the machine, so compare two commits in one session.
 *
 * Needs cargo and Node; builds the release module and the simulator. Touches one namespace, which it removes.
 */

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { cpus, homedir, release } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { writePlots } from './plot.js'
import { prepare, root, runCommand } from './prepare.js'

const help = `usage: npm run bench -- [options]
  --kubeconfig FILE   a real cluster, as its administrator [the simulator]
  --context NAME      a context of it, or of ~/.kube/config
  --image IMAGE       on a real cluster: an image with the stand-in CLI [localhost/fake-claude:test]
  --write             also put the table into BENCHMARKS.md
  --plot              measure nothing: draw the tables of BENCHMARKS.md under "Beside others" into docs/bench/
  --help`

const { values: options } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    context: { type: 'string' },
    image: { type: 'string' },
    write: { type: 'boolean' },
    plot: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}

if (options.plot) {
  writePlots()
  process.exit(0)
}

const isReal = options.kubeconfig !== undefined || options.context !== undefined
prepare({ build: 'build', simulator: !isReal })
if (options.image) process.env.K8S_TEST_IMAGE = options.image

const { startCluster } = await import('../__test__/support/cluster.js')
const { realCluster } = await import('../__test__/support/real-cluster.js')
const { startSimulator } = await import('../__test__/support/simulator.js')
const { countByMeaning } = await import('../__test__/support/requests.js')

const kubeconfig = options.kubeconfig ?? join(homedir(), '.kube/config')
const cluster = await startCluster({ ring: isReal ? realCluster(kubeconfig, options.context) : await startSimulator() })
const measureScript = fileURLToPath(new URL('../benches/measure.js', import.meta.url))
const entry = join(root, 'dist/server.js')

/**
 * @param {string} what shown while it is measured
 * @param {{ env: Record<string, string>, runs: number, width?: number, proxied?: boolean, countLines?: boolean, warm?: boolean, watchLoop?: boolean }} order
 */
async function measure(what, { env, runs, width = 1, proxied = false, countLines = false, warm = false, watchLoop = false }) {
  console.error(`bench: ${what}`)
  const proxy = proxied ? await cluster.proxy() : undefined
  const { config } = cluster.context({ through: proxy })
  const order = { entry, config, env, runs, width, countLines, warm, watchLoop }
  const child = spawn(process.execPath, [measureScript, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const from = Date.now()
  const figures = JSON.parse(await text(child.stdout))
  const failed = figures.runs.find((/** @type {any} */ { errorMessage }) => errorMessage !== null)
  if (failed) throw new Error(`A run failed while measuring ${what}: ${failed.errorMessage}`)
  return { ...figures, wallMinutes: (Date.now() - from) / 60_000, requests: proxy?.requests ?? [] }
}

/** @param {number[]} numbers @param {number} share 0.5 = median, 1 = maximum */
function quantile(numbers, share) {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}

/** @param {number} number */
const rounded = (number) => (number >= 100 ? number.toFixed(0) : number.toFixed(1))

/**
 * When an independent watch was told of each run's pod, of its container's start and of its end.
 * @type {Map<string, { created: number, running?: number, terminated?: number }>}
 */
const told = new Map()
const unwatch = cluster.api.watch(`/api/v1/namespaces/${cluster.namespace}/pods`, ({ object }) => {
  const runId = object.metadata?.labels?.['paperclip.io/run-id']
  if (!runId) return
  const pod = told.get(runId) ?? { created: Date.now() }
  told.set(runId, pod)
  const state = object.status?.containerStatuses?.[0]?.state ?? {}
  if (state.running ?? state.terminated) pod.running ??= Date.now()
  if (state.terminated) pod.terminated ??= Date.now()
})

/** @type {[string, string, string][]} */
const rows = []
/** @param {string} what @param {string} target @param {string} now */
const row = (what, target, now) => rows.push([what, target, now])

const short = await measure('eight short runs', { runs: 8, env: { FAKE_DELAY_MS: '500' } })
const overWatch = short.runs.map((/** @type {any} */ run) => run.settledAt - (told.get(run.runId)?.terminated ?? NaN))
const firstLine = short.runs.map((/** @type {any} */ run) => run.firstLineAt - run.startedAt)
const ownShare = short.runs.map((/** @type {any} */ run) => {
  const { created, running = NaN } = told.get(run.runId) ?? { created: NaN }
  return run.firstLineAt - run.startedAt - (running - created)
})
row('settled after the watch event of the end, p50 / max', '≤ 50 / 250 ms', `${quantile(overWatch, 0.5)} / ${quantile(overWatch, 1)} ms`)
row('first line after `execute`, p50 / max', '≤ 1.0 s / –', `${rounded(quantile(firstLine, 0.5) / 1000)} / ${rounded(quantile(firstLine, 1) / 1000)} s`)
row("… without the cluster's time from the pod's creation to its start, p50 / max", '–', `${quantile(ownShare, 0.5)} / ${quantile(ownShare, 1)} ms`)

const minute = { FAKE_REPEAT: '15', FAKE_DELAY_MS: '1000' }
const single = await measure('one run of a minute', { runs: 1, env: minute, proxied: true })
row('requests per run-minute while it runs, one run', '≤ 6', rounded(steadyPerRunMinute(single)))
row('… with its start and end, the first of its process', '–', rounded(single.requests.length / single.wallMinutes))

const crowd = await measure('twenty runs of a minute at once', { runs: 20, width: 20, env: minute, proxied: true, countLines: true })
const linesPerRun = 62
const lost = crowd.runs.reduce((/** @type {number} */ sum, /** @type {any} */ run) => sum + Math.max(0, linesPerRun - run.lines), 0)
const doubles = crowd.runs.reduce((/** @type {number} */ sum, /** @type {any} */ run) => sum + run.doubles, 0)
row('requests per run-minute while they run, 20 runs', '≤ 1', rounded(steadyPerRunMinute(crowd)))
row('… with their starts and ends', '–', rounded(crowd.requests.length / crowd.wallMinutes / 20))
row('lines lost / doubled in those 20 runs', '0 / 0', `${lost} / ${doubles}`)

const longLog = { runs: 1, warm: true, env: { FAKE_BYTES: '1000', FAKE_LINES: '115343' } }
const long = []
for (let index = 0; index < 3; index++) long.push(await measure(`a log of 110 MiB, ${index + 1} of 3`, longLog))
const perGigabyte = long.map(({ cpuSeconds, runs: [run] }) => cpuSeconds / (run.bytes / 1e9))
row('host CPU per GB streamed, p50', '≤ 4 s', `${rounded(quantile(perGigabyte, 0.5))} s`)
row('host memory growth, log of 110 MiB, max', '≤ +32 MiB', `+${rounded(Math.max(...long.map(({ rssGrowthMiB }) => rssGrowthMiB)))} MiB`)
const { loopDelay } = await measure('the event loop during a log of 110 MiB', { ...longLog, watchLoop: true })
row('event loop blocked, same log, p99 / max', '≤ 5 / 20 ms', `${loopDelay.here.map(rounded).join(' / ')} ms`)
row('… of an idle process beside it', '–', `${loopDelay.idle.map(rounded).join(' / ')} ms`)

const loads = []
for (let index = 0; index < 9; index++) loads.push((await measure(`module load, ${index + 1} of 9`, { runs: 0, env: {} })).loadMs)
row('module load, p50 / max', '≤ 15 ms / –', `${rounded(quantile(loads, 0.5))} / ${rounded(quantile(loads, 1))} ms`)
const native = readdirSync(root).find((name) => name.endsWith('.node'))
row('native module', '–', native ? `${rounded(statSync(join(root, native)).size / 2 ** 20)} MiB` : 'not beside package.json')

unwatch()
await cluster.removeJobs()
await cluster.stop()

const commit = runCommand('git', ['rev-parse', '--short', 'HEAD'])
const where = isReal ? 'a real cluster' : 'the simulator'
const heading = `Commit ${commit}, Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}, Linux ${release()}, against ${where}.`
const table = [['what', 'target', 'now'], ['---', '---', '---'], ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
console.log(`\n${heading}\n\n${table}\n`)
console.log(`Requests of the twenty runs: ${JSON.stringify(countByMeaning(crowd.requests))}`)
if (options.write) writeReport(`${heading}\n\n${table}`)

/**
 * Between the last run's first line and the first run's end.
 * @param {any} figures
 */
function steadyPerRunMinute({ runs, requests }) {
  const from = Math.max(...runs.map((/** @type {any} */ run) => run.firstLineAt))
  const to = Math.min(...runs.map((/** @type {any} */ run) => run.settledAt)) - 2000
  const within = requests.filter((/** @type {any} */ { at }) => at > from && at < to).length
  return within / (((to - from) / 60_000) * runs.length)
}

/** @param {string} report */
function writeReport(report) {
  const file = join(root, 'BENCHMARKS.md')
  const marked = new RegExp(`(<!-- ${where} -->\n)[^]*?(<!-- end -->)`)
  const before = readFileSync(file, 'utf8')
  if (!marked.test(before)) throw new Error(`\`BENCHMARKS.md\` has no block \`<!-- ${where} -->\`.`)
  writeFileSync(file, before.replace(marked, (_, start, end) => `${start}${report}\n${end}`))
}

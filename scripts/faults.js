/**
 * `npm run test:faults` and `npm run soak`: runs of the package while everything between host and cluster goes wrong.
 * Prints one table and fails if a line was lost without a report or doubled, or a run got a wrong verdict.
 *
 * Without a kubeconfig the cluster is the simulator. Touches only namespaces that it creates, except with
 * `K8S_TEST_RESTART`: then it restarts components of the cluster.
 */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { giveUp, prepare, root } from './prepare.js'

const help = `usage: npm run test:faults -- [options]      one round, about three minutes
       npm run soak -- [options]             rounds with new seeds until the time is over
  --minutes N         start rounds for so long [soak: 30]
  --seed N            of the first round [test:faults: 1, soak: by the clock; always printed]
  --only TEXT         only faults whose name contains it
  --kubeconfig FILE   a real cluster, as its administrator [K8S_TEST_KUBECONFIG, else the simulator]
  --context NAME      a context of it
  --width N           runs at the same time [20]
  --matrix            instead: every call of a run × every kind of failing answer, judged by the call table. Without a
                      kubeconfig all of it, once and for 5 s, in paused time; on a real cluster once, in the package
  --sample N          of the matrix on a real cluster only the N-th part: every call, every kind, fewer pairs [1]
  --random N          instead: N runs on the simulator, in paused time, whose answers are drawn at random, from --seed on [0]
  --help
environment:
  K8S_TEST_IMAGE      on a real cluster: an image with a shell, awk and the stand-in CLI [localhost/fake-claude:test]
  K8S_TEST_RESTART    a command that kills and starts again the component whose name is appended: \`kubelet\`,
                      \`kube-apiserver\`. Only with it are components restarted`

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string' },
    soak: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
    kubeconfig: { type: 'string', default: process.env.K8S_TEST_KUBECONFIG },
    context: { type: 'string' },
    width: { type: 'string', default: '20' },
    matrix: { type: 'boolean', default: false },
    sample: { type: 'string', default: '1' },
    random: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(help)
  process.exit(0)
}
/** @param {string} name @param {string} text */
function wholeNumber(name, text) {
  if (!/^\d{1,9}$/.test(text)) giveUp(`\`--${name}\` takes a whole number, not \`${text}\`.`)
  return Number(text)
}
if (options.random !== undefined) process.exit(randomRuns(options.random))

const minutes = wholeNumber('minutes', options.minutes ?? (options.soak ? '30' : '0'))
const width = Math.max(1, wholeNumber('width', options.width))
let seed = wholeNumber('seed', options.seed ?? (options.soak ? String(Date.now() % 1_000_000) : '1'))

const { kubeconfig } = options
if (options.matrix && !kubeconfig) process.exit(matrixInPausedTime())
prepare({ build: 'build:debug', simulator: !kubeconfig })

const { catalogue } = await import('../__test__/faults/catalogue.js')
const { restarts } = await import('../__test__/faults/restarts.js')
const { isBad, tableOf } = await import('../__test__/faults/report.js')
const { startRing } = await import('../__test__/faults/ring.js')

if (options.matrix) process.exit(await matrixOnCluster(wholeNumber('sample', options.sample)))

const restart = process.env.K8S_TEST_RESTART
/** @param {{ name: string }} fault */
const isWanted = ({ name }) => name.includes(options.only)
const faults = catalogue.filter(isWanted)
const restarted = kubeconfig && restart ? restarts(restart).filter(isWanted) : []
if (faults.length + restarted.length === 0) giveUp(`No fault has a name that contains \`${options.only}\`.`)

const ring = await startRing({ kubeconfig, context: options.context })
/** @type {import('../__test__/faults/run.js').FaultRun[]} */
const records = []
const end = Date.now() + minutes * 60_000
try {
  do {
    console.error(`faults: a round with seed ${seed} on ${kubeconfig ? 'a real cluster' : 'the simulator'}`)
    await round(faults, width)
    // One after the other, and with nothing beside them: a component serves every run.
    for (const fault of restarted) await round([fault], fault.runs)
    seed++
  } while (Date.now() < end)
} finally {
  console.log(`\n${tableOf(records)}\n`)
  await ring.stop({ apiRestarted: restarted.length > 0 })
}

const bad = records.filter(isBad)
if (bad.length > 0) console.error(`faults: ${bad.length} of ${records.length} runs were not as if nothing had happened; each is told above with its seed.`)
process.exit(bad.length > 0 ? 1 : 0)

/**
 * A suite of the Rust tests: hours of simulated time in minutes.
 * @param {string} runs
 */
function randomRuns(runs) {
  /** @type {Record<string, string>} */
  const env = { RANDOM_RUNS: String(wholeNumber('random', runs)) }
  if (options.seed) env.RANDOM_SEED = String(wholeNumber('seed', options.seed))
  return rustTests('whole_run::random', env)
}

function matrixInPausedTime() {
  return rustTests('whole_run::matrix', { MATRIX: '1' })
}

/**
 * @param {string} name
 * @param {Record<string, string>} env
 */
function rustTests(name, env) {
  const args = ['test', '-p', 'claude-k8s-cluster', '--test', 'it', name, '--', '--nocapture']
  return spawnSync('cargo', args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1
}

/**
 * The cells of the call table in the package, through the fault proxy.
 * @param {number} sample
 */
async function matrixOnCluster(sample) {
  const { cells, matrixOf, prepareMatrix, runCell } = await import('../__test__/faults/matrix.js')
  const ring = await startRing({ kubeconfig, context: options.context })
  const from = Date.now()
  /** @type {(import('../__test__/faults/matrix.js').Cell & { end: string })[]} */
  const done = []
  let wrong = 0
  try {
    const accounts = await prepareMatrix(ring.cluster)
    const next = cells(Math.max(1, sample)).values()
    await Promise.all(
      Array.from({ length: width }, async () => {
        for (const cell of next) {
          const { end, wrong: found } = await runCell(ring.cluster, accounts, ring.config, cell)
          done.push({ ...cell, end })
          if (found.length > 0) wrong++
          for (const text of found) console.error(`✗ ${cell.row.call} × ${cell.kind}: ${text}`)
        }
      }),
    )
  } finally {
    await ring.stop({ apiRestarted: false })
  }
  const part = sample > 1 ? `, one of ${sample} parts of the matrix: every call, every kind, fewer pairs` : ''
  console.log(`\n${matrixOf(done)}\n\n${done.length} cells in ${Math.round((Date.now() - from) / 1000)} s, ${wrong} wrong${part}`)
  return wrong > 0 ? 1 : 0
}

/**
 * Every fault of the list once, in as many runs as it asks for.
 * @param {import('../__test__/faults/catalogue.js').Fault[]} faults
 * @param {number} width
 */
async function round(faults, width) {
  // The longest ones first, so that none of them begins last.
  const orders = faults.flatMap((fault) => Array.from({ length: fault.runs }, (_, index) => ({ fault, seed: seed * 1000 + index })))
  const byLength = orders.toSorted((one, other) => lengthMs(other.fault) - lengthMs(one.fault))
  const next = byLength.values()
  await Promise.all(
    Array.from({ length: Math.min(width, byLength.length) }, async () => {
      for (const { fault, seed } of next) keep(await ring.run(fault, seed))
    }),
  )
}

/** @param {import('../__test__/faults/catalogue.js').Fault} fault */
function lengthMs({ talk: { lines, batch = 1, pauseMs = 0 } }) {
  return (lines / batch) * pauseMs
}

/** @param {import('../__test__/faults/run.js').FaultRun} record */
function keep(record) {
  records.push(record)
  if (!isBad(record)) return
  const { fault, count, wrong, seed } = record
  console.error(`✗ ${fault}, seed ${seed}: ${JSON.stringify(count)}${wrong.map((text) => `; ${text}`).join('')}`)
  console.error(`  again: node ${join(root, 'scripts/faults.js')} --only '${fault}' --seed ${Math.floor(seed / 1000)}`)
}

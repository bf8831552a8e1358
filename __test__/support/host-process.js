/** Host processes of their own, which tests start together, and kill. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { withoutStatus } from './host.js'
import { serverEntry } from './package.js'

const script = fileURLToPath(new URL('../fixtures/runs-from-stdin.js', import.meta.url))

/** @typedef {{ stdout: string, stderr: string, events: any[], result: Promise<any>, settle: (result: any) => void }} RemoteRun */
/** @typedef {Awaited<ReturnType<typeof startHostProcess>>} HostProcess */

export async function startHostProcess() {
  const child = spawn(process.execPath, ['--expose-gc', script, serverEntry], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  /** @type {Map<string, RemoteRun>} */
  const runs = new Map()
  /** @type {(memory: { rss: number, most: number }) => void} */
  let measured = () => {}
  const lines = createInterface(child.stdout)
  const ready = once(lines, 'line')
  lines.on('line', (line) => {
    const { runId, stream, chunk, event, result, memory } = JSON.parse(line)
    if (memory) measured(memory)
    const run = runs.get(runId)
    if (!run) return
    if (chunk !== undefined) run[stream === 'stderr' ? 'stderr' : 'stdout'] += chunk
    if (event) run.events.push(event)
    if (result) run.settle(result)
  })
  await ready

  return {
    pid: child.pid,
    /**
     * Starts a run there.
     * @param {import('./host.js').HostContext} ctx its callbacks stay here
     */
    execute(ctx) {
      /** @type {(result: any) => void} */
      let settle = () => {}
      const result = new Promise((resolve) => (settle = resolve))
      /** @type {RemoteRun} */
      const run = { stdout: '', stderr: '', events: [], result, settle }
      runs.set(ctx.runId, run)
      const { signal, ...sent } = ctx
      child.stdin.write(`${JSON.stringify(sent)}\n`)
      return {
        result: run.result,
        /** What the CLI wrote. */
        output: () => withoutStatus(run.stdout),
        /** Everything, with the adapter's own lines. */
        said: () => run.stdout + run.stderr,
        count: (/** @type {string} */ event) => run.events.filter(({ payload }) => payload.event === event).length,
      }
    },
    /**
     * Resident bytes after a garbage collection, and the most there ever were.
     * @returns {Promise<{ rss: number, most: number }>}
     */
    memory: () =>
      new Promise((resolve) => {
        measured = resolve
        child.stdin.write('memory\n')
      }),
    /**
     * Ends the process by a signal.
     * @param {NodeJS.Signals} signal
     * @returns {Promise<NodeJS.Signals | null>} the one that ended it
     */
    async kill(signal) {
      child.kill(signal)
      return (await ended)[1]
    },
    async stop() {
      child.stdin.end()
      child.kill('SIGKILL')
      await ended
    },
  }
}

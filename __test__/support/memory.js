/** A host process whose memory is measured: each run in it is one line of its stdin, see `fixtures/memory-of-runs.js`. */

import { execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { serverEntry } from './package.js'

export const mib = 2 ** 20
/** What a run may take: the adapter's 96 MiB, and what JavaScript has not collected yet. Unit: bytes. */
export const ceiling = 128 * mib

const script = fileURLToPath(new URL('../fixtures/memory-of-runs.js', import.meta.url))

/** @param {Record<string, string>} [env] of the process, beside that of the tests */
export function measuredHost(env) {
  const child = spawn(process.execPath, ['--expose-gc', script, serverEntry], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } })
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  return {
    /**
     * What the run gave, what was counted of its output, and the most memory that the process has taken so far.
     * @param {object} ctx
     */
    async run(ctx) {
      child.stdin.write(`${JSON.stringify(ctx)}\n`)
      return JSON.parse((await answers.next()).value)
    },
    /** Starts a run that may never end. @param {object} ctx */
    start: (ctx) => void child.stdin.write(`${JSON.stringify(ctx)}\n`),
    /** Memory now. Unit: bytes. */
    resident: () => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) * 1024,
    stop: () => child.kill('SIGKILL'),
  }
}

/** A row of the table of `npm run test:memory`. @param {string} what @param {number} growth */
export const row = (what, growth) => console.log(`memory of the host: ${what}: +${Math.round(growth / mib)} MiB of ${ceiling / mib}`)

/**
 * `run`: one run from a terminal.
 *
 * ```text
 * file ─▶ context ─▶ execute ─┬─▶ onLog ─▶ transcript on stdout, the adapter's own lines dimmed
 * Ctrl-C ─▶ abort ───────────▶└─▶ result ─▶ summary, exit code
 * ```
 */

import { execute } from '../run/execute.js'
import { jsonText } from '../terminal.js'
import { commandLineContext } from './context.js'
import { readPrompt } from './files.js'
import { chooseCluster, configurationOf } from './operation.js'
import { printSummary } from './summary.js'
import { transcriptPrinter } from './transcript.js'

/** What a shell reports for a program that Ctrl-C ended. */
const interruptedExitCode = 130
/** Codes above have a meaning of their own in a shell. */
const highestExitCode = 125

/** @param {import('./operation.js').ClusterOptions & { config: string, promptFile: string, timeout?: number, agent?: string }} options */
export async function run(options) {
  chooseCluster(options)
  const { config: configPath, promptFile, timeout, agent, json } = options
  /** @type {import('../types.d.ts').JsonObject} */
  const config = { ...configurationOf(options), ...(timeout !== undefined && { timeoutSec: timeout }) }
  const ctx = commandLineContext({ configPath, config, prompt: readPrompt(promptFile), agent })
  const interruption = new AbortController()
  const printer = transcriptPrinter({ debug: config['debug'] === true, quiet: json === true })
  process.once('SIGINT', () => {
    printer.status('Cancelling the run; Ctrl-C once more leaves its Job running')
    interruption.abort(new Error('Ctrl-C'))
  })

  const startedAt = performance.now()
  const result = await execute({
    ...ctx,
    signal: interruption.signal,
    onCancellationReady: async () => {},
    onLog: async (stream, chunk) => printer.write(stream, chunk),
    onRuntimeProgress: async ({ message }) => printer.status(message),
  })
  printer.end()
  if (json) console.log(jsonText(result, 2))
  else printSummary(result, (performance.now() - startedAt) / 1000)
  process.exitCode = exitCodeOf(result, interruption.signal.aborted)
}

/**
 * @param {import('@paperclipai/adapter-utils').AdapterExecutionResult} result
 * @param {boolean} interrupted
 */
export function exitCodeOf({ exitCode, errorMessage }, interrupted) {
  const code = exitCode ?? 1
  if (!errorMessage && code === 0) return 0
  if (interrupted) return interruptedExitCode
  return code >= 1 && code <= highestExitCode ? code : 1
}

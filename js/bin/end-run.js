/** `stop`: ends a run as a cancel does. */

import { inLine, jsonText } from '../terminal.js'
import { ask } from './ask.js'
import { operate } from './operation.js'
import { rowsAsText } from './ps.js'

/**
 * @param {string} word
 * @param {import('./operation.js').ClusterOptions & { yes?: boolean }} options
 */
export async function endRun(word, options) {
  /** @type {import('../types.d.ts').RunRow} */
  const row = await operate(options, { name: 'find', word })
  if (!options.json) console.log(rowsAsText([row], true))
  if (!(await ask(`Stop Job ${row.job}? Its pod is ended and the Job deleted.`, options.yes))) return
  const { namespace, job, uid } = row
  /** @type {{ ended: boolean, exitCode: number | null, reason: string | null }} */
  const end = await operate(options, { name: 'stop', namespace, job, uid })
  if (options.json) console.log(jsonText({ ...row, ...end }, 2))
  else if (!end.ended) console.log(`Job ${job} is deleted; its pod has not ended yet`)
  else console.log(`Job ${job} has ended${end.exitCode === null ? '' : ` with exit code ${end.exitCode}`}${end.reason ? ` (${inLine(end.reason)})` : ''}`)
  if (!end.ended) process.exitCode = 1
}

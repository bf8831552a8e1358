/** What became of a run, in a few lines. */

import pc from 'picocolors'

import { asArray, asObject, asText } from '../json.js'
import { loadNative } from '../native/load.js'
import { below, inLine } from '../terminal.js'

/**
 * @param {import('@paperclipai/adapter-utils').AdapterExecutionResult} result
 * @param {number} durationSeconds
 */
export function printSummary(result, durationSeconds) {
  const { exitCode, errorCode, errorMessage, usage, costUsd } = result
  const k8s = asObject(result.resultJson?.['k8s'])
  const [job, pod, node, namespace] = ['job', 'pod', 'node', 'namespace'].map((key) => asText(k8s[key]))
  const rows = {
    duration: `${durationSeconds.toFixed(1)} s`,
    tokens: usage && `${usage.inputTokens} in, ${usage.cachedInputTokens ?? 0} cached, ${usage.outputTokens} out`,
    cost: typeof costUsd === 'number' && `$${costUsd.toFixed(6)}`,
    job: job && `${namespace}/${job}${pod ? `, pod ${pod}${node ? ` on ${node}` : ''}` : ''}`,
    next: errorMessage && errorCode && errorCode !== 'cancelled' && nextStep(errorCode),
  }
  const outcome = errorMessage
    ? `${pc.red('✖')} ${errorCode ?? 'failed'}: ${below(String(errorMessage))}`
    : `${pc.green('✔')} success, exit code ${exitCode}`
  console.log(`\n${outcome}`)
  for (const [name, value] of Object.entries(rows)) if (value) console.log(`  ${name.padEnd(8)} ${inLine(String(value))}`)
}

/**
 * @param {string} errorCode
 * @returns {string | null}
 */
function nextStep(errorCode) {
  try {
    const rows = asArray(JSON.parse(loadNative().errorCodesJson())).map(asObject)
    return asText(rows.find(({ code }) => code === errorCode)?.['next'])
  } catch {
    return null // without the native module the message itself says what to do
  }
}

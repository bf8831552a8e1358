/** `doctor`: the environment test, for a reader. */

import pc from 'picocolors'

import { testEnvironment } from '../environment-test.js'
import { type } from '../identity.js'
import { below, inLine, jsonText } from '../terminal.js'
import { chooseCluster, configurationOf } from './operation.js'

/** @typedef {import('@paperclipai/adapter-utils').AdapterEnvironmentCheck} Check */

/** @type {Record<Check['level'], { symbol: string, color: (text: string) => string }>} */
const levels = {
  info: { symbol: '✔', color: pc.green },
  warn: { symbol: '▲', color: pc.yellow },
  error: { symbol: '✖', color: pc.red },
}

/** @param {import('./operation.js').ClusterOptions} options */
export async function doctor(options) {
  chooseCluster(options)
  const { json } = options
  const config = configurationOf(options)
  const report = await testEnvironment({ adapterType: type, companyId: 'command-line', config })
  if (json) console.log(jsonText(report, 2))
  else print(report)
  process.exitCode = report.status === 'fail' ? 1 : 0
}

/** @param {import('@paperclipai/adapter-utils').AdapterEnvironmentTestResult} report */
function print({ status, checks }) {
  for (const { code, level, message, detail, hint } of checks) {
    const { symbol, color } = levels[level]
    console.log(`${color(symbol)} ${inLine(message)} ${pc.dim(code)}`)
    if (detail) console.log(`    ${pc.dim(below(detail))}`)
    if (hint && level !== 'info') console.log(`    → ${below(hint)}`)
  }
  const count = (/** @type {Check['level']} */ wanted) => checks.filter(({ level }) => level === wanted).length
  const color = { pass: pc.green, warn: pc.yellow, fail: pc.red }[status]
  console.log(`\n${color(status)}  errors: ${count('error')}, warnings: ${count('warn')}, checks: ${checks.length}`)
}

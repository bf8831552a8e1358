/** `gc`: what nobody needs any more. */

import { resolve } from 'node:path'

import { inLine, jsonText } from '../terminal.js'
import { ask } from './ask.js'
import { readAgents } from './files.js'
import { operate } from './operation.js'
import { UsageError } from './stop.js'
import { age, duration, table } from './table.js'

/** @typedef {import('../types.d.ts').Leftover} Leftover */

/** @type {Record<Leftover['reason'], string>} */
const reasons = {
  retained: 'kept, and its result was taken',
  unreleased: 'created and never started',
  jobless: 'its Job is gone',
}

/** @typedef {import('./operation.js').ClusterOptions & { olderThan: number, dryRun?: boolean, yes?: boolean, homes?: string, agents?: string }} Options */

/** @param {Options} options */
export async function gc(options) {
  if (options.homes !== undefined || options.agents !== undefined) return gcHomes(options)
  const { olderThan, dryRun, yes, json } = options
  /** @type {{ leftovers: Leftover[], secretsUnread: string | null }} */
  const { leftovers, secretsUnread } = await operate(options, { name: 'leftovers', olderThanSeconds: olderThan })
  if (secretsUnread) console.error(`note: Secrets were not looked at: ${inLine(secretsUnread)}`)
  if (json && (dryRun || leftovers.length === 0)) return console.log(jsonText(leftovers, 2))
  if (leftovers.length === 0) return console.log('Nothing is left over')
  if (!json) console.log(leftoversAsText(leftovers))
  if (dryRun || !(await ask(`Delete ${leftovers.length === 1 ? 'it' : `these ${leftovers.length}`}?`, yes))) return
  /** @type {{ leftover: Leftover, failure: string | null }[]} */
  const outcomes = await operate(options, { name: 'remove', leftovers })
  tell(outcomes, json)
}

/**
 * Homes of agents (`isolation: agent`) that no longer exist.
 * @param {Options} options
 */
async function gcHomes(options) {
  const { homes, agents, olderThan, dryRun, yes, json } = options
  if (homes === undefined || agents === undefined) throw new UsageError('`--homes` and `--agents` belong together: which homes there are, and which agents exist')
  if (agents === '-' && !dryRun && !yes) throw new UsageError('the list of agents comes from the standard input, so nobody can be asked: add `--yes` or `--dry-run`')
  const at = { directory: resolve(homes), agents: readAgents(agents), olderThanSeconds: olderThan }
  /** @type {import('../types.d.ts').LeftHomes} */
  const left = await operate(options, { name: 'homes', ...at })
  for (const company of left.foreign) console.error(`note: the list has no agent with a home in company ${inLine(company)}; its homes were left alone`)
  if (json && (dryRun || left.homes.length === 0)) return console.log(jsonText(left, 2))
  if (left.homes.length === 0) return console.log('Nothing is left over')
  if (!json) console.log(homesAsText(left.homes))
  if (dryRun || !(await ask(`Delete ${left.homes.length === 1 ? 'it' : `these ${left.homes.length}`}?`, yes))) return
  const shown = left.homes.map(({ company, agent }) => ({ company, agent }))
  tell(await operate(options, { name: 'removeHomes', ...at, shown }), json)
}

/** @param {import('../types.d.ts').LeftHomes['homes']} homes */
function homesAsText(homes) {
  return table(
    [
      { title: 'COMPANY', value: ({ company }) => company },
      { title: 'AGENT', value: ({ agent }) => agent },
      { title: 'UNCHANGED', value: ({ unchangedSeconds }) => duration(unchangedSeconds) },
      { title: 'WHY', value: () => 'its agent is not in the list' },
    ],
    homes,
  )
}

/**
 * @param {{ failure: string | null }[]} outcomes
 * @param {boolean | undefined} json
 */
function tell(outcomes, json) {
  const failures = outcomes.flatMap(({ failure }) => failure ?? [])
  if (json) console.log(jsonText(outcomes, 2))
  else console.log(`Deleted ${outcomes.length - failures.length} of ${outcomes.length}`)
  for (const failure of failures) console.error(`error: ${inLine(failure)}`)
  if (failures.length > 0) process.exitCode = 1
}

/** @param {Leftover[]} leftovers */
function leftoversAsText(leftovers) {
  return table(
    [
      { title: 'NAMESPACE', value: ({ namespace }) => namespace },
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'NAME', value: ({ name }) => name },
      { title: 'AGE', value: ({ ageSeconds }) => age(ageSeconds) },
      { title: 'WHY', value: ({ reason }) => reasons[/** @type {Leftover['reason']} */ (reason)] },
    ],
    leftovers,
  )
}

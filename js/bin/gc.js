/** `gc`: what nobody needs any more. */

import { ask } from './ask.js'
import { operate } from './operation.js'
import { since, table } from './table.js'

/** @typedef {import('../types.d.ts').Leftover} Leftover */

/** @type {Record<Leftover['reason'], string>} */
const reasons = {
  retained: 'kept, and its result was taken',
  unreleased: 'created and never started',
  jobless: 'its Job is gone',
}

/** @param {import('./operation.js').ClusterOptions & { olderThan: number, dryRun?: boolean, yes?: boolean }} options */
export async function gc(options) {
  const { olderThan, dryRun, yes, json } = options
  /** @type {{ leftovers: Leftover[], secretsUnread: string | null }} */
  const { leftovers, secretsUnread } = await operate(options, { name: 'leftovers', olderThanSeconds: olderThan })
  if (secretsUnread) console.error(`note: Secrets were not looked at: ${secretsUnread}`)
  if (json && (dryRun || leftovers.length === 0)) return console.log(JSON.stringify(leftovers, null, 2))
  if (leftovers.length === 0) return console.log('Nothing is left over')
  if (!json) console.log(leftoversAsText(leftovers))
  if (dryRun || !(await ask(`Delete ${leftovers.length === 1 ? 'it' : `these ${leftovers.length}`}?`, yes))) return
  /** @type {{ leftover: Leftover, failure: string | null }[]} */
  const outcomes = await operate(options, { name: 'remove', leftovers })
  const failures = outcomes.flatMap(({ failure }) => failure ?? [])
  if (json) console.log(JSON.stringify(outcomes, null, 2))
  else console.log(`Deleted ${outcomes.length - failures.length} of ${outcomes.length}`)
  for (const failure of failures) console.error(`error: ${failure}`)
  if (failures.length > 0) process.exitCode = 1
}

/** @param {Leftover[]} leftovers */
function leftoversAsText(leftovers) {
  return table(
    [
      { title: 'NAMESPACE', value: ({ namespace }) => namespace },
      { title: 'KIND', value: ({ kind }) => kind },
      { title: 'NAME', value: ({ name }) => name },
      { title: 'AGE', value: ({ createdAt }) => since(createdAt) },
      { title: 'WHY', value: ({ reason }) => reasons[/** @type {Leftover['reason']} */ (reason)] },
    ],
    leftovers,
  )
}

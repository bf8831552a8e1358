/** What the adapter costs the host's event loop, counted: work per turn of the loop, which no load of the machine changes. */

import { afterAll, expect, test, vi } from 'vitest'

import { environmentOf, installTalker } from './faults/talker.js'
import { startCluster } from './support/cluster.js'
import { transcript } from './support/host.js'
import { execute } from './support/package.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })
const cluster = await startCluster()
afterAll(() => cluster.stop())

/** Counts turns of the event loop until it is stopped. */
function countTurns() {
  let [turn, isOn] = [0, true]
  const next = () => {
    turn++
    if (isOn) setImmediate(next)
  }
  setImmediate(next)
  return {
    get now() {
      return turn
    },
    stop: () => (isOn = false),
  }
}

test('hst_06 a burst of 20 MB reaches the host in small calls, and the loop turns between them', async () => {
  const talk = { lines: 40_000, units: 450, batch: 40_000 }
  const turns = countTurns()
  /** Calls and characters by turn of the loop. @type {Map<number, { calls: number, size: number }>} */
  const work = new Map()
  const ctx = cluster.context({
    config: await installTalker(cluster),
    env: environmentOf(talk),
    onLog: async (_, chunk) => {
      const { calls, size } = work.get(turns.now) ?? { calls: 0, size: 0 }
      work.set(turns.now, { calls: calls + 1, size: size + chunk.length })
    },
  })
  const result = await execute(ctx)
  turns.stop()
  expect(result).toMatchObject({ errorMessage: null, exitCode: 0 })
  const { chunks, output } = transcript(ctx)
  expect(output.length).toBeGreaterThan(talk.lines * talk.units)
  const perTurn = [...work.values()]
  expect(chunks.length, 'calls').toBeGreaterThan(300)
  expect(Math.max(...perTurn.map(({ calls }) => calls)), 'most calls in one turn').toBe(1)
  expect(Math.max(...perTurn.map(({ size }) => size)), 'most characters in one turn').toBeLessThanOrEqual(60 << 10)
})

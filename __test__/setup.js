/**
 * Runs in each test file before its tests, and looks afterwards at what the file left behind (PKG-10): a variable that
 * changed, a server that listens, a child process that runs.
 */

import { afterAll, expect } from 'vitest'

import { leftBehind, snapshot } from './support/leaks.js'
import { until } from './support/until.js'

const before = snapshot()

afterAll(async () => {
  // What was closed in a test's last moment takes a turn of the loop to go.
  const isClean = () => leftBehind(before).length === 0
  await until('nothing is left behind', isClean, 5000).catch(() => {})
  expect(leftBehind(before), 'pkg_10 left behind by this file').toEqual([])
}, 10_000)

import { defineConfig } from 'vitest/config'

/** Seconds of a suite are pods starting and the server waiting: several files at once use them. */
const suites = {
  include: ['__test__/host/*.test.js'],
  globalSetup: '__test__/host/setup.js',
  pool: /** @type {const} */ ('forks'),
  maxWorkers: 3,
  testTimeout: 180_000,
  hookTimeout: 180_000,
}

export default defineConfig({ test: suites })

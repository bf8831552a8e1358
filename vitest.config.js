import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.js'],
    // Need the tarballs of a release (`npm run release:test`), or a Paperclip server (`npm run test:host`).
    exclude: ['__test__/release/**', '__test__/host/**'],
    globalSetup: '__test__/build.js',
    setupFiles: '__test__/setup.js',
    // The native module and the shared state belong to a process: test files must not share one.
    pool: 'forks',
    // Most of an end-to-end test is waiting for a container: more files than processors may run at once.
    maxWorkers: 3,
    // Far above what a test without one of its own needs: starting Node takes seconds on a loaded machine.
    testTimeout: 90_000,
  },
})

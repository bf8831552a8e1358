import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['__test__/**/*.test.js'],
    // The native module and the bundles belong to a process: files must not share one.
    pool: 'forks',
  },
})

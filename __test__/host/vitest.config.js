import { defineConfig } from 'vitest/config'

const folder = '__test__/host'
const measured = `${folder}/concurrent.test.js`

export default defineConfig({
  test: {
    globalSetup: `${folder}/setup.js`,
    pool: 'forks',
    // Most of a suite is pods starting and the server waiting: several files at once use the time.
    maxWorkers: 3,
    testTimeout: 600_000,
    hookTimeout: 400_000,
    projects: [
      { extends: true, test: { name: 'host', include: [`${folder}/*.test.js`], exclude: [measured] } },
      // Its figures are those of the server alone when nothing else runs.
      { extends: true, test: { name: 'figures', include: [measured], sequence: { groupOrder: 1 } } },
    ],
  },
})

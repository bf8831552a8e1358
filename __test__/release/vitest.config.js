import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { include: ['__test__/release/*.test.js'], testTimeout: 180_000 } })

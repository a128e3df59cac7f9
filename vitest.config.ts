import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

/**
 * `npm test` needs Node and npm alone: unit tests that mirror the sources, and cluster tests on real broker processes. The other
 * projects are asked for by name: `sim` takes a minute of both cores, `npm run compat` needs kcat. What needs a browser runs under Playwright (`npm run e2e`).
 */
const realProcesses = { pool: 'forks', fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 } as const

export default defineConfig({
  plugins: [vue()],
  test: {
    // Conditions are waited for, and a busy machine may take its time to reach them.
    expect: { poll: { timeout: 20_000, interval: 20 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: { name: 'cluster', include: ['test/cluster/**/*.test.ts'], ...realProcesses },
      },
      {
        extends: true,
        test: { name: 'sim', include: ['test/sim/**/*.test.ts'], pool: 'forks', fileParallelism: false, testTimeout: 300_000 },
      },
      {
        extends: true,
        test: {
          name: 'compat',
          include: ['test/compat/**/*.test.ts'],
          globalSetup: ['test/compat/support/setup.ts'],
          ...realProcesses,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})

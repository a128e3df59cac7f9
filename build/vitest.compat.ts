import { defineConfig } from 'vitest/config'

/** Third-party clients against a real cluster. Needs kcat on the PATH; `.ci/run` installs it. */
export default defineConfig({
  test: {
    root: '.',
    include: ['test/compat/**/*.test.ts'],
    globalSetup: ['test/compat/support/setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})

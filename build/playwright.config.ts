import { defineConfig } from '@playwright/test'

/**
 * The console in a real browser, on a real cluster that each test file starts for itself. The system's Chromium is used: nothing is downloaded.
 * As root (a container) it has to run without its sandbox.
 */
const isRoot = process.getuid?.() === 0

export default defineConfig({
  testDir: '../test/e2e',
  outputDir: '../test-results',
  fullyParallel: false,
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: process.env['CI'] !== undefined,
  reporter: [['list']],
  use: {
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        ...(isRoot ? ['--no-sandbox'] : []),
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})

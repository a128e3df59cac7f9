import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import packageJson from '../../../package.json' with { type: 'json' }
import { packaging as config } from '../../../build/packaging.ts'

const root = resolve(import.meta.dirname, '../../..')
const load = createRequire(import.meta.url)

/** electron-builder's own check, which it runs before packaging; it is not part of its public interface. */
interface Validator {
  validateConfiguration(config: unknown, logger: { isEnabled: boolean; add(): void }): Promise<void>
}
const validator = load('app-builder-lib/out/util/config/config') as Validator
const silent = { isEnabled: false, add: () => undefined }

test('the packaging configuration is accepted for all three platforms', async () => {
  await validator.validateConfiguration(config, silent)
  expect(Object.keys(config)).toEqual(expect.arrayContaining(['linux', 'mac', 'win']))
})

test('the check that accepts it can also refuse', async () => {
  await expect(validator.validateConfiguration({ ...config, asarUnpacked: true }, silent)).rejects.toThrow(/asarUnpacked/)
})

test('brokers can be run by the packaged binary, and native packages lie outside the archive', () => {
  expect(config.electronFuses.runAsNode).toBe(true)
  expect(config.asarUnpack).toContain('**/*.node')
})

test('every icon is there', () => {
  for (const { icon } of [config.linux, config.mac, config.win]) expect(existsSync(join(root, icon))).toBe(true)
})

test('only packages with native code are installed beside the bundles', () => {
  expect(Object.keys(packageJson.dependencies)).toEqual(['@node-rs/crc32', 'better-sqlite3', 'lz4-napi', 'snappy'])
})

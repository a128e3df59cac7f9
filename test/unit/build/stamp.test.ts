import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isFresh, takeStamp, writeStamp } from '../../../build/stamp.ts'

const sources = ['source']
let root = ''
let stamp = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-stamp-'))
  stamp = join(root, 'out', 'stamp.json')
  await mkdir(join(root, 'source/deep'), { recursive: true })
  await writeFile(join(root, 'source/deep/a.ts'), 'a')
  writeStamp(stamp, takeStamp(root, sources))
})
afterEach(() => rm(root, { recursive: true, force: true }))

test('a bundle is fresh while its sources are what they were', () => {
  expect(isFresh(root, sources, stamp)).toBe(true)
})

test('touching a source without changing it, as a checkout does, leaves the bundle fresh', async () => {
  await utimes(join(root, 'source/deep/a.ts'), 1, 1)
  expect(isFresh(root, sources, stamp)).toBe(true)
})

test('a changed, an added and a removed source each make the bundle stale', async () => {
  await writeFile(join(root, 'source/deep/a.ts'), 'b')
  expect(isFresh(root, sources, stamp)).toBe(false)
  await writeFile(join(root, 'source/deep/a.ts'), 'a')
  expect(isFresh(root, sources, stamp)).toBe(true)
  await writeFile(join(root, 'source/b.ts'), '')
  expect(isFresh(root, sources, stamp)).toBe(false)
  await rm(join(root, 'source/b.ts'))
  await rm(join(root, 'source/deep/a.ts'))
  expect(isFresh(root, sources, stamp)).toBe(false)
})

test('a missing or torn stamp means a stale bundle', async () => {
  await writeFile(stamp, '{"looks')
  expect(isFresh(root, sources, stamp)).toBe(false)
  await rm(stamp)
  expect(isFresh(root, sources, stamp)).toBe(false)
})

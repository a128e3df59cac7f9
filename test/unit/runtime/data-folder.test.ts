import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRealEnv } from '../../../broker/env/real.ts'
import { openDataFolder } from '../../../broker/runtime/data-folder.ts'

const env = createRealEnv()
const none = { brokers: undefined, controllers: undefined, combined: undefined, name: undefined }
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-folder-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('an empty folder is formatted with three brokers and three voters', async () => {
  const manifest = await openDataFolder(env, folder, none)
  expect(manifest).toMatchObject({ brokers: [1, 2, 3], voters: [{ id: 1001 }, { id: 1002 }, { id: 1003 }] })
  expect(manifest.clusterId).toMatch(/^[\w-]{22}$/)
})

test.each([1, 2])('with %i brokers one voter is enough', async (brokers) => {
  expect((await openDataFolder(env, folder, { ...none, brokers })).voters).toHaveLength(1)
})

test('a formatted folder keeps its identity', async () => {
  const first = await openDataFolder(env, folder, none)
  expect(await openDataFolder(env, folder, none)).toEqual(first)
})

test('asking for more brokers adds them and keeps the voters', async () => {
  const first = await openDataFolder(env, folder, { ...none, brokers: 1 })
  const grown = await openDataFolder(env, folder, { ...none, brokers: 3 })
  expect(grown).toEqual({ ...first, brokers: [1, 2, 3] })
  expect(await openDataFolder(env, folder, none)).toEqual(grown)
})

test('asking for fewer brokers than hold data is refused', async () => {
  await openDataFolder(env, folder, none)
  await expect(openDataFolder(env, folder, { ...none, brokers: 2 })).rejects.toMatchObject({ code: 'TOO_FEW_BROKERS' })
})

test('the voter set of a formatted folder cannot be changed', async () => {
  await openDataFolder(env, folder, none)
  await expect(openDataFolder(env, folder, { ...none, controllers: 1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test.each([0, 101, 1.5])('%s brokers are refused', async (brokers) => {
  await expect(openDataFolder(env, folder, { ...none, brokers })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test('an even number of voters is refused', async () => {
  await expect(openDataFolder(env, folder, { ...none, controllers: 2 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test("somebody else's folder is left alone", async () => {
  await writeFile(join(folder, 'thesis.tex'), '')
  await expect(openDataFolder(env, folder, none)).rejects.toMatchObject({
    code: 'FOLDER_UNUSABLE',
    message: expect.stringContaining('thesis.tex'),
  })
})

test('a damaged description is refused, not replaced', async () => {
  await writeFile(join(folder, 'cluster.json'), '{"clusterId": "x"')
  await expect(openDataFolder(env, folder, none)).rejects.toMatchObject({ code: 'FOLDER_UNUSABLE' })
})

test('a folder of a newer format is refused', async () => {
  const manifest = await openDataFolder(env, folder, none)
  await writeFile(join(folder, 'cluster.json'), JSON.stringify({ ...manifest, formatVersion: 99 }))
  await expect(openDataFolder(env, folder, none)).rejects.toMatchObject({
    code: 'FOLDER_UNUSABLE',
    message: expect.stringContaining('newer'),
  })
})

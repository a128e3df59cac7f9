import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRealEnv } from '../../../../broker/env/real.ts'
import { RowStore, type NewRow } from '../../../../broker/host/messages/row-store.ts'

let directory: string
let rows: RowStore
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weir-rows-'))
  rows = new RowStore(createRealEnv(), join(directory, 'rows'))
})
afterEach(async () => {
  await rows.close()
  rmSync(directory, { recursive: true })
})

function row(number: number): NewRow {
  return {
    partition: number % 7,
    offset: number * 3,
    timestampMs: 1_700_000_000_000 + number,
    timestampType: number % 2 === 0 ? 'create' : 'append',
    key: number % 3 === 0 ? null : { text: `key ${number}`, encoding: 'text', isTruncated: false },
    value: { text: `{"n":${number},"é":"${'x'.repeat(number % 200)}"}`, encoding: 'json', isTruncated: number % 5 === 0 },
    keyBytes: number,
    valueBytes: number * 2,
    headerCount: number % 4,
  }
}

test('any window reads back what was appended, from file and memory together', async () => {
  const count = 5_000
  for (let number = 0; number < count; number += 1) if (rows.append(row(number))) await rows.spill()
  expect(readdirSync(directory)).toEqual(['rows'])
  for (const [from, length] of [
    [0, 1],
    [63, 3],
    [2_000, 500],
    [count - 10, 500],
    [count, 5],
  ] as const) {
    const expected = Array.from({ length: Math.max(0, Math.min(length, count - from)) }, (_, at) => ({
      index: from + at,
      ...row(from + at),
    }))
    expect(await rows.read(from, length)).toEqual(expected)
  }
})

test('reading while rows are being moved to the file gives the same rows', async () => {
  for (let number = 0; number < 400; number += 1) rows.append(row(number))
  const spilling = rows.spill()
  for (let number = 400; number < 800; number += 1) rows.append(row(number))
  const [during] = await Promise.all([rows.read(0, 800), spilling])
  expect(during).toEqual(Array.from({ length: 800 }, (_, at) => ({ index: at, ...row(at) })))
  expect(await rows.read(300, 200)).toEqual(during.slice(300, 500))
})

test('a closed store leaves no file', async () => {
  rows.append(row(1))
  await rows.spill()
  await rows.close()
  expect(readdirSync(directory)).toEqual([])
})

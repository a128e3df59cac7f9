import { expect } from 'vitest'

/** What every client writes and reads: text keys and values, so that each of them can show them as they are. */
export interface TestRecord {
  readonly key: string
  readonly value: string
}

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** Records whose value tells their place among those of their key: `0`, `1`, ... */
export function keyedRecords(count: number, keyCount: number): TestRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${index % keyCount}`,
    value: `${Math.floor(index / keyCount)}:the quick brown fox ${index}`,
  }))
}

/** Every record once, and those of each key in the order they were written. */
export function expectSame(read: readonly TestRecord[], written: readonly TestRecord[]): void {
  expect(read.length).toBe(written.length)
  expect(byKey(read)).toEqual(byKey(written))
}

export function byKey(records: readonly TestRecord[]): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const { key, value } of records) {
    const list = values.get(key)
    if (list) list.push(value)
    else values.set(key, [value])
  }
  return new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Counts up to `expected` and resolves when that many were seen; `seen` may grow beyond. */
export class Collector {
  readonly records: TestRecord[] = []
  readonly #expected: number
  readonly #reached = Promise.withResolvers<void>()

  constructor(expected: number) {
    this.#expected = expected
  }

  add(record: TestRecord): void {
    this.records.push(record)
    if (this.records.length >= this.#expected) this.#reached.resolve()
  }

  get reached(): Promise<void> {
    return this.#reached.promise
  }
}

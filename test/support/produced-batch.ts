import { encodeBatch } from '../../broker/wire/record-batch.ts'

/** One batch of `count` records, as a producer sends it. */
export function producedBatch(count: number, options: { readonly value?: string; readonly compression?: 0 | 1 | 2 | 3 | 4 } = {}): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    timestampMs: 1_700_000_000_000 + index,
    key: Buffer.from(`key-${index}`),
    value: Buffer.from(options.value ?? `value-${index}`),
  }))
  return encodeBatch({ records, compression: options.compression ?? 0 })
}

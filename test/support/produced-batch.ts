import { encodeBatch } from '../../broker/wire/record-batch.ts'

interface ProducedBatch {
  readonly value?: string
  readonly compression?: 0 | 1 | 2 | 3 | 4
  /** Of producer 1, in a transaction. */
  readonly isTransactional?: boolean
}

/** One batch of `count` records, as a producer sends it. */
export function producedBatch(count: number, options: ProducedBatch = {}): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    timestampMs: 1_700_000_000_000 + index,
    key: Buffer.from(`key-${index}`),
    value: Buffer.from(options.value ?? `value-${index}`),
  }))
  const transaction = options.isTransactional === true ? { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true } : {}
  return encodeBatch({ records, compression: options.compression ?? 0, ...transaction })
}

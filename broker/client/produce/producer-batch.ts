import { encodeBatch } from '../../wire/record-batch.ts'
import type { RecordToEncode } from '../../wire/record-batch.ts'
import type { Compression } from '../../wire/compression.ts'
import type { TopicPartition } from '../basic-types.ts'
import type { ClientError } from '../error.ts'
import type { RecordAcknowledgement } from '../producer-types.ts'

/** A record on its way, and who waits for it. */
export interface PendingRecord {
  readonly record: RecordToEncode
  readonly sizeBytes: number
  /** Monotonic; delivered or failed by then. */
  readonly deadlineMs: number
  /** Settled at most once; later calls do nothing. */
  settle(outcome: RecordAcknowledgement | ClientError): void
}

/** Who writes: fences duplicates and gaps by sequence (KIP-98). */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** What a record takes beside its key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 32

export function recordBytes(record: RecordToEncode): number {
  let bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0)
  for (const { key, value } of record.headers ?? []) bytes += 10 + Buffer.byteLength(key) + (value?.length ?? 0)
  return bytes
}

/** Records of one partition that travel together. Owned by its partition's queue. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  /** Ascending within the partition: the order of records. */
  readonly number: number
  records: PendingRecord[] = []
  sizeBytes = 0
  /** Times sent. */
  attempts = 0
  /** Of the first record; `null` until first sent with an identity. */
  sequence: number | null = null
  /** What the request in flight, or the last one, carried; `sequence` moves when a batch before is refused. */
  sentSequence: number | null = null
  lastError: ClientError | null = null
  /** An attempt ended without a clear answer: it may have been appended. */
  isUncertain = false
  #encoded: Buffer | null = null
  #encodedAs = ''

  constructor(partition: TopicPartition, number: number) {
    this.topic = partition.topic
    this.partition = partition.partition
    this.number = number
  }

  get recordCount(): number {
    return this.records.length
  }

  /** The earliest of its records'. */
  get deadlineMs(): number {
    return this.records[0]?.deadlineMs ?? Infinity
  }

  add(pending: PendingRecord): void {
    this.records.push(pending)
    this.sizeBytes += pending.sizeBytes
  }

  /** Encoded once, and again only when identity or sequence have changed: both are inside the checksum. */
  encode(compression: Compression, identity: ProducerIdentity | null): Buffer {
    const encodedAs = identity === null ? 'plain' : `${identity.producerId} ${identity.producerEpoch} ${this.sequence}`
    if (this.#encoded === null || this.#encodedAs !== encodedAs) {
      const records = this.records.map(({ record }) => record)
      const sequenced = identity === null ? {} : { ...identity, baseSequence: this.sequence as number }
      this.#encoded = encodeBatch({ records, compression, ...sequenced })
      this.#encodedAs = encodedAs
    }
    return this.#encoded
  }

  /** @param baseOffset -1 when unknown. @param logAppendTimeMs -1 when records keep their own time. */
  succeed(baseOffset: number, logAppendTimeMs: number): void {
    const { topic, partition } = this
    this.records.forEach((accepted, index) => {
      const offset = baseOffset < 0 ? -1 : baseOffset + index
      accepted.settle({ topic, partition, offset, timestampMs: logAppendTimeMs < 0 ? accepted.record.timestampMs : logAppendTimeMs })
    })
  }

  fail(error: ClientError): void {
    for (const accepted of this.records) accepted.settle(error)
  }
}

/** Single records by their place: whole for the detail view, and in slices when they are large. */
import type { KafkaClient } from '../../client/types.ts'
import type { MessageDetail, PayloadSlice } from '../../contract/messages.ts'
import { compressionNames } from '../../wire/compression.ts'
import {
  batchCrcIsValid,
  batchesIn,
  compressionOf,
  isTransactional,
  lastOffset,
  usesLogAppendTime,
  type BatchHeader,
} from '../../wire/record-batch.ts'
import { WireError } from '../../wire/errors.ts'
import { HostError, toHostError } from '../problem.ts'
import type { PayloadRequest, RecordPlace } from './engine-port.ts'
import { payloadOf, sliceOf } from './payload-text.ts'
import { findRecord, headersOf, keyOf, valueOf, type RecordSpan } from './record-block.ts'

const placeDeadlineMs = 10_000
/** A first batch comes whole whatever is asked for; more than one is never needed. */
const placeFetchBytes = 64 * 1024
/** The record read last is kept while a person pages through it, up to this size. */
const keptBlockBytesMax = 128 * 1024 * 1024

interface FoundRecord {
  readonly record: RecordSpan
  readonly header: BatchHeader
}

export class RecordPlaces {
  private kept: { readonly client: KafkaClient; readonly place: RecordPlace; readonly found: FoundRecord } | null = null

  async detail(client: KafkaClient, place: RecordPlace, index: number): Promise<MessageDetail> {
    const { record, header } = await this.find(client, place)
    const key = keyOf(record)
    const value = valueOf(record)
    const isIdempotent = header.producerId >= 0
    return {
      index,
      topic: place.topic,
      partition: place.partition,
      offset: place.offset,
      timestampMs: record.timestampMs,
      timestampType: usesLogAppendTime(header) ? 'append' : 'create',
      key: key === null ? null : payloadOf(key),
      value: value === null ? null : payloadOf(value),
      headers: headersOf(record).map((entry) => ({ key: entry.key, value: entry.value === null ? null : payloadOf(entry.value) })),
      batch: {
        baseOffset: header.baseOffset,
        recordCount: header.recordCount,
        bytes: header.batchBytes,
        compression: compressionNames[compressionOf(header)] ?? 'none',
        leaderEpoch: header.partitionLeaderEpoch,
        producerId: isIdempotent ? header.producerId : null,
        producerEpoch: isIdempotent ? header.producerEpoch : null,
        sequence: isIdempotent ? header.baseSequence + (record.offset - header.baseOffset) : null,
        isTransactional: isTransactional(header),
      },
    }
  }

  async payload(client: KafkaClient, request: PayloadRequest): Promise<PayloadSlice> {
    const { record } = await this.find(client, request)
    const bytes = partOf(record, request)
    if (bytes === null) throw new HostError('ROW_NOT_FOUND', 'That part of the record is empty.', { subject: placeName(request) })
    return sliceOf(bytes, request)
  }

  /** Lets go of what is kept of a client that is about to close. */
  forget(client: KafkaClient): void {
    if (this.kept?.client === client) this.kept = null
  }

  private async find(client: KafkaClient, place: RecordPlace): Promise<FoundRecord> {
    const { kept } = this
    if (kept !== null && kept.client === client && isSamePlace(kept.place, place)) return kept.found
    const found = await fetchRecord(client, place)
    this.kept = found.record.buffer.length <= keptBlockBytesMax ? { client, place, found } : null
    return found
  }
}

async function fetchRecord(client: KafkaClient, place: RecordPlace): Promise<FoundRecord> {
  const { topic, partition, offset } = place
  const [fetched] = await client.fetchBatches(
    { partitions: [{ topic, partition, fetchOffset: offset, partitionBytesMax: placeFetchBytes }], maxWaitMs: 0, lane: 'query' },
    { timeoutMs: placeDeadlineMs },
  )
  if (fetched === undefined) throw gone(place)
  if (fetched.error !== null) {
    throw fetched.error.kafkaErrorName === 'OFFSET_OUT_OF_RANGE' ? gone(place) : toHostError(fetched.error, placeName(place))
  }
  try {
    for (const { header, position } of batchesIn(fetched.records)) {
      if (header.baseOffset > offset) break
      if (lastOffset(header) < offset) continue
      if (!batchCrcIsValid(fetched.records, position, header)) throw new WireError('MALFORMED_BATCH', 'its checksum is wrong')
      const record = findRecord(fetched.records, position, header, offset)
      if (record !== null) return { record, header }
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new HostError(
      'RECORD_INVALID',
      `${placeName(place)} cannot be decoded: ${error.message}.`,
      { subject: placeName(place) },
      { cause: error },
    )
  }
  throw gone(place)
}

function gone(place: RecordPlace): HostError {
  return new HostError('RECORD_GONE', `${placeName(place)} is not in the log any more.`, {
    subject: placeName(place),
    advice: 'Retention or compaction has deleted it, or it never held a record.',
  })
}

function partOf(record: RecordSpan, { part }: PayloadRequest): Buffer | null {
  if (part.of === 'key') return keyOf(record)
  if (part.of === 'value') return valueOf(record)
  return headersOf(record)[part.index]?.value ?? null
}

function placeName({ topic, partition, offset }: RecordPlace): string {
  return `${topic}-${partition} offset ${offset}`
}

function isSamePlace(a: RecordPlace, b: RecordPlace): boolean {
  return a.topic === b.topic && a.partition === b.partition && a.offset === b.offset
}

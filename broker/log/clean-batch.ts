/**
 * What compaction leaves of one batch. Offsets, sequences and the leader epoch stay; records go when a newer one of their
 * key exists, when their transaction was aborted, and tombstones when their time has come (KIP-534).
 */
import { isCompression } from '../wire/compression.ts'
import {
  type BatchHeader,
  compressionOf,
  deleteHorizonMs,
  encodeBatch,
  isControl,
  isTransactional,
  lastOffset,
  recordsIn,
  type RecordView,
  usesLogAppendTime,
} from '../wire/record-batch.ts'
import type { KeyOffsets } from './key-offsets.ts'

export interface BatchFate {
  readonly keys: KeyOffsets
  readonly nowMs: number
  readonly deleteRetentionMs: number
  /** Of an aborted transaction, or a marker nobody needs. */
  readonly mayGo: boolean
  /** Kept even without records: a live producer's last batch, or the last of the pass. */
  readonly keepEmpty: boolean
  readonly unpackedBytesMax: number
}

/** The batch as it goes on: `bytes` themselves when nothing changes, null when nothing is left. */
export function cleanBatch(bytes: Buffer, header: BatchHeader, fate: BatchFate): Buffer | null {
  const horizonMs = deleteHorizonMs(header)
  const hasPassed = horizonMs !== null && horizonMs <= fate.nowMs
  const isUnneededMarker = isControl(header) && fate.mayGo
  // An unneeded marker waits as long as a tombstone, so that readers behind it still see the transaction end.
  const dropsAll = fate.mayGo && (!isControl(header) || hasPassed)
  const kept: RecordView[] = []
  let hasTombstone = false
  if (!dropsAll) {
    for (const record of recordsIn(bytes, 0, header, fate.unpackedBytesMax)) {
      if (!isControl(header) && !isKept(record, fate, hasPassed)) continue
      kept.push(record)
      hasTombstone ||= record.value === null
    }
  }
  if (kept.length === 0) return fate.keepEmpty ? emptied(header) : null
  const needsHorizon = horizonMs === null && ((hasTombstone && !isControl(header)) || isUnneededMarker)
  if (kept.length === header.recordCount && !needsHorizon) return bytes
  return rebuilt(header, kept, needsHorizon ? fate.nowMs + fate.deleteRetentionMs : horizonMs)
}

function isKept(record: RecordView, { keys }: BatchFate, hasHorizonPassed: boolean): boolean {
  if (record.offset >= keys.endOffset) return true
  // Without a key nothing can ever replace it: it came before the topic was compacted.
  if (record.key === null) return false
  return keys.isNewest(record.key, record.offset) && (record.value !== null || !hasHorizonPassed)
}

function rebuilt(header: BatchHeader, records: readonly RecordView[], horizonMs: number | null): Buffer {
  const compression = compressionOf(header)
  return encodeBatch({
    ...identity(header),
    records: records.map(({ offset, timestampMs, key, value, headers }) => ({
      offsetDelta: offset - header.baseOffset,
      timestampMs,
      key,
      value,
      headers,
    })),
    compression: isCompression(compression) ? compression : 0,
    timestampType: usesLogAppendTime(header) ? 'LogAppendTime' : 'CreateTime',
    maxTimestampMs: usesLogAppendTime(header) ? header.maxTimestamp : undefined,
    deleteHorizonMs: horizonMs ?? undefined,
  })
}

function emptied(header: BatchHeader): Buffer {
  return encodeBatch({
    ...identity(header),
    records: [],
    timestampType: usesLogAppendTime(header) ? 'LogAppendTime' : 'CreateTime',
    maxTimestampMs: header.maxTimestamp,
  })
}

function identity(header: BatchHeader) {
  return {
    baseOffset: header.baseOffset,
    lastOffsetDelta: lastOffset(header) - header.baseOffset,
    partitionLeaderEpoch: header.partitionLeaderEpoch,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: isTransactional(header),
    isControl: isControl(header),
  }
}

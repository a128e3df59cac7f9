/**
 * What a produced batch must satisfy before it is appended, and what the broker changes in it. The order of the checks is
 * Kafka's where a client could tell. Nothing of the log is touched here.
 */
import { ErrorCode, WireError } from '../wire/errors.ts'
import { compressionFromName } from '../wire/compression.ts'
import {
  BatchAttribute,
  batchCrcIsValid,
  type BatchHeader,
  compressionOf,
  encodeBatch,
  isControl,
  isTransactional,
  patchCrc,
  patchLogAppendTime,
  readBatchHeader,
  recordsIn,
  type RecordsFacts,
  usesLogAppendTime,
  validateRecords,
  writeInt64At,
} from '../wire/record-batch.ts'
import type { LogConfig } from './topic-config.ts'
import type { RecordError } from './types.ts'

/** A refused batch names at most this many of its records. */
const recordErrorsMax = 1000
const maxTimestampPosition = 35
const never = Number.MAX_SAFE_INTEGER

export interface Refusal {
  readonly errorCode: ErrorCode
  readonly message: string
  readonly recordErrors: readonly RecordError[]
}

export type CheckedBatch =
  | { readonly refusal: Refusal }
  | { readonly refusal: null; readonly header: BatchHeader; readonly bytes: Buffer; readonly logAppendTimeMs: number }

export interface CheckOptions {
  readonly config: LogConfig
  readonly nowMs: number
  readonly unpackedBytesMax: number
}

/** One batch of a client: checked, recompressed or stamped where the topic asks for it; offsets are still the client's. */
export function checkClientBatch(batches: Buffer, options: CheckOptions): CheckedBatch {
  const header = readOnlyBatch(batches)
  if ('errorCode' in header) return { refusal: header }
  const headerRefusal = checkHeader(batches, header, options.config)
  if (headerRefusal !== null) return { refusal: headerRefusal }
  const facts = validateRecords(batches, 0, header, options.unpackedBytesMax)
  if (facts.problem !== null) {
    const { errorCode, recordIndex, message } = facts.problem
    return { refusal: refuse(errorCode, message, recordIndex < 0 ? [] : [{ batchIndex: recordIndex, message }]) }
  }
  const recordRefusal = checkRecords(batches, header, facts, options)
  if (recordRefusal !== null) return { refusal: recordRefusal }
  return finish(recompressed(batches, header, options), facts, options)
}

function readOnlyBatch(batches: Buffer): BatchHeader | Refusal {
  try {
    const header = readBatchHeader(batches, 0)
    if (header.batchBytes === batches.length) return header
    if (header.batchBytes > batches.length) {
      return refuse(ErrorCode.CORRUPT_MESSAGE, `a batch of ${header.batchBytes} bytes, ${batches.length} came`)
    }
    return refuse(ErrorCode.INVALID_RECORD, 'a produce request holds exactly one record batch for each partition')
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    const isOldFormat = error.code === 'UNSUPPORTED_MAGIC'
    return refuse(isOldFormat ? ErrorCode.INVALID_RECORD : ErrorCode.CORRUPT_MESSAGE, error.message)
  }
}

function checkHeader(batches: Buffer, header: BatchHeader, config: LogConfig): Refusal | null {
  if (header.batchBytes > config.maxMessageBytes) {
    return refuse(ErrorCode.MESSAGE_TOO_LARGE, `a batch of ${header.batchBytes} bytes, max.message.bytes is ${config.maxMessageBytes}`)
  }
  if (!batchCrcIsValid(batches, 0, header)) return refuse(ErrorCode.CORRUPT_MESSAGE, 'the batch fails its checksum')
  if (header.baseOffset !== 0) return refuse(ErrorCode.INVALID_RECORD, `base offset ${header.baseOffset}, must be 0`)
  if (header.recordCount === 0) return refuse(ErrorCode.INVALID_RECORD, 'a batch without records')
  if (isControl(header)) return refuse(ErrorCode.INVALID_RECORD, 'clients may not write control batches')
  if ((header.attributes & BatchAttribute.DELETE_HORIZON) !== 0) {
    return refuse(ErrorCode.INVALID_RECORD, 'clients may not set a delete horizon')
  }
  if (header.producerId >= 0 && (header.producerEpoch < 0 || header.baseSequence < 0)) {
    const { producerId, producerEpoch, baseSequence } = header
    return refuse(ErrorCode.INVALID_RECORD, `producer ${producerId} sent epoch ${producerEpoch} and sequence ${baseSequence}`)
  }
  if (isTransactional(header) && header.producerId < 0) {
    return refuse(ErrorCode.INVALID_RECORD, 'a transactional batch without a producer id')
  }
  if (usesLogAppendTime(header)) {
    return refuse(ErrorCode.INVALID_TIMESTAMP, 'producers may not set the timestamp type to LogAppendTime')
  }
  return null
}

function checkRecords(batches: Buffer, header: BatchHeader, facts: RecordsFacts, options: CheckOptions): Refusal | null {
  const { config, nowMs } = options
  if (config.isCompacted && facts.firstIndexWithoutKey !== -1) {
    const errors = recordErrors(batches, header, options, ({ key }) =>
      key === null ? 'a compacted topic takes only records with a key' : null,
    )
    return refuse(ErrorCode.INVALID_RECORD, 'a compacted topic takes only records with a key', errors)
  }
  if (config.usesLogAppendTime) return null
  const latestMs = Math.min(never, nowMs + config.timestampAfterMaxMs)
  const earliestMs = config.timestampBeforeMaxMs === never ? null : nowMs - config.timestampBeforeMaxMs
  // The smallest timestamp is looked for only where it matters: it takes a second walk over the records.
  if (facts.maxTimestampMs <= latestMs && earliestMs === null) return null
  const errors = recordErrors(batches, header, options, ({ timestampMs }) => {
    const isAllowed = timestampMs === -1 || (timestampMs <= latestMs && timestampMs >= (earliestMs ?? -Infinity))
    return isAllowed ? null : `timestamp ${timestampMs} lies outside message.timestamp.before.max.ms and after.max.ms`
  })
  return errors.length === 0 ? null : refuse(ErrorCode.INVALID_TIMESTAMP, errors[0]?.message ?? '', errors)
}

function recordErrors(
  batches: Buffer,
  header: BatchHeader,
  options: CheckOptions,
  problemOf: (record: { key: Buffer | null; timestampMs: number }) => string | null,
): RecordError[] {
  const errors: RecordError[] = []
  let batchIndex = 0
  for (const record of recordsIn(batches, 0, header, options.unpackedBytesMax)) {
    const message = problemOf(record)
    if (message !== null) errors.push({ batchIndex, message })
    if (errors.length === recordErrorsMax) break
    batchIndex++
  }
  return errors
}

/** The batch in the topic's codec: as it came unless the topic names another. */
function recompressed(batches: Buffer, header: BatchHeader, options: CheckOptions): Buffer {
  const { compressionType, compressionLevel } = options.config
  if (compressionType === 'producer') return batches
  const wanted = compressionFromName(compressionType === 'uncompressed' ? 'none' : compressionType)
  if (wanted === null || wanted === compressionOf(header)) return batches
  return encodeBatch({
    records: [...recordsIn(batches, 0, header, options.unpackedBytesMax)],
    compression: wanted,
    compressionLevel,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    isTransactional: isTransactional(header),
    lastOffsetDelta: header.lastOffsetDelta,
  })
}

function finish(bytes: Buffer, facts: RecordsFacts, { config, nowMs }: CheckOptions): CheckedBatch {
  let header = readBatchHeader(bytes, 0)
  if (config.usesLogAppendTime) {
    patchLogAppendTime(bytes, 0, nowMs)
    header = readBatchHeader(bytes, 0)
  } else if (header.maxTimestamp !== facts.maxTimestampMs) {
    // The time index trusts this field, so a wrong one is put right.
    writeInt64At(bytes, maxTimestampPosition, facts.maxTimestampMs)
    patchCrc(bytes, 0)
    header = readBatchHeader(bytes, 0)
  }
  if (bytes.length > config.maxMessageBytes) {
    const message = `${bytes.length} bytes after recompression, max.message.bytes is ${config.maxMessageBytes}`
    return { refusal: refuse(ErrorCode.MESSAGE_TOO_LARGE, message) }
  }
  return { refusal: null, header, bytes, logAppendTimeMs: config.usesLogAppendTime ? nowMs : -1 }
}

export function refuse(errorCode: ErrorCode, message: string, errors: readonly RecordError[] = []): Refusal {
  return { errorCode, message, recordErrors: errors }
}

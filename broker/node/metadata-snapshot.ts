/**
 * Snapshot files of the metadata log, in Kafka's format: control batches with header, kraft version and voters, batches of
 * metadata records, and a control batch with the footer. A file without a footer was cut short and is refused.
 *
 * `bootstrap.checkpoint`, written when a folder is formatted, is one too: what a new cluster starts with.
 */
import {
  controlRecordKey,
  ControlRecordType,
  kRaftVersionRecord,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
} from '../api/control-records.schema.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from '../cluster/metadata-records.ts'
import { KRAFT_VERSION_LEVEL } from '../cluster/features.ts'
import type { SnapshotId, VoterSet } from '../quorum/types.ts'
import { decodeMessage, decodePrefixed, encodePrefixed, encodeToBuffer } from '../wire/codec.ts'
import { batchCrcIsValid, batchesIn, encodeBatch, isControl, recordsIn, type RecordToEncode } from '../wire/record-batch.ts'

export interface Snapshot {
  /** Null where the file does not name them. */
  readonly voters: VoterSet | null
  readonly records: readonly MetadataRecord[]
}

export interface SnapshotContent {
  readonly voters: VoterSet | null
  readonly records: Iterable<MetadataRecord>
}

const RECORDS_PER_BATCH = 1_000

/** `<20 digits offset>-<10 digits epoch>.checkpoint`: contains everything below the offset. */
export function snapshotFileName({ endOffset, epoch }: SnapshotId): string {
  return `${String(endOffset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
}

/** Null for a name that is no snapshot's. */
export function snapshotIdOf(fileName: string): SnapshotId | null {
  const match = /^(\d{20})-(\d{10})\.checkpoint$/.exec(fileName)
  return match === null ? null : { endOffset: Number(match[1]), epoch: Number(match[2]) }
}

export function encodeSnapshot(snapshot: SnapshotContent, timestampMs: number): Buffer {
  return Buffer.concat([...snapshotBatches(snapshot, timestampMs)])
}

/** The file's batches one by one, so that a large image need not be encoded in one go. */
export function* snapshotBatches(snapshot: SnapshotContent, timestampMs: number): Generator<Buffer> {
  const control = (type: ControlRecordType, value: Buffer): RecordToEncode => ({
    timestampMs,
    key: encodePrefixed(controlRecordKey, 0, { type }),
    value,
  })
  const head = [
    control(
      ControlRecordType.SNAPSHOT_HEADER,
      encodeToBuffer(snapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp: timestampMs }),
    ),
  ]
  if (snapshot.voters !== null) {
    head.push(
      control(ControlRecordType.KRAFT_VERSION, encodeToBuffer(kRaftVersionRecord, 0, { version: 0, kRaftVersion: KRAFT_VERSION_LEVEL })),
    )
    head.push(control(ControlRecordType.VOTERS, encodeVoters(snapshot.voters)))
  }
  const foot = [control(ControlRecordType.SNAPSHOT_FOOTER, encodeToBuffer(snapshotFooterRecord, 0, { version: 0 }))]
  let baseOffset = 0
  const batch = (records: readonly RecordToEncode[], isControlBatch: boolean): Buffer => {
    const encoded = encodeBatch({ records, baseOffset, partitionLeaderEpoch: 0, isControl: isControlBatch })
    baseOffset += records.length
    return encoded
  }
  yield batch(head, true)
  let part: RecordToEncode[] = []
  for (const record of snapshot.records) {
    part.push({ timestampMs, key: null, value: encodeMetadataRecord(record) })
    if (part.length < RECORDS_PER_BATCH) continue
    yield batch(part, false)
    part = []
  }
  if (part.length > 0) yield batch(part, false)
  yield batch(foot, true)
}

/** Throws for a file that is damaged or incomplete; `path` is for the message. */
export function decodeSnapshot(path: string, content: Buffer): Snapshot {
  let voters: VoterSet | null = null
  let isComplete = false
  const records: MetadataRecord[] = []
  for (const { header, position } of batchesIn(content)) {
    if (!batchCrcIsValid(content, position, header))
      throw new Error(`${path} is damaged: the checksum of its batch at ${position} is wrong`)
    for (const { key, value } of recordsIn(content, position, header)) {
      if (value === null) throw new Error(`${path} is damaged: a record without a value`)
      if (!isControl(header)) {
        records.push(decodeMetadataRecord(value))
        continue
      }
      const type = key === null ? -1 : decodePrefixed(controlRecordKey, key).value.type
      if (type === ControlRecordType.VOTERS) voters = decodeVoters(value)
      if (type === ControlRecordType.SNAPSHOT_FOOTER) isComplete = true
    }
  }
  if (!isComplete) throw new Error(`${path} is incomplete: its footer is missing`)
  return { voters, records }
}

function encodeVoters(voters: VoterSet): Buffer {
  const kRaftVersionFeature = { minSupportedVersion: 0, maxSupportedVersion: KRAFT_VERSION_LEVEL }
  // Where a voter listens changes with every run and is no part of who it is.
  const entries = voters.map(({ id, directoryId }) => ({ voterId: id, voterDirectoryId: directoryId, endpoints: [], kRaftVersionFeature }))
  return encodeToBuffer(votersRecord, 0, { version: 0, voters: entries })
}

function decodeVoters(value: Buffer): VoterSet {
  return decodeMessage(votersRecord, 0, value).voters.map(({ voterId, voterDirectoryId }) => ({
    id: voterId,
    directoryId: voterDirectoryId,
  }))
}

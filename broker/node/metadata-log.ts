/**
 * The metadata log of this node on top of its partition log: what the quorum asks of it, and the records in it.
 *
 * Owns: when it is flushed. Appends are gathered and synced one round at a time; a record counts as stored from the round
 * that covered it. A disk that fails ends this node's part in the quorum (`onFailed`), since it can vouch for nothing more.
 */
import { controlRecordKey, ControlRecordType, leaderChangeMessage } from '../api/control-records.schema.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from '../cluster/metadata-records.ts'
import type { Env } from '../env/types.ts'
import { parseTopicConfig, type LogConfig } from '../log/topic-config.ts'
import type { PartitionLog } from '../log/types.ts'
import type { LogFacts, SnapshotId, VoterSet } from '../quorum/types.ts'
import { encodePrefixed, encodeToBuffer } from '../wire/codec.ts'
import { ErrorCode, errorName } from '../wire/errors.ts'
import { batchesIn, encodeBatch, isControl, lastOffset, recordsIn } from '../wire/record-batch.ts'

/** Nothing is ever removed by age or size: the log shrinks behind snapshots only. */
export const metadataLogConfig: LogConfig = parseTopicConfig([
  ['retention.ms', '-1'],
  ['retention.bytes', '-1'],
  ['max.message.bytes', String(256 * 1024 * 1024)],
  // What a snapshot covers goes a segment at a time.
  ['segment.bytes', String(8 * 1024 * 1024)],
]).config

/** Read from disk at once when applying. */
const READ_BYTES = 4 * 1024 * 1024

export interface MetadataBatch {
  readonly lastOffset: number
  readonly epoch: number
  readonly sizeBytes: number
  /** Empty for a control batch. */
  readonly records: readonly MetadataRecord[]
}

export interface AppendedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
}

export class MetadataLog {
  readonly #env: Env
  readonly #log: PartitionLog
  readonly #onFailed: (reason: string) => void
  #flushedOffset: number
  #flushing: Promise<void> | null = null
  #flushListeners: (() => void)[] = []
  /** Ascending. */
  #snapshots: readonly SnapshotId[] = []
  /** Called when appended records have reached the operating system and may be fetched. */
  onWritten: () => void = () => undefined

  constructor(env: Env, log: PartitionLog, onFailed: (reason: string) => void) {
    this.#env = env
    this.#log = log
    this.#onFailed = onFailed
    this.#flushedOffset = log.recoveryPoint
  }

  get directory(): string {
    return this.#log.directory
  }

  get endOffset(): number {
    return this.#log.logEndOffset
  }

  get startOffset(): number {
    return this.#log.logStartOffset
  }

  get writtenOffset(): number {
    return this.#log.writtenEndOffset
  }

  get flushedOffset(): number {
    return this.#flushedOffset
  }

  /** A view for one step of the quorum; it reads the log as it is when asked. */
  get facts(): LogFacts {
    const log = this.#log
    const latest = this.#snapshots.at(-1) ?? null
    return {
      endOffset: log.logEndOffset,
      startOffset: log.logStartOffset,
      flushedOffset: this.#flushedOffset,
      lastEpoch: log.latestEpoch === -1 ? (latest?.epoch ?? 0) : log.latestEpoch,
      latestSnapshot: latest,
      endOffsetForEpoch: (epoch) => {
        // Where the log begins behind a snapshot, that says how the epochs before it end; of those before its own nothing is left
        // to compare with, and the log's start would be too high an end for them.
        const before = this.#snapshots.find(({ endOffset }) => endOffset === log.logStartOffset)
        if (before !== undefined && epoch < before.epoch) return null
        const end = log.endOffsetForEpoch(epoch)
        return end.leaderEpoch === -1 ? (before ?? null) : { epoch: end.leaderEpoch, endOffset: end.endOffset }
      },
    }
  }

  /** Snapshots there are from now on. Records that all of them contain are given up. */
  setSnapshots(ascending: readonly SnapshotId[]): void {
    this.#snapshots = ascending
    const [oldest] = ascending
    if (oldest !== undefined) this.#check(this.#log.deleteRecordsBefore(oldest.endOffset))
  }

  // ----------------------------------------------------------------------------------------------------------- appending

  appendRecords(records: readonly MetadataRecord[], leaderEpoch: number): AppendedBatch {
    const timestampMs = this.#env.clock.nowMs()
    const batch = encodeBatch({ records: records.map((record) => ({ timestampMs, key: null, value: encodeMetadataRecord(record) })) })
    return this.#append(batch, leaderEpoch, 'coordinator')
  }

  appendLeaderChange(leader: {
    readonly leaderId: number
    readonly epoch: number
    readonly voters: VoterSet
    readonly grantingVoters: readonly number[]
  }): AppendedBatch {
    const voters = leader.voters.map(({ id, directoryId }) => ({ voterId: id, voterDirectoryId: directoryId }))
    const grantingVoters = voters.filter(({ voterId }) => leader.grantingVoters.includes(voterId))
    // The version that goes with kraft.version 0, and the only one that kafka-dump-log reads.
    const value = encodeToBuffer(leaderChangeMessage, 0, { version: 0, leaderId: leader.leaderId, voters, grantingVoters })
    const key = encodePrefixed(controlRecordKey, 0, { type: ControlRecordType.LEADER_CHANGE })
    const batch = encodeBatch({ records: [{ timestampMs: this.#env.clock.nowMs(), key, value }], isControl: true })
    return this.#append(batch, leader.epoch, 'coordinator')
  }

  /** Batches as the leader sent them. Resolves once they are handed to the operating system. */
  async appendFetched(batches: Buffer): Promise<void> {
    let leaderEpoch = 0
    for (const { header } of batchesIn(batches)) leaderEpoch = header.partitionLeaderEpoch
    const { written } = this.#appendRaw(batches, leaderEpoch, 'replication')
    this.#check(await written)
  }

  #append(batch: Buffer, leaderEpoch: number, origin: 'coordinator'): AppendedBatch {
    const result = this.#appendRaw(batch, leaderEpoch, origin)
    void result.written.then((error) => {
      if (error !== ErrorCode.NONE) this.#onFailed(`the metadata log cannot be written: ${errorName(error)}`)
      else this.onWritten()
    })
    return { baseOffset: result.baseOffset, lastOffset: result.lastOffset }
  }

  #appendRaw(batches: Buffer, leaderEpoch: number, origin: 'coordinator' | 'replication') {
    const result = this.#log.append(batches, { leaderEpoch, origin })
    if (result.errorCode !== ErrorCode.NONE) {
      const reason = `the metadata log refuses a batch: ${result.errorMessage ?? errorName(result.errorCode)}`
      this.#onFailed(reason)
      throw new Error(reason)
    }
    return result
  }

  // ------------------------------------------------------------------------------------------------------------ flushing

  /** Calls `done` once everything appended so far is on stable storage. Rounds run one at a time and cover all that waits. */
  flushSoon(done: () => void): void {
    this.#flushListeners.push(done)
    if (this.#flushing !== null) return
    this.#flushing = new Promise<void>((resolve) => this.#env.scheduler.afterTurn(() => resolve(this.#flushRounds())))
  }

  async #flushRounds(): Promise<void> {
    while (this.#flushListeners.length > 0) {
      const covered = this.#flushListeners
      this.#flushListeners = []
      try {
        await this.flush()
      } catch {
        // Reported where it was found; nothing waits here that may count as stored.
        return
      }
      for (const done of covered) done()
    }
    this.#flushing = null
  }

  async flush(): Promise<void> {
    const endOffset = this.#log.logEndOffset
    this.#check(await this.#log.flush())
    // A cut in between may have taken some of it away again.
    this.#flushedOffset = Math.max(this.#flushedOffset, Math.min(endOffset, this.#log.logEndOffset))
  }

  async truncateTo(offset: number): Promise<void> {
    await this.#flushing
    this.#flushedOffset = Math.min(this.#flushedOffset, offset)
    this.#check(await this.#log.truncateTo(offset))
  }

  async restartAt(offset: number): Promise<void> {
    await this.#flushing
    this.#check(await this.#log.truncateFullyAndStartAt(offset))
    this.#flushedOffset = offset
  }

  setHighWatermark(offset: number): void {
    this.#log.setHighWatermark(Math.min(offset, this.#log.logEndOffset))
  }

  // ------------------------------------------------------------------------------------------------------------- reading

  /** Whole batches from `fromOffset` for a follower, the first one however large. */
  async readForFollower(fromOffset: number, maxBytes: number): Promise<Buffer> {
    // Cut off meanwhile; the next fetch is told of the snapshot.
    if (fromOffset < this.#log.logStartOffset) return Buffer.alloc(0)
    const request = { fromOffset, maxBytes, upToOffset: this.#log.writtenEndOffset, atLeastOneBatch: true }
    const result = this.#log.readCached(request) ?? (await this.#log.read(request))
    this.#check(result.errorCode)
    const [only, ...more] = result.records
    return only === undefined ? Buffer.alloc(0) : more.length === 0 ? only : Buffer.concat(result.records)
  }

  /** The batches in [fromOffset, upToOffset), a part of the log at a time. */
  async *batches(fromOffset: number, upToOffset: number): AsyncGenerator<readonly MetadataBatch[]> {
    let offset = fromOffset
    while (offset < upToOffset) {
      const request = { fromOffset: offset, maxBytes: READ_BYTES, upToOffset, atLeastOneBatch: true }
      const result = this.#log.readCached(request) ?? (await this.#log.read(request))
      this.#check(result.errorCode)
      const batches = result.records.flatMap((buffer) => [...decodeBatches(buffer)]).filter((batch) => batch.lastOffset >= offset)
      if (batches.length === 0) throw new Error(`the metadata log has nothing at ${offset}, below its committed end ${upToOffset}`)
      yield batches
      offset = result.nextOffset
    }
  }

  #check(errorCode: ErrorCode): void {
    if (errorCode === ErrorCode.NONE) return
    const reason = `the metadata log in ${this.#log.directory} failed: ${errorName(errorCode)}`
    this.#onFailed(reason)
    throw new Error(reason)
  }
}

/** The records of each batch; control batches come without any. */
export function* decodeBatches(buffer: Buffer): Generator<MetadataBatch> {
  for (const { header, position } of batchesIn(buffer)) {
    const records: MetadataRecord[] = []
    if (!isControl(header)) {
      for (const { value, offset } of recordsIn(buffer, position, header)) {
        if (value === null) throw new Error(`the metadata record at ${offset} has no value`)
        records.push(decodeMetadataRecord(value))
      }
    }
    yield { lastOffset: lastOffset(header), epoch: header.partitionLeaderEpoch, sizeBytes: header.batchBytes, records }
  }
}

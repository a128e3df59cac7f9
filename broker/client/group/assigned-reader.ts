import type { CallOptions, TopicPartition } from '../basic-types.ts'
import { cursorKey } from '../consume/partition-cursor.ts'
import { PartitionReader } from '../consume/reader.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { GroupConsumerOptions, PartitionRecords } from '../group-types.ts'
import type { MemberPosition } from './committed-offsets.ts'
import type { ConsumedRecord, ReaderOptions, RecordChunk } from '../reader-types.ts'

interface Opened {
  readonly chunk: RecordChunk
  readonly records: Iterator<ConsumedRecord>
  readonly key: string
}

/**
 * Reads what a member is assigned, handing out a bounded number of records at a time.
 *
 * Invariant: the position of a partition is behind the last record handed out, never behind one merely fetched; it is
 * what a commit names. A new assignment starts a new reader from the positions; what was fetched ahead is dropped.
 */
export class AssignedReader {
  readonly #core: ClientCore
  readonly #settings: Omit<ReaderOptions, 'partitions'>
  readonly #recordsMax: number
  readonly #onWarning: (error: ClientError) => void
  readonly #lane: string
  readonly #positions = new Map<string, TopicPartition & { offset: number | null; leaderEpoch: number; topicId: string | null }>()
  readonly #paused = new Map<string, TopicPartition>()
  #reader: PartitionReader | null = null
  #opened: Opened[] = []

  constructor(core: ClientCore, options: GroupConsumerOptions, lane: string, onWarning: (error: ClientError) => void) {
    const { isolation, maxWaitMs, maxBytes, partitionBytesMax, startWithoutCommit, pollRecordsMax } = options
    this.#core = core
    this.#lane = lane
    this.#onWarning = onWarning
    this.#recordsMax = pollRecordsMax ?? 500
    this.#settings = {
      onOutOfRange: startWithoutCommit ?? 'latest',
      ...(isolation && { isolation }),
      ...(maxWaitMs && { maxWaitMs }),
      ...(maxBytes && { maxBytes }),
      ...(partitionBytesMax && { partitionBytesMax }),
    }
  }

  get partitions(): readonly TopicPartition[] {
    return Array.from(this.#positions.values(), ({ topic, partition }) => ({ topic, partition }))
  }

  /** What has been handed out so far, to be committed; partitions of which nothing is known yet are left out. */
  positions(): (TopicPartition & MemberPosition)[] {
    return [...this.#positions.values()].flatMap((position) => {
      const { offset } = position
      return offset === null ? [] : [{ ...position, offset }]
    })
  }

  /** Of the last record handed out; -1 where unknown. */
  leaderEpochOf(partition: TopicPartition): number {
    return this.#positions.get(cursorKey(partition))?.leaderEpoch ?? -1
  }

  owns(partition: TopicPartition): boolean {
    return this.#positions.has(cursorKey(partition))
  }

  /** Reads these from now on: those already read go on where they are, new ones begin where `positionOf` says, or as `startWithoutCommit` says. */
  assign(partitions: readonly TopicPartition[], positionOf: (partition: TopicPartition) => MemberPosition | null): void {
    const kept = new Map(this.#positions)
    this.#positions.clear()
    for (const partition of partitions) {
      const key = cursorKey(partition)
      const { offset, leaderEpoch, topicId } = kept.get(key) ?? positionOf(partition) ?? { offset: null, leaderEpoch: -1, topicId: null }
      this.#positions.set(key, { topic: partition.topic, partition: partition.partition, offset, leaderEpoch, topicId })
    }
    for (const key of this.#paused.keys()) if (!this.#positions.has(key)) this.#paused.delete(key)
    this.#restart()
  }

  seek(partition: TopicPartition, offset: number): void {
    const position = this.#positions.get(cursorKey(partition))
    if (position === undefined)
      throw new ClientError('INVALID_ARGUMENT', `${partition.topic}-${partition.partition} is not assigned to this consumer.`)
    position.offset = offset
    position.leaderEpoch = -1
    this.#opened = this.#opened.filter(({ key }) => key !== cursorKey(partition))
    this.#reader?.seek(partition, { offset })
  }

  pause(partitions: readonly TopicPartition[]): void {
    const own = partitions.filter((partition) => this.owns(partition))
    for (const partition of own) this.#paused.set(cursorKey(partition), partition)
    this.#reader?.pause(own)
  }

  resume(partitions: readonly TopicPartition[]): void {
    const own = partitions.filter((partition) => this.owns(partition))
    for (const partition of own) this.#paused.delete(cursorKey(partition))
    this.#reader?.resume(own)
  }

  /** Up to the bound of records; an empty list when nothing came within `maxWaitMs`. */
  async read(options: CallOptions): Promise<PartitionRecords[]> {
    const reader = this.#reader
    if (reader === null) return []
    if (!this.#opened.some(({ key }) => !this.#paused.has(key))) {
      for (const chunk of (await reader.read(options)) ?? []) this.#open(chunk)
      if (this.#reader !== reader) return []
    }
    return this.#take()
  }

  /** Reads no more; the positions stay, for the last commit. */
  async stop(): Promise<void> {
    const reader = this.#reader
    this.#reader = null
    this.#opened = []
    await reader?.close()
  }

  clear(): void {
    this.#positions.clear()
    this.#paused.clear()
  }

  #restart(): void {
    void this.#reader?.close()
    this.#opened = []
    const start = this.#settings.onOutOfRange === 'earliest' ? 'earliest' : 'latest'
    const partitions = Array.from(this.#positions.values(), ({ topic, partition, offset, leaderEpoch, topicId }) => ({
      topic,
      partition,
      from: offset === null ? start : { offset, leaderEpoch, topicId },
    })) satisfies ReaderOptions['partitions']
    this.#reader = partitions.length === 0 ? null : new PartitionReader(this.#core, { ...this.#settings, partitions }, this.#lane)
    this.#reader?.pause([...this.#paused.values()])
  }

  #open(chunk: RecordChunk): void {
    if (chunk.error !== null) this.#onWarning(chunk.error)
    this.#opened.push({ chunk, records: chunk[Symbol.iterator](), key: cursorKey(chunk) })
  }

  #take(): PartitionRecords[] {
    const taken: PartitionRecords[] = []
    let remaining = this.#recordsMax
    const left: Opened[] = []
    for (const opened of this.#opened) {
      if (remaining <= 0 || this.#paused.has(opened.key)) {
        left.push(opened)
        continue
      }
      const records: ConsumedRecord[] = []
      const isFinished = fill(records, opened.records, remaining)
      remaining -= records.length
      if (!isFinished) left.push(opened)
      else
        for (const { firstOffset, lastOffset, reason } of opened.chunk.corrupt)
          this.#onWarning(corruptError(opened.chunk, firstOffset, lastOffset, reason))
      const nextOffset = isFinished ? opened.chunk.nextOffset : (records.at(-1) as ConsumedRecord).offset + 1
      this.#advance(opened, nextOffset)
      const { topic, partition, highWatermark } = opened.chunk
      if (records.length > 0) taken.push({ topic, partition, records, nextOffset, highWatermark })
    }
    this.#opened = left
    return taken
  }

  #advance({ chunk, key }: Opened, nextOffset: number): void {
    const position = this.#positions.get(key)
    // A chunk that only brings an error says nothing of positions.
    if (position === undefined || (chunk.error !== null && chunk.batchBytes === 0)) return
    position.offset = nextOffset
    position.leaderEpoch = chunk.lastLeaderEpoch
    position.topicId = chunk.topicId
  }
}

/** Whether the iterator has ended before the bound. */
function fill(records: ConsumedRecord[], from: Iterator<ConsumedRecord>, recordsMax: number): boolean {
  while (records.length < recordsMax) {
    const next = from.next()
    if (next.done) return true
    records.push(next.value)
  }
  return false
}

function corruptError({ topic, partition }: TopicPartition, firstOffset: number, lastOffset: number, reason: string): ClientError {
  return new ClientError(
    'CORRUPT_BATCH',
    `${topic}-${partition}: offsets ${firstOffset} to ${lastOffset} cannot be read and were passed over (${reason}).`,
  )
}

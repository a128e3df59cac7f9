/**
 * Reads partitions from positions: a fetch per leader is kept under way while its partitions have nothing waiting.
 *
 * Invariant: of each partition at most one chunk waits and no fetch is under way meanwhile, so memory is bounded by one
 * reply per leader however slowly chunks are taken. A leader that does not answer holds up its own partitions only.
 *
 * A broker that has not heard that it was replaced may lack what its successor took. So a leader is asked in the epoch it is
 * known to lead in, and one of an earlier epoch than that of the record before a position cannot call it out of range (KIP-320).
 */
import type { Timer } from '../../env/types.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { CallOptions, TopicPartition } from '../basic-types.ts'
import type { Call } from '../call.ts'
import type { ClientCore } from '../core.ts'
import { ClientError } from '../error.ts'
import type { FetchedPartition, ReaderOptions, ReaderPosition, RecordChunk, RecordReader, StartPosition } from '../reader-types.ts'
import { fetchFrom } from './fetch-batches.ts'
import { failedPartition, isStaleMetadata } from './fetch-codec.ts'
import { cursorKey, openCursor } from './partition-cursor.ts'
import type { PartitionCursor } from './partition-cursor.ts'
import { FetchedChunk } from './record-chunk.ts'
import { resolvePositions } from './start-positions.ts'

const DEFAULTS = {
  isolation: 'read_uncommitted',
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 8 * 1024 * 1024,
  partitionBytesMax: 1024 * 1024,
  decompressedBytesMax: 128 * 1024 * 1024,
  onOutOfRange: 'earliest',
} as const

type Settings = Required<Omit<ReaderOptions, 'partitions'>>

export class PartitionReader implements RecordReader {
  readonly #core: ClientCore
  readonly #settings: Settings
  readonly #cursors: Map<string, PartitionCursor>
  readonly #lane: string
  readonly #ownsLane: boolean
  readonly #abort = new AbortController()
  readonly #forgetClose: () => void
  /** Leaders with a fetch under way. */
  readonly #fetching = new Set<number>()
  #chunks: FetchedChunk[] = []
  #wake: (() => void) | null = null

  /** A lane given stays the giver's; without one the reader has its own. */
  constructor(core: ClientCore, options: ReaderOptions, lane?: string) {
    this.#core = core
    const { partitions, ...settings } = options
    this.#settings = { ...DEFAULTS, ...settings }
    this.#cursors = new Map(
      partitions.map((partition) => [cursorKey(partition), openCursor(partition, partition.from, partition.upTo ?? null)]),
    )
    this.#lane = lane ?? core.openLane('read')
    this.#ownsLane = lane === undefined
    this.#forgetClose = core.onClose(() => this.close())
  }

  async read(options: CallOptions = {}): Promise<RecordChunk[] | null> {
    this.#checkOpen()
    const call = this.#core.call('Reading', options)
    if (this.#chunks.length === 0) {
      if (this.#isDone) return null
      await this.#news(call)
      if (this.#chunks.length === 0 && this.#isDone) return null
    }
    const chunks = this.#take()
    // The next fetches travel while the caller works on these.
    if (chunks.length > 0) this.#advance(call).catch(() => undefined)
    return chunks
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RecordChunk, void, undefined> {
    try {
      for (let chunks = await this.read(); chunks !== null; chunks = await this.read()) yield* chunks
    } finally {
      await this.close()
    }
  }

  positions(): readonly ReaderPosition[] {
    return Array.from(this.#cursors.values())
      .filter((cursor) => cursor.offset !== null)
      .map((cursor) => ({
        topic: cursor.topic,
        partition: cursor.partition,
        offset: cursor.offset as number,
        upTo: cursor.upTo as number | null,
        highWatermark: cursor.highWatermark,
        isDone: cursor.state === 'done',
      }))
  }

  seek(partition: TopicPartition, position: StartPosition): void {
    const cursor = this.#cursor(partition)
    cursor.generation++
    cursor.from = position
    cursor.offset = null
    cursor.offsetEpoch = -1
    cursor.state = 'unresolved'
    cursor.retryAtMs = 0
    this.#chunks = this.#chunks.filter((chunk) => cursorKey(chunk) !== cursorKey(partition))
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#cursor(partition).isPaused = true
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#cursor(partition).isPaused = false
  }

  async close(): Promise<void> {
    if (this.#abort.signal.aborted) return
    this.#abort.abort()
    this.#forgetClose()
    this.#chunks = []
    if (this.#ownsLane) this.#core.closeLane(this.#lane)
    this.#wake?.()
  }

  get #isDone(): boolean {
    for (const cursor of this.#cursors.values()) if (cursor.state !== 'done') return false
    return true
  }

  #cursor(partition: TopicPartition): PartitionCursor {
    const cursor = this.#cursors.get(cursorKey(partition))
    if (cursor === undefined)
      throw new ClientError('INVALID_ARGUMENT', `This reader does not read ${partition.topic}-${partition.partition}.`)
    return cursor
  }

  #checkOpen(): void {
    if (this.#abort.signal.aborted) throw new ClientError('CLOSED', 'The reader was closed.')
  }

  // ----------------------------------------------------------------------------------------------------- start positions

  /** Sends what can be sent: questions for start positions, then fetches, each leader by itself. */
  async #advance(call: Call): Promise<void> {
    const nowMs = this.#core.env.clock.monotonicMs()
    const due = [...this.#cursors.values()].filter(
      (cursor) => cursor.retryAtMs <= nowMs && (cursor.state === 'unresolved' || (cursor.state === 'idle' && !cursor.isPaused)),
    )
    if (due.length === 0) return
    await this.#core.cache.ensure([...new Set(due.map(({ topic }) => topic))], call)
    const byLeader = new Map<number, PartitionCursor[]>()
    for (const cursor of due) {
      try {
        const { leader, leaderEpoch } = await this.#core.leadershipOf(cursor.topic, cursor.partition, call)
        if (cursor.state === 'idle') this.#noteLeadership(cursor, leaderEpoch)
        const list = byLeader.get(leader)
        if (list === undefined) byLeader.set(leader, [cursor])
        else list.push(cursor)
      } catch (error) {
        this.#fail(cursor, ClientError.from(error))
      }
    }
    if (this.#abort.signal.aborted) return
    for (const [leader, cursors] of byLeader) {
      // States may have changed while leaders were looked up.
      const unresolved = cursors.filter((cursor) => cursor.state === 'unresolved')
      const idle = cursors.filter((cursor) => cursor.state === 'idle')
      if (unresolved.length > 0) void this.#resolve(unresolved)
      // While a fetch is under way the others wait for it: they then go together.
      if (idle.length > 0 && !this.#fetching.has(leader)) void this.#fetch(leader, idle)
    }
  }

  #noteLeadership(cursor: PartitionCursor, leaderEpoch: number): void {
    const topicId = this.#core.cache.topic(cursor.topic)?.topicId ?? cursor.topicId
    if (cursor.topicId !== null && cursor.topicId !== topicId) cursor.offsetEpoch = -1
    cursor.topicId = topicId
    cursor.leaderEpoch = leaderEpoch
  }

  async #resolve(cursors: readonly PartitionCursor[]): Promise<void> {
    const generations = cursors.map((cursor) => cursor.generation)
    for (const cursor of cursors) cursor.state = 'resolving'
    const call = this.#core.call('Finding where to start', { signal: this.#abort.signal })
    const resolved = await resolvePositions(this.#core, cursors, this.#settings.isolation, call).catch((error: unknown) => {
      const failure = ClientError.from(error)
      return cursors.map(() => failure)
    })
    if (this.#abort.signal.aborted) return
    cursors.forEach((cursor, index) => {
      const result = resolved[index] as (typeof resolved)[number]
      if (cursor.generation !== generations[index]) return
      if (result instanceof ClientError) {
        cursor.state = 'unresolved'
        this.#fail(cursor, result)
        return
      }
      cursor.offset = result.offset
      cursor.offsetEpoch = result.leaderEpoch
      cursor.topicId = result.topicId
      cursor.upTo = result.upTo
      cursor.state = result.upTo !== null && result.offset >= result.upTo ? 'done' : 'idle'
    })
    this.#wake?.()
  }

  // ------------------------------------------------------------------------------------------------------------- fetching

  async #fetch(leader: number, cursors: readonly PartitionCursor[]): Promise<void> {
    const generations = cursors.map((cursor) => cursor.generation)
    for (const cursor of cursors) cursor.state = 'fetching'
    this.#fetching.add(leader)
    const { maxWaitMs, minBytes, maxBytes, partitionBytesMax, isolation } = this.#settings
    const positions = rotated(cursors, this.#core.env.random.below(cursors.length)).map(({ topic, partition, offset, leaderEpoch }) => ({
      topic,
      partition,
      fetchOffset: offset as number,
      currentLeaderEpoch: leaderEpoch,
      partitionBytesMax,
    }))
    const sentMs = this.#core.env.clock.monotonicMs()
    const timeoutMs = this.#core.options.requestTimeoutMs + maxWaitMs
    const call = this.#core.call('Fetching', { timeoutMs, signal: this.#abort.signal })
    const fetched = await fetchFrom(this.#core, leader, positions, { maxWaitMs, minBytes, maxBytes, isolation, lane: this.#lane }, call)
    this.#fetching.delete(leader)
    if (this.#abort.signal.aborted) return
    const byKey = new Map(fetched.map((partition) => [cursorKey(partition), partition]))
    cursors.forEach((cursor, index) => {
      if (cursor.generation !== generations[index]) return
      cursor.state = 'idle'
      this.#receive(cursor, byKey.get(cursorKey(cursor)) as FetchedPartition)
    })
    const nowMs = this.#core.env.clock.monotonicMs()
    const hasNews = fetched.some(({ records, error }) => records.length > 0 || error !== null)
    // A broker that does not wait for records must not be asked without pause.
    if (!hasNews && nowMs - sentMs < maxWaitMs / 2)
      for (const cursor of cursors) cursor.retryAtMs = nowMs + this.#core.options.retryBackoffMs
    this.#wake?.()
  }

  #receive(cursor: PartitionCursor, fetched: FetchedPartition): void {
    if (fetched.error !== null) {
      if (fetched.error.kafkaError === ErrorCode.OFFSET_OUT_OF_RANGE) this.#onOutOfRange(cursor, fetched)
      else this.#fail(cursor, fetched.error)
      return
    }
    cursor.failureCount = 0
    cursor.highWatermark = fetched.highWatermark
    const chunk = this.#chunkOf(cursor, fetched)
    if (chunk.isEmpty) return
    if (chunk.error !== null) this.#delay(cursor)
    this.#chunks.push(chunk)
    cursor.offset = chunk.nextOffset
    cursor.offsetEpoch = Math.max(cursor.offsetEpoch, chunk.lastLeaderEpoch)
    // The chunk waits; no fetch goes out for the partition before it is taken.
    cursor.state = 'fetching'
  }

  #onOutOfRange(cursor: PartitionCursor, fetched: FetchedPartition): void {
    const { topic, partition, offset, leaderEpoch, offsetEpoch } = cursor
    if (leaderEpoch >= 0 && leaderEpoch < offsetEpoch) {
      this.#core.cache.forget(topic)
      const what = `Whoever still leads ${topic}-${partition} in epoch ${leaderEpoch} cannot know offset ${offset}, of epoch ${offsetEpoch}`
      this.#fail(cursor, ClientError.ofBroker(ErrorCode.UNKNOWN_LEADER_EPOCH, what, { api: 'Fetch' }))
      return
    }
    const reset = this.#settings.onOutOfRange
    if (reset === 'fail') {
      this.#chunks.push(this.#chunkOf(cursor, fetched))
      cursor.state = 'done'
      return
    }
    this.seek(cursor, reset)
  }

  /** Says what is wrong in a chunk of its own, and leaves the partition alone for a while. */
  #fail(cursor: PartitionCursor, error: ClientError): void {
    this.#delay(cursor)
    // A leader on the move is no news: the next attempt finds the new one.
    if (cursor.failureCount === 1 && isStaleMetadata(error.kafkaError)) return
    if (this.#chunks.some((chunk) => cursorKey(chunk) === cursorKey(cursor))) return
    this.#chunks.push(this.#chunkOf(cursor, failedPartition({ ...cursor, fetchOffset: cursor.offset ?? -1 }, error)))
  }

  #delay(cursor: PartitionCursor): void {
    cursor.retryAtMs = this.#core.env.clock.monotonicMs() + this.#core.retryDelayMs(cursor.failureCount)
    cursor.failureCount++
  }

  #chunkOf(cursor: PartitionCursor, fetched: FetchedPartition): FetchedChunk {
    return new FetchedChunk(fetched, {
      fromOffset: cursor.offset ?? fetched.fetchOffset,
      upTo: typeof cursor.upTo === 'number' ? cursor.upTo : null,
      decompressedBytesMax: this.#settings.decompressedBytesMax,
      topicId: cursor.topicId,
    })
  }

  // --------------------------------------------------------------------------------------------------------------- taking

  #take(): FetchedChunk[] {
    const chunks = this.#chunks
    this.#chunks = []
    for (const chunk of chunks) {
      const cursor = this.#cursors.get(cursorKey(chunk))
      if (cursor === undefined || cursor.state !== 'fetching') continue
      cursor.state = chunk.isLast ? 'done' : 'idle'
    }
    return chunks
  }

  /** Waits for a chunk, or `maxWaitMs`. Fetches that come back empty are sent again meanwhile. */
  async #news(call: Call): Promise<void> {
    const { clock } = this.#core.env
    const untilMs = clock.monotonicMs() + this.#settings.maxWaitMs
    for (;;) {
      await this.#advance(call)
      const remainingMs = untilMs - clock.monotonicMs()
      if (this.#chunks.length > 0 || this.#isDone || remainingMs <= 0) return
      await this.#woken(Math.min(remainingMs, this.#core.options.retryBackoffMs), call)
      this.#checkOpen()
      if (this.#chunks.length > 0) return
    }
  }

  async #woken(withinMs: number, call: Call): Promise<void> {
    let timer: Timer | undefined
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = this.#core.env.timers.after(withinMs, resolve)
    })
    try {
      await call.race(woken)
    } finally {
      this.#wake = null
      timer?.cancel()
    }
  }
}

/** Begins elsewhere each time: a broker fills its reply from the front. */
function rotated<T>(items: readonly T[], by: number): T[] {
  return [...items.slice(by), ...items.slice(0, by)]
}

/**
 * A query on its way through a topic: reads chunks of several partitions at a time, merges what they bring, and keeps the rows.
 *
 *   scanning -> paused:    as many rows as were asked for are there, and more may come     paused   -> scanning: more
 *   scanning -> done:      every partition has been read                                    scanning, paused -> cancelled: cancel
 *   scanning -> failed:    the rows no longer fit, or something broke                       any -> closed (gone): close
 */
import type { KafkaClient } from '../../client/types.ts'
import type { Problem } from '../../contract/errors.ts'
import type { QueryProgress } from '../../contract/messages.ts'
import type { Env } from '../../env/types.ts'
import { HostError, toProblem } from '../problem.ts'
import { createChanges, type Changes } from '../rpc/changes.ts'
import type { ResolvedQuery } from './engine-port.ts'
import { Merge } from './merge.ts'
import { PartitionScan } from './partition-scan.ts'
import { resolveRanges } from './range.ts'
import { RowStore, spillBytesMax, type NewRow } from './row-store.ts'
import { compileText } from './text-matcher.ts'
import { TimeHistogram } from './time-histogram.ts'

/** Chunks of one query in flight or in work. */
const readsMax = 4
/** Rows waiting for their turn in the merge; beyond it only partitions that hold others up are read on. */
const pendingRowsMax = 50_000
const backwardChunkOffsetsMin = 32

export interface MessageQueryOptions {
  readonly env: Env
  readonly client: KafkaClient
  readonly queryId: string
  readonly query: ResolvedQuery
  readonly spillPath: string
}

export class MessageQuery {
  readonly changes: Changes = createChanges()
  readonly histogram = new TimeHistogram()
  readonly query: ResolvedQuery
  readonly rows: RowStore
  lastUsedMs: number
  private readonly options: MessageQueryOptions
  private readonly ending = new AbortController()
  private scans: readonly PartitionScan[] = []
  private merge: Merge<PartitionScan>
  private state: QueryProgress['state'] = 'scanning'
  private problem: Problem | null = null
  private rowsWanted: number
  private readonly startedMs: number
  private workedMs = 0
  private runningSinceMs: number | null = null

  private constructor(options: MessageQueryOptions) {
    this.options = options
    this.query = options.query
    this.rows = new RowStore(options.env, options.spillPath)
    this.rowsWanted = options.query.rowsMax ?? Number.POSITIVE_INFINITY
    this.startedMs = options.env.clock.monotonicMs()
    this.lastUsedMs = this.startedMs
    this.merge = new Merge([], true)
  }

  /** Rejects when the topic or a partition is not there, or nothing answers. */
  static async open(options: MessageQueryOptions): Promise<MessageQuery> {
    const query = new MessageQuery(options)
    const ranges = await resolveRanges(options.client, options.query, query.ending.signal)
    query.prepare(ranges)
    query.run()
    return query
  }

  get topicScans(): readonly PartitionScan[] {
    return this.scans
  }

  progress(): QueryProgress {
    const nowMs = this.options.env.clock.monotonicMs()
    const elapsedMs = this.workedMs + (this.runningSinceMs === null ? 0 : nowMs - this.runningSinceMs)
    const sum = (pick: (scan: PartitionScan) => number): number => this.scans.reduce((total, scan) => total + pick(scan), 0)
    const scanned = sum((scan) => scan.scanned)
    return {
      queryId: this.options.queryId,
      state: this.state,
      problem: this.problem,
      scanned,
      matched: sum((scan) => scan.matched),
      remaining: sum((scan) => scan.remaining),
      bytes: sum((scan) => scan.bytes),
      elapsedMs: Math.round(elapsedMs),
      recordsPerSecond: elapsedMs < 1 ? 0 : Math.round((scanned * 1_000) / elapsedMs),
      rowCount: this.rows.rowCount,
      partitions: this.scans.map((scan) => ({
        partition: scan.partition,
        fromOffset: scan.fromOffset,
        toOffset: scan.toOffset,
        remaining: scan.remaining,
        scanned: scan.scanned,
        matched: scan.matched,
        bytes: scan.bytes,
        problem: scan.problem,
      })),
    }
  }

  /** Goes on after `paused`, for this many rows more. */
  more(rows: number | null): void {
    if (this.state !== 'paused') {
      throw new HostError('QUERY_INVALID', `The query is ${this.state}: there is nothing to go on with.`)
    }
    this.rowsWanted = rows === null ? Number.POSITIVE_INFINITY : this.rows.rowCount + rows
    this.state = 'scanning'
    this.changes.emit()
    this.run()
  }

  cancel(): void {
    if (this.state !== 'scanning' && this.state !== 'paused') return
    this.finish('cancelled')
  }

  async close(): Promise<void> {
    this.cancel()
    this.ending.abort()
    await this.rows.close()
  }

  private prepare(ranges: Awaited<ReturnType<typeof resolveRanges>>): void {
    const { query, client } = this.options
    const isBackward = query.order === 'newest-first'
    const matcher = query.text === null ? null : compileText(query.text)
    const span = query.start.at === 'range' ? { fromMs: query.start.fromMs, toMs: query.start.toMs } : everyTime
    const share = matcher === null && query.rowsMax !== null ? Math.ceil((query.rowsMax * 1.2) / Math.max(1, ranges.length)) : 2_000
    this.scans = ranges.map((range) => {
      const scan = new PartitionScan({
        client,
        topic: query.topic,
        ...range,
        isBackward,
        matcher,
        isCommittedOnly: query.isolation === 'read-committed',
        ...span,
        firstChunkOffsets: Math.max(backwardChunkOffsetsMin, Math.min(share, 10_000)),
        signal: this.ending.signal,
      })
      if (range.problem !== null) scan.fail(range.problem)
      return scan
    })
    this.merge = new Merge(this.scans, isBackward)
  }

  private run(): void {
    if (this.runningSinceMs !== null) return
    this.runningSinceMs = this.options.env.clock.monotonicMs()
    this.scan()
      .catch((error: unknown) => {
        this.problem = toProblem(error, this.query.topic)
        this.finish('failed')
      })
      .finally(() => {
        this.workedMs += this.options.env.clock.monotonicMs() - (this.runningSinceMs ?? 0)
        this.runningSinceMs = null
        this.changes.emit()
        // Asked for more in the moment between pausing and coming to rest.
        if (this.state === 'scanning') this.run()
      })
  }

  private async scan(): Promise<void> {
    const reading = new Map<PartitionScan, Promise<void>>()
    while (this.state === 'scanning') {
      await this.takeMerged()
      if (this.state !== 'scanning') break
      const pendingCount = this.scans.reduce((total, scan) => total + scan.pending.length, 0)
      for (const scan of this.merge.byNeed(this.scans)) {
        if (reading.size >= readsMax) break
        if (reading.has(scan) || (scan.pending.length > 0 && pendingCount > pendingRowsMax)) continue
        reading.set(
          scan,
          scan.readChunk().finally(() => reading.delete(scan)),
        )
      }
      if (reading.size === 0) {
        this.finish('done')
        break
      }
      await Promise.race(reading.values())
      this.changes.emit()
      await this.options.env.scheduler.yieldTurn()
    }
    await Promise.all(reading.values())
  }

  /** Moves rows whose place is certain from the partitions to the result. */
  private async takeMerged(): Promise<void> {
    let isFull = true
    while (isFull && this.state === 'scanning') {
      isFull = false
      this.merge.drain((row) => {
        if (isFull) return false
        if (this.rows.rowCount >= this.rowsWanted) {
          this.state = 'paused'
          return false
        }
        isFull = this.take(row)
        return true
      })
      if (isFull) await this.rows.spill()
      if (this.rows.bytes > spillBytesMax) this.overflow()
    }
    if (this.state === 'scanning' && this.rows.rowCount >= this.rowsWanted && this.hasMore()) this.state = 'paused'
  }

  private take(row: NewRow): boolean {
    this.histogram.add(row.timestampMs)
    return this.rows.append(row)
  }

  private hasMore(): boolean {
    return this.scans.some((scan) => !scan.isDone || scan.pending.length > 0)
  }

  private overflow(): void {
    this.problem = {
      code: 'QUERY_LIMIT',
      message: `The result is larger than ${spillBytesMax / 1024 ** 3} GiB; the first ${this.rows.rowCount} rows are kept.`,
      subject: this.query.topic,
      advice: 'Narrow the search: a time range, fewer partitions, or a longer text.',
      cause: null,
    }
    this.finish('failed')
  }

  private finish(state: 'done' | 'cancelled' | 'failed'): void {
    this.state = state
    if (state !== 'done') this.ending.abort()
    this.changes.emit()
  }
}

const everyTime = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }

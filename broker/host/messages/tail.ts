/**
 * Live records as they come. Reads only when the next batch is asked for, so a reader that does not ask costs nothing: the
 * records wait in the log. Invariant: what was fetched is given out before more is fetched.
 */
import type { KafkaClient } from '../../client/types.ts'
import { pageRowsMax } from '../../contract/common.ts'
import { tailBehindMax, type TailBatch } from '../../contract/messages.ts'
import type { Env } from '../../env/types.ts'
import { batchCrcIsValid, batchesIn, isControl, lastOffset } from '../../wire/record-batch.ts'
import { WireError } from '../../wire/errors.ts'
import { HostError, toHostError } from '../problem.ts'
import { pause } from '../rpc/waiting.ts'
import type { TailQuery } from './engine-port.ts'
import { rowOf } from './partition-scan.ts'
import { partitionsOf } from './range.ts'
import { eachMatch } from './record-block.ts'
import { RowStore, spillBytesMax, type NewRow } from './row-store.ts'
import { compileText, type TextMatcher } from './text-matcher.ts'

const tailWaitMs = 500
const tailDeadlineMs = 5_000
const tailPartitionBytes = 512 * 1024
const tailFetchBytes = 4 * 1024 * 1024
/** After a round in which nothing could be read. */
const troublePauseMs = 1_000

interface TailPartition {
  readonly partition: number
  position: number
  end: number
  problem: string | null
}

export class Tail {
  readonly rows: RowStore
  readonly query: TailQuery
  lastUsedMs = 0
  private readonly env: Env
  private readonly client: KafkaClient
  private readonly queryId: string
  private readonly matcher: TextMatcher | null
  private readonly partitions: readonly TailPartition[]
  private readonly ending = new AbortController()
  private found: NewRow[] = []
  private scanned = 0
  private matched = 0
  private skipped = 0

  private constructor(options: TailOptions, partitions: readonly TailPartition[]) {
    this.env = options.env
    this.client = options.client
    this.queryId = options.queryId
    this.query = options.query
    this.rows = new RowStore(options.env, options.spillPath)
    this.matcher = options.query.text === null ? null : compileText(options.query.text)
    this.partitions = partitions
  }

  static async open(options: TailOptions): Promise<Tail> {
    const { client, query } = options
    const { partitions, leaderless } = await partitionsOf(client, query.topic, query.partitions)
    const ends = await client.admin.listOffsets(
      [...partitions, ...leaderless].map((partition) => ({ topic: query.topic, partition, spec: 'latest' as const })),
      { timeoutMs: tailDeadlineMs },
    )
    const reachable = ends.map(({ partition, offset, error }): TailPartition => {
      const end = offset ?? 0
      // Without a known end the broker is asked for its end in place of an offset that may be far behind.
      const position = offset === null ? Number.NaN : Math.max(0, end - query.backlog)
      return { partition, position, end, problem: error?.message ?? null }
    })
    return new Tail(options, reachable)
  }

  async next(): Promise<TailBatch | null> {
    this.lastUsedMs = this.env.clock.monotonicMs()
    if (this.found.length === 0 && !this.ending.signal.aborted) await this.fetch()
    if (this.ending.signal.aborted) return null
    const batch = this.found.splice(0, pageRowsMax)
    const firstIndex = this.rows.rowCount
    for (const row of batch) {
      if (this.rows.append(row)) await this.rows.spill()
    }
    if (this.rows.bytes > spillBytesMax) {
      throw new HostError('QUERY_LIMIT', `The live tail has kept ${this.rows.rowCount} rows; no more fit.`, { advice: 'Start it again.' })
    }
    return {
      queryId: this.queryId,
      rows: batch.map((row, at) => ({ index: firstIndex + at, ...row })),
      scanned: this.scanned,
      matched: this.matched,
      behind: this.partitions.reduce((total, partition) => total + Math.max(0, partition.end - partition.position || 0), this.found.length),
      skipped: this.skipped,
      gaps: this.partitions.flatMap(({ problem }) => (problem === null ? [] : [problem])),
    }
  }

  async close(): Promise<void> {
    this.ending.abort()
    await this.rows.close()
  }

  private async fetch(): Promise<void> {
    await this.findLostEnds()
    this.skipWhenFarBehind()
    const positions = this.partitions.filter(({ position }) => !Number.isNaN(position))
    try {
      const fetched = await this.client.fetchBatches(
        {
          partitions: positions.map(({ partition, position }) => ({
            topic: this.query.topic,
            partition,
            fetchOffset: position,
            partitionBytesMax: tailPartitionBytes,
          })),
          maxWaitMs: tailWaitMs,
          maxBytes: tailFetchBytes,
          lane: `tail-${this.queryId}`,
        },
        { timeoutMs: tailDeadlineMs, signal: this.ending.signal },
      )
      for (const part of fetched) {
        const state = this.partitions.find(({ partition }) => partition === part.partition)
        if (state === undefined) continue
        state.problem = part.error?.message ?? null
        if (part.error?.kafkaErrorName === 'OFFSET_OUT_OF_RANGE') state.position = Number.NaN
        if (part.error !== null) continue
        state.end = part.highWatermark
        this.take(state, part.records)
      }
      // Rows of one round in the order of their time, as a person would have seen them arrive.
      this.found.sort((a, b) => a.timestampMs - b.timestampMs || a.partition - b.partition || a.offset - b.offset)
      if (fetched.every(({ error }) => error !== null)) await pause(this.env, troublePauseMs, this.ending.signal)
    } catch (error) {
      if (this.ending.signal.aborted) return
      const problem = toHostError(error, this.query.topic).message
      for (const partition of this.partitions) partition.problem = problem
      await pause(this.env, troublePauseMs, this.ending.signal)
    }
  }

  private take(state: TailPartition, records: Buffer): void {
    try {
      for (const { header, position } of batchesIn(records)) {
        const from = state.position
        state.position = Math.max(state.position, lastOffset(header) + 1)
        if (isControl(header)) continue
        if (!batchCrcIsValid(records, position, header)) throw new WireError('MALFORMED_BATCH', 'a checksum is wrong')
        this.scanned += header.recordCount
        eachMatch(records, position, header, this.matcher, (record) => {
          if (record.offset < from) return
          this.matched += 1
          this.found.push(rowOf(state.partition, record, header))
        })
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error
      state.problem = `A batch of partition ${state.partition} cannot be decoded: ${error.message}. It was passed over.`
    }
  }

  private skipWhenFarBehind(): void {
    for (const partition of this.partitions) {
      const behind = partition.end - partition.position
      if (!(behind > tailBehindMax)) continue
      this.skipped += behind
      partition.position = partition.end
    }
  }

  private async findLostEnds(): Promise<void> {
    const lost = this.partitions.filter(({ position }) => Number.isNaN(position))
    if (lost.length === 0) return
    const queries = lost.map(({ partition }) => ({ topic: this.query.topic, partition, spec: 'latest' as const }))
    const ends = await this.client.admin
      .listOffsets(queries, { timeoutMs: tailDeadlineMs, signal: this.ending.signal })
      .catch((error: unknown) => {
        const problem = toHostError(error, this.query.topic).message
        for (const partition of lost) partition.problem = problem
        return []
      })
    for (const { partition, offset, error } of ends) {
      const state = lost.find((candidate) => candidate.partition === partition)
      if (state === undefined) continue
      state.problem = error?.message ?? null
      if (offset !== null) state.position = state.end = offset
    }
  }
}

export interface TailOptions {
  readonly env: Env
  readonly client: KafkaClient
  readonly queryId: string
  readonly query: TailQuery
  readonly spillPath: string
}

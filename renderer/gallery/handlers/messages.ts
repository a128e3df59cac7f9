import type { MessageDetail, MessageQuery, MessageRow, QueryProgress, TailBatch } from '../../../broker/contract/messages.ts'
import { detailOf, histogram, recordAt, rowOf } from '../fixtures/messages.ts'
import type { World } from '../fixtures/world.ts'
import { streamed } from '../stream.ts'
import type { Implementer } from '../implementer.ts'

const SCAN_PER_SECOND = 400_000

interface OpenQuery {
  /** Which records match, by their place; null when all do. */
  matching: readonly number[] | null
  query: MessageQuery
  openedMs: number
  cancelled: boolean
  rowsMax: number
}

export function messageHandlers(os: Implementer, world: World) {
  const queries = new Map<string, OpenQuery>()
  const newestMs = Date.now()
  const total = world.scene === 'empty' ? 0 : 41_820
  const progressOf = (queryId: string): QueryProgress => progress(queryId, queries.get(queryId), total, world)
  const rowsOf = (open: OpenQuery | undefined, from: number, count: number, until: number): MessageRow[] =>
    Array.from({ length: Math.max(0, Math.min(count, until - from)) }, (_unused, place) =>
      rowOf(recordAt(world.scene, open?.matching?.[from + place] ?? from + place, newestMs), from + place),
    )
  const detail = (index: number, topic: string): MessageDetail => detailOf(recordAt(world.scene, index, newestMs), index, topic)
  return {
    messages: {
      open: os.messages.open.handler(({ input }) => {
        const queryId = `query-${queries.size + 1}`
        queries.set(queryId, {
          matching: matchingPlaces(world, input, total, newestMs),
          query: input,
          openedMs: Date.now(),
          cancelled: false,
          rowsMax: input.rowsMax ?? Number.POSITIVE_INFINITY,
        })
        return { queryId }
      }),
      watch: os.messages.watch.handler(({ input, signal }) => streamed(() => progressOf(input.queryId), 120, signal)),
      progress: os.messages.progress.handler(({ input }) => progressOf(input.queryId)),
      rows: os.messages.rows.handler(({ input }) => {
        const rowCount = progressOf(input.queryId).rowCount
        return { rows: rowsOf(queries.get(input.queryId), input.from, input.count, rowCount), rowCount }
      }),
      detail: os.messages.detail.handler(({ input }) => {
        const open = queries.get(input.queryId)
        return { ...detail(open?.matching?.[input.index] ?? input.index, open?.query.topic ?? ''), index: input.index }
      }),
      at: os.messages.at.handler(({ input }) => ({
        ...detail(Math.max(0, 41_820 - input.offset), input.topic),
        partition: input.partition,
        offset: input.offset,
      })),
      payload: os.messages.payload.handler(({ input }) => {
        const text = 'x'.repeat(Math.max(0, Math.min(input.count, 1_048_576 - input.position)))
        const end = input.position + text.length
        return { text, position: input.position, nextPosition: end < 1_048_576 ? end : null, bytes: 1_048_576 }
      }),
      more: os.messages.more.handler(({ input }) => {
        const open = queries.get(input.queryId)
        if (open) open.rowsMax += input.rows ?? Number.POSITIVE_INFINITY
        return null
      }),
      cancel: os.messages.cancel.handler(({ input }) => {
        const open = queries.get(input.queryId)
        if (open) open.cancelled = true
        return null
      }),
      close: os.messages.close.handler(({ input }) => (queries.delete(input.queryId), null)),
      histogram: os.messages.histogram.handler(({ input }) => {
        if (total === 0) return { fromMs: newestMs, toMs: newestMs, buckets: [] }
        const matching = queries.get(input.queryId)?.matching
        const ratio = matching == null ? 1 : matching.length / total
        const all = histogram(input.buckets, newestMs, total)
        return {
          ...all,
          buckets: all.buckets.map((bucket) => ({ ...bucket, matchedCount: Math.round((bucket.recordCount ?? 0) * ratio) })),
        }
      }),
      tail: os.messages.tail.handler(({ signal }) => {
        let next = 0
        return streamed(
          (): TailBatch => {
            const from = next
            next += total === 0 ? 0 : 7
            const rows = Array.from({ length: next - from }, (_unused, place) =>
              rowOf(
                { ...recordAt(world.scene, from + place, Date.now()), offset: 41_820 + from + place, timestampMs: Date.now() },
                from + place,
              ),
            )
            return { queryId: 'tail-1', rows, scanned: next, matched: next, behind: 0, skipped: 0, gaps: [] }
          },
          400,
          signal,
        )
      }),
    },
    produce: {
      send: os.produce.send.handler(({ input }) => ({
        topic: input.topic,
        partition: input.partition ?? 3,
        offset: 41_821,
        timestampMs: Date.now(),
        timestampType: 'create' as const,
        elapsedMs: 2.4,
        activityId: 106,
      })),
      repeat: os.produce.repeat.handler(({ input, signal }) => {
        let sent = 0
        return streamed(
          () => {
            sent = Math.min(input.count, sent + Math.max(1, Math.floor(input.count / 20)))
            return {
              sent,
              total: input.count,
              failed: 0,
              last: {
                topic: input.record.topic,
                partition: 3,
                offset: 41_821 + sent,
                timestampMs: Date.now(),
                timestampType: 'create' as const,
                elapsedMs: 2,
                activityId: null,
              },
              lastProblem: null,
              recordsPerSecond: 900,
              isDone: sent === input.count,
            }
          },
          100,
          signal,
        )
      }),
    },
  }
}

const SEARCHED_CHARACTERS = 4_000

/** The places of the records that hold what is looked for, as the real host would find them. */
function matchingPlaces(world: World, query: MessageQuery, total: number, newestMs: number): number[] | null {
  const { text } = query
  if (text === null || text === undefined) return null
  const fold = (part: string | null): string => {
    const searched = (part ?? '').slice(0, SEARCHED_CHARACTERS)
    return text.caseSensitive === true ? searched : searched.toLowerCase()
  }
  const needle = fold(text.contains)
  const parts = text.in ?? ['key', 'value', 'headers']
  return Array.from({ length: total }, (_unused, index) => index).filter((index) => {
    const record = recordAt(world.scene, index, newestMs)
    return (parts.includes('key') && fold(record.key).includes(needle)) || (parts.includes('value') && fold(record.value).includes(needle))
  })
}

function progress(queryId: string, open: OpenQuery | undefined, total: number, world: World): QueryProgress {
  const elapsedMs = open === undefined ? 0 : Date.now() - open.openedMs
  const reach = Math.min(total, Math.floor((elapsedMs / 1000) * SCAN_PER_SECOND))
  const matchRatio = open?.matching == null || total === 0 ? 1 : open.matching.length / total
  const rowCount = Math.min(Math.round(reach * matchRatio), open?.rowsMax ?? 0)
  const scanned = open?.matching == null ? rowCount : reach
  const isPaused = rowCount === open?.rowsMax && scanned < total
  return {
    queryId,
    state: open?.cancelled === true ? 'cancelled' : isPaused ? 'paused' : reach >= total ? 'done' : 'scanning',
    problem: null,
    scanned,
    matched: rowCount,
    remaining: total - scanned,
    bytes: scanned * 96,
    elapsedMs: Math.min(elapsedMs, 240),
    recordsPerSecond: SCAN_PER_SECOND,
    rowCount,
    partitions: Array.from({ length: 10 }, (_unused, partition) => ({
      partition,
      fromOffset: 0,
      toOffset: 4_182,
      remaining: Math.floor((total - scanned) / 10),
      scanned: Math.floor(scanned / 10),
      matched: Math.floor(rowCount / 10),
      bytes: scanned * 9,
      problem: world.scene === 'worst' && partition % 3 === 1 ? 'Its leader, broker 2, does not answer.' : null,
    })),
  }
}
